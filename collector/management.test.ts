// SPDX-License-Identifier: Apache-2.0
/** Controls, risks and scores over HTTP, on observations and incidents as the pipeline writes them. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type AlertId, type AssetId, hashId, type IncidentId } from '../core/ids.ts';
import { days, hours, unixMs } from '../core/units.ts';
import { openConsole, type TestConsole } from '../test/support/console.ts';
import { makeEntity } from './model/entity.ts';
import type { Event } from './model/event.ts';
import { type Observation, observationId, type Result } from './model/observation.ts';

// The clock of the test console stands at 2026-11-23T08:40:00Z.
const NOW = Date.UTC(2026, 10, 23, 8, 40);
const HOSTS = ['bastion', 'web'].map((name) => ({ name, id: `ast_${name.padEnd(20, '0')}` as AssetId }));
const EVENT: Event = {
  '@timestamp': unixMs(NOW - days(1)),
  'event.id': hashId('evt', 'fact'),
  'event.original': '{"v":1,"kind":"observation","item":"ssh-root-login-disabled"}',
  'vigil.stream': 'posture',
  'vigil.seq': 41,
  'vigil.journal.offset': 4096,
};

let it: TestConsole;
const observe = async (host: AssetId, check: string, result: Result, first: number, more: Partial<Observation> = {}): Promise<void> => {
  const subject = makeEntity('host', host);
  const id = observationId(check, subject, unixMs(first));
  await it.state.put('observation', id, {
    id,
    check,
    subject,
    result,
    actual: 'permitrootlogin yes',
    expected: 'no',
    severity: 'high',
    first: unixMs(first),
    last: unixMs(NOW - 1),
    expires: unixMs(NOW + hours(2)),
    open: true,
    ...more,
  });
};
const get = async (url: string): Promise<Record<string, never>> => {
  const answer = await it.ask('GET', url, { role: 'auditor' });
  expect(answer.statusCode, answer.body).toBe(200);
  return answer.json() as Record<string, never>;
};

beforeAll(async () => {
  it = await openConsole((parts) => parts, [EVENT]);
  for (const { id, name } of HOSTS)
    await it.state.put('asset', id, { id, kind: 'host', name, group: '', createdAt: unixMs(NOW - days(20)), origin: 'agent' });
  const [bastion, web] = HOSTS as [(typeof HOSTS)[0], (typeof HOSTS)[0]];
  const event = EVENT['event.id'] as never;
  await observe(bastion.id, 'ssh-root-login-disabled', 'fail', NOW - days(1), { event });
  await observe(bastion.id, 'ssh-root-login-disabled', 'pass', NOW - days(10), {
    last: unixMs(NOW - days(1) - 1),
    expires: unixMs(NOW - days(1)),
    open: false,
  });
  await observe(web.id, 'ssh-root-login-disabled', 'pass', NOW - days(10));
  for (const { id } of HOSTS)
    for (const check of ['ssh-ciphers-strong', 'ssh-macs-strong']) await observe(id, check, 'pass', NOW - days(2));
});
afterAll(() => it.close());

describe('controls', () => {
  test('stand in the order of the catalogue, each state with its counts and coverage', async () => {
    const { items } = (await get('/api/v1/controls')) as unknown as { items: Record<string, unknown>[] };
    expect(items).toHaveLength(134);
    const of = (id: string) => items.find((one) => one['id'] === id);
    const counts = of('PR.AA-05')?.['counts'] as Record<string, number>;
    expect(of('PR.AA-05')).toMatchObject({
      state: 'not-satisfied',
      measured: true,
      partial: true,
      since: new Date(NOW - days(1)).toISOString(),
    });
    expect(counts['fail']).toBe(1);
    expect((counts['pass'] as number) + 1 + (counts['unknown'] as number)).toBe(counts['expected']);
    expect(counts['coverage']).toBeCloseTo(2 / (counts['expected'] as number), 10);
    expect(of('GV.OC-01')).toMatchObject({ state: 'unknown', measured: false, counts: { expected: 0 } });
    expect(of('PR')?.['below']).toMatchObject({ controls: 22 });
  });

  test('were something else before, and say when they turned', async () => {
    const at = new Date(NOW - days(3)).toISOString();
    const then = (await get(`/api/v1/controls/PR.AA-05?at=${at}`)) as unknown as {
      counts: Record<string, number>;
      turns: { at: string; state: string }[];
    };
    expect(then.counts['fail']).toBe(0);
    const now = (await get('/api/v1/controls/csf:2.0%2FPR.AA-05')) as unknown as { turns: { at: string; state: string }[] };
    expect(now.turns.map(({ state }) => state)).toEqual(['unknown', 'not-satisfied']);
    expect(now.turns[1]?.at).toBe(new Date(NOW - days(1)).toISOString());
  });

  test('are explained down to the raw record', async () => {
    const { checks } = (await get('/api/v1/controls/pr.aa-05/explain')) as unknown as {
      checks: { check: string; answers: Record<string, unknown>[] }[];
    };
    const root = checks[0];
    expect(root?.check).toBe('ssh-root-login-disabled');
    expect(root?.answers[0]).toMatchObject({
      name: 'bastion',
      answer: 'fail',
      observation: { actual: 'permitrootlogin yes', expected: 'no' },
      line: { event: EVENT['event.id'], original: EVENT['event.original'], seq: 41 },
    });
  });

  test('that are not there, catalogues that are not known and times that are none are told apart', async () => {
    expect((await it.ask('GET', '/api/v1/controls/PR.XX-99', { role: 'auditor' })).statusCode).toBe(404);
    expect((await it.ask('GET', '/api/v1/controls?catalogue=iso', { role: 'auditor' })).statusCode).toBe(404);
    expect((await it.ask('GET', '/api/v1/controls?at=yesterday', { role: 'auditor' })).json()).toMatchObject({ code: 'QUERY_BAD_VALUE' });
    expect((await it.ask('GET', '/api/v1/controls')).statusCode).toBe(401);
  });
});

describe('risks', () => {
  const LIST = '/api/v1/risks';
  const one = async (): Promise<Record<string, never>> => get(`${LIST}/R-01`);

  test('of the first day are ten, proposed, with what telemetry indicates and what it rests on', async () => {
    const { items } = (await get(LIST)) as unknown as { items: Record<string, unknown>[] };
    expect(items).toHaveLength(10);
    expect(items.every((risk) => risk['status'] === 'proposed')).toBe(true);
    expect(await one()).toMatchObject({
      reference: 'R-01',
      assessed: { likelihood: 'moderate', impact: 'high', by: 'proposed' },
      indicated: { likelihood: 'high', coverage: { measured: 2, expected: 20 } },
      level: { assessed: 'moderate', indicated: 'high' },
      aboveTolerance: true,
    });
  });

  test('name an incident by their techniques, and the raw line under an observation', async () => {
    const id = 'inc_0000000000000008' as IncidentId;
    await it.state.put('incident', id, {
      id,
      number: 8,
      title: 'Brute force over SSH',
      severity: 'high',
      why: [],
      opener: 'alr_0' as AlertId,
      alerts: [],
      entities: [],
      tactics: [],
      techniques: ['T1110.001'],
      first: unixMs(NOW - hours(5)),
      last: unixMs(NOW),
      detected: unixMs(NOW - hours(5)),
      backlog: false,
      replay: false,
    });
    await it.state.put('incidentWork', id, { state: 'contained', moves: [{ to: 'contained', at: unixMs(NOW - hours(1)), by: 'usr_x' }] });
    it.clock.advance(6_000);
    const { indicated, states } = (await get(`${LIST}/r-1/explain`)) as unknown as {
      indicated: { likelihood: string; because: { kind: string; text: string; lines: { event: string }[] }[] };
      states: { ref: string; state: string }[];
    };
    expect(indicated.likelihood).toBe('very-high');
    expect(indicated.because.map(({ kind }) => kind)).toEqual(['incident', 'observation']);
    expect(indicated.because[0]?.text).toBe('INC-8 Brute force over SSH, confirmed');
    expect(indicated.because[1]?.lines[0]?.event).toBe(EVENT['event.id']);
    expect(states.find(({ ref }) => ref === 'csf:2.0/PR.AA-05')?.state).toBe('not-satisfied');
  });

  test('are assessed by a person, with a reason, against the version that was seen', async () => {
    const body = { likelihood: 'high', reason: 'Root login is off by policy; the exception ends on Friday.' };
    const path = `${LIST}/R-01`;
    const headers = { 'if-match': '"1"' };
    expect((await it.ask('PATCH', path, { role: 'auditor', body, headers })).statusCode).toBe(403);
    expect((await it.ask('PATCH', path, { role: 'analyst', body: { likelihood: 'high' }, headers })).statusCode).toBe(400);
    expect((await it.ask('PATCH', path, { role: 'analyst', body: { ...body, impact: 'vast' }, headers })).statusCode).toBe(400);
    expect((await it.ask('PATCH', path, { role: 'analyst', body, headers: { 'if-match': '"7"' } })).statusCode).toBe(412);
    const done = await it.ask('PATCH', path, { role: 'analyst', body, headers });
    expect(done.json()).toMatchObject({ status: 'open', assessed: { likelihood: 'high', reason: body.reason }, version: 2 });
    expect(it.audit.entries.at(-1)).toMatchObject({ act: 'risk.assess', phase: 'done' });
    expect((await it.ask('GET', `${LIST}/R-99`, { role: 'auditor' })).statusCode).toBe(404);
  });

  test('that were removed do not come back with the next start', async () => {
    const first = (await it.state.list('risk', { limit: 1 })).items[0];
    await it.state.remove('risk', first?.id ?? '');
    const { openManagement } = await import('./management.ts');
    await openManagement({
      state: it.state,
      events: { get: async () => [] },
      audit: it.audit,
      clock: it.clock,
      log: it.parts.log,
      self: HOSTS[0]?.id as AssetId,
    }).begin();
    expect((await it.state.list('risk', { limit: 100 })).total).toBe(9);
  });
});
