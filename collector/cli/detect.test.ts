// SPDX-License-Identifier: Apache-2.0
/**
 * `vigil detect` and `vigil rules` as functions: NDJSON in and out.
 * Input: rule and event files in a temporary folder. Output: the lines of the contract.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type DetectOptions, runDetect } from './detect.ts';
import { offlineCorrelator } from './judge.ts';
import { rulesCheck, rulesCoverage, rulesTest } from './rules.ts';

let dir = '';
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'vigil-detect-'));
  await writeFile(join(dir, 'rule.yml'), RULES);
  await writeFile(join(dir, 'rule.cases.yml'), CASES);
  await writeFile(join(dir, 'events.ndjson'), `${EVENTS.join('\n')}\n`);
});
afterAll(() => rm(dir, { recursive: true, force: true }));

const RULES = `title: Curl
id: curl
level: low
logsource: {product: linux, category: process_creation}
detection: {s: {Image|endswith: /curl}, condition: s}
---
title: Windows
id: windows
logsource: {product: windows}
detection: {s: {Image|endswith: /curl}, condition: s}
---
title: Many
id: many
level: high
correlation: {type: event_count, rules: [curl], group-by: [host.name], timespan: 1m, condition: {gte: 2}}
`;
const CASES = `cases:
  - {name: curl, rule: curl, expect: match, events: [{product: linux, Image: /usr/bin/curl}]}
  - {name: wget, rule: curl, expect: none, events: [{product: linux, Image: /usr/bin/wget}]}
  - {name: on windows, rule: windows, expect: match, events: [{product: windows, Image: x/curl}]}
  - {name: on linux, rule: windows, expect: match, events: [{product: linux, Image: x/curl}]}
`;
const curl = (second: number): string =>
  JSON.stringify({
    '@timestamp': `2026-11-24T09:00:0${second}Z`,
    product: 'linux',
    category: 'process_creation',
    'host.name': 'web01',
    Image: '/usr/bin/curl',
  });
const EVENTS = [
  curl(1),
  '{broken',
  '',
  JSON.stringify({ process: { executable: '/bin/ls' } }),
  curl(2),
  '[1]',
  JSON.stringify({ process: { executable: '/bin/curl' } }),
];

const detect = async (
  options: Partial<DetectOptions> = {},
  stdin = '',
): Promise<{ readonly lines: readonly Record<string, unknown>[]; readonly err: string }> => {
  const out: string[] = [];
  const err: string[] = [];
  await runDetect(
    { rules: [join(dir, 'rule.yml')], events: join(dir, 'events.ndjson'), ...options },
    { stdin: Readable.from([Buffer.from(stdin)]) as unknown as NodeJS.ReadableStream, out: (t) => out.push(t), err: (t) => err.push(t) },
  );
  return { lines: parsed(out), err: err.join('') };
};
const parsed = (out: readonly string[]): readonly Record<string, unknown>[] =>
  out
    .join('')
    .split('\n')
    .filter((l) => l !== '')
    .map((l) => JSON.parse(l) as Record<string, unknown>);
const pairs = (lines: readonly Record<string, unknown>[]) => lines.map((l) => `${l['event']} ${l['rule']}`);

describe('vigil detect', () => {
  it('prints one line for each match in the order of the events, counted from 1', async () => {
    const { lines, err } = await detect();
    expect(pairs(lines)).toEqual(['1 curl', '4 curl', '6 curl', '6 windows']);
    expect(lines[0]).toEqual({ event: 1, rule: 'curl', title: 'Curl', level: 'low', why: ['process.executable ends with "/curl"'] });
    expect(err).toContain('event 2 is no JSON object');
    expect(err).toContain('event 5 is no JSON object');
  });

  it('routes by log source as it is told', async () => {
    expect(pairs((await detect({ logsource: 'strict' })).lines)).toEqual(['1 curl', '4 curl']);
    expect(pairs((await detect({ logsource: 'any' })).lines)).toHaveLength(6);
  });

  it('reads stdin, cut anywhere', async () => {
    expect(pairs((await detect({ events: '-' }, EVENTS.join('\n'))).lines)).toEqual(['1 curl', '4 curl', '6 curl', '6 windows']);
  });

  it('says the same with several threads', async () => {
    const one = await detect();
    const two = await detect({ threads: 3 });
    expect(two.lines).toEqual(one.lines);
  });

  it('prints counts when asked', async () => {
    const stats = JSON.parse((await detect({ stats: true })).err.trim().split('\n').at(-1) as string) as Record<string, unknown>;
    expect(stats).toMatchObject({ loaded: 3, refused: 0, events: 6, bad: 2, matches: 4 });
  });

  it('runs correlations in event time', async () => {
    const { lines } = await detect({ correlate: offlineCorrelator });
    expect(lines.filter((l) => 'correlation' in l)).toEqual([
      {
        correlation: 'many',
        title: 'Many',
        level: 'high',
        entity: 'host:web01',
        group: ['web01'],
        from: '2026-11-24T09:00:01.000Z',
        to: '2026-11-24T09:00:02.000Z',
      },
    ]);
  });

  it('refuses a folder without rules and a file that is not there', async () => {
    await expect(detect({ rules: [join(dir, 'rule.cases.yml')], events: '-' })).resolves.toBeDefined();
    await expect(detect({ rules: [join(dir, 'nothing')] })).rejects.toMatchObject({ code: 'FILE_UNREADABLE' });
    await expect(detect({ events: join(dir, 'nothing') })).rejects.toMatchObject({ code: 'FILE_UNREADABLE' });
  });
});

describe('vigil rules', () => {
  const lines = async (run: (io: { out: (t: string) => void }) => Promise<unknown>) => {
    const out: string[] = [];
    const answer = await run({ out: (t) => out.push(t) });
    return { answer, lines: parsed(out) };
  };

  it('check prints one line for each document and answers no when one is refused', async () => {
    const good = await lines((io) => rulesCheck([join(dir, 'rule.yml')], io));
    expect(good.answer).toBe(true);
    expect(good.lines.map((l) => l['outcome'])).toEqual(['loaded', 'loaded', 'loaded']);
    const bad = join(dir, 'bad.yml');
    await writeFile(bad, RULES.replace('endswith', 'endsomewhere'));
    const refused = await lines((io) => rulesCheck([bad], io));
    expect(refused.answer).toBe(false);
    expect(refused.lines[0]).toMatchObject({ file: bad, line: 5, column: 17, rule: 'curl', outcome: 'refused', code: 'MODIFIER_UNKNOWN' });
    await rm(bad);
  });

  it('test runs the cases and names what is missing', async () => {
    const { answer, lines: verdicts } = await lines((io) => rulesTest([join(dir, 'rule.yml')], io, { correlate: offlineCorrelator }));
    expect(answer).toBe(false);
    expect(verdicts.filter((v) => v['outcome'] === 'passed').map((v) => v['case'])).toEqual(['curl', 'wget', 'on windows']);
    expect(verdicts.filter((v) => v['outcome'] === 'failed').map((v) => `${v['rule']}: ${v['case']}`)).toEqual([
      'windows: on linux',
      'windows: has a case that expects none',
      'many: has a case that expects match',
      'many: has a case that expects none',
    ]);
  });

  it('coverage tells live from silent and blind', async () => {
    const declared = [
      { dataset: 'auditd', logsource: [{ product: 'linux', service: 'auditd' }], emits: ['process.executable', 'event.category'] },
      { dataset: 'winlog', logsource: [{ product: 'windows' }], emits: ['process.name'] },
    ];
    const state = async (heard?: ReadonlySet<string>) =>
      Object.fromEntries(
        (await lines((io) => rulesCoverage([join(dir, 'rule.yml')], declared, io, heard))).lines.map((l) => [l['rule'], l['state']]),
      );
    expect(await state()).toEqual({ curl: 'live', windows: 'blind' });
    expect(await state(new Set(['auditd']))).toEqual({ curl: 'live', windows: 'silent' });
    expect(await state(new Set())).toEqual({ curl: 'silent', windows: 'silent' });
    // A source that is heard may lack what another of the same kind, not seen yet, would give.
    const poor = [...declared, { dataset: 'poor', logsource: [{ product: 'linux' }], emits: ['event.category', 'process.pid'] }];
    const { lines: found } = await lines((io) => rulesCoverage([join(dir, 'rule.yml')], poor, io, new Set(['poor'])));
    expect(found.find(({ rule }) => rule === 'curl')).toMatchObject({ state: 'silent', missing: [] });
  });
});
