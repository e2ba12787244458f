// SPDX-License-Identifier: Apache-2.0
/**
 * Sixty of the pack's rules that can fire, drawn by a seed: each fires on raw lines, and not on the same lines with one word changed.
 * Input: `rules/packs`, `test/fixtures/sigma/<rule id>.cases.yml`. Output: a claim a rule.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { makeJoin } from '../collector/decode/auditd/join.ts';
import { declarations } from '../collector/decode/decode.ts';
import { parseCases, type RuleCase } from '../collector/detect/cases.ts';
import { makeDetector } from '../collector/detect/detect.ts';
import { coverageOf } from '../collector/detect/figures.ts';
import { readRuleFolders } from '../collector/detect/folder.ts';
import { compileRuleSet } from '../collector/detect/ruleset.ts';
import { hashId } from '../core/ids.ts';
import { unixMs } from '../core/units.ts';
import { seeded } from './model/random.ts';
import { ROOT } from './support/repository.ts';

const SEED = 20_261_124;
const DRAWN = 60;
/** Of the 351 rules so many must be able to fire. */
const CAN_FIRE = 250;

const ruleset = compileRuleSet(await readRuleFolders([join(ROOT, 'rules', 'packs')]));
const detector = makeDetector(ruleset, { sources: declarations() });
const live = new Set(
  coverageOf(ruleset, declarations())
    .filter(({ state }) => state === 'live')
    .map(({ rule }) => rule),
);

/** All rules in an order of chance, then those that can fire: a decoder that grows moves the draw as little as can be. */
const drawn = (): readonly (readonly [string, string])[] => {
  const random = seeded(SEED);
  const all = ruleset.events.map(({ rule }) => [rule.id, rule.title] as const).sort(([a], [b]) => (a < b ? -1 : 1));
  for (let i = all.length - 1; i > 0; i--) {
    const other = random.below(i + 1);
    [all[i], all[other]] = [all[other]!, all[i]!];
  }
  return all.filter(([id]) => live.has(id)).slice(0, DRAWN);
};

const AT = unixMs(Date.UTC(2026, 10, 24, 12));
const FROM = {
  collector: 'c',
  incarnation: 'i',
  offset: 0,
  generation: 1,
  agent: hashId('agt', 'a'),
  host: { id: hashId('ast', 'h'), name: 'h' },
  stream: 's',
  epoch: 'e',
  ingested: AT,
  replay: false,
};

const fires = (id: string, { input }: RuleCase): boolean => {
  if (input.kind !== 'lines') throw new Error('raw lines alone count here');
  const join = makeJoin();
  const { dataset } = input;
  const record = (line: string, i: number) =>
    ({ bytes: Buffer.from(line), seq: i + 1, flags: 0, readAt: AT, dataset, zone: 'UTC', from: FROM }) as const;
  let fired = false;
  for (const { event } of [...input.lines.flatMap((line, i) => join.push(record(line, i))), ...join.flush()])
    detector.detectDecoded(event, ({ rule }) => (fired ||= rule.id === id));
  return fired;
};

const casesOf = (id: string): readonly RuleCase[] => {
  const file = join(ROOT, 'test', 'fixtures', 'sigma', `${id}.cases.yml`);
  if (!existsSync(file)) throw new Error(`${file} is missing: write a hit and a near miss for it`);
  const read = parseCases(readFileSync(file, 'utf8'), file);
  if (!read.ok) throw new Error(read.reason);
  return read.cases;
};

describe('of the SigmaHQ rules', () => {
  it(`at least ${CAN_FIRE} of 351 can fire`, () => {
    expect(ruleset.events).toHaveLength(351);
    expect(live.size).toBeGreaterThanOrEqual(CAN_FIRE);
  });

  it.each(drawn())('%s fires on its raw lines and not on a near miss: %s', (id) => {
    const cases = casesOf(id);
    expect(new Set(cases.map(({ expect: wanted }) => wanted))).toEqual(new Set(['match', 'none']));
    for (const one of cases) expect([one.name, fires(id, one)]).toEqual([one.name, one.expect === 'match']);
  });
});
