// SPDX-License-Identifier: Apache-2.0
import { DatabaseSync } from 'node:sqlite';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ms, type UnixMs, unixMs } from '../../core/units.ts';
import { correlation, eventRule, ruleSet, type SignalSketch, signal } from '../../test/support/signals.ts';
import { openJudge } from '../cli/judge.ts';
import type { CorrelationRule } from '../model/rule.ts';
import { openSignals } from '../store/embedded/signals.ts';
import { makeCorrelator } from './correlate.ts';
import { makeHeard } from './heard.ts';

const T = 1_700_000_000_000;
const HOUR = 3_600_000;
const stopped = eventRule('stopped');
const started = eventRule('started');
const gone = (more: Partial<CorrelationRule> = {}): CorrelationRule =>
  correlation('gone', { type: 'absence', rules: ['stopped', 'started'], condition: [], timespanMs: ms(1000), ...more });

interface Step {
  readonly signals?: readonly SignalSketch[];
  /** Offsets from T. */
  readonly marks?: Readonly<Record<string, number>>;
}

/** Judges each step as one page, each with a new correlator: nothing is remembered but the table. Gives the times left alone. */
const alone = (steps: readonly Step[], rule = gone()): readonly (readonly number[])[] => {
  const table = openSignals(new DatabaseSync(':memory:'));
  const set = ruleSet(stopped, started, rule);
  return steps.map(({ signals = [], marks = {} }) => {
    const watermarks: Record<string, UnixMs> = {};
    for (const [stream, at] of Object.entries(marks)) watermarks[stream] = unixMs(T + at);
    const page = { signals: signals.map((one) => signal({ rule: 'stopped', ...one, at: T + one.at })), watermarks };
    return makeCorrelator(set)
      .judge(page, table)
      .satisfied.map(({ from }) => from - T);
  });
};

describe('absence', () => {
  it('is told when the watermark has passed the window, not before, and once', () => {
    const marks = [999, 1000, 2000].map((auth) => ({ marks: { auth } }));
    expect(alone([{ signals: [{ at: 0 }], marks: { auth: 0 } }, ...marks])).toEqual([[], [], [0], []]);
  });

  it('is not there when the second rule follows within the window, to its last millisecond', () => {
    const followedAt = (at: number): readonly Step[] => [{ signals: [{ at: 0 }, { at, rule: 'started' }] }, { marks: { auth: 5000 } }];
    expect(alone(followedAt(0))).toEqual([[], []]);
    expect(alone(followedAt(999))).toEqual([[], []]);
    expect(alone(followedAt(1000))).toEqual([[], [0]]);
    expect(alone(followedAt(-1))).toEqual([[], [0]]);
  });

  it('is of its own group', () => {
    const other = { at: 5, rule: 'started', ip: '203.0.113.9' };
    expect(alone([{ signals: [{ at: 0 }, other] }, { marks: { auth: 5000 } }])).toEqual([[], [0]]);
  });

  it('of a rule by itself waits for the next one', () => {
    const rule = gone({ rules: ['stopped', 'stopped'] });
    expect(alone([{ signals: [{ at: 0 }, { at: 500 }] }, { marks: { auth: 5000 } }], rule)).toEqual([[], [500]]);
  });

  it('is unknown while its stream is silent, however far others are, and told when that speaks again', () => {
    const silent: Step[] = [
      { signals: [{ at: 0, stream: 'web log' }], marks: { 'web log': 0, 'db log': 0 } },
      { marks: { 'db log': 10 * HOUR } },
      { marks: { 'db log': 20 * HOUR } },
    ];
    expect(alone([...silent, { marks: { 'web log': 21 * HOUR } }])).toEqual([[], [], [], [0]]);
    const back: Step = { signals: [{ at: 500, rule: 'started', stream: 'web log' }], marks: { 'web log': 21 * HOUR } };
    expect(alone([...silent, back])).toEqual([[], [], [], []]);
  });

  it('waits for the other streams of its host', () => {
    const steps: Step[] = [
      { signals: [{ at: 0, stream: 'web log' }], marks: { 'web log': 0, 'web audit': 0, 'db log': 0 } },
      { marks: { 'web log': 5000, 'db log': 9 * HOUR } },
      { marks: { 'web audit': 5000 } },
    ];
    expect(alone(steps)).toEqual([[], [], [0]]);
  });

  it('of a replay waits for that replay alone', () => {
    const steps: Step[] = [
      { signals: [{ at: -9 * HOUR, replay: true, stream: 'old' }], marks: { auth: 0 } },
      { marks: { auth: HOUR } },
      { marks: { old: -8 * HOUR } },
    ];
    expect(alone(steps)).toEqual([[], [], [-9 * HOUR]]);
  });

  it('of a signal that came after its window is told at once', () => {
    expect(alone([{ marks: { auth: 9000 } }, { signals: [{ at: 0 }] }, { marks: { auth: 9001 } }])).toEqual([[], [0], []]);
  });

  it('is detected when the window is over', () => {
    const table = openSignals(new DatabaseSync(':memory:'));
    const page = { signals: [signal({ rule: 'stopped', at: T, ingested: T + 5 })], watermarks: { auth: unixMs(T + 1000) } };
    const [found] = makeCorrelator(ruleSet(stopped, started, gone())).judge(page, table).satisfied;
    expect(found).toMatchObject({ detected: T + 1005, late: false, entity: 'ip:203.0.113.77' });
  });

  it('is refused with anything but two rules', () => {
    const { refused } = makeCorrelator(ruleSet(stopped, started, gone({ rules: ['stopped'] })));
    expect(refused.map(({ code }) => code)).toEqual(['CORRELATION_BAD']);
  });

  it('is the same for every order of arrival, cut into pages and redone page, while watermarks say what is true (S6)', () => {
    const sketch = fc.record({
      rule: fc.constantFrom('stopped', 'started'),
      at: fc.integer({ min: 0, max: 40 }).map((n) => n * 200),
      ip: fc.constantFrom('203.0.113.1', '203.0.113.2'),
      stream: fc.constantFrom('web log', 'web audit', 'db log'),
      key: fc.integer({ min: 0, max: 1 }),
    });
    const rules = ruleSet(stopped, started, gone({ rearmMs: ms(1500) }));
    const outcome = (sketches: readonly SignalSketch[], size: number, redo: boolean) => {
      const judge = openJudge(rules);
      for (let i = 0; i < sketches.length; i += size) {
        // A stream has reached what of it is still to come.
        const rest = sketches.slice(i + size);
        const watermarks: Record<string, UnixMs> = {};
        for (const stream of ['web log', 'web audit', 'db log']) {
          const coming = Math.min(...rest.map(({ at }) => at), 20_000);
          watermarks[stream] = unixMs(T + coming);
        }
        const signals = sketches.slice(i, i + size).map((one) => signal({ ...one, at: T + one.at }));
        judge.judge({ signals, watermarks });
        if (redo) judge.judge({ signals, watermarks });
      }
      judge.finish();
      const alerts = judge.alerts().map(({ rule, entity, first, last, members, count }) => ({ rule, entity, first, last, members, count }));
      judge.close();
      return alerts.sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
    };
    let raised = 0;
    fc.assert(
      fc.property(
        fc
          .uniqueArray(sketch, { minLength: 1, maxLength: 20, selector: (s) => JSON.stringify(s) })
          .chain((set) =>
            fc.tuple(fc.constant(set), fc.shuffledSubarray(set, { minLength: set.length }), fc.integer({ min: 1, max: 7 }), fc.boolean()),
          ),
        ([set, shuffled, size, redo]) => {
          const sorted = [...set].sort((a, b) => a.at - b.at);
          const reference = outcome(sorted, 100, false);
          raised += reference.length;
          expect(outcome(shuffled, size, redo)).toEqual(reference);
          expect(outcome([...sorted].reverse(), 1, false)).toEqual(reference);
          // What the definition says, from the set alone.
          const left = sorted.filter(
            (a) => a.rule === 'stopped' && !sorted.some((b) => b.rule === 'started' && b.ip === a.ip && b.at >= a.at && b.at < a.at + 1000),
          );
          for (const { first, entity } of reference)
            expect(left.some(({ at, ip }) => T + at === first && entity === `ip:${ip}`)).toBe(true);
          for (const { at, ip } of left)
            expect(reference.some(({ first, last, entity }) => first <= T + at && last >= T + at && entity === `ip:${ip}`)).toBe(true);
        },
      ),
      { numRuns: 150 },
    );
    expect(raised).toBeGreaterThan(50);
  }, 60_000);
});

describe('a heartbeat', () => {
  const stream = { stream: 'file:/a', dataset: 'syslog', epoch: 'e', seq: 7, readUpTo: unixMs(T), behindBytes: 0, counts: {} };

  it('moves a stream whose last record was passed', () => {
    const heard = makeHeard();
    heard.note('agt', { stream: 'file:/a', epoch: 'e', first: 1, count: 6 });
    expect(heard.moved('agt', { streams: [stream] })).toEqual([]);
    heard.note('agt', { stream: 'file:/a', epoch: 'e', first: 7, count: 1 });
    expect(heard.moved('agt', { streams: [stream] })).toEqual([{ stream: 'file:/a', time: T }]);
  });

  it('moves nothing of another epoch, another agent, or what was never read', () => {
    const heard = makeHeard();
    heard.note('agt', { stream: 'file:/a', epoch: 'e', first: 1, count: 9 });
    expect(heard.moved('other', { streams: [stream] })).toEqual([]);
    expect(heard.moved('agt', { streams: [{ ...stream, epoch: 'f' }] })).toEqual([]);
    expect(heard.moved('agt', { streams: [{ ...stream, readUpTo: unixMs(0) }] })).toEqual([]);
  });
});
