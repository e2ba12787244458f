// SPDX-License-Identifier: Apache-2.0
/**
 * Cases files: what is taken and what is said of the rest.
 * Input: small texts. Output: cases, or the reason why not.
 */
import { describe, expect, it } from 'vitest';
import { parseCases } from './cases.ts';

const reason = (text: string): string => {
  const result = parseCases(text, 'x.cases.yml');
  return result.ok ? 'taken' : result.reason;
};

describe('parseCases', () => {
  it('takes lines with a dataset and events, repeated where asked', () => {
    const result = parseCases(
      'cases:\n  - {name: a, expect: match, dataset: sshd, lines: [x, y]}\n  - {name: b, rule: r, expect: none, events: [{a: {b: 1}}], repeat: 3}\n',
      'x',
    );
    expect(result).toEqual({
      ok: true,
      cases: [
        { name: 'a', expect: 'match', input: { kind: 'lines', dataset: 'sshd', lines: ['x', 'y'] } },
        { name: 'b', rule: 'r', expect: 'none', input: { kind: 'events', events: [{ 'a.b': 1 }, { 'a.b': 1 }, { 'a.b': 1 }] } },
      ],
    });
  });

  it.each([
    ['cases: []', 'it has no list of cases'],
    ['- a', 'it has no list of cases'],
    ['cases: [a]', 'case 1 is not a map'],
    ['cases: [{name: a, expect: match, line: [x]}]', 'case 1 has the unknown key "line"'],
    ['cases: [{expect: match, events: [{a: 1}]}]', 'case 1 has no name'],
    ['cases: [{name: a, expect: yes, events: [{a: 1}]}]', 'case 1 ("a"): expect is match or none'],
    ['cases: [{name: a, expect: match}]', 'case 1 ("a"): it has either lines or events'],
    ['cases: [{name: a, expect: match, lines: [x]}]', 'case 1 ("a"): lines need a dataset'],
    ['cases: [{name: a, expect: match, events: [x]}]', 'case 1 ("a"): events is a list of maps'],
    ['cases: [{name: a, expect: match, events: [{a: 1}], repeat: 0}]', 'case 1 ("a"): repeat is a number up to 10000'],
    ['cases: [', 'x.cases.yml:1:9:'],
  ])('says of %j: %s', (text, expected) => {
    expect(reason(text)).toContain(expected);
  });
});
