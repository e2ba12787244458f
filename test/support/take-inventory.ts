// SPDX-License-Identifier: Apache-2.0
/**
 * Takes inventory of a tree once, in a process of its own.
 * Input: the tree's folder as argument, `/` without. Output: one JSON line with the number of items by kind, and CPU time.
 */
import { previewInventory } from '../../agent/source/inventory/preview.ts';

const before = process.cpuUsage();
const { counts, problems } = previewInventory(process.argv[2] ?? '/');
const { user, system } = process.cpuUsage(before);
process.stdout.write(`${JSON.stringify({ counts, problems: problems.length, cpuMs: Math.round((user + system) / 1_000) })}\n`);
