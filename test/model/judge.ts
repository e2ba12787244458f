// SPDX-License-Identifier: Apache-2.0
/**
 * The model of S and C: signals of random times in random pages, judged and committed by the real code over SQLite, with crashes inside commits,
 * pages that come twice and a state that is put back.
 * Input: a seed. Output: what broke: live alerts that depend on the order, or on a crash (S6, C1, C3).
 */
import { type CommitParts, openCommitParts, openCommitter } from '../../collector/commit.ts';
import type { Alert } from '../../collector/model/alert.ts';
import type { Page } from '../../collector/model/page.ts';
import type { Signal } from '../../collector/model/signal.ts';
import { openState, type StateCore } from '../../collector/store/embedded/state.ts';
import { ms, type UnixMs, unixMs } from '../../core/units.ts';
import { correlation, eventRule, pagesOf, ruleSet, type SignalSketch, signal } from '../support/signals.ts';
import { type Random, seeded } from './random.ts';

const BEGIN = 1_700_000_000_000;
const RULES = ruleSet(
  eventRule('fail'),
  eventRule('success'),
  eventRule('plain', { alerts: true, level: 'high' }),
  correlation('burst', { level: 'high' }),
  correlation('many', {
    type: 'value_count',
    field: 'user.name',
    groupBy: ['source.ip'],
    timespanMs: ms(120_000),
    condition: [{ op: 'gte', value: 3 }],
  }),
  correlation('both', { type: 'temporal', rules: ['fail', 'success'], timespanMs: ms(90_000), condition: [] }),
  correlation('wide', {
    rules: ['fail', 'success'],
    groupBy: ['host.name'],
    timespanMs: ms(600_000),
    condition: [{ op: 'gte', value: 5 }],
  }),
);

const drawSignals = (random: Random): readonly Signal[] => {
  // Bursts and single ones over some hours, so that episodes form, touch, and stay apart.
  const out: SignalSketch[] = [];
  const centres = Array.from({ length: 1 + random.below(4) }, () => random.below(14_400_000));
  const count = 3 + random.below(25);
  for (let key = 0; key < count; key++)
    out.push({
      rule: random.of(['fail', 'fail', 'fail', 'success', 'plain']),
      at: BEGIN + random.of(centres) + random.below(random.of([5_000, 60_000, 150_000, 4_000_000])),
      key,
      ip: random.of(['203.0.113.7', '203.0.113.7', '203.0.113.8']),
      user: random.of(['root', 'ann', 'bob', 'eve']),
      host: random.of(['ast_bastion', 'ast_web']),
    });
  return out.map(signal);
};

const pages = (signals: readonly Signal[], random: Random, incarnation: string): Page[] => {
  const out: Page[] = [];
  let watermarks: Record<string, UnixMs> = {};
  for (let at = 0; at < signals.length; ) {
    const size = 1 + random.below(6);
    const [part] = pagesOf(signals.slice(at, at + size), size);
    watermarks = { ...watermarks };
    for (const [stream, time] of Object.entries(part?.watermarks ?? {}))
      watermarks[stream] = unixMs(Math.max(watermarks[stream] ?? 0, time));
    const n = out.length + 1;
    out.push({ collector: 'c', incarnation, from: at * 10, to: (at + size) * 10, n, watermarks, signals: signals.slice(at, at + size) });
    at += size;
  }
  return out;
};

class Crash extends Error {}

/** A database that breaks off after so many writes, as a killed process leaves it. */
const breaking = (core: StateCore, after: number): StateCore => {
  let left = after;
  return {
    ...core,
    put: (...args) => {
      if (left-- <= 0) throw new Crash();
      return core.put(...args);
    },
    commit: (...args) => {
      if (left-- <= 0) throw new Crash();
      core.commit(...args);
      if (left-- <= 0) throw new Crash();
    },
  };
};

const liveAlerts = ({ core }: CommitParts): readonly string[] =>
  (core.list('alert', { limit: 10_000 }).items as readonly { readonly value: Alert }[])
    .map(({ value }) => value)
    .filter(({ status }) => status === 'live')
    .map(({ rule, entity, first, last, count, members }) =>
      JSON.stringify([rule, entity, first - BEGIN, last - BEGIN, count, [...members].sort()]),
    )
    .sort();

/** One seed: the same signals in the order of their times, and in disorder with faults. Answers what differs. */
export const runJudge = (seed: number): readonly string[] => {
  const random = seeded(seed * 6_700_417 + 5);
  const signals = drawSignals(random);
  const calm = openCommitParts(openState(':memory:'));
  const inOrder = openCommitter(calm, RULES);
  for (const page of pages(
    [...signals].sort((a, b) => a.time - b.time),
    random,
    'i1',
  ))
    inOrder.commit(page);
  const want = liveAlerts(calm);

  const core = openState(':memory:');
  const shuffled = signals
    .map((one) => [random(), one] as const)
    .sort(([a], [b]) => a - b)
    .map(([, one]) => one);
  const all = pages(shuffled, random, 'i1');
  const attempt = (page: Page): void => {
    while (random() < 0.2) {
      try {
        // Everything in memory goes with the process: the next one opens the database anew.
        openCommitter(openCommitParts(breaking(core, random.below(8))), RULES).commit(page);
      } catch (error) {
        if (!(error instanceof Crash)) throw error;
      }
    }
    openCommitter(openCommitParts(core), RULES).commit(page);
    if (random() < 0.2) openCommitter(openCommitParts(core), RULES).commit(page);
  };
  for (const page of all) attempt(page);
  // A journal that was put back: its pages are made again under another incarnation, and cut otherwise.
  if (random() < 0.3) for (const page of pages(shuffled, random, 'i2').slice(random.below(all.length))) attempt(page);
  const got = liveAlerts(openCommitParts(core));
  calm.core.close();
  core.close();
  return want.join('\n') === got.join('\n') ? [] : [`live alerts differ: in order ${want.join(' ')}; in disorder ${got.join(' ')}`];
};
