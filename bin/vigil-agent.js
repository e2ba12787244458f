#!/usr/bin/env node
// SPDX-License-Identifier: Apache-2.0
/**
 * Entry of the agent's program, plain JavaScript so that any Node can say what is missing.
 * Input: the command line. Output: `agent/main.ts` on the pinned Node.
 */
import { launch } from './launch.js';

launch('agent/main.ts');
