// SPDX-License-Identifier: Apache-2.0
/** What people and programs look at over HTTP: events, alerts and incidents by KQL, their chains, completion. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { hashId } from '../../core/ids.ts';
import { unixMs } from '../../core/units.ts';
import { openConsole, type TestConsole } from '../../test/support/console.ts';
import { type Alert, alertId } from '../model/alert.ts';
import { makeEntity } from '../model/entity.ts';
import type { Event } from '../model/event.ts';
import { type Incident, incidentId } from '../model/incident.ts';

// The clock of the test console stands at 2026-11-23T08:40:00Z.
const AT = Date.UTC(2026, 10, 23, 8, 0);
const EVENTS: readonly Event[] = Array.from({ length: 6 }, (_, i) => ({
  '@timestamp': unixMs(AT + i * 1000),
  'event.id': hashId('evt', i),
  'event.original': `Nov 23 08:00:0${i} bastion sshd[1]: Failed password for root from 203.0.113.77 port 4002${i} ssh2`,
  'user.name': i === 5 ? 'rota' : 'root',
  'source.ip': '203.0.113.77',
  'source.port': 40020 + i,
  'vigil.stream': 'file:/var/log/auth.log',
  'vigil.seq': 100 + i,
  'vigil.journal.offset': 4096,
}));

const entity = makeEntity('ip', '203.0.113.77');
const alertOf = (n: number, last: number): Alert => ({
  id: alertId('vigil-auth-brute-force', entity, n, false),
  rule: 'vigil-auth-brute-force',
  title: 'Brute force over SSH',
  level: n === 1 ? 'high' : 'low',
  entity,
  entityName: '203.0.113.77',
  entities: [entity],
  n,
  count: 8,
  first: unixMs(AT),
  last: unixMs(last),
  detected: unixMs(AT),
  sample: EVENTS.map((event) => event['event.id'] as never),
  members: [],
  tactics: ['TA0006'],
  techniques: ['T1110'],
  why: ['user.name = root'],
  late: false,
  backlog: false,
  replay: false,
  status: 'live',
});
const ALERTS = [alertOf(1, AT + 5000), alertOf(2, AT - 86_400_000 * 3)] as const;
const INCIDENT: Incident = {
  id: incidentId(ALERTS[0].id),
  number: 8,
  title: 'Brute force over SSH: 203.0.113.77',
  severity: 'high',
  why: ['it opened with an alert of level high'],
  opener: ALERTS[0].id,
  alerts: [ALERTS[0].id],
  entities: [entity],
  tactics: [],
  techniques: [],
  first: unixMs(AT),
  last: unixMs(AT + 5000),
  detected: unixMs(AT),
  backlog: false,
  replay: false,
};

let vigil: TestConsole;
beforeAll(async () => {
  vigil = await openConsole(undefined, EVENTS);
  for (const alert of ALERTS) await vigil.state.put('alert', alert.id, alert);
  await vigil.state.put('alertWork', ALERTS[1].id, { state: 'closed', verdict: 'benign', closedAt: unixMs(AT) });
  await vigil.state.put('incident', INCIDENT.id, INCIDENT);
});
afterAll(() => vigil.close());

const get = async (path: string, query: Record<string, string> = {}): Promise<{ readonly [key: string]: unknown }> => {
  const answer = await vigil.ask('GET', `/api/v1/${path}?${new URLSearchParams(query)}`, { role: 'auditor' });
  expect(answer.statusCode, answer.body).toBe(200);
  return answer.json();
};

describe('events', () => {
  test('are searched in the address and in a body, page by page, with what the answer covers', async () => {
    const first = await get('events/search', { query: 'user.name: root', limit: '3' });
    expect(first).toMatchObject({
      state: { lagMs: 0 },
      unknown: [],
      items: [{ '@timestamp': '2026-11-23T08:00:00.000Z', 'source.port': 40020 }, {}, {}],
    });
    const second = await get('events/search', { query: 'user.name: root', limit: '3', after: String(first['next']) });
    expect(second['items']).toHaveLength(2);
    expect(second['next']).toBeNull();
    const posted = await vigil.ask('POST', '/api/v1/events/search', { role: 'auditor', body: { query: 'user.name: root', limit: 3 } });
    expect(posted.json()).toEqual(first);
  });

  test('are counted, grouped and spread over time; the window is the last day unless it is said', async () => {
    expect(await get('events/count', { query: 'source.port > 40022' })).toMatchObject({ count: 3 });
    expect(await get('events/count', { from: '2026-11-24', to: '2026-11-25' })).toMatchObject({ count: 0 });
    expect(await get('events/count', { to: '2026-11-23T08:00:03Z' })).toMatchObject({ count: 3 });
    expect(await get('events/top', { field: 'user.name' })).toEqual({
      buckets: [
        { key: 'root', count: 5 },
        { key: 'rota', count: 1 },
      ],
    });
    expect(await get('events/histogram', { buckets: '4' })).toMatchObject({
      from: '2026-11-22T08:40:00.001Z',
      to: '2026-11-23T08:40:00.001Z',
    });
    expect(await get('events/fields')).toEqual({
      fields: [{ field: 'user.name', type: 'keyword', meaning: expect.any(String), count: 6 }],
    });
    const id = EVENTS[0]?.['event.id'] as string;
    expect(await get(`events/${id}`)).toMatchObject({ 'event.id': id });
    expect((await vigil.ask('GET', `/api/v1/events/${hashId('evt', 'none')}`, { role: 'auditor' })).statusCode).toBe(404);
    expect((await vigil.ask('GET', '/api/v1/events/top?field=user.nam', { role: 'auditor' })).json()).toMatchObject({
      code: 'QUERY_UNKNOWN_FIELD',
      hint: expect.stringContaining('user.name'),
    });
  });

  test('of a field that is not known come with a word about it', async () => {
    expect(await get('events/count', { query: 'user.nmae: root' })).toMatchObject({
      count: 0,
      unknown: [{ field: 'user.nmae', nearest: 'user.name', at: 0 }],
    });
  });

  test('give their own values to complete a query', async () => {
    const at = async (query: string) => (await get('events/complete', { query, cursor: String(query.length) }))['suggestions'];
    expect(await at('user.name: ro')).toEqual([
      { kind: 'value', text: 'root', from: 11, to: 13 },
      { kind: 'value', text: 'rota', from: 11, to: 13 },
    ]);
    expect(await at('user.na')).toEqual(
      expect.arrayContaining([{ kind: 'field', text: 'user.name', from: 0, to: 7, meaning: expect.any(String) }]),
    );
  });
});

describe('alerts and incidents', () => {
  test('are listed newest first by what the machine and what people said', async () => {
    expect(await get('alerts')).toMatchObject({
      total: 2,
      next: null,
      items: [
        { id: ALERTS[0].id, state: 'new', version: 0, last: '2026-11-23T08:00:05.000Z' },
        { id: ALERTS[1].id, state: 'closed', verdict: 'benign' },
      ],
    });
    expect(await get('alerts', { query: 'state: new' })).toMatchObject({ total: 1, items: [{ id: ALERTS[0].id }] });
    expect(await get('alerts', { query: 'level: low and not state: new' })).toMatchObject({ total: 1, items: [{ id: ALERTS[1].id }] });
    expect(await get('alerts', { from: 'now-24h', to: 'now' })).toMatchObject({ total: 1 });
    expect(await get('alerts/count', { query: 'brute' })).toEqual({ count: 2 });
    expect(await get('alerts/top', { field: 'level' })).toEqual({
      buckets: [
        { key: 'high', count: 1 },
        { key: 'low', count: 1 },
      ],
    });
    expect(await get('incidents', { query: 'number: 8' })).toMatchObject({
      total: 1,
      items: [{ number: 8, reference: 'INC-8', state: 'new' }],
    });
  });

  test('are read with the version that a change must name', async () => {
    const answer = await vigil.ask('GET', `/api/v1/alerts/${ALERTS[1].id}`, { role: 'auditor' });
    expect(answer.headers['etag']).toBe(`"${answer.json().version}"`);
    expect(answer.json().version).toBeGreaterThan(0);
  });

  test('are explained down to the raw lines and their places in the journal', async () => {
    for (const id of [INCIDENT.id, 'INC-8', 'inc-8']) {
      const chain = await get(`incidents/${id}/explain`);
      expect(chain, id).toMatchObject({
        id: INCIDENT.id,
        number: 'INC-8',
        severity: 'high',
        alerts: [{ id: ALERTS[0].id, more: 2, why: ['user.name = root'] }],
      });
      const [alert] = chain['alerts'] as readonly { readonly lines: readonly object[] }[];
      expect(alert?.lines).toHaveLength(6);
      expect(alert?.lines[0]).toEqual({
        event: EVENTS[0]?.['event.id'],
        time: '2026-11-23T08:00:00.000Z',
        original: EVENTS[0]?.['event.original'],
        stream: 'file:/var/log/auth.log',
        seq: 100,
        offset: 4096,
      });
    }
    expect(await get(`alerts/${ALERTS[0].id}/explain`)).toMatchObject({ id: ALERTS[0].id, alerts: [{ count: 8 }] });
  });

  test('are changed against the version that was read, by who may, with both rows of audit', async () => {
    const path = `/api/v1/alerts/${ALERTS[0].id}`;
    const change = (body: object, version: string, role: 'analyst' | 'auditor' = 'analyst') =>
      vigil.ask('PATCH', path, { role, body, headers: { 'if-match': version } });
    expect((await change({ state: 'acknowledged' }, '"0"', 'auditor')).json()).toMatchObject({ status: 403, code: 'NOT_PERMITTED' });
    const rows = vigil.audit.entries.length;
    const first = await change({ state: 'acknowledged' }, '"0"');
    expect(first.json()).toMatchObject({ id: ALERTS[0].id, state: 'acknowledged', count: 8 });
    expect(vigil.audit.entries.slice(rows)).toMatchObject([{ phase: 'intent', on: ALERTS[0].id, from: '127.0.0.1' }, { phase: 'done' }]);
    const etag = String(first.headers['etag']);
    expect(etag).toBe(`"${first.json().version}"`);
    for (const stale of ['"0"', '"99"', 'W/"x"', '*'])
      expect((await change({ state: 'closed', verdict: 'benign' }, stale)).json(), stale).toMatchObject({
        status: 412,
        code: 'STATE_CONFLICT',
      });
    expect((await change({ state: 'closed' }, etag)).json()).toMatchObject({ code: 'VERDICT_NEEDED' });
    expect((await change({ state: 'closed', verdict: 'certainly' }, etag)).json()).toMatchObject({ status: 400, code: 'REQUEST_BAD' });
    expect((await change({ state: 'closed', verdict: 'false-positive', reason: 'a test' }, etag)).json()).toMatchObject({
      state: 'closed',
      verdict: 'false-positive',
      closedAt: '2026-11-23T08:40:00.000Z',
    });
    const incident = await vigil.ask('PATCH', '/api/v1/incidents/INC-8', {
      role: 'analyst',
      body: { state: 'triaged' },
      headers: { 'if-match': '"0"' },
    });
    expect(incident.json()).toMatchObject({ id: INCIDENT.id, state: 'triaged', reference: 'INC-8' });
  });
});
