// SPDX-License-Identifier: Apache-2.0
/**
 * What the machine is made of: its processor, how many of them, how much memory.
 * Input: /proc/cpuinfo, and systeminformation once a start. Output: one item `hardware`.
 */
import { cpus } from 'node:os';
import { Worker } from 'node:worker_threads';
import { type Found, item, problem } from './found.ts';
import type { FromHardware } from './hardware-worker.ts';
import { smallText } from './text.ts';
import type { Tree } from './tree.ts';

export type Hardware = FromHardware | { readonly reason: string };

/** Longest time the library may take. */
const LIMIT_MS = 10_000;

/** Memory does not change while a system runs, so it is asked for once. */
export const readHardware = (): Promise<Hardware> =>
  new Promise((resolve) => {
    const worker = new Worker(new URL('./hardware-worker.ts', import.meta.url), { execArgv: [] });
    const end = (hardware: Hardware): void => {
      clearTimeout(timer);
      void worker.terminate();
      resolve(hardware);
    };
    const timer = setTimeout(() => end({ reason: 'it took too long' }), LIMIT_MS);
    worker.once('message', (found: FromHardware) => end(found));
    worker.once('error', (error) => end({ reason: error instanceof Error ? error.message : String(error) }));
    worker.once('exit', () => end({ reason: 'it ended without an answer' }));
  });

export const makeHardwareItems = (known: () => Hardware | undefined) =>
  function* hardwareItems(tree: Tree): Generator<Found> {
    if (!tree.live) return;
    const hardware = known();
    if (hardware !== undefined && 'reason' in hardware) yield problem('INVENTORY_FAILED', 'memory', hardware.reason);
    const told = hardware === undefined || 'reason' in hardware ? undefined : hardware;
    yield item('hardware', {
      model: /^model name\s*:\s*(.+)$/m.exec(smallText(tree, '/proc/cpuinfo') ?? '')?.[1]?.trim() ?? cpus()[0]?.model,
      cores: cpus().length,
      memory: told?.memory,
      swap: told?.swap,
    });
  };
