// SPDX-License-Identifier: Apache-2.0
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type AlertId, type AssetId, hashId, type IncidentId } from '../core/ids.ts';
import { days, hours, minutes, type UnixMs, unixMs } from '../core/units.ts';
import { listEvents } from '../test/support/console.ts';
import { handClock } from '../test/support/memory-state.ts';
import { openCommitParts } from './commit.ts';
import type { Alert, AlertWork } from './model/alert.ts';
import { type Entity, makeEntity } from './model/entity.ts';
import type { IncidentWork } from './model/incident.ts';
import { type Observation, observationId } from './model/observation.ts';
import type { Level, RuleSet } from './model/rule.ts';
import { scoreAt } from './score/formula.ts';
import { historyOf, takeDaily } from './score/snapshot.ts';
import { readScores } from './score/view.ts';
import { scoredState } from './scoring.ts';
import { openState, stateStore } from './store/embedded/state.ts';
import type { Write } from './store/store.ts';

const NOW = Date.UTC(2026, 10, 23, 8, 40);
const HOST = 'ast_bastion0000000000000' as AssetId;
const host = makeEntity('host', HOST);
const ROOT = makeEntity('user', `root@${HOST}`);

/** State with scores over a clock moved by hand, and writes as the pipeline makes them. */
const world = () => {
  const clock = handClock(NOW);
  const scored = scoredState(openState(':memory:', clock), clock.now, (check) => check);
  const { core } = scored;
  const { index } = openCommitParts(core);
  core.put('asset', HOST, { id: HOST, kind: 'host', name: 'bastion', group: '', createdAt: unixMs(NOW), origin: 'agent' });
  const write = ({ collection, id, value }: Write): void =>
    core.transaction(() => {
      core.put(collection, id, value);
      index.note(collection, id, value);
    });
  const state = stateStore(core);
  return {
    clock,
    scored,
    core,
    state,
    write,
    threat: async () => (await readScores(state, listEvents([], clock.now), clock.now).get('bastion')).score.threat,
  };
};

const alert = (rule: string, level: Level, last: number, more: Partial<Alert> = {}): Write & { collection: 'alert' } => {
  const id = hashId('alr', rule, last, String(more.replay)) as AlertId;
  const value: Alert = {
    id,
    rule,
    title: `Title of ${rule}`,
    level,
    entity: host,
    entityName: 'bastion',
    entities: [host],
    n: last,
    count: 1,
    first: unixMs(last),
    last: unixMs(last),
    detected: unixMs(last),
    sample: [],
    members: [],
    tactics: [],
    techniques: [],
    why: [],
    late: false,
    backlog: false,
    replay: false,
    status: 'live',
    ...more,
  };
  return { collection: 'alert', id, value };
};
const work = (of: { readonly id: string }, value: AlertWork): Write => ({ collection: 'alertWork', id: of.id, value });
const INC = 'inc_0000000000000001' as IncidentId;
const said = (value: IncidentWork): Write => ({ collection: 'incidentWork', id: INC, value });
const incident = (alerts: readonly AlertId[]): Write => ({
  collection: 'incident',
  id: INC,
  value: {
    id: INC,
    number: 8,
    title: 'x',
    severity: 'critical',
    why: [],
    opener: alerts[0] as AlertId,
    alerts,
    entities: [host],
    tactics: [],
    techniques: [],
    first: unixMs(NOW),
    last: unixMs(NOW),
    detected: unixMs(NOW),
    backlog: false,
    replay: false,
  },
});
const observed = (check: string, result: Observation['result'], first: number, more: Partial<Observation> = {}): Write => {
  const id = observationId(check, host, unixMs(first));
  return {
    collection: 'observation',
    id,
    value: {
      id,
      check,
      subject: host,
      result,
      actual: 'yes',
      expected: 'no',
      severity: 'high',
      first: unixMs(first),
      last: unixMs(first),
      expires: unixMs(first + hours(2)),
      open: true,
      ...more,
    },
  };
};

describe('the threat of a host', () => {
  it('counts alerts of a rule, not the lines under them, and those of replayed lines not twice', async () => {
    const { write, threat } = world();
    write(alert('a', 'high', NOW, { count: 5000 }));
    expect(await threat()).toBe(50);
    write(alert('a', 'high', NOW, { replay: true }));
    expect(await threat()).toBe(50);
    write(alert('a', 'high', NOW - 1));
    expect(await threat()).toBe(55);
  });

  it('falls to nothing at once with a verdict of false positive, to a tenth with benign, and rises again when it is opened again', async () => {
    const { write, threat } = world();
    const one = alert('a', 'high', NOW);
    write(one);
    write(work(one, { state: 'closed', verdict: 'false-positive' }));
    expect(await threat()).toBe(0);
    write(work(one, { state: 'closed', verdict: 'benign' }));
    expect(await threat()).toBe(5);
    write(work(one, { state: 'new' }));
    expect(await threat()).toBe(50);
  });

  it('does not decay while an incident is open, and decays from its end', async () => {
    const { write, threat, clock } = world();
    const one = alert('a', 'high', NOW, { incident: INC });
    write(one);
    write(incident([one.id as AlertId]));
    clock.advance(days(7));
    expect(await threat()).toBe(50);
    write(said({ state: 'closed', verdict: 'true-positive', moves: [{ to: 'closed', at: clock.now(), by: 'usr_x' }] }));
    expect(await threat()).toBe(50);
    clock.advance(days(7));
    expect(await threat()).toBe(25);
    write(said({ state: 'dismissed', verdict: 'false-positive', moves: [{ to: 'dismissed', at: clock.now(), by: 'usr_x' }] }));
    expect(await threat()).toBe(0);
  });

  it('weighs a rule by its status, and keeps what was known while rules are not loaded', async () => {
    const { write, scored, threat } = world();
    scored.rules({ rules: new Map([['a', { id: 'a', status: 'experimental' }]]), correlations: [], version: 'v' } as unknown as RuleSet);
    write(alert('a', 'high', NOW));
    expect(await threat()).toBe(30);
  });

  it('leaves whom an alert no longer speaks of', () => {
    const { write, core } = world();
    write(alert('a', 'high', NOW, { entities: [host, ROOT] }));
    expect(core.get('score', ROOT)?.value.threat).toHaveLength(1);
    write(alert('a', 'high', NOW, { entities: [host] }));
    expect(core.get('score', ROOT)?.value.threat).toHaveLength(0);
  });

  it('leaves alerts that went into another', async () => {
    const { write, threat } = world();
    write(alert('a', 'high', NOW));
    write(alert('a', 'high', NOW, { status: 'merged' }));
    expect(await threat()).toBe(0);
  });
});

describe('the exposure of a host', () => {
  const exposure = async ({ state, clock }: ReturnType<typeof world>): Promise<number> =>
    (await readScores(state, listEvents([], clock.now), clock.now).get('bastion')).score.exposure;

  it('comes from failing checks, without those that are waived until the waiver lapses', async () => {
    const w = world();
    w.write(observed('root-login', 'fail', NOW));
    w.write(observed('sudo', 'fail', NOW, { severity: 'medium', waiver: { reason: 'r', owner: 'o', until: unixMs(NOW + days(1)) } }));
    expect(await exposure(w)).toBe(12);
    w.clock.advance(days(1));
    expect(await exposure(w)).toBe(16.4);
  });

  it('is lowered by a pass and by nothing less: not by an error, nor by silence', async () => {
    const w = world();
    w.write(observed('root-login', 'fail', NOW));
    w.write(observed('root-login', 'error', NOW + 1));
    w.clock.advance(days(30));
    expect(await exposure(w)).toBe(12);
    w.write(observed('root-login', 'pass', NOW + days(30)));
    expect(await exposure(w)).toBe(0);
  });

  it('is higher where much depends on the host, from the moment somebody says so', async () => {
    const w = world();
    w.write(observed('root-login', 'fail', NOW));
    const asset = w.core.get('asset', HOST)?.value;
    w.clock.advance(days(1));
    w.write({ collection: 'asset', id: HOST, value: { ...(asset as NonNullable<typeof asset>), criticality: 'critical' } });
    expect(await exposure(w)).toBe(21.4);
    const scores = readScores(w.state, listEvents([], w.clock.now), w.clock.now);
    expect((await scores.get('bastion', unixMs(NOW + hours(1)))).score.exposure).toBe(12);
  });

  it('is higher where others on the internet reach the host', async () => {
    const w = world();
    w.write(observed('root-login', 'fail', NOW));
    const fact = (kind: 'listener' | 'interface', item: string, fields: Readonly<Record<string, string | readonly string[]>>): Write => ({
      collection: 'hostFact',
      id: `${HOST}/${kind}/${item}`,
      value: { host: HOST, kind, item, fields, since: unixMs(NOW), changed: unixMs(NOW), observed: unixMs(NOW), event: 'evt_x' as never },
    });
    w.write(fact('listener', 'tcp/127.0.0.1:25', { address: '127.0.0.1' }));
    w.write(fact('interface', 'eth0', { addresses: ['10.0.0.7/8', '203.0.113.7/24'] }));
    expect(await exposure(w)).toBe(12);
    w.write(fact('listener', 'tcp/0.0.0.0:22', { address: '0.0.0.0' }));
    expect(await exposure(w)).toBe(14.6);
  });
});

describe('a score at a past time', () => {
  it('has the digits it had then, whatever came since', async () => {
    const w = world();
    const scores = readScores(w.state, listEvents([], w.clock.now), w.clock.now);
    const seen = new Map<UnixMs, unknown>();
    const random = [7, 3, 11, 2, 5, 13, 1, 8, 4, 9, 6, 10];
    for (const [i, hoursLater] of random.entries()) {
      const one = alert(`r${i % 5}`, (['low', 'medium', 'high', 'critical'] as const)[i % 4] as Level, w.clock.now(), { incident: INC });
      w.write(one);
      if (i === 4) w.write(work(one, { state: 'closed', verdict: 'benign' }));
      if (i === 6) w.write(observed('c', 'fail', w.clock.now()));
      if (i === 8) w.write(said({ state: 'closed', verdict: 'true-positive', moves: [{ to: 'closed', at: w.clock.now(), by: 'u' }] }));
      w.clock.advance(minutes(16));
      seen.set(w.clock.now(), (await scores.get('bastion')).score);
      w.clock.advance(hours(hoursLater));
      seen.set(w.clock.now(), (await scores.get('bastion')).score);
      w.clock.advance(1);
      if (i % 3 === 0) await takeDaily(w.state, w.clock.now());
    }
    for (const [at, score] of seen) expect((await scores.get('bastion', at)).score).toEqual(score);
    await expect(scores.get('bastion', unixMs(NOW - 1))).rejects.toThrow();
  });

  it('is kept for each day, and the days older than 400 go', async () => {
    const w = world();
    w.write(alert('a', 'critical', NOW));
    for (let day = 0; day < 4; day++) {
      w.clock.advance(days(1));
      await takeDaily(w.state, w.clock.now());
    }
    const history = await historyOf(w.state, host, unixMs(NOW), w.clock.now());
    expect(history.map(({ threat }) => threat)).toEqual([77.5, 73.8, 70.2, 66.8, 65.6]);
    const daily = async (): Promise<number> =>
      (await w.state.list('scoreSnapshot', { limit: 100 })).items.filter(({ value }) => value.daily).length;
    expect(await daily()).toBe(4);
    w.clock.advance(days(402));
    await takeDaily(w.state, w.clock.now());
    expect(await daily()).toBe(1);
  });
});

describe('whatever the order in which things come', () => {
  const writes = fc.array(
    fc.record({
      rule: fc.constantFrom('a', 'b', 'c', 'd'),
      level: fc.constantFrom<Level>('low', 'medium', 'high', 'critical'),
      ago: fc.integer({ min: 0, max: days(1) }),
      verdict: fc.constantFrom(undefined, 'benign', 'false-positive', 'true-positive'),
      held: fc.boolean(),
      root: fc.boolean(),
    }),
    { minLength: 1, maxLength: 12 },
  );
  it('both scores end the same, to the last share', () => {
    fc.assert(
      fc.property(writes, fc.infiniteStream(fc.nat()), (wanted, order) => {
        const all = wanted.flatMap(({ rule, level, ago, verdict, held, root }, i): Write[] => {
          const one = alert(rule, level, NOW - ago * 16 - i, {
            ...(held ? { incident: INC } : {}),
            entities: root ? [host, ROOT] : [host],
          });
          return [
            one,
            ...(verdict === undefined ? [] : [work(one, { state: 'closed', verdict })]),
            observed(`check-${i % 3}`, i % 2 === 0 ? 'fail' : 'pass', NOW - ago * 16 - i),
          ];
        });
        all.push(
          incident(wanted.flatMap(({ rule, ago, held }, i) => (held ? [alert(rule, 'low', NOW - ago * 16 - i).id as AlertId] : []))),
        );
        all.push(said({ state: 'closed', verdict: 'true-positive', moves: [{ to: 'closed', at: unixMs(NOW - 5), by: 'u' }] }));
        const end = (list: readonly Write[], entity: Entity): unknown => {
          const w = world();
          // What people say comes after what they speak of: nobody can judge what is not there.
          const people = ({ collection }: Write): boolean => collection === 'alertWork' || collection === 'incidentWork';
          for (const one of [...list.filter((each) => !people(each)), ...list.filter(people)]) w.write(one);
          const inputs = w.core.get('score', entity)?.value;
          return inputs && scoreAt(inputs, unixMs(NOW));
        };
        const keyed = all.map((one) => ({ one, key: order.next().value as number }));
        const shuffled = keyed.sort((a, b) => a.key - b.key).map(({ one }) => one);
        for (const entity of [host, ROOT]) expect(end(shuffled, entity)).toEqual(end(all, entity));
      }),
      { numRuns: 25 },
    );
  });

  it('a score that a doubled page touches does not move', async () => {
    const w = world();
    const one = alert('a', 'high', NOW);
    w.write(one);
    const before = (await w.state.get('score', host))?.version;
    w.write(one);
    expect((await w.state.get('score', host))?.version).toBe(before);
  });
});

describe('what an evil neighbour costs', () => {
  it('keeps the work for one entity bounded', () => {
    const w = world();
    for (let i = 0; i < 900; i++) w.write(alert(`r${i % 40}`, 'low', NOW - i * 1000));
    const begin = performance.now();
    w.write(alert('new', 'high', NOW));
    expect(performance.now() - begin).toBeLessThan(500);
    expect(w.core.get('score', host)?.value.threat.length).toBeLessThanOrEqual(41);
  });
});

it('a name that somebody tried has no score where the host is known not to have it', async () => {
  const w = world();
  const guest = makeEntity('user', `guest@${HOST}`);
  const table = { host: HOST, kind: 'user', scanned: unixMs(NOW), doubtful: false, count: 1 } as const;
  w.write({ collection: 'factTable', id: `${HOST}/user/`, value: table });
  w.write(alert('a', 'high', NOW, { entities: [host, guest] }));
  expect(w.core.get('score', guest)).toBeNull();
  const since = { since: unixMs(NOW), changed: unixMs(NOW), observed: unixMs(NOW), event: 'evt_x' as never };
  w.write({
    collection: 'hostFact',
    id: `${HOST}/user/guest`,
    value: { host: HOST, kind: 'user', item: 'guest', fields: { uid: 1001 }, ...since },
  });
  expect(w.core.get('score', guest)?.value.threat).toHaveLength(1);
});

it('an address has a score of its own', async () => {
  const w = world();
  const ip = makeEntity('ip', '203.0.113.77');
  w.write(alert('a', 'high', NOW, { entities: [host, ip] }));
  const scores = readScores(w.state, listEvents([], w.clock.now), w.clock.now);
  expect((await scores.get('203.0.113.77')).score.threat).toBe(50);
  const list = await scores.list({ order: 'threat', kind: 'ip' }, { limit: 10 });
  expect(list).toMatchObject({ total: 1, next: null });
});
