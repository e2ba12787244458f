// SPDX-License-Identifier: Apache-2.0
/**
 * The detection language, modifier by modifier: vectors of our own, since no public rule uses most of them.
 * Input: a detection and an event. Output: match or not.
 */
import { describe, expect, it } from 'vitest';
import { makeDetector } from '../detect.ts';
import { compileRuleSet } from '../ruleset.ts';

const ruleText = (detection: string): string =>
  `title: T\nid: t\nlogsource: {product: x}\ndetection:\n${detection
    .split('\n')
    .map((line) => `  ${line}`)
    .join('\n')}\n`;

const compiled = (detection: string, placeholders = new Map<string, readonly string[]>()) =>
  compileRuleSet([{ file: 'r.yml', text: ruleText(detection), pack: 'vigil' }], { placeholders });

const matches = (detection: string, event: Record<string, unknown>): boolean => {
  const set = compiled(detection);
  if (set.events.length === 0) throw new Error(JSON.stringify(set.findings));
  return makeDetector(set, { logsource: 'any' }).detect(event, () => {}) > 0;
};

/** Detection of one field in a selection. */
const field = (key: string, value: unknown): string => `s:\n  ${JSON.stringify(key)}: ${JSON.stringify(value)}\ncondition: s`;
const codes = (detection: string): readonly string[] => compiled(detection).findings.map((f) => `${f.outcome} ${f.code}`);

describe('values', () => {
  it('compares texts whole and without case', () => {
    expect(matches(field('a', 'Foo'), { a: 'fOO' })).toBe(true);
    expect(matches(field('a', 'foo'), { a: 'foobar' })).toBe(false);
  });

  it('takes wildcards in any place, also inside contains', () => {
    expect(matches(field('a', '*/bin/*sh'), { a: '/usr/bin/zsh' })).toBe(true);
    expect(matches(field('a', 'prog?.exe'), { a: 'progA.exe' })).toBe(true);
    expect(matches(field('a', 'prog?.exe'), { a: 'prog.exe' })).toBe(false);
    expect(matches(field('a|contains', 'x?z'), { a: '-xyz-' })).toBe(true);
    expect(matches(field('a', 'a\\*b'), { a: 'a*b' })).toBe(true);
    expect(matches(field('a', 'a\\*b'), { a: 'axb' })).toBe(false);
    expect(matches(field('a', '*'), { a: '' })).toBe(true);
    expect(matches(field('a', '*'), {})).toBe(false);
  });

  it('matches numbers with numbers and numeric texts', () => {
    expect(matches(field('a', 4624), { a: 4624 })).toBe(true);
    expect(matches(field('a', 4624), { a: '4624' })).toBe(true);
    expect(matches(field('a', 4624), { a: '04624' })).toBe(true);
    expect(matches(field('a', 4624), { a: ' 4624.0' })).toBe(true);
    expect(matches(field('a', '404'), { a: 404 })).toBe(true);
    expect(matches(field('a', 1.5), { a: '1.50' })).toBe(true);
    expect(matches(field('a', 4624), { a: '4624x' })).toBe(false);
  });

  it('matches booleans with their texts', () => {
    expect(matches(field('a', true), { a: true })).toBe(true);
    expect(matches(field('a', true), { a: 'True' })).toBe(true);
    expect(matches(field('a', true), { a: false })).toBe(false);
  });

  it('tells empty from no value', () => {
    expect(matches(field('a', ''), { a: '' })).toBe(true);
    expect(matches(field('a', ''), {})).toBe(false);
    expect(matches(field('a', null), {})).toBe(true);
    expect(matches(field('a', null), { a: null })).toBe(true);
    expect(matches(field('a', null), { a: '' })).toBe(false);
    expect(matches('s:\n  b: 1\nf:\n  a: null\ncondition: s and not f', { b: 1, a: 'x' })).toBe(true);
    expect(matches('s:\n  b: 1\nf:\n  a: null\ncondition: s and not f', { b: 1 })).toBe(false);
  });

  it('matches a list when any member does', () => {
    expect(matches(field('a|startswith', 'x'), { a: ['y', 'xz'] })).toBe(true);
    expect(matches(field('a', 5), { a: [1, '5'] })).toBe(true);
    expect(matches(field('a|contains|all', ['x', 'y']), { a: ['x', 'y'] })).toBe(true);
    expect(matches(field('a', null), { a: [] })).toBe(true);
  });

  it('reads dotted names as keys and as paths', () => {
    expect(matches(field('a.b', 'x'), { 'a.b': 'x' })).toBe(true);
  });

  it('ANDs a map, ORs a list of maps and a list of values', () => {
    expect(matches('s:\n  a: 1\n  b: 2\ncondition: s', { a: 1, b: 3 })).toBe(false);
    expect(matches('s:\n  - a: 1\n  - b: 2\ncondition: s', { a: 0, b: 2 })).toBe(true);
    expect(matches(field('a', ['x', 'y']), { a: 'y' })).toBe(true);
    expect(matches(field('a', [['x'], ['y']]), { a: 'y' })).toBe(true);
  });

  it('ORs a list of conditions', () => {
    expect(matches('s:\n  a: 1\nt:\n  b: 1\ncondition: [s, t]', { b: 1 })).toBe(true);
  });
});

describe('keywords', () => {
  it('search the raw line where it is kept', () => {
    expect(matches("k:\n  - 'evil*found'\n  - other\ncondition: k", { 'event.original': 'An Evil thing FOUND here' })).toBe(true);
    expect(matches('k:\n  - evil\ncondition: k', { 'event.original': 'good', user: 'evil' })).toBe(false);
  });

  it('search every value where no line is kept', () => {
    expect(matches('k:\n  - evil\ncondition: k', { a: 'x', b: { c: ['an evil'] } })).toBe(true);
    expect(matches('k:\n  - 4711\ncondition: k', { a: 4711 })).toBe(true);
  });

  it('take all, regular expressions and a single value', () => {
    expect(matches("k:\n  '|all':\n    - one\n    - two\ncondition: k", { m: 'two and one' })).toBe(true);
    expect(matches("k:\n  '|all':\n    - one\n    - three\ncondition: k", { m: 'two and one' })).toBe(false);
    expect(matches("k:\n  '|re':\n    - 'o.e$'\ncondition: k", { m: 'two and one' })).toBe(true);
    expect(matches('k: evil\ncondition: k', { m: 'an evil one' })).toBe(true);
  });

  it('mix with maps in one list', () => {
    expect(matches('k:\n  - evil\n  - a: 1\ncondition: k', { a: 1 })).toBe(true);
  });
});

describe('modifiers', () => {
  it('contains, startswith, endswith, all', () => {
    expect(matches(field('a|contains', 'oo b'), { a: 'Foo Bar' })).toBe(true);
    expect(matches(field('a|startswith', 'foo'), { a: 'Foo Bar' })).toBe(true);
    expect(matches(field('a|endswith', 'bar'), { a: 'Foo Bar' })).toBe(true);
    expect(matches(field('a|contains|all', ['foo', 'nope']), { a: 'Foo Bar' })).toBe(false);
  });

  it('cased turns case on', () => {
    expect(matches(field('a|contains|cased', 'Foo'), { a: 'xFoo' })).toBe(true);
    expect(matches(field('a|contains|cased', 'Foo'), { a: 'xfoo' })).toBe(false);
    expect(matches(field('a|cased', 'F?o*'), { a: 'FooX' })).toBe(true);
    expect(matches(field('a|cased', 'F?o*'), { a: 'fooX' })).toBe(false);
  });

  it('exists tests presence, whatever the value', () => {
    expect(matches(field('a|exists', true), { a: '' })).toBe(true);
    expect(matches(field('a|exists', true), { a: null })).toBe(true);
    expect(matches(field('a|exists', true), { b: 1 })).toBe(false);
    expect(matches(field('a|exists', false), { b: 1 })).toBe(true);
  });

  it('neq is true for other values and for none', () => {
    expect(matches(field('a|neq', 'x'), { a: 'y' })).toBe(true);
    expect(matches(field('a|neq', ['x', 'y']), { a: 'Y' })).toBe(false);
    expect(matches(field('a|contains|neq', 'x'), { a: 'axb' })).toBe(false);
    expect(matches(field('a|neq', 'x'), { b: 1 })).toBe(true);
  });

  it('compares numbers, also in texts, and never texts', () => {
    expect(matches(field('a|gt', 5), { a: 6 })).toBe(true);
    expect(matches(field('a|gt', 5), { a: '5' })).toBe(false);
    expect(matches(field('a|gte', 5), { a: '5' })).toBe(true);
    expect(matches(field('a|lt', 5.5), { a: 5 })).toBe(true);
    expect(matches(field('a|lte', 5), { a: 'five' })).toBe(false);
    expect(matches(field('a|lt', 5), {})).toBe(false);
  });

  it('windash writes every dash that opens a word in five ways', () => {
    for (const dash of ['-', '/', '\u2013', '\u2014', '\u2015'])
      expect(matches(field('a|windash|contains', ' -f x'), { a: `cmd ${dash}f x` })).toBe(true);
    expect(matches(field('a|windash|contains', 'a-b'), { a: 'a/b' })).toBe(false);
    expect(matches(field('a|windash|contains|all', ['-a', '/b']), { a: 'x /a -b' })).toBe(true);
    expect(matches(field('a|contains|windash', ' -f*x'), { a: 'y /f zx' })).toBe(true);
  });

  it('base64 and base64offset find the value at every offset', () => {
    const encoded = (text: string): string => Buffer.from(text).toString('base64');
    expect(matches(field('a|base64|contains', 'ping -n 2'), { a: `x ${encoded('ping -n 2')}` })).toBe(true);
    for (const before of ['', 'a', 'ab', 'abc', 'abcd']) {
      for (const after of ['', 'x', 'xy', 'xyz']) {
        expect(matches(field('a|base64offset|contains', 'http://evil'), { a: encoded(`${before}http://evil${after}`) })).toBe(true);
      }
    }
    expect(matches(field('a|base64offset|contains', 'http://evil'), { a: encoded('http://good') })).toBe(false);
    expect(matches(field('a|base64|contains', 'abc'), { a: encoded('abc').toLowerCase() })).toBe(false);
  });

  it('wide and utf16 encode before base64', () => {
    const wide = Buffer.from('IEX', 'utf16le');
    expect(matches(field('a|wide|base64offset|contains', 'IEX'), { a: Buffer.concat([Buffer.from('zz'), wide]).toString('base64') })).toBe(
      true,
    );
    const big = Buffer.from('IEX', 'utf16le').swap16();
    expect(matches(field('a|utf16be|base64|contains', 'IEX'), { a: big.toString('base64') })).toBe(true);
    const marked = Buffer.concat([Buffer.from([0xff, 0xfe]), wide]);
    expect(matches(field('a|utf16|base64|contains', 'IEX'), { a: marked.toString('base64') })).toBe(true);
  });

  it('re matches by case and as a substring; i, m and s change it', () => {
    expect(matches(field('a|re', 'f[o0]{2}'), { a: 'xfo0x' })).toBe(true);
    expect(matches(field('a|re', 'foo'), { a: 'FOO' })).toBe(false);
    expect(matches(field('a|re|i', 'foo'), { a: 'FOO' })).toBe(true);
    expect(matches(field('a|re|ignorecase|multiline', '^foo'), { a: 'x\nFOO' })).toBe(true);
    expect(matches(field('a|re|s', 'a.b'), { a: 'a\nb' })).toBe(true);
    expect(matches(field('a|re', '\\\\x'), { a: '\\x' })).toBe(true);
  });

  it('cidr takes both families and nothing that is no address', () => {
    expect(matches(field('a|cidr', '10.0.0.0/8'), { a: '10.255.0.1' })).toBe(true);
    expect(matches(field('a|cidr', '10.0.0.0/8'), { a: '11.0.0.1' })).toBe(false);
    expect(matches(field('a|cidr', '192.168.1.128/25'), { a: '192.168.1.127' })).toBe(false);
    expect(matches(field('a|cidr', '2001:db8::/33'), { a: '2001:db8:7fff::1' })).toBe(true);
    expect(matches(field('a|cidr', '2001:db8::/33'), { a: '2001:db8:8000::1' })).toBe(false);
    expect(matches(field('a|cidr', '10.0.0.0/8'), { a: '::ffff:10.1.2.3' })).toBe(true);
    expect(matches(field('a|cidr', '0.0.0.0/0'), { a: 'host' })).toBe(false);
    expect(matches(field('a|cidr', ['10.0.0.0/8', '::1/128']), { a: ['x', '::1'] })).toBe(true);
  });

  it('fieldref compares two fields, with operators, neq and cased', () => {
    expect(matches(field('a|fieldref', 'b'), { a: 'X', b: 'x' })).toBe(true);
    expect(matches(field('a|fieldref|cased', 'b'), { a: 'X', b: 'x' })).toBe(false);
    expect(matches(field('a|fieldref|startswith', 'b'), { a: 'xyz', b: 'xy' })).toBe(true);
    expect(matches(field('a|fieldref|endswith', 'b'), { a: 'xyz', b: 'xy' })).toBe(false);
    expect(matches(field('a|fieldref|contains', 'b'), { a: 'xyz', b: 'y' })).toBe(true);
    expect(matches(field('a|fieldref|neq', 'b'), { a: 'x', b: 'y' })).toBe(true);
    expect(matches(field('a|fieldref', 'b'), { a: 'x' })).toBe(false);
  });

  it('time modifiers read UTC', () => {
    const event = { '@timestamp': '2026-11-24T23:14:02.000Z' };
    expect(matches(field('@timestamp|hour', 23), event)).toBe(true);
    expect(matches(field('@timestamp|hour|gte', 22), event)).toBe(true);
    expect(matches(field('@timestamp|minute', 14), event)).toBe(true);
    expect(matches(field('@timestamp|day', 24), event)).toBe(true);
    expect(matches(field('@timestamp|month', 11), event)).toBe(true);
    expect(matches(field('@timestamp|year', 2026), event)).toBe(true);
    expect(matches(field('@timestamp|week', 48), event)).toBe(true);
    expect(matches(field('@timestamp|week', 53), { '@timestamp': Date.parse('2021-01-01T00:00:00Z') })).toBe(true);
    expect(matches(field('@timestamp|hour', 23), { '@timestamp': '2026-11-25T01:14:02+02:00' })).toBe(true);
    expect(matches(field('@timestamp|hour', 23), { '@timestamp': '2026-11-24 23:14:02' })).toBe(true);
    expect(matches(field('@timestamp|hour', 0), { '@timestamp': 'soon' })).toBe(false);
  });

  it('expand fills placeholders or refuses the rule', () => {
    const known = new Map([['Administrators', ['root', 'adm_*']]]);
    const set = compiled(field('u|expand', '%Administrators%'), known);
    const detector = makeDetector(set, { logsource: 'any' });
    expect(detector.detect({ u: 'adm_jo' }, () => {})).toBe(1);
    expect(detector.detect({ u: 'jo' }, () => {})).toBe(0);
    expect(codes(field('u|expand', '%Servers%'))).toEqual(['refused PLACEHOLDER_UNRESOLVED']);
    expect(matches(field('u', '%Servers%'), { u: '%servers%' })).toBe(true);
    const escaped = compiled(field('u|expand', '\\%plain%Administrators%'), known);
    expect(makeDetector(escaped, { logsource: 'any' }).detect({ u: '%plainroot' }, () => {})).toBe(1);
  });

  it.each([
    [field('a|nosuch', 'x'), 'refused MODIFIER_UNKNOWN'],
    [field('a|i', 'x'), 'refused MODIFIER_MISUSED'],
    [field('a|exists', 'x'), 'refused MODIFIER_MISUSED'],
    [field('a|gt', 'x'), 'refused MODIFIER_MISUSED'],
    [field('a|cidr', 'x'), 'refused MODIFIER_MISUSED'],
    [field('a|base64', 'x*'), 'refused MODIFIER_MISUSED'],
    [field('a|re|endswith', 'x'), 'refused MODIFIER_MISUSED'],
    [field('a|re', '(?=x)'), 'refused REGEX_REFUSED'],
    [field('a', []), 'refused DETECTION_SHAPE'],
    [field('a', [{ b: 1 }]), 'refused DETECTION_SHAPE'],
    ['s:\ncondition: s', 'refused DETECTION_SHAPE'],
    ['s:\n  a: 1\n  b: 2\ncondition: s | count() > 5', 'refused CONDITION_AGGREGATION'],
    ['s:\n  a: 1\ntimeframe: 5m\ncondition: s', 'refused CONDITION_AGGREGATION'],
    ['s:\n  a: 1', 'refused CONDITION_SYNTAX'],
  ])('refuses %j', (detection, code) => {
    expect(codes(detection)).toContain(code);
  });

  it.each([
    [field('a|contains|all', 'x'), 'warning VALUE_ALL_SINGLE'],
    [field('a', ['x', null]), 'warning VALUE_NULL_IN_LIST'],
    ['s:\n  a: 1\nt:\n  a: 2\ncondition: s', 'warning CONDITION_UNUSED'],
  ])('warns about %j and loads it', (detection, code) => {
    expect(codes(detection)).toEqual([code, 'loaded RULE_LOADED']);
  });
});
