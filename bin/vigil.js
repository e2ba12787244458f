#!/bin/sh
//usr/bin/env true; exec "$(dirname "$(readlink -f "$0")")/node.sh" "$0" "$@" # The line above and this one are a shell's, all else is Node's.
// SPDX-License-Identifier: Apache-2.0
/**
 * Entry of the collector's program, plain JavaScript so that any Node can say what is missing.
 * Input: the command line. Output: `collector/main.ts` (or `--script FILE`) on the pinned Node.
 */
import { launch } from './launch.js';

launch('collector/main.ts');
