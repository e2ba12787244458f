#!/bin/sh
//usr/bin/env true; exec "$(dirname "$(readlink -f "$0")")/node.sh" "$0" "$@" # The line above and this one are a shell's, all else is Node's.
// SPDX-License-Identifier: Apache-2.0
/**
 * Entry of the agent's program, plain JavaScript so that any Node can say what is missing.
 * Input: the command line. Output: `agent/main.ts` on the pinned Node.
 */
import { launch } from './launch.js';

launch('agent/main.ts');
