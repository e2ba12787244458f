// SPDX-License-Identifier: Apache-2.0
/**
 * How hosts stand: no percentage improves by forgetting a host.
 * Input: agents, presences, decisions. Output: claims.
 */
import { beforeEach, describe, expect, it } from 'vitest';
import { hashId, makeId } from '../../core/ids.ts';
import { unixMs } from '../../core/units.ts';
import { handClock, listAudit, listNotices, memoryState } from '../../test/support/memory-state.ts';
import type { Agent, AgentPresence, Asset } from '../model/agent.ts';
import type { HostDecision } from '../model/host.ts';
import { openAssets } from './asset.ts';
import { retireAgent, revokeAgent } from './commands.ts';
import { hostStanding, isExpected } from './host.ts';
import { openHosts } from './hosts.ts';
import { openRegistry } from './registry.ts';
import { openSilence } from './silence.ts';

const NOW = unixMs(Date.UTC(2026, 10, 23, 8, 40));
const MINUTE = 60_000;
const HOST = hashId('ast', 'web1');
const asset: Asset = { id: HOST, kind: 'host', name: 'web1', group: 'default', createdAt: unixMs(NOW - 99 * MINUTE), origin: 'agent' };
const agentOf = (over: Partial<Agent> = {}): Agent => ({
  id: makeId('agt'),
  asset: HOST,
  host: 'web1',
  group: 'default',
  state: 'active',
  keys: [],
  token: makeId('tok'),
  enrolledAt: unixMs(NOW - 90 * MINUTE),
  zone: 'UTC',
  version: '0.1.0',
  local: false,
  ...over,
});
const heard = (agent: Agent, minutesAgo: number, more: Partial<AgentPresence> = {}) => ({
  agent,
  presence: {
    agent: agent.id,
    lastSeen: unixMs(NOW - minutesAgo * MINUTE),
    clockOffsetMs: 0,
    ...(minutesAgo > 2 ? { silentSince: unixMs(NOW - (minutesAgo - 2) * MINUTE) } : {}),
    ...more,
  },
});
const decided = (kind: HostDecision['kind'], minutesAgo: number, until?: number): HostDecision => ({
  host: HOST,
  kind,
  reason: 'because',
  by: 'anna',
  at: unixMs(NOW - minutesAgo * MINUTE),
  ...(until === undefined ? {} : { until: unixMs(until) }),
});
const standing = (
  agents: Parameters<typeof hostStanding>[0]['agents'],
  decisions: readonly HostDecision[] = [],
  origin: Asset['origin'] = 'agent',
) => hostStanding({ asset: { ...asset, origin }, agents, decisions }, NOW).standing;

describe('a host', () => {
  it('reports while one of its agents is heard, and is silent when none is', () => {
    expect(standing([heard(agentOf(), 1)])).toBe('reporting');
    expect(standing([heard(agentOf(), 10), heard(agentOf(), 1)])).toBe('reporting');
    expect(standing([heard(agentOf(), 10)])).toBe('silent');
    expect(standing([heard(agentOf(), 1, { silentSince: NOW })])).toBe('silent');
    expect(standing([{ agent: agentOf(), presence: null }])).toBe('expected');
  });

  it('is planned off until its time, and counts all the while', () => {
    expect(standing([heard(agentOf(), 10)], [decided('planned-off', 20, NOW + MINUTE)])).toBe('planned-off');
    expect(standing([heard(agentOf(), 10)], [decided('planned-off', 20, NOW - MINUTE)])).toBe('silent');
    expect(standing([heard(agentOf(), 10, { silentSince: undefined as never })], [decided('planned-off', 20, NOW + MINUTE)])).toBe(
      'planned-off',
    );
    expect(standing([heard(agentOf(), 1)], [decided('planned-off', 20, NOW + MINUTE)])).toBe('reporting');
    expect(
      isExpected(hostStanding({ asset, agents: [heard(agentOf(), 10)], decisions: [decided('planned-off', 20, NOW + MINUTE)] }, NOW)),
    ).toBe(true);
  });

  it('leaves the population only by a decision: an agent that is revoked leaves it silent', () => {
    expect(standing([heard(agentOf({ state: 'revoked' }), 10)])).toBe('silent');
    expect(standing([heard(agentOf({ state: 'retired' }), 10)], [decided('retired', 5)])).toBe('retired');
    expect(standing([heard(agentOf({ state: 'retired' }), 10)], [decided('retired', 5), decided('expected', 1)])).toBe('silent');
  });

  it('comes back when an agent enrols after it was retired', () => {
    expect(standing([heard(agentOf({ enrolledAt: unixMs(NOW - 2 * MINUTE) }), 1)], [decided('retired', 5)])).toBe('reporting');
  });

  it('that only others’ logs name is unmanaged until somebody expects it', () => {
    expect(standing([], [], 'relay')).toBe('unmanaged');
    expect(standing([], [decided('expected', 5)], 'relay')).toBe('expected');
  });
});

describe('decisions about hosts', () => {
  let parts: Awaited<ReturnType<typeof open>>;
  const open = async () => {
    const [state, clock, audit, notices] = [memoryState(), handClock(), listAudit(), listNotices()];
    const assets = await openAssets(state, clock);
    const log = { warn: () => undefined } as never;
    const registry = await openRegistry({ state, clock, assets, log });
    const names = [
      { name: 'printer.example', lines: 3 },
      { name: 'WEB1.example', lines: 9 },
      { name: 'web1', lines: 9 },
    ];
    const hosts = await openHosts({ state, clock, audit, assets, registry, namesInLogs: async () => names });
    const host = await assets.forAgent({ name: 'web1', machineId: 'm', group: 'default' }, () => false);
    return { state, clock, audit, notices, assets, registry, hosts, host };
  };
  const by = { kind: 'user', id: 'usr_x', name: 'anna', role: 'admin' } as const;
  beforeEach(async () => {
    parts = await open();
  });

  it('are kept with reason and person, all of them, and are audited', async () => {
    const { hosts, host, audit, clock } = parts;
    await hosts.decide(by, 'web1', { kind: 'expected', reason: 'new web server' });
    clock.advance(MINUTE);
    expect((await hosts.decide(by, host.id, { kind: 'retired', reason: 'replaced' })).standing).toBe('retired');
    expect(hosts.decisionsOf(host).map(({ kind, reason, by: who }) => [kind, reason, who])).toEqual([
      ['expected', 'new web server', 'anna'],
      ['retired', 'replaced', 'anna'],
    ]);
    expect(audit.entries.filter(({ phase }) => phase === 'done').map(({ act, on }) => [act, on])).toEqual([
      ['host.expected', host.id],
      ['host.retired', host.id],
    ]);
    await expect(hosts.decide(by, 'nobody', { kind: 'retired', reason: 'gone' })).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await expect(hosts.decide(by, 'web1', { kind: 'planned-off', reason: 'moved', until: unixMs(1) })).rejects.toMatchObject({
      code: 'REQUEST_BAD',
    });
  });

  it('how much depends on a host is said with a reason, audited, and outlives the next enrolment', async () => {
    const { hosts, host, assets, audit, state } = parts;
    await hosts.rate(by, 'web1', 'critical', 'all customers are on it');
    expect(audit.entries.at(-1)).toMatchObject({ act: 'host.criticality', phase: 'done', details: { criticality: 'critical' } });
    await assets.forAgent({ name: 'web1', machineId: 'm', group: 'other' }, () => false);
    expect((await state.get('asset', host.id))?.value).toMatchObject({ criticality: 'critical', group: 'other' });
    await expect(hosts.rate(by, 'nobody', 'low', 'why not')).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  it('come with the last agent that is retired, and not with one that is revoked', async () => {
    const { registry, hosts, host, audit, notices, clock } = parts;
    const [a, b] = [agentOf({ asset: host.id }), agentOf({ asset: host.id })];
    for (const agent of [a, b]) await registry.add(agent);
    const fleet = { registry, audit, notices, clock, hosts };
    await expect(hosts.decide(by, 'web1', { kind: 'retired', reason: 'gone' })).rejects.toMatchObject({ code: 'REQUEST_BAD' });
    await retireAgent(fleet, by, a.id);
    expect(hosts.decisionsOf(host)).toEqual([]);
    await retireAgent(fleet, by, b.id, undefined, 'sold');
    expect((await hosts.standings()).map((one) => [one.name, one.standing])).toEqual([['web1', 'retired']]);
    expect(hosts.decisionsOf(host).map(({ reason }) => reason)).toEqual(['sold']);
    await registry.close();
  });

  it('an agent that is revoked leaves its host in the population', async () => {
    const { registry, hosts, host, audit, notices, clock } = parts;
    const agent = agentOf({ asset: host.id });
    await registry.add(agent);
    await revokeAgent({ registry, audit, notices, clock, hosts }, by, agent.id);
    const [one] = await hosts.standings();
    expect(one && isExpected(one)).toBe(true);
    await registry.close();
  });

  it('keep a host that is planned off from being called silent, until its time', async () => {
    const { registry, hosts, host, clock, notices, state, assets, audit } = parts;
    const agent = agentOf({ asset: host.id });
    await registry.add(agent);
    registry.seen(agent.id, '', clock.now());
    const silence = openSilence({ registry, notices, clock, isPlannedOff: hosts.isPlannedOff });
    await hosts.decide(by, 'web1', { kind: 'planned-off', reason: 'moved to another rack', until: unixMs(clock.now() + 10 * MINUTE) });
    for (let n = 0; n < 60; n++) {
      clock.advance(5_000);
      silence.tick();
    }
    expect(notices.said).toEqual([]);
    clock.advance(5_000);
    expect((await hosts.standingOf(host)).standing).toBe('planned-off');
    expect((await openHosts({ state, clock, audit, assets, registry })).isPlannedOff(host.id)).toBe(true);
    for (let n = 0; n < 60; n++) {
      clock.advance(5_000);
      silence.tick();
    }
    expect(notices.said.map(({ action }) => action)).toEqual(['agent-silent']);
    expect((await hosts.standingOf(host)).standing).toBe('silent');
    await silence.close();
    await registry.close();
  });

  it('machines that logs name and no host has are listed', async () => {
    expect(await parts.hosts.unmanaged()).toEqual([{ name: 'printer.example', lines: 3 }]);
  });
});
