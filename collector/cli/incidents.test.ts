// SPDX-License-Identifier: Apache-2.0
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isCoded } from '../../core/errors.ts';
import { correlation, eventRule, ruleSet, signal } from '../../test/support/signals.ts';
import { runAlerts } from './alerts.ts';
import { printIncidents, runIncidents } from './incidents.ts';

const T = Date.UTC(2026, 10, 24, 8);
const MINUTE = 60_000;

const run = async (lines: readonly string[]) => {
  const out: string[] = [];
  const err: string[] = [];
  await printIncidents(lines, { out: (text) => out.push(text), err: (text) => err.push(text) });
  return { err, found: out.map((line) => JSON.parse(line)) };
};

interface Sketch {
  readonly id: string;
  readonly at: number;
  readonly rule: string;
  readonly level: string;
  readonly entities: readonly string[];
  readonly tactics?: readonly string[];
}

const line = ({ at, ...rest }: Sketch): string => JSON.stringify({ ...rest, time: new Date(T + at).toISOString() });

/** Two days of an update alert every five seconds beside one attack of ten phases over ten hours, on two hosts (protocol P4's shape). */
const story = (): readonly Sketch[] => {
  const noise = Array.from({ length: 34_560 }, (_, i) => ({
    id: `noise-${i}`,
    at: i * 5000 - 24 * 60 * MINUTE,
    rule: 'antivirus update failed',
    level: i % 7 === 0 ? 'medium' : 'low',
    entities: ['host:web'],
  }));
  const logins = Array.from({ length: 48 * 4 }, (_, i) => ({
    id: `login-${i}`,
    at: i * 15 * MINUTE - 24 * 60 * MINUTE,
    rule: 'session opened',
    level: 'low',
    entities: ['host:web', 'user:root@web'],
  }));
  const ip = 'ip:203.0.113.9';
  const phases: readonly (readonly [hour: number, rule: string, level: string, entities: readonly string[], n: number])[] = [
    [1, 'service scan', 'medium', [ip, 'host:web'], 30],
    [2, 'directory scan', 'medium', [ip, 'host:web'], 400],
    [3, 'wordpress scan', 'medium', [ip, 'host:web'], 50],
    [4, 'web shell', 'high', [ip, 'host:web'], 2],
    [5, 'command by web server', 'medium', ['host:web', 'user:www-data@web'], 5],
    [6, 'password cracking', 'medium', ['host:web', 'user:www-data@web'], 3],
    [7, 'reverse shell', 'high', ['host:web', 'user:www-data@web'], 1],
    [8, 'root by sudo', 'high', ['host:web', 'user:phil@web'], 2],
    [9, 'lateral login', 'medium', ['host:db', 'user:phil@db', 'ip:10.0.0.2'], 1],
    [10, 'exfiltration', 'high', ['host:web', 'user:phil@web'], 4],
  ];
  const attack = phases.flatMap(([hour, rule, level, entities, n]) =>
    Array.from({ length: n }, (_, i) => ({ id: `attack-${rule}-${i}`, at: hour * 60 * MINUTE + i * 1000, rule, level, entities })),
  );
  return [...noise, ...logins, ...attack];
};

describe('vigil incidents', () => {
  it('puts the phases of one attack into the first incident and leaves the noise out', async () => {
    const { found, err } = await run(story().map(line));
    expect(err).toEqual([]);
    const [first] = found;
    const phases = new Set((first.alerts as string[]).filter((id) => id.startsWith('attack-')).map((id) => id.split('-')[1]));
    expect(phases.size).toBeGreaterThanOrEqual(8);
    expect((first.alerts as string[]).filter((id) => id.startsWith('noise-'))).toEqual([]);
    expect(found.length).toBeLessThanOrEqual(3);
    expect(first).toMatchObject({ severity: 'high', first: new Date(T + 60 * MINUTE).toISOString() });
    expect(first.why[0]).toMatch(/^same host, \d+ rules in 9 h: /);
  });

  it('answers the same in any order of its lines', async () => {
    const lines = story()
      .filter(({ id }) => !id.startsWith('noise-'))
      .map(line);
    const { found } = await run(lines);
    await fc.assert(
      fc.asyncProperty(fc.shuffledSubarray(lines, { minLength: lines.length, maxLength: lines.length }), async (shuffled) => {
        expect((await run(shuffled)).found).toEqual(found);
      }),
      { numRuns: 10 },
    );
  });

  it('passes over lines that are no alerts and says which', async () => {
    const { found, err } = await run([
      '{',
      '[]',
      '{"id":"a","rule":"r","level":"dire","time":1}',
      '{"id":"a","rule":"r","level":"high","time":"soon"}',
      '',
      '{"id":"b","rule":"r","level":"critical","time":1,"entities":["ip:203.0.113.1","nonsense",7]}',
    ]);
    expect(found.map(({ alerts, entities }) => ({ alerts, entities }))).toEqual([{ alerts: ['b'], entities: ['ip:203.0.113.1'] }]);
    expect(err).toEqual([
      'line 1 is no alert and was passed over: it is no JSON\n',
      'line 2 is no alert and was passed over: it is no JSON object\n',
      'line 3 is no alert and was passed over: level is none of informational, low, medium, high, critical\n',
      'line 4 is no alert and was passed over: time is neither ISO 8601 nor milliseconds\n',
    ]);
  });

  it('reads a file, and says when it cannot', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'vigil-incidents-'));
    try {
      const file = join(dir, 'alerts.ndjson');
      await writeFile(file, story().slice(-4).map(line).join('\n'));
      const out: string[] = [];
      const io = { stdin: process.stdin, out: (text: string) => out.push(text), err: () => {} };
      await runIncidents(file, io);
      expect(out).toHaveLength(1);
      await expect(runIncidents(join(dir, 'none'), io)).rejects.toSatisfy((e) => isCoded(e, 'FILE_UNREADABLE'));
    } finally {
      await rm(dir, { recursive: true });
    }
  });

  it('ranks by distinct rules and their levels', async () => {
    const at = (id: string, rule: string, level: string, ip: string): Sketch => ({ id, at: 0, rule, level, entities: [`ip:${ip}`] });
    const { found } = await run(
      [
        at('1', 'a', 'high', '203.0.113.1'),
        at('2', 'a', 'high', '203.0.113.2'),
        at('3', 'b', 'high', '203.0.113.2'),
        at('4', 'c', 'critical', '203.0.113.3'),
      ].map(line),
    );
    expect(found.map(({ score }) => score)).toEqual([80, 75, 50]);
  });
});

describe('vigil alerts', () => {
  it('prints the alerts and the incidents that the river would raise', async () => {
    const rules = ruleSet(eventRule('fail'), correlation('brute', { level: 'high' }), correlation('gone', { type: 'absence' }));
    const out: string[] = [];
    const err: string[] = [];
    const signals = [0, 1, 2, 3].map((i) => signal({ at: T + i * 1000 }));
    await runAlerts({ rules, signals, nameOf: () => 'scanner' }, { out: (text) => out.push(text), err: (text) => err.push(text) });
    const [alert, incident] = out.map((text) => JSON.parse(text));
    expect(alert).toMatchObject({
      rule: 'brute',
      level: 'high',
      entity: 'ip:203.0.113.77',
      entity_name: 'scanner',
      count: 4,
      first: '2026-11-24T08:00:00.000Z',
      last: '2026-11-24T08:00:03.000Z',
      incident: incident.incident,
    });
    expect(incident).toMatchObject({ severity: 'high', alerts: [alert.alert], score: 50 });
    expect(err).toEqual(['rule gone was not run: absence reads two rules: the one that comes, and the one that does not follow.\n']);
  });
});
