// SPDX-License-Identifier: Apache-2.0
/** An agent in words: what stands well, what does not and what to do, and nothing of a host's that would steer a terminal. */
import { describe, expect, it } from 'vitest';
import { type AgentShown, agentText } from './agent-text.ts';
import type { Terminal } from './terminal.ts';

const terminal: Terminal = {
  stdin: process.stdin,
  out: () => undefined,
  err: () => undefined,
  colour: false,
  live: false,
  here: (path) => path,
  token: undefined,
};

const agent: AgentShown = {
  id: 'agt_1',
  host: 'web-1',
  group: 'web',
  state: 'active',
  version: '0.1.0',
  zone: 'Europe/Berlin',
  enrolledAt: '2026-11-01T08:00:00.000Z',
  lastSeen: '2026-11-26T12:00:00.000Z',
  silent: false,
  clockOffsetMs: -12,
  sources: [{ stream: 'file:/var/log/auth.log', dataset: 'syslog', lagMs: 61_000, behindBytes: 2_048, counts: { redacted: 3, cut: 0 } }],
  conditions: [],
  cost: { cpuMs: 90, rssBytes: 84_000_000, spoolBytes: 12_000_000, sentBytes: 4_096 },
};

describe('an agent in words', () => {
  it('says how it stands, what it costs, how far its sources are behind and what was counted', () => {
    expect(agentText(agent, terminal)).toBe(
      [
        'agt_1 on web-1: active',
        '  version      0.1.0, group web, enrolled 2026-11-01T08:00:00.000Z',
        '  last heard   2026-11-26T12:00:00.000Z',
        '  clock        right, zone Europe/Berlin',
        '  cost         84 MB of memory, 0.3 % of a processor, 12 MB kept on the host, 4.1 kB sent',
        '',
        'source                  dataset         lag  behind  counted',
        'file:/var/log/auth.log  syslog   1 min 01 s  2.0 kB  3 redacted',
        '',
      ].join('\n'),
    );
  });

  it('says what is wrong and what to do', () => {
    const held = { key: 'k', since: '2026-11-26T11:00:00.000Z', from: '192.0.2.7' };
    const conditions = [{ code: 'CLOCK_SKEW', about: '86400 s to the collector', hint: 'Set the clock right.' }];
    const text = agentText(
      { ...agent, state: 'held', silent: true, clockOffsetMs: 86_400_000, sources: [], cost: null, held, conditions },
      terminal,
    );
    expect(text).toContain('agt_1 on web-1: held since 2026-11-26T11:00:00.000Z, when an older key of it came from 192.0.2.7');
    expect(text).toContain('2026-11-26T12:00:00.000Z, silent since');
    expect(text).toContain('1 d 0 h ahead of the collector’s');
    expect(text).toContain('vigil agent held show agt_1');
    expect(text).toContain('  CLOCK_SKEW 86400 s to the collector\n    Set the clock right.');
    expect(text).toContain('It has told of no source yet.');
  });

  it('shows a name that would steer the terminal as what it is', () => {
    const text = agentText({ ...agent, host: 'web\u001b[2J', sources: [{ ...agent.sources[0]!, stream: 'file:/\u001b]0;x' }] }, terminal);
    expect(text).not.toContain('\u001b');
  });
});
