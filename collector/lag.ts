// SPDX-License-Identifier: Apache-2.0
/**
 * How far a reader of the journal is behind: in milliseconds since the oldest thing it has not read came in.
 * Input: each new end of the journal, each new position of the reader. Output: the lag now, and a wait for a position.
 */
import type { Clock } from '../core/clock.ts';

export interface Lag {
  /** The journal reaches this far now. */
  grown(end: number): void;
  /** The reader is this far now. */
  reached(position: number): void;
  readonly position: number;
  /** Milliseconds; 0 when everything is read. */
  now(): number;
  /** Resolves with true when the reader is at the position, with false after the limit. */
  wait(position: number, limitMs: number): Promise<boolean>;
}

/** Ends that are remembered; beyond, neighbours are told apart no more. */
const MARKS = 4_096;

export const makeLag = (start: number, clock: Clock): Lag => {
  let position = start;
  let marks: { end: number; at: number }[] = [];
  const waiting = new Set<{ readonly position: number; readonly done: () => void }>();
  return {
    grown: (end) => {
      const last = marks.at(-1);
      if (end <= position || (last && end <= last.end)) return;
      if (last && marks.length >= MARKS) last.end = end;
      else marks.push({ end, at: clock.monotonic() });
    },
    reached: (to) => {
      if (to <= position) return;
      position = to;
      if (marks.length > 0 && marks[0]!.end <= to) marks = marks.filter(({ end }) => end > to);
      for (const one of waiting) if (one.position <= to) one.done();
    },
    get position() {
      return position;
    },
    now: () => (marks.length === 0 ? 0 : Math.max(0, Math.round(clock.monotonic() - marks[0]!.at))),
    wait: (target, limitMs) =>
      position >= target
        ? Promise.resolve(true)
        : new Promise((resolve) => {
            const end = (held: boolean): void => {
              clearTimeout(timer);
              waiting.delete(one);
              resolve(held);
            };
            const one = { position: target, done: () => end(true) };
            const timer = setTimeout(() => end(false), limitMs);
            waiting.add(one);
          }),
  };
};
