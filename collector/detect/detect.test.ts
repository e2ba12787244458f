// SPDX-License-Identifier: Apache-2.0
/**
 * The detector: routing by log source, fields by any name, reasons, quarantine.
 * Input: small rule sets and events. Output: which rules matched, and why.
 */
import { describe, expect, it } from 'vitest';
import type { Clock } from '../../core/clock.ts';
import type { Ms, UnixMs } from '../../core/units.ts';
import { flatten } from './adapt.ts';
import { type DetectorOptions, makeDetector } from './detect.ts';
import { compileRuleSet } from './ruleset.ts';

const rule = (id: string, logsource: string, detection: string): string =>
  `${JSON.stringify({ title: id, id }).slice(0, -1)}, "logsource": ${logsource}, "detection": ${detection}}`;
const detectorOf = (texts: readonly string[], options: DetectorOptions = {}) =>
  makeDetector(compileRuleSet(texts.map((text, i) => ({ file: `${i}.yml`, text, pack: 'vigil' }))), options);
const idsOf = (detector: ReturnType<typeof detectorOf>, event: unknown, decoded = false): readonly string[] => {
  const found: string[] = [];
  detector[decoded ? 'detectDecoded' : 'detect'](flatten(event) ?? {}, (match) => found.push(match.rule.id));
  return found;
};

const ANYTHING = '{"s": {"m|contains": "x"}, "condition": "s"}';
const ROUTES = [
  rule('linux', '{"product": "linux"}', ANYTHING),
  rule('sshd', '{"product": "linux", "service": "sshd"}', ANYTHING),
  rule('process', '{"product": "linux", "category": "process_creation"}', ANYTHING),
  rule('windows', '{"product": "windows"}', ANYTHING),
  rule('web', '{"category": "webserver"}', ANYTHING),
  rule('login', '{"category": "authentication"}', ANYTHING),
];

describe('routing', () => {
  const detector = detectorOf(ROUTES);
  it.each([
    [{ m: 'x', product: 'linux', service: 'sshd' }, ['linux', 'sshd', 'process', 'web', 'login']],
    [{ m: 'x', product: 'linux', category: 'process_creation' }, ['linux', 'sshd', 'process']],
    [{ m: 'x', product: 'macos', category: 'other', service: 'z' }, []],
    [{ m: 'x', 'event.dataset': 'sshd' }, ['linux', 'sshd']],
    [{ m: 'x', event: { dataset: 'sshd', category: ['authentication'] } }, ['linux', 'sshd', 'login']],
    [{ m: 'x', 'event.dataset': 'nginx.access' }, ['web']],
    [{ m: 'x', 'event.dataset': 'auditd', 'event.category': ['process'], 'event.type': ['start'] }, ['linux', 'process']],
    [{ m: 'x', 'event.dataset': 'auditd', 'event.category': ['process'], 'event.type': ['end'] }, ['linux']],
    [{ m: 'x' }, ['linux', 'sshd', 'process', 'windows', 'web', 'login']],
    [{ m: 'x', Channel: 'Security', EventID: 4624 }, ['windows']],
    [{ Event: { System: { Channel: 'Security', EventID: 4624 }, EventData: { m: 'x' } } }, ['windows']],
  ])('shows %j to %j', (event, ids) => {
    expect(idsOf(detector, event)).toEqual(ids);
  });

  it('strict shows an unknown source to none, any shows all to all', () => {
    expect(idsOf(detectorOf(ROUTES, { logsource: 'strict' }), { m: 'x' })).toEqual([]);
    expect(idsOf(detectorOf(ROUTES, { logsource: 'any' }), { m: 'x', product: 'macos' })).toHaveLength(ROUTES.length);
  });

  it('takes what decoders declare', () => {
    const sources = [{ dataset: 'mine', logsource: [{ product: 'windows' }] }];
    expect(idsOf(detectorOf(ROUTES, { sources }), { m: 'x', 'event.dataset': 'mine' }, true)).toEqual(['windows']);
  });
});

describe('fields', () => {
  const one = (field: string, value: unknown, event: unknown): boolean =>
    idsOf(
      detectorOf([rule('r', '{"product": "x"}', JSON.stringify({ s: { [field]: value }, condition: 's' }))], { logsource: 'any' }),
      event,
    ).length === 1;

  it.each([
    ['CommandLine|contains', 'evil', { 'process.command_line': 'an evil' }],
    ['CommandLine|contains', 'evil', { process: { command_line: 'an evil' } }],
    ['CommandLine|contains', 'evil', { commandline: 'an evil' }],
    ['CommandLine|contains', 'evil', { winlog: { event_data: { CommandLine: 'an evil' } } }],
    ['process.command_line|contains', 'evil', { CommandLine: 'an evil' }],
    ['http.response.status_code', 404, { 'sc-status': '404' }],
    ['Image|endswith', '/sh', { 'process.executable': '/bin/sh' }],
    ['Image|endswith', '\\a.exe', { NewProcessName: 'C:\\a.exe' }],
    ['SourceName', 'x', { 'Source Name': 'X' }],
    ['a1', 'two', { 'process.args': ['one', 'two'] }],
    ['a1', 'two', { 'process.args': ['one', 'zwei'], 'vigil.extra': { a1: 'two' } }],
    ['type', 'EXECVE', { 'vigil.extra': { type: 'EXECVE' } }],
    ['SYSCALL', 'execve', { 'vigil.extra': { syscall: 'execve' } }],
    ['sc-status', 404, { 'http.response.status_code': 404 }],
    ['cs-user-agent', 'curl*', { 'user_agent.original': 'curl/8' }],
    ['c-useragent', 'curl*', { 'user_agent.original': 'curl/8' }],
    ['cs-uri-query|contains', '../', { 'url.query': 'f=%2e%2e%2fetc' }],
    ['cs-uri-query|contains', '../', { 'url.query': 'f=%252e%252e%252fetc' }],
    ['cs-uri-query|contains', 'union select', { 'url.query': 'q=1+union+select' }],
    ['cs-uri-query|contains', '/admin/', { 'url.original': '/admin/x?a=1', 'url.query': 'a=1' }],
    ['cs-uri-query', 'a=1', { 'url.original': '/admin/x?a=1', 'url.query': 'a=1' }],
    ['User', 'root', { 'user.name': 'root' }],
    ['TargetFilename|startswith', '/etc/', { 'file.path': '/etc/x' }],
    ['Provider_Name', 'P', { Event: { System: { Provider: { '#attributes': { Name: 'P' } } }, EventData: null } }],
    ['Param', 'v', { Event: { System: {}, EventData: { Data: [{ '#attributes': { Name: 'Param' }, '#text': 'v' }] } } }],
    ['Deep', 'v', { Event: { System: {}, UserData: { Operation: { Deep: 'v' } } } }],
    ['user.roles', 'admin', { user: { roles: ['x', 'admin'] } }],
    ['items.name', 'b', { items: [{ name: 'a' }, { name: 'b' }] }],
    ['constructor', null, { x: 1 }],
  ])('%s reads its value wherever it stands', (field, value, event) => {
    expect(one(field, value, event)).toBe(true);
  });

  it('prefers the name of the rule to what it maps to', () => {
    expect(one('Image', 'right', { 'process.executable': 'wrong', Image: 'right' })).toBe(true);
    expect(one('Image', 'wrong', { 'process.executable': 'wrong', Image: 'right' })).toBe(false);
  });

  it('forgets the event before', () => {
    const detector = detectorOf([rule('r', '{"product": "x"}', '{"s": {"a": 1}, "f": {"b": 1}, "condition": "s and not f"}')], {
      logsource: 'any',
    });
    expect(idsOf(detector, { a: 1, b: 1 })).toEqual([]);
    expect(idsOf(detector, { a: 1 })).toEqual(['r']);
    expect(idsOf(detector, { b: 2 })).toEqual([]);
  });

  it('survives names and values made to hurt', () => {
    const hostile = JSON.parse(
      `{"__proto__": {"a": 1}, "constructor": "x", "toString": 1, "a": ${'['.repeat(40)}1${']'.repeat(40)}}`,
    ) as unknown;
    expect(one('a', 2, hostile)).toBe(false);
  });
});

describe('why', () => {
  it('names the literal and the field', () => {
    const detection = {
      s: { 'Image|endswith': ['/nc', '/ncat'], 'CommandLine|contains|all': [' -e ', '/sh'] },
      f: { User: 'x' },
      condition: 's and not f',
    };
    const detector = detectorOf([rule('r', '{"product": "x"}', JSON.stringify(detection))], { logsource: 'any' });
    let why: readonly string[] = [];
    detector.detect({ 'process.executable': '/bin/ncat', CommandLine: 'ncat -e /bin/sh 1.2.3.4' }, (match) => {
      why = match.why();
    });
    expect(why).toEqual([
      'process.executable ends with "/ncat"',
      'process.command_line contains " -e "',
      'process.command_line contains "/sh"',
    ]);
  });

  it('speaks of keywords, numbers and patterns', () => {
    const whys: string[] = [];
    const detector = detectorOf(
      [
        rule('k', '{"product": "x"}', '{"s": ["evil*thing"], "condition": "s"}'),
        rule('n', '{"product": "x"}', '{"s": {"sc-status|gte": 400}, "condition": "s"}'),
        rule('e', '{"product": "x"}', '{"s": {"event.outcome": "failure"}, "condition": "s"}'),
      ],
      { logsource: 'any' },
    );
    detector.detect({ 'event.original': 'an Evil big thing', 'http.response.status_code': 404, 'event.outcome': 'failure' }, (match) =>
      whys.push(...match.why()),
    );
    expect(whys).toEqual(['line has "evil*thing"', 'http.response.status_code gte 400', 'event.outcome = failure']);
  });
});

describe('quarantine', () => {
  it('leaves out a rule that is slow again and again, and says so once', () => {
    let now = 0;
    let step = 0;
    const clock: Clock = { now: () => 0 as UnixMs, monotonic: () => (now += step) as Ms, sleep: async () => {} };
    const limits = { slowMs: 5 as Ms, strikes: 3, window: 100 };
    const detector = detectorOf([rule('r', '{"product": "x"}', ANYTHING)], { logsource: 'any', clock, limits });
    expect(idsOf(detector, { m: 'x' })).toEqual(['r']);
    step = 10;
    for (let i = 0; i < 3; i++) idsOf(detector, { m: 'x' });
    step = 0;
    expect(idsOf(detector, { m: 'x' })).toEqual([]);
    expect(detector.takeQuarantined()).toEqual([{ rule: 'r', reason: '3 evaluations over 5 ms within 100 events' }]);
    expect(detector.takeQuarantined()).toEqual([]);
    expect(detector.costs()[0]).toMatchObject({ ordinal: 0, slow: 3 });
  });
});
