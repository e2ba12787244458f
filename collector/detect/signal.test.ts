// SPDX-License-Identifier: Apache-2.0
/**
 * Signals of decoded events (river.md S1).
 * Input: one failed login. Output: entities, fields, time, marks.
 */
import { describe, expect, it } from 'vitest';
import type { UnixMs } from '../../core/units.ts';
import type { Event } from '../model/event.ts';
import { makeDetector } from './detect.ts';
import { compileRuleSet } from './ruleset.ts';
import { makeSignaller, signalTime } from './signal.ts';

const RULES = `
title: Failed login
id: vigil-auth-failed
level: informational
logsource: {category: authentication}
detection:
  s: {event.outcome: failure}
  condition: s
---
title: Brute force
id: vigil-auth-brute-force
correlation:
  type: event_count
  rules: [vigil-auth-failed]
  group-by: [source.ip]
  timespan: 1m
  condition: {gte: 6}
---
title: Spray
id: spray
correlation:
  type: value_count
  rules: [vigil-auth-failed]
  group-by: [source.ip]
  timespan: 1m
  condition: {field: [user.name, host.name], gte: 6}
`;

const at = Date.parse('2026-11-24T09:14:02Z') as UnixMs;
const event: Event = {
  '@timestamp': at,
  'event.ingested': (at + 1000) as UnixMs,
  'event.id': 'evt_0123456789abcdef',
  'event.dataset': 'sshd',
  'event.category': ['authentication'],
  'event.outcome': 'failure',
  'user.name': 'root',
  'source.ip': '203.0.113.77',
  'host.id': 'ast_7k00000000000000',
  'host.name': 'bastion',
  'vigil.agent.id': 'agt_7k00000000000000',
  'vigil.stream': 'file:/var/log/auth.log',
};

const signaller = makeSignaller(makeDetector(compileRuleSet([{ file: 'r.yml', text: RULES, pack: 'vigil' }])));

describe('toSignals', () => {
  it('gives what correlations group by, the entities and the reason', () => {
    const [signal, ...more] = signaller.toSignals(event);
    expect(more).toEqual([]);
    expect(signal).toMatchObject({
      rule: 'vigil-auth-failed',
      event: 'evt_0123456789abcdef',
      time: at,
      ingested: at + 1000,
      level: 'informational',
      entities: ['host:ast_7k00000000000000', 'ip:203.0.113.77', 'user:root@ast_7k00000000000000'],
      fields: { 'source.ip': '203.0.113.77', 'user.name,host.name': 'root\u001fbastion' },
      why: ['event.outcome = failure'],
      stream: 'agt_7k00000000000000 file:/var/log/auth.log',
    });
    expect(signal?.id).toMatch(/^sig_/);
    expect(signal).not.toHaveProperty('backlog');
  });

  it('gives the same id for the same rule and event', () => {
    expect(signaller.toSignals(event)[0]?.id).toBe(signaller.toSignals({ ...event })[0]?.id);
  });

  it('marks backlog and replay', () => {
    expect(signaller.toSignals({ ...event, 'vigil.flags': ['backlog'] })[0]).toMatchObject({ backlog: true });
    expect(signaller.toSignals({ ...event, 'vigil.flags': ['replay'] })[0]).toMatchObject({ replay: true });
  });

  it('gives nothing for what no rule matches', () => {
    expect(signaller.toSignals({ ...event, 'event.outcome': 'success' })).toEqual([]);
  });
});

describe('signalTime', () => {
  const ingested = 1_000_000_000 as UnixMs;
  it('is the time of ingest where the event lies over five minutes ahead, except in a replay', () => {
    expect(signalTime((ingested + 300_000) as UnixMs, ingested, false)).toBe(ingested + 300_000);
    expect(signalTime((ingested + 300_001) as UnixMs, ingested, false)).toBe(ingested);
    expect(signalTime((ingested + 300_001) as UnixMs, ingested, true)).toBe(ingested + 300_001);
    expect(signalTime((ingested - 9e9) as UnixMs, ingested, false)).toBe(ingested - 9e9);
    expect(signalTime(undefined, ingested, false)).toBe(ingested);
  });
});
