// SPDX-License-Identifier: Apache-2.0
/**
 * Rule sets: findings with positions, filters, correlations, and who alerts.
 * Input: small rule files. Output: what was loaded and why not.
 */
import { describe, expect, it } from 'vitest';
import { makeDetector } from './detect.ts';
import { type CompiledRuleSet, compileRuleSet } from './ruleset.ts';

const set = (...texts: string[]): CompiledRuleSet => compileRuleSet(texts.map((text, i) => ({ file: `f${i}.yml`, text, pack: 'vigil' })));
const outcomes = (s: CompiledRuleSet): readonly string[] => s.findings.map((f) => `${f.outcome} ${f.code} ${f.line}:${f.column}`);

const RULE = 'title: A\nid: a\nname: rule_a\nlevel: high\nlogsource:\n  product: linux\ndetection:\n  s:\n    x: 1\n  condition: s\n';
const rule = (id: string, more = ''): string =>
  `title: ${id}\nid: ${id}\n${more}logsource: {product: linux}\ndetection:\n  s: {x: 1}\n  condition: s\n`;
const correlation = (body: string, more = ''): string => `title: C\nid: c\n${more}correlation:\n  ${body.replaceAll('\n', '\n  ')}\n`;

describe('rules', () => {
  it('load with what they say of themselves', () => {
    const loaded = set(RULE);
    expect(loaded.rules.get('a')).toMatchObject({
      kind: 'event',
      title: 'A',
      level: 'high',
      alerts: true,
      name: 'rule_a',
      origin: { file: 'f0.yml', line: 1 },
    });
    expect(outcomes(loaded)).toEqual(['loaded RULE_LOADED 1:1']);
  });

  it.each([
    ['title: [A', 'refused RULE_YAML'],
    ['title: A\nlogsource: {product: l}\n', 'refused RULE_KIND_UNKNOWN 1:1'],
    ['id: a\nlogsource: {product: l}\ndetection: {s: {x: 1}, condition: s}\n', 'refused RULE_TITLE 1:1'],
    [RULE.replace('high', 'huge'), 'refused RULE_LEVEL 4:1'],
    [RULE.replace('  product: linux', '  definition: none'), 'refused RULE_LOGSOURCE 5:1'],
    [RULE.replace('condition: s', 'condition: t'), 'refused CONDITION_IDENTIFIER 10:3'],
    [RULE.replace('x: 1', 'x|magic: 1'), 'refused MODIFIER_UNKNOWN 9:5'],
    [`${RULE}taxonomy: mine\n`, 'refused RULE_TAXONOMY 11:1'],
    [`${RULE}vigil: {entity: 5}\n`, 'refused RULE_VIGIL_KEY 11:9'],
    [`${RULE}vigil: {surprise: 5}\n`, 'refused RULE_VIGIL_KEY 11:9'],
    [`${RULE}status: maybe\n`, 'warning RULE_STATUS 11:1'],
    [`${RULE}date: 24.11.2026\n`, 'warning RULE_DATE 11:1'],
    ['just text\n', 'refused RULE_NOT_A_MAP 1:1'],
    ['other: document\n', 'warning RULE_OTHER 1:1'],
  ])('say of %j: %s', (text, finding) => {
    expect(outcomes(set(text)).some((f) => f.startsWith(finding))).toBe(true);
  });

  it('keep both of two rules with one id', () => {
    const loaded = set(rule('a'), rule('a', 'level: low\n'));
    expect([...loaded.rules.keys()]).toEqual(['a', 'a~2']);
    expect(outcomes(loaded)).toContain('warning RULE_ID_REPEATED 1:1');
  });

  it('load a text once, however many files hold it', () => {
    expect(set(RULE, RULE).rules.size).toBe(1);
  });

  it('have a version that is theirs whatever the order of files', () => {
    expect(set(rule('a'), rule('b')).version).toBe(set(rule('b'), rule('a')).version);
    expect(set(rule('a')).version).not.toBe(set(rule('b')).version);
  });

  it('do not alert when informational, a building block, or only read by a correlation', () => {
    const loaded = set(
      rule('info', 'level: informational\n'),
      rule('block', 'vigil: {building_block: true}\n'),
      rule('read'),
      rule('kept'),
      correlation('type: event_count\nrules: [read]\ngroup-by: [x]\ntimespan: 5m\ncondition: {gte: 3}'),
      correlation('type: event_count\nrules: [kept]\ngroup-by: [x]\ntimespan: 5m\ncondition: {gte: 3}\ngenerate: true').replace(
        'id: c',
        'id: d',
      ),
    );
    const alerting = [...loaded.rules.values()].filter((r) => r.alerts).map((r) => r.id);
    expect(alerting).toEqual(['kept', 'c', 'd']);
  });

  it('take entity and rearm from the key vigil', () => {
    expect(set(`${RULE}vigil: {entity: source.ip, rearm: 2h}\n`).rules.get('a')).toMatchObject({ entity: 'source.ip', rearmMs: 7_200_000 });
  });

  it('several in one file are all read', () => {
    expect(set(`${rule('a')}---\n${rule('b')}`).rules.size).toBe(2);
  });
});

describe('correlations', () => {
  it.each([
    ['event_count', 'condition: {gte: 10}', { type: 'event_count', condition: [{ op: 'gte', value: 10 }] }],
    [
      'event_count',
      'condition: {gt: 1, lt: 9}',
      {
        condition: [
          { op: 'gt', value: 1 },
          { op: 'lt', value: 9 },
        ],
      },
    ],
    ['value_count', 'condition: {field: user.name, gte: 4}', { type: 'value_count', field: 'user.name' }],
    ['value_count', 'condition: {field: [a, b], gte: 4}', { type: 'value_count', field: 'a,b' }],
    ['value_sum', 'condition: {field: n, gt: 4}', { type: 'value_sum' }],
    ['value_avg', 'condition: {field: n, gt: 4}', { type: 'value_avg' }],
    ['value_percentile', 'condition: {field: n, gt: 4, percentile: 95}', { type: 'value_percentile', percentile: 95 }],
    ['value_median', 'condition: {field: n, gt: 4}', { type: 'value_percentile', percentile: 50 }],
    ['temporal', '', { type: 'temporal', condition: [] }],
    ['temporal_ordered', '', { type: 'temporal_ordered' }],
  ])('of type %s are read', (type, condition, expected) => {
    const loaded = set(RULE, correlation(`type: ${type}\nrules: [rule_a]\ngroup-by: [source.ip]\ntimespan: 90s\n${condition}`));
    expect(loaded.correlations[0]).toMatchObject({
      rules: ['a'],
      groupBy: ['source.ip'],
      timespanMs: 90_000,
      generate: false,
      incident: false,
      ...expected,
    });
  });

  it.each([
    ['type: magic\nrules: [a]\ntimespan: 1m', 'refused CORRELATION_TYPE'],
    ['type: absence\nrules: [a]\ntimespan: 1m', 'refused CORRELATION_SHAPE'],
    ['type: absence\nrules: [a, a]\ntimespan: 1m\ncondition: {gte: 1}', 'refused CORRELATION_CONDITION'],
    ['type: event_count\nrules: []\ntimespan: 1m', 'refused CORRELATION_SHAPE'],
    ['type: event_count\nrules: [a]\ntimespan: 1w\ncondition: {gte: 1}', 'refused CORRELATION_TIMESPAN'],
    ['type: event_count\nrules: [a]\ntimespan: 1m', 'refused CORRELATION_CONDITION'],
    ['type: value_count\nrules: [a]\ntimespan: 1m\ncondition: {gte: 1}', 'refused CORRELATION_CONDITION'],
    ['type: temporal\nrules: [a]\ntimespan: 1m\ncondition: a and not b', 'refused CORRELATION_CONDITION'],
    ['type: temporal\nrules: [a]\ntimespan: 1m\naliases: {x: {b: f}}', 'refused CORRELATION_ALIAS'],
    ['type: temporal\nrules: [a, gone]\ntimespan: 1m', 'warning CORRELATION_REFERENCE'],
    ['type: temporal\nrules: [c]\ntimespan: 1m', 'refused CORRELATION_CYCLE'],
  ])('say of %j: %s', (body, finding) => {
    expect(outcomes(set(RULE, correlation(body))).some((f) => f.startsWith(finding))).toBe(true);
  });

  it('turn names into ids, in aliases too, and tell which fields signals need', () => {
    const loaded = set(
      RULE,
      correlation('type: temporal\nrules: [rule_a]\ngroup-by: [who, host.name]\ntimespan: 1m\naliases: {who: {rule_a: user.name}}'),
      correlation('type: value_count\nrules: [c]\ngroup-by: [source.ip]\ntimespan: 1m\ncondition: {field: x, gte: 2}').replace(
        'id: c',
        'id: d',
      ),
    );
    expect(loaded.correlations[0]?.aliases['who']?.['a']).toBe('user.name');
    expect(loaded.signalFields.get('a')).toEqual(['host.name', 'source.ip', 'user.name', 'x']);
  });
});

describe('filters', () => {
  const hits = (loaded: CompiledRuleSet, event: Record<string, unknown>): number =>
    makeDetector(loaded, { logsource: 'any' }).detect(event, () => {});
  const filter = (condition: string, rules = '[rule_a]', product = 'linux'): string =>
    `title: F\nlogsource: {product: ${product}}\nfilter:\n  rules: ${rules}\n  selection: {user: adm}\n  condition: ${condition}\n`;

  it('exclude what their condition says', () => {
    const loaded = set(RULE, filter('selection'));
    expect(hits(loaded, { x: 1, user: 'adm' })).toBe(0);
    expect(hits(loaded, { x: 1, user: 'jo' })).toBe(1);
    expect(hits(loaded, { x: 1 })).toBe(1);
  });

  it('written the other way mean the same and are linted', () => {
    const loaded = set(RULE, filter('not selection'));
    expect(hits(loaded, { x: 1, user: 'adm' })).toBe(0);
    expect(hits(loaded, { x: 1, user: 'jo' })).toBe(1);
    expect(outcomes(loaded)).toContain('warning FILTER_NEGATED 6:3');
  });

  it('for any rule reach those of their log source', () => {
    expect(hits(set(RULE, filter('selection', 'any')), { x: 1, user: 'adm' })).toBe(0);
    expect(hits(set(RULE, filter('selection', 'any', 'windows')), { x: 1, user: 'adm' })).toBe(1);
  });

  it('that name nothing loaded, or another log source, are warned about', () => {
    expect(outcomes(set(RULE, filter('selection', '[gone]')))).toContain('warning FILTER_REFERENCE 4:11');
    expect(outcomes(set(RULE, filter('selection', '[a]', 'windows')))).toContain('warning FILTER_LOGSOURCE 4:11');
  });
});
