// SPDX-License-Identifier: Apache-2.0

import { describe, expect, it } from 'vitest';
import { type AgentId, makeId } from '../../core/ids.ts';
import { openLog } from '../../core/log.ts';
import type { HeartbeatBody } from '../../core/protocol.ts';
import { generateSigner } from '../../core/sign.ts';
import { ms, unixMs } from '../../core/units.ts';
import { handClock, listNotices, memoryState } from '../../test/support/memory-state.ts';
import type { Agent, Asset } from '../model/agent.ts';
import { matchHost, openAssets } from './asset.ts';
import { fleetFigures, sourceFigures } from './figures.ts';
import { openRefusalLimit } from './limit.ts';
import { openRegistry, type Registry } from './registry.ts';
import { judgeSilence, openSilence } from './silence.ts';
import { mayRenew, standingOf, withNewKey } from './standing.ts';
import { isOnlyHere } from './token.ts';

const log = openLog({ program: 'vigil', level: 'silent' });
const key = (): string => generateSigner().publicKey;
const keyOf = (text: string, firstUsed?: number): Agent['keys'][number] => ({
  key: text,
  since: unixMs(0),
  serials: [],
  notAfter: unixMs(9e12),
  ...(firstUsed === undefined ? {} : { firstUsed: unixMs(firstUsed) }),
});

const agentOf = (host: string, asset: Asset['id'], keys: Agent['keys'] = [keyOf(key())], extra: Partial<Agent> = {}): Agent => ({
  id: makeId('agt'),
  asset,
  host,
  group: 'default',
  state: 'active',
  keys,
  token: makeId('tok'),
  enrolledAt: unixMs(0),
  zone: 'UTC',
  version: '0.1.0',
  local: false,
  ...extra,
});

const heartbeat = (streams: HeartbeatBody['streams'] = []): HeartbeatBody => ({
  version: '0.1.0',
  uptimeMs: 1,
  cost: { cpuMs: 1, rssBytes: 1, spoolBytes: 1, sentBytes: 1 },
  streams,
  conditions: [],
});

const withFleet = async (hosts: readonly string[], state = memoryState()) => {
  const clock = handClock();
  const assets = await openAssets(state, clock);
  const registry = await openRegistry({ state, clock, assets, log });
  const agents: Agent[] = [];
  for (const host of hosts) {
    const asset = await assets.forAgent({ name: host, machineId: `m-${host}`, group: 'default' }, registry.isLive);
    const agent = agentOf(host, asset.id);
    await registry.add(agent);
    agents.push(agent);
  }
  return { clock, state, assets, registry, agents };
};

const hear = (registry: Registry, id: AgentId, at: number): void =>
  registry.seen(id, registry.find(id)?.keys.at(-1)?.key ?? '', unixMs(at));

describe('the standing of a key', () => {
  const [a, b, c] = [key(), key(), key()];
  it('is current for the newest, and for its predecessor until the newest is used', () => {
    const unused = agentOf('h', makeId('ast'), [keyOf(a, 1), keyOf(b, 2), keyOf(c)]);
    expect([a, b, c].map((k) => standingOf(unused, k, unixMs(5), unixMs(9)).kind)).toEqual(['older', 'current', 'current']);
    expect([a, b, c].map((k) => mayRenew(unused, k))).toEqual([false, true, true]);
    const used = { ...unused, keys: [keyOf(a, 1), keyOf(b, 2), keyOf(c, 100)] };
    expect([a, b, c].map((k) => standingOf(used, k, unixMs(100), unixMs(101)).kind)).toEqual(['older', 'older', 'current']);
    expect([a, b, c].map((k) => mayRenew(used, k))).toEqual([false, false, true]);
  });

  it('lets a connection from before the change end its work, for five minutes', () => {
    const used = agentOf('h', makeId('ast'), [keyOf(b, 2), keyOf(c, 100)]);
    expect(standingOf(used, b, unixMs(99), unixMs(101)).kind).toBe('current');
    expect(standingOf(used, b, unixMs(99), unixMs(100 + 300_000)).kind).toBe('older');
    expect(standingOf(used, b, unixMs(100), unixMs(101)).kind).toBe('older');
  });

  it('is denied with the agent or the key, and unknown otherwise', () => {
    const agent = agentOf('h', makeId('ast'), [{ ...keyOf(a, 1), denied: true }, keyOf(b, 2)]);
    expect(standingOf(agent, a, unixMs(0), unixMs(0)).kind).toBe('denied');
    expect(standingOf({ ...agent, state: 'revoked' }, b, unixMs(0), unixMs(0)).kind).toBe('denied');
    expect(standingOf(agent, c, unixMs(0), unixMs(0)).kind).toBe('unknown-key');
  });

  it('survives answers that were lost: the unused key is forgotten, the predecessor goes on', () => {
    const keys = [keyOf(a, 1), keyOf(b)];
    expect(withNewKey(keys, a, keyOf(c)).map((one) => one.key)).toEqual([a, c]);
    expect(withNewKey(keys, b, keyOf(c)).map((one) => one.key)).toEqual([a, b, c]);
  });
});

describe('a host', () => {
  const asset = (name: string, machineId?: string, createdAt = 0): Asset => ({
    id: makeId('ast'),
    kind: 'host',
    name,
    group: 'g',
    createdAt: unixMs(createdAt),
    origin: machineId === undefined ? 'replay' : 'agent',
    ...(machineId === undefined ? {} : { machineId }),
  });
  it('is found again by its machine id, but not while its agent is live', () => {
    const known = asset('old-name', 'm1');
    expect(matchHost([known], { name: 'new-name', machineId: 'm1', group: 'g' }, () => false)).toBe(known);
    expect(matchHost([known], { name: 'old-name', machineId: 'm1', group: 'g' }, () => true)).toBeNull();
    expect(matchHost([known], { name: 'old-name', machineId: 'm2', group: 'g' }, () => false)).toBeNull();
    expect(matchHost([known], { name: 'old-name', machineId: '', group: 'g' }, () => false)).toBeNull();
  });

  it('of replayed lines is the one that an agent later reports, and the other way round', async () => {
    const state = memoryState();
    const assets = await openAssets(state, handClock());
    const [replayed, same] = await Promise.all([assets.forName('bastion', 'replay'), assets.forName('bastion', 'replay')]);
    expect(same).toEqual(replayed);
    const enrolled = await assets.forAgent({ name: 'bastion', machineId: 'm1', group: 'dmz' }, () => false);
    expect(enrolled).toMatchObject({ id: replayed.id, machineId: 'm1', group: 'dmz', origin: 'agent' });
    expect((await assets.forName('bastion', 'replay')).id).toBe(replayed.id);
    expect((await openAssets(state, handClock())).all()).toEqual([enrolled]);
  });
});

describe('the registry', () => {
  it('answers from memory and comes back from the store as it was', async () => {
    const { registry, agents, state, clock, assets } = await withFleet(['a', 'b']);
    const [a] = agents;
    registry.seen(a!.id, a!.keys[0]!.key, unixMs(77));
    registry.heartbeat(a!.id, { ...heartbeat(), version: '0.2.0', clockOffsetMs: 12 }, unixMs(78));
    expect(registry.find(a!.id)?.keys[0]?.firstUsed).toBe(77);
    await registry.close();
    const again = await openRegistry({ state, clock, assets, log });
    expect(again.find(a!.id)).toMatchObject({ version: '0.2.0', keys: [{ firstUsed: 77 }] });
    expect(again.presenceOf(a!.id)).toMatchObject({ lastSeen: 78, clockOffsetMs: -12 });
    expect(again.ownerOf(a!.keys[0]!.key)?.id).toBe(a!.id);
    await again.close();
  });

  it('denies at once, before the disk has answered', async () => {
    const state = memoryState();
    let open = (): void => {};
    const gate = new Promise<void>((resolve) => {
      open = resolve;
    });
    let slow = false;
    const { registry, agents } = await withFleet(['a'], {
      ...state,
      put: async (...all: Parameters<typeof state.put>) => {
        if (slow) await gate;
        return state.put(...all);
      },
    } as typeof state);
    slow = true;
    const told: string[] = [];
    registry.onDenied((id) => told.push(id));
    const done = registry.change(agents[0]!.id, (agent) => ({ ...agent, state: 'revoked' }));
    await expect.poll(() => told).toEqual([agents[0]!.id]);
    expect(registry.standing(agents[0]!.id, agents[0]!.keys[0]!.key, unixMs(0)).kind).toBe('denied');
    open();
    await done;
    await registry.close();
  });

  it('writes presences in batches, and again what could not be written', async () => {
    const state = memoryState();
    let fails = true;
    let puts = 0;
    const { registry, agents, clock } = await withFleet(['a', 'b', 'c'], {
      ...state,
      put: async (...all: Parameters<typeof state.put>) => {
        if (all[0] !== 'presence') return state.put(...all);
        puts += 1;
        if (fails) throw new Error('no space');
        return state.put(...all);
      },
    } as typeof state);
    for (let i = 0; i < 50; i++) for (const { id } of agents) hear(registry, id, i);
    expect(puts).toBe(0);
    clock.advance(15_000);
    await expect.poll(() => puts).toBe(3);
    fails = false;
    await registry.close();
    expect((await state.list('presence', { limit: 9 })).items.map(({ value }) => value.lastSeen)).toEqual([49, 49, 49]);
  });
});

describe('silence', () => {
  it('is said once, and the return once, also over a restart', async () => {
    const { registry, agents, clock, state, assets } = await withFleet(['a', 'b']);
    const notices = listNotices();
    const silence = openSilence({ registry, notices, clock });
    const [a, b] = agents.map(({ id }) => id);
    const pass = (spanMs: number, ...heard: AgentId[]): void => {
      for (let at = 0; at < spanMs; at += 5_000) {
        clock.advance(5_000);
        for (const id of heard) hear(registry, id, clock.now());
        silence.tick();
      }
    };
    pass(60_000, a!, b!);
    pass(90_000, a!);
    expect(notices.said).toEqual([]);
    pass(600_000, a!);
    expect(notices.said.map(({ action, agent }) => [action, agent])).toEqual([['agent-silent', b]]);
    await silence.close();
    await registry.close();
    const later = await openRegistry({ state, clock, assets, log });
    const watch = openSilence({ registry: later, notices, clock });
    for (let i = 0; i < 30; i++) {
      clock.advance(5_000);
      hear(later, a!, clock.now());
      watch.tick();
    }
    expect(notices.said).toHaveLength(1);
    hear(later, b!, clock.now());
    watch.tick();
    watch.tick();
    expect(notices.said.map(({ action }) => action)).toEqual(['agent-silent', 'agent-returned']);
    await watch.close();
    await later.close();
  });

  it('gives an agent that enrols late as long as any other before it is silent', async () => {
    const { registry, assets, clock } = await withFleet([]);
    const notices = listNotices();
    const silence = openSilence({ registry, notices, clock });
    const pass = (spanMs: number): void => {
      for (let at = 0; at < spanMs; at += 5_000) {
        clock.advance(5_000);
        silence.tick();
      }
    };
    pass(600_000);
    const asset = await assets.forAgent({ name: 'late', machineId: 'm-late', group: 'default' }, registry.isLive);
    await registry.add(agentOf('late', asset.id));
    pass(90_000);
    expect(notices.said).toEqual([]);
    pass(10_000);
    expect(notices.said.map(({ action }) => action)).toEqual(['agent-silent']);
    await silence.close();
    await registry.close();
  });

  it('does not count the time in which the collector stood still', async () => {
    const { registry, agents, clock } = await withFleet(['a']);
    const notices = listNotices();
    const silence = openSilence({ registry, notices, clock });
    const tick = (spanMs: number): void => {
      clock.advance(spanMs);
      silence.tick();
    };
    tick(5_000);
    hear(registry, agents[0]!.id, clock.now());
    tick(3_600_000);
    for (let i = 0; i < 16; i++) tick(5_000);
    expect(notices.said).toEqual([]);
    for (let i = 0; i < 4; i++) tick(5_000);
    expect(notices.said.map(({ action }) => action)).toEqual(['agent-silent']);
    await silence.close();
    await registry.close();
  });

  it('is not expected of the retired, and heard only once listening began', () => {
    const base = { agent: makeId('agt'), expected: true, quietMs: 100, heard: false, saidSilent: false };
    expect(judgeSilence([{ ...base, expected: false }], 90)).toEqual([]);
    expect(judgeSilence([{ ...base, saidSilent: true, quietMs: 5 }], 90)).toEqual([]);
    expect(judgeSilence([{ ...base, saidSilent: true, quietMs: 5, heard: true }], 90)).toMatchObject([{ change: 'returned' }]);
  });
});

describe('the figures', () => {
  it('count each host once and name the source furthest behind', () => {
    const [one, two, three] = [makeId('ast'), makeId('ast'), makeId('ast')];
    const stream = {
      stream: 'file:/var/log/auth.log',
      dataset: 'syslog',
      epoch: 'e',
      seq: 1,
      readUpTo: unixMs(40_000),
      behindBytes: 10,
      counts: { redacted: 2 },
    };
    const at = (agent: Agent, lastSeen: number | null, streams: HeartbeatBody['streams'] = []) => ({
      agent,
      presence: lastSeen === null ? null : { agent: agent.id, lastSeen: unixMs(lastSeen), clockOffsetMs: 0, heartbeat: heartbeat(streams) },
    });
    const fleet = [
      at(agentOf('a', one), 10),
      at(agentOf('a', one), 95_000, [stream, { ...stream, stream: 'x', behindBytes: 0 }]),
      at(agentOf('b', two), 10),
      at(agentOf('c', three), null),
      at(agentOf('d', makeId('ast'), [], { state: 'retired' }), 95_000),
    ];
    expect(fleetFigures(fleet, unixMs(100_000), 90_000)).toEqual({
      expected: 3,
      reporting: 1,
      silent: 1,
      waiting: 1,
      held: 0,
      sources: 2,
      datasets: { syslog: 2 },
      worstLagMs: 55_000,
      behindBytes: 10,
      counts: { redacted: 4 },
      conditions: 0,
    });
    expect(sourceFigures(fleet).map(({ lagMs }) => lagMs)).toEqual([55_000, 0]);
  });

  it('hold a source that was never read to its end for behind as long as its agent runs, by the agent’s own clock', () => {
    const stream = { stream: 'file:/var/log/auth.log', dataset: 'syslog', epoch: 'e', seq: 0, readUpTo: unixMs(0), counts: {} };
    const body = heartbeat([
      { ...stream, behindBytes: 10 },
      { ...stream, stream: 'x', behindBytes: 0 },
    ]);
    const now = unixMs(1_700_000_000_000);
    for (const clockOffsetMs of [0, 5_000, -5_000]) {
      const agent = agentOf('a', makeId('ast'));
      const presence = { agent: agent.id, lastSeen: now, clockOffsetMs, heartbeat: { ...body, uptimeMs: 7_000 } };
      expect(sourceFigures([{ agent, presence }]).map(({ lagMs }) => lagMs)).toEqual([7_000, 0]);
    }
  });
});

describe('the doors', () => {
  it('know which URLs only this host can reach', () => {
    for (const url of [
      'https://127.0.0.1:7443',
      'https://localhost:7443',
      'https://[::1]:7443',
      'https://0.0.0.0:7443',
      'https://[::]:1',
      'https://[::ffff:127.0.0.1]:1',
      'https://127.9.9.9',
    ])
      expect([url, isOnlyHere(url)]).toEqual([url, true]);
    for (const url of ['https://vigil.example.org:7443', 'https://192.0.2.4:7443', 'https://[2001:db8::1]:7443'])
      expect([url, isOnlyHere(url)]).toEqual([url, false]);
  });

  it('bound the refusals of an address and forgive what succeeds', () => {
    let now = 0;
    const limit = openRefusalLimit(3, 1_000, () => ms(now));
    for (let i = 0; i < 100; i++) {
      expect(limit.take('192.0.2.1')).toBe(0);
      limit.giveBack('192.0.2.1');
    }
    expect([1, 2, 3, 4].map(() => limit.take('2001:db8::1'))).toEqual([0, 0, 0, 1_000]);
    expect(limit.take('2001:db8:0:0:9::1')).toBe(1_000);
    expect(limit.take('2001:db8:0:1::1')).toBe(0);
    now = 1_000;
    expect(limit.take('2001:db8::1')).toBe(0);
  });
});
