// SPDX-License-Identifier: Apache-2.0
/**
 * How slow this machine is now beside the one the marks were set on (two cores, bench/RESULTS.md): marks of time grow with it.
 * Input: nothing. Output: a factor from 1 to 4. On the machine of the marks, with nothing beside it, it is 1 and a mark is what it says.
 */
import { createHash } from 'node:crypto';

/** Of the work below on the machine of the marks. */
const REFERENCE_MS = 17;
/** On a machine that is slower yet a mark says nothing any more. */
const MOST = 4;
const ROUNDS = 5;

const work = (): void => {
  const row = { time: '2026-11-26T12:00:00.000Z', host: 'web-1', fields: ['a', 'b', 'c'], count: 7 };
  for (let i = 0; i < 12_000; i++) JSON.parse(JSON.stringify({ ...row, count: i }));
  createHash('sha256').update(Buffer.alloc(16_000_000)).digest();
};

/** The median of some rounds: what runs beside us counts, a hiccup does not. */
export const pace = (): number => {
  work();
  const times = Array.from({ length: ROUNDS }, () => {
    const began = performance.now();
    work();
    return performance.now() - began;
  }).sort((a, b) => a - b);
  const factor = Math.min(MOST, Math.max(1, times[Math.floor(ROUNDS / 2)]! / REFERENCE_MS));
  if (factor > 1.2)
    process.stdout.write(`This machine is ${factor.toFixed(1)} times as slow as the one of the marks; marks of time grow with it.\n`);
  return factor;
};
