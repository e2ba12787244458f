// SPDX-License-Identifier: Apache-2.0
/**
 * The proof that detection works: a planted record goes down the river like any other, and its rule must find it in time.
 * Input: an hour's turn, what pages found. Output: the answer of the check `detection-self-test`, about the collector's own host.
 */
import { type Clock, systemClock } from '../../core/clock.ts';
import { type AssetId, random128 } from '../../core/ids.ts';
import { type Ms, seconds, type UnixMs } from '../../core/units.ts';
import type { Notices } from '../model/notice.ts';
import { answerWith } from './own-answers.ts';
import type { Answer } from './span.ts';

export interface SelfTestParts {
  readonly clock: Clock;
  readonly host: AssetId;
  readonly notices: Notices;
  readonly answer: (answer: Answer) => void;
  /** A planted record that is not found within this was missed. */
  readonly withinMs?: Ms;
}

export interface SelfTest {
  /** Plants a record. Returns at once; the answer comes when it is found, or was missed. */
  plant(): void;
  /** A page was judged in which the rule found a planted record of that time. */
  found(at: UnixMs | null): void;
  close(): Promise<void>;
}

const WITHIN: Ms = seconds(60);

export const openSelfTest = ({ clock, host, notices, answer, withinMs = WITHIN }: SelfTestParts): SelfTest => {
  const stop = new AbortController();
  let open: { readonly at: UnixMs; readonly since: number; readonly done: AbortController } | null = null;
  let watching: Promise<void> = Promise.resolve();
  const expected = `found within ${withinMs / 1_000} s`;

  return {
    plant: () => {
      if (open !== null || stop.signal.aborted) return;
      const test = { at: clock.now(), since: performance.now(), done: new AbortController() };
      open = test;
      notices.say({ action: 'self-test', message: 'A record was planted to see that its rule finds it.', reason: random128().slice(0, 8) });
      watching = systemClock.sleep(withinMs, AbortSignal.any([stop.signal, test.done.signal])).then(() => {
        if (open !== test || stop.signal.aborted) return;
        open = null;
        const actual = `not found within ${withinMs / 1_000} s`;
        answer(answerWith('detection-self-test', host, { result: 'fail', actual, expected }, clock.now()));
      });
    },
    found: (at) => {
      if (at === null || open === null || at < open.at) return;
      const { since, done } = open;
      open = null;
      done.abort();
      const actual = `found after ${((performance.now() - since) / 1_000).toFixed(1)} s`;
      answer(answerWith('detection-self-test', host, { result: 'pass', actual, expected }, clock.now()));
    },
    close: async () => {
      stop.abort();
      await watching;
    },
  };
};
