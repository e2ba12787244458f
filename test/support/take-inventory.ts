// SPDX-License-Identifier: Apache-2.0
/**
 * Takes inventory of a tree once, in a process of its own.
 * Input: the tree's folder as argument, `/` without. Output: one JSON line with the number of items by kind, what could not be seen, the hardware, CPU time.
 */
import { readHardware } from '../../agent/source/inventory/hardware.ts';
import { previewInventory } from '../../agent/source/inventory/preview.ts';

const before = process.cpuUsage();
const { counts, problems } = previewInventory(process.argv[2] ?? '/');
const { user, system } = process.cpuUsage(before);
const codes = problems.map(({ code, about }) => `${code} ${about}`);
process.stdout.write(`${JSON.stringify({ counts, codes, hardware: await readHardware(), cpuMs: Math.round((user + system) / 1_000) })}\n`);
