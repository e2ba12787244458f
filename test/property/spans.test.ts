// SPDX-License-Identifier: Apache-2.0
/**
 * Spans of answers: late and doubled facts end in the same spans in any order of arrival, and the state at any time is the newest answer's.
 * Input: random answers of one check and subject, shuffled, some twice. Output: claims.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Answer, placeAnswer } from '../../collector/facts/span.ts';
import { makeEntity } from '../../collector/model/entity.ts';
import { type Observation, RESULTS, spanAt } from '../../collector/model/observation.ts';
import { openFacts } from '../../collector/store/embedded/facts.ts';
import { openState } from '../../collector/store/embedded/state.ts';
import { ms, unixMs } from '../../core/units.ts';

const SUBJECT = makeEntity('host', 'ast_aaaaaaaaaaaaaaaaaaaa');
const FRESH = 10;

const answers = fc.array(
  fc.record({ at: fc.integer({ min: 1, max: 120 }), result: fc.constantFrom(...RESULTS.slice(0, 3)), actual: fc.constantFrom('a', 'b') }),
  { minLength: 1, maxLength: 30 },
);
const answerOf = ({ at, result, actual }: { at: number; result: Answer['result']; actual: string }): Answer => ({
  check: 'c',
  subject: SUBJECT,
  result,
  actual,
  expected: 'x',
  severity: 'high',
  freshMs: ms(FRESH),
  at: unixMs(at),
});

/** Applies answers one by one over the store's own questions, as the sink does. */
const spansAfter = (all: readonly Answer[]): readonly Observation[] => {
  const state = openState(':memory:');
  try {
    const reader = openFacts(state);
    for (const answer of all) {
      const { put, remove } = placeAnswer(reader.spansNear(answer.check, answer.subject, answer.at), answer);
      for (const id of remove) state.remove('observation', id);
      for (const value of put) state.put('observation', value.id, value);
    }
    return state.list('observation', { limit: 1_000, orderBy: 'first', ascending: true }).items.map(({ value }) => value);
  } finally {
    state.close();
  }
};

const RANK = ['fail', 'error', 'unknown', 'not-applicable', 'pass'];

/** What the newest answer up to a time says, while it is fresh: without spans, from the answers alone. */
const saidAt = (all: readonly Answer[], at: number): string | undefined => {
  const newest = Math.max(...all.map((one) => one.at).filter((time) => time <= at));
  const then = all.filter((one) => one.at === newest);
  const [worst] = then
    .map(({ result, actual }) => [RANK.indexOf(result), `${result} ${actual}`] as const)
    .sort((a, b) => a[0] - b[0] || (a[1] < b[1] ? -1 : 1));
  return newest + FRESH > at ? worst?.[1] : undefined;
};

test('late and doubled answers end in the same spans in any order of arrival', () => {
  fc.assert(
    fc.property(answers, fc.integer(), (drawn, seed) => {
      const all = drawn.map(answerOf);
      const inOrder = spansAfter([...all].sort((a, b) => a.at - b.at));
      const doubled = [...all, ...all.slice(0, 5)];
      const shuffled = doubled.map((one, n) => [(Math.imul(n + 1, seed | 1) >>> 7) % 997, one] as const).sort((a, b) => a[0] - b[0]);
      expect(spansAfter(shuffled.map(([, one]) => one))).toEqual(inOrder);
    }),
    { numRuns: 400 },
  );
});

test('at any time the spans say what the newest answer said, while it is fresh, and nothing beyond', () => {
  fc.assert(
    fc.property(answers, (drawn) => {
      const all = drawn.map(answerOf);
      const spans = spansAfter(all);
      for (let at = 0; at <= 140; at++) {
        const span = spanAt(spans, unixMs(at));
        expect(span && `${span.result} ${span.actual}`, `at ${at}`).toBe(saidAt(all, at));
      }
      expect(spans.filter(({ open }) => open)).toEqual([spans.at(-1)]);
    }),
    { numRuns: 400 },
  );
});

test('an answer that never changes is one span, however often it is given', () => {
  const all = Array.from({ length: 500 }, (_, n) => answerOf({ at: 1 + n * 7, result: 'pass', actual: 'a' }));
  const spans = spansAfter(all);
  expect(spans).toHaveLength(1);
  expect(spans[0]).toMatchObject({ first: 1, last: 1 + 499 * 7, expires: 1 + 499 * 7 + FRESH, open: true });
  expect(spans[0]?.times).toHaveLength(48);
});
