// SPDX-License-Identifier: Apache-2.0
/**
 * The source of observations: quiet at first, says what changed and what it was, keeps fresh, and repeats what was not on disk.
 * Input: a small tree, a clock moved by hand. Output: facts as they would be sealed.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { type Fact, parseFact } from '../../../core/fact.ts';
import { parsePolicy } from '../../../core/policy.ts';
import { hours, ms, unixMs } from '../../../core/units.ts';
import { handClock } from '../../../test/support/hand-clock.ts';
import { tempDir } from '../../../test/support/vigil.ts';
import { openRedactor } from '../../redact/redact.ts';
import { loadRules } from '../../redact/rules.ts';
import type { Source } from '../source.ts';
import { loadWaivers, policiesFor, type Waiver } from './load.ts';
import { openPosture } from './posture.ts';

const POLICY = `policy: p
title: P
description: d
checks:
  - id: a-is-one
    title: A is one
    severity: high
    rationale: because
    expected: a is 1
    test:
      key: { file: /etc/a.conf, key: a, is: 1 }
    fix:
      steps:
        - line: { file: /etc/a.conf, line: a = 1, replaces: ^a }
  - id: b-is-there
    title: B is there
    severity: low
    rationale: because
    expected: /etc/b is there
    test:
      file: { path: /etc/b, exists: true }
    fix:
      steps:
        - write: { file: /etc/b, text: b }
`;

let dir: string;
let root: string;
let clock: ReturnType<typeof handClock>;
let waivers: ReadonlyMap<string, Waiver>;

const open = async (policy = POLICY): Promise<Source> => {
  const source = openPosture({ dir, root, clock, intervalMs: hours(1), policies: [parsePolicy(policy, 'p.yml')], waivers: () => waivers });
  await source.open(() => undefined);
  return source;
};

/** Runs until a batch comes; undefined where none is due. */
const run = (source: Source, seal = true): readonly Fact[] | undefined => {
  for (let i = 0; i < 50; i++) {
    source.poll();
    const batch = source.next();
    if (!batch) continue;
    const facts = batch.records.map(({ bytes }) => parseFact(Buffer.from(bytes).toString('utf8')) as Fact);
    source.commit();
    if (seal) source.sealed();
    return facts;
  }
  return undefined;
};

const told = (facts: readonly Fact[] | undefined): readonly string[] | undefined =>
  facts?.map(
    ({ item, change, fields, was }) => `${change} ${item} ${String(fields['result'])}${was ? ` was ${String(was['result'])}` : ''}`,
  );

beforeEach(() => {
  dir = tempDir();
  root = tempDir();
  mkdirSync(join(root, 'etc'));
  writeFileSync(join(root, 'etc/a.conf'), 'a = 1\n');
  clock = handClock();
  waivers = new Map();
});

describe('the source of observations', () => {
  it('says a baseline first, then what is still so, then what changed and what it was', async () => {
    const source = await open();
    expect(told(run(source))).toEqual(['baseline a-is-one pass', 'baseline b-is-there fail']);
    expect(run(source)).toBeUndefined();
    clock.advance(hours(1));
    expect(told(run(source))).toEqual(['seen a-is-one pass', 'seen b-is-there fail']);
    writeFileSync(join(root, 'etc/a.conf'), 'a = 2\n');
    clock.advance(hours(1));
    expect(told(run(source))).toEqual(['changed a-is-one fail was pass', 'seen b-is-there fail']);
    expect(source.progress()).toMatchObject([{ stream: 'posture', dataset: 'posture', counts: { fail: 2 } }]);
  });

  it('repeats a change whose block was not on disk when it died, and swallows none', async () => {
    const first = await open();
    run(first);
    writeFileSync(join(root, 'etc/a.conf'), 'a = 2\n');
    clock.advance(hours(1));
    expect(told(run(first, false))?.[0]).toBe('changed a-is-one fail was pass');
    expect(told(run(await open()))?.[0]).toBe('changed a-is-one fail was pass');
    expect(told(run(await open()))?.[0]).toBe('seen a-is-one fail');
  });

  it('carries what is found, what is right, and the exact fix', async () => {
    const facts = run(await open());
    expect(facts?.[1]).toMatchObject({
      kind: 'observation',
      fields: {
        check: 'b-is-there',
        severity: 'low',
        actual: '/etc/b is not there',
        expected: '/etc/b is there',
        policy: 'p',
        fresh_ms: 7_200_000,
        fix: "mkdir -p /etc && printf '%s\\n' b > /etc/b",
      },
    });
  });

  it('waives a fail until the day, and no longer', async () => {
    waivers = new Map([
      ['b-is-there', { check: 'b-is-there', reason: 'moved in May', owner: 'ann', until: unixMs(clock.now() + hours(2)) }],
    ]);
    const source = await open();
    expect(run(source)?.[1]?.fields).toMatchObject({
      result: 'fail',
      waiver_owner: 'ann',
      waiver_reason: 'moved in May',
      waiver_until_at: clock.now() + hours(2),
    });
    clock.advance(hours(3));
    const after = run(source)?.[1];
    expect(after?.change).toBe('changed');
    expect(after?.fields['waiver_owner']).toBeUndefined();
    expect(after?.fields['reason']).toContain('the waiver of ann ended on');
  });

  it('says that a check is asked no more, and that a new one is new', async () => {
    run(await open());
    expect(told(run(await open(POLICY.replace('a-is-one', 'a-is-still-one'))))).toEqual([
      'added a-is-still-one pass',
      'seen b-is-there fail',
      'removed a-is-one pass',
    ]);
  });

  it('makes facts of all policies that come along that redaction leaves whole', async () => {
    const source = openPosture({ dir, clock, intervalMs: ms(60_000), policies: policiesFor([], '/', []), waivers: () => waivers });
    await source.open(() => undefined);
    const redactor = openRedactor(loadRules(null));
    let count = 0;
    for (let i = 0; i < 10_000 && count === 0; i++) {
      source.poll();
      for (let batch = source.next(); batch; batch = source.next()) {
        for (const { bytes } of redactor.apply(batch).records) {
          expect(parseFact(Buffer.from(bytes).toString('utf8'))).not.toBeNull();
          count++;
        }
        source.commit();
      }
    }
    expect(count).toBeGreaterThan(40);
  });
});

describe('a policy that cannot be read', () => {
  it('is told, and nothing is run that would look like all', async () => {
    function* broken(): Generator<ReturnType<typeof parsePolicy>> {
      yield parsePolicy(POLICY, 'p.yml');
      throw new Error('p.yml:1:1: broken');
    }
    const source = openPosture({ dir, root, clock, intervalMs: hours(1), policies: broken(), waivers: () => waivers });
    await source.open(() => undefined);
    expect(run(source)).toBeUndefined();
    expect(source.problems()).toMatchObject([{ code: 'POLICY_BAD', reason: 'p.yml:1:1: broken' }]);
  });
});

describe('waivers', () => {
  const policies = [parsePolicy(POLICY, 'p.yml')];
  const load = (text: string): ReadonlyMap<string, Waiver> => {
    const file = join(dir, 'waivers.yml');
    writeFileSync(file, text);
    return loadWaivers(file, policies);
  };

  it('hold to the end of their day', () => {
    const one = load('waivers:\n  - { check: a-is-one, reason: r, owner: o, until: 2026-11-30 }\n').get('a-is-one');
    expect(new Date(one?.until ?? 0).toISOString()).toBe('2026-12-01T00:00:00.000Z');
  });

  it.each([
    ['a check that is not asked', '- { check: a-is-oen, reason: r, owner: o, until: 2026-11-30 }', 'the nearest is "a-is-one"'],
    ['no owner', '- { check: a-is-one, reason: r, until: 2026-11-30 }', 'needs owner'],
    ['no end', '- { check: a-is-one, reason: r, owner: o }', 'needs until'],
    ['a day that is none', '- { check: a-is-one, reason: r, owner: o, until: soon }', 'not "soon"'],
    ['a key that is not known', '- { check: a-is-one, reason: r, owner: o, until: 2026-11-30, untill: x }', 'the nearest is "until"'],
  ])('with %s are refused', (_, text, reason) => {
    expect(() => load(text)).toThrow(reason);
  });
});
