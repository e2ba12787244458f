// SPDX-License-Identifier: Apache-2.0
/**
 * Keeps the process small while it catches up, when it idles, and after work.
 * Input: nothing. Output: settings of the engine, each measured by bench/tail.ts and bench/agent.ts.
 */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { trimHeap } from '../core/heap.ts';

/**
 * The engine otherwise lets 64 MB of buffers pile up before it looks for garbage: a quarter less memory for a fifth more CPU. Its optimizing
 * compilers keep 11 MB of program and code in memory for good; without them a million lines cost 2.0 CPU seconds and not 1.4. What was compiled
 * and has not run between two looks for garbage goes, machine code too: 2 MB of what only a start or a scan needs.
 */
const SMALL = [
  '--external-memory-accounted-in-global-limit',
  '--semi-space-growth-factor=1',
  '--no-opt',
  '--no-maglev',
  '--flush-baseline-code',
  '--bytecode-old-age=2',
] as const;

/** To be called before anything is read. */
export const keepSmall = (): void => {
  for (const flag of SMALL) setFlagsFromString(flag);
};

/**
 * Gives back what a scan left behind: an idle process would keep it until the next one, since nothing else makes it look for garbage.
 * Measured by bench/agent.ts: 9 MB of 10 that an inventory of 750 packages leaves, for about 30 ms of CPU; so it is called when work is over, not in between.
 * It is done in the next turn of the loop: what this turn took of reused buffers counts as held until it ends.
 */
export const giveBack = (): void => {
  setImmediate(() => {
    collect ??= (globalThis as { readonly gc?: Collect }).gc ?? collector();
    collect({ type: 'major', execution: 'sync', flavor: 'last-resort' });
    trimHeap();
  });
};

type Collect = (how: { readonly type: 'major'; readonly execution: 'sync'; readonly flavor: 'last-resort' }) => void;
let collect: Collect | undefined;

/** Where the launcher did not ask for it: the engine shows its collector only to contexts that are made while the flag stands. Each costs half a megabyte. */
const collector = (): Collect => {
  setFlagsFromString('--expose-gc');
  const found = runInNewContext('gc') as Collect;
  setFlagsFromString('--no-expose-gc');
  return found;
};
