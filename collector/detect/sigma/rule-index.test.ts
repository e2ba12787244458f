// SPDX-License-Identifier: Apache-2.0
/**
 * The index never loses a match: it against a full scan, on random rules and events.
 * Input: seeded rules over few fields and values, so that they meet. Output: the same verdicts.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { makeDetector } from '../detect.ts';
import { eventWords } from '../fields.ts';
import { compileRuleSet, type RuleFile } from '../ruleset.ts';

const FIELDS = ['CommandLine', 'Image', 'EventID', 'a0', 'cs-uri-query'];
const WORDS = ['cmd.exe', '/bin/sh', 'curl', 'http://x', '4624', 'é\u2014x', 'UNION', 'sh', '', 'a b'];
const value = fc.oneof(
  fc.constantFrom(...WORDS),
  fc.constantFrom('*sh*', 'c*l', '?url', 'cmd*', '*.exe', '\\*', '4?24'),
  fc.constantFrom<string | number | boolean | null>(4624, 0, true, null),
);
const modifiers = fc.constantFrom(
  '',
  '|contains',
  '|startswith',
  '|endswith',
  '|contains|all',
  '|cased',
  '|contains|cased',
  '|windash',
  '|neq',
  '|re',
  '|base64offset|contains',
);
const patterns = fc.constantFrom('sh$', '^cmd', 'c.rl', 'http://.+', '[0-9]{4}', '(curl|wget)', 'UN.ON', 'x?sh');

const item = fc.oneof(
  { weight: 6, arbitrary: fc.tuple(fc.constantFrom(...FIELDS), modifiers, fc.array(value, { minLength: 1, maxLength: 3 }), patterns) },
  {
    weight: 1,
    arbitrary: fc.tuple(
      fc.constantFrom(...FIELDS),
      fc.constantFrom('|exists', '|gte', '|lt', '|fieldref'),
      fc.constant([] as const),
      patterns,
    ),
  },
);

const entry = fc.record({ key: item }).map(({ key: [field, modifier, values, pattern] }): readonly [string, unknown] => {
  if (modifier === '|re') return [`${field}|re`, pattern];
  if (modifier === '|exists') return [`${field}|exists`, pattern.length % 2 === 0];
  if (modifier === '|gte' || modifier === '|lt') return [`${field}${modifier}`, 4624];
  if (modifier === '|fieldref') return [`${field}|fieldref`, FIELDS[pattern.length % FIELDS.length]];
  const texts = values.map((v) => (modifier === '' || modifier === '|neq' ? v : String(v).replace(/[*?]/g, '') || 'x'));
  return [`${field}${modifier}`, texts];
});

const identifier = fc.oneof(
  { weight: 5, arbitrary: fc.array(entry, { minLength: 1, maxLength: 3 }).map((entries) => Object.fromEntries(entries) as unknown) },
  {
    weight: 1,
    arbitrary: fc
      .array(fc.constantFrom('curl', 'cmd*exe', 'nothing', 'union'), { minLength: 1, maxLength: 2 })
      .map((words) => words as unknown),
  },
);
const condition = fc.constantFrom(
  'a',
  'a and b',
  'a or b',
  'a and not b',
  'not a',
  'not (a and b)',
  '1 of them',
  'all of them',
  '2 of *',
  'a and not (b or c)',
  '(a or b) and c',
);

const rule = fc.record({ a: identifier, b: identifier, c: identifier, condition });

const eventValue = fc.oneof(
  fc.array(fc.constantFrom(...WORDS), { maxLength: 3 }).map((words) => words.join(' ')),
  fc.constantFrom<unknown>(4624, '04624', '4624.0', true, null, 0, 'CMD.EXE', '-a', Buffer.from('zcurl').toString('base64')),
  fc.array(fc.constantFrom<unknown>('curl', 4624, 'cmd.exe', null), { maxLength: 3 }),
);
const event = fc.dictionary(fc.constantFrom(...FIELDS, 'command line', 'process.executable'), eventValue, { maxKeys: 5 });

const fileOf = (body: unknown, i: number): RuleFile => ({
  file: `r${i}.yml`,
  pack: 'vigil',
  text: JSON.stringify({ title: `r${i}`, id: `r${i}`, logsource: { product: 'x' }, detection: body }),
});

describe('the index', () => {
  it('gives the verdicts of a full scan', () => {
    let matched = 0;
    let checked = 0;
    fc.assert(
      fc.property(fc.array(rule, { minLength: 1, maxLength: 12 }), fc.array(event, { minLength: 1, maxLength: 12 }), (bodies, events) => {
        const set = compileRuleSet(bodies.map(fileOf));
        expect(set.findings.filter((f) => f.outcome === 'refused')).toEqual([]);
        const detector = makeDetector(set, { logsource: 'any' });
        const subject = set.table.subject();
        for (const one of events) {
          const indexed: string[] = [];
          detector.detect(one, (match) => indexed.push(match.rule.id));
          set.table.fill(subject, one);
          subject.makeWords = () => eventWords(one);
          const scanned = set.events.filter((r) => r.matches(subject)).map((r) => r.rule.id);
          expect(indexed).toEqual(scanned);
          matched += scanned.length;
          checked += set.events.length;
        }
      }),
      { numRuns: 400 },
    );
    // The property says little unless both verdicts are common.
    expect(matched).toBeGreaterThan(checked / 50);
    expect(matched).toBeLessThan(checked);
  });
});
