// SPDX-License-Identifier: Apache-2.0
/** The story that the demo plays, held against what Vigil says of it: alerts, incidents, hosts, checks, controls, scores, risks, the report. */
import { spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { callCollector } from '../../collector/cli/client.ts';
import { runtimeLibraries } from '../../core/config.ts';
import { ROOT } from '../support/repository.ts';
import { type Answer, removeDir, run, tempDir, until } from '../support/vigil.ts';

interface Row {
  readonly [field: string]: unknown;
  readonly id: string;
}
interface Items {
  readonly items: readonly Row[];
}

const INTRUDER = '198.51.100.23';
let dir: string;
let demo: ReturnType<typeof spawn>;
let said = '';
let seconds = 0;
const get = <T = Row>(path: string): Promise<T> => callCollector<T>({ dir }, { path: `/api/v1/${path}` });
const vigil = (...args: readonly string[]): Promise<Answer> => run('vigil.js', [...args, '--data', dir]);
const hosts: Record<string, string> = {};
let alerts: readonly Row[];
let incidents: readonly Row[];
/** Alerts of a title about an entity. */
const found = (title: string | RegExp, entity?: string): readonly Row[] =>
  alerts.filter(
    (alert) =>
      (typeof title === 'string' ? alert['title'] === title : title.test(String(alert['title']))) &&
      (entity === undefined || alert['entityName'] === entity || alert['entity'] === entity),
  );
const one = (title: string | RegExp, entity?: string): Row => {
  const all = found(title, entity);
  expect(all, `${title} about ${entity}: ${alerts.map((alert) => `${alert['title']} ${alert['entityName']}`).join('; ')}`).toHaveLength(1);
  return all[0] as Row;
};
const incidentOf = (entity: string): Row => {
  const all = incidents.filter(
    (incident) => (incident['entities'] as readonly string[]).includes(entity) && incident['state'] !== 'merged',
  );
  expect(all).toHaveLength(1);
  return all[0] as Row;
};

beforeAll(async () => {
  dir = join(tempDir(), 'demo');
  const begin = performance.now();
  demo = spawn(
    process.execPath,
    [join(ROOT, 'bin/vigil.js'), 'demo', '--data', dir, '--listen', '127.0.0.1:0', '--agents', '127.0.0.1:0'],
    {
      env: { PATH: process.env['PATH'] ?? '', NO_COLOR: '1', ...runtimeLibraries() },
    },
  );
  for (const stream of [demo.stdout, demo.stderr]) stream?.on('data', (piece: Buffer) => (said += piece.toString()));
  await until('the ready line', () => /^ready /m.test(said) || demo.exitCode !== null, 280_000);
  seconds = (performance.now() - begin) / 1000;
  expect(said).toMatch(/^ready /m);
  alerts = (await get<Items>('alerts?limit=500')).items;
  incidents = (await get<Items>('incidents?limit=100')).items;
  for (const host of (await get<Items>('fleet/hosts')).items) hosts[String(host['name'])] = host.id;
}, 300_000);

afterAll(async () => {
  demo.kill('SIGTERM');
  await new Promise((resolve) => (demo.exitCode === null ? demo.on('exit', resolve) : resolve(0)));
  removeDir(join(dir, '..'));
});

describe('the demo', () => {
  it('says which time its clock shows', () => {
    process.stderr.write(`demo.test.ts: ready after ${seconds.toFixed(1)} s\n`);
    expect(said).toContain('Mon 23 Nov 2026 08:40 UTC');
  });
  it('has three hosts, all reporting', async () => {
    const { items } = await get<Items>('fleet/hosts?standing=reporting');
    expect(items.map(({ name }) => name).sort()).toEqual(['bastion-1', 'db-1', 'web-1']);
  });
});

describe('the night to Thursday raised', () => {
  it('a brute force of 1,284 wrong passwords from 01:52:10 to 02:13:48', () =>
    expect(one('Brute force against logins', INTRUDER)).toMatchObject({
      level: 'high',
      count: 1284,
      first: '2026-11-19T01:52:10.000Z',
      last: '2026-11-19T02:13:48.000Z',
    }));
  it('one spraying of many names', () => expect(one('Password spraying or user enumeration', INTRUDER)).toMatchObject({ level: 'medium' }));
  it('a login that succeeded after it, critical, at 02:14:09', () =>
    expect(one('Successful login after a brute force', INTRUDER)).toMatchObject({ level: 'critical', last: '2026-11-19T02:14:09.000Z' }));
  it('a root shell of deploy on bastion-1', () =>
    expect(one('Root shell by sudo', 'deploy@bastion-1')).toMatchObject({ first: '2026-11-19T02:16:31.000Z' }));
  it('a new SSH key on bastion-1', () => {
    const [alert] = alerts.filter(({ title, first }) => /SSH key/i.test(String(title)) && first === '2026-11-19T02:19:03.000Z');
    expect(alert).toBeDefined();
  });
  it('a file that decides what runs changed, when Tomas closed password login', () =>
    expect(one('File changed that decides what runs', 'bastion-1')).toMatchObject({ first: '2026-11-19T07:47:20.000Z' }));
  it('a dump of the database on db-1 at 02:31:15', () =>
    expect(one('Database dump outside the backup job', 'db-1')).toMatchObject({ level: 'high', first: '2026-11-19T02:31:15.000Z' }));
  it('an archive in a hidden folder there', () =>
    expect(one('Archive made in a hidden or temporary folder', 'db-1')).toMatchObject({ first: '2026-11-19T02:33:08.000Z' }));
  it('six attempts to send something out, refused', () =>
    expect(one('Outgoing connections refused again and again', INTRUDER)).toMatchObject({ count: 6, first: '2026-11-19T02:38:50.000Z' }));
  it('seventeen audit records missing from db-1', async () => {
    const alert = one('Records missing', 'db-1');
    const { alerts: chains } = await get<{ readonly alerts: readonly { readonly lines: readonly { readonly original: string }[] }[] }>(
      `alerts/${alert.id}/explain`,
    );
    const notice = JSON.parse(chains[0]?.lines[0]?.original ?? '{}') as { readonly count: number; readonly stream: string };
    expect([notice.count, notice.stream]).toEqual([17, 'file:/var/log/audit/audit.log']);
  });
});

describe('the rest of the week raised', () => {
  it('a silent agent on web-1 while it was cut off on Wednesday', () =>
    expect(one('Agent silent', 'web-1')['first']).toMatch(/^2026-11-18T13:0[12]/));
  it('nothing of what web-1 said meanwhile was lost', async () => {
    const answer = await vigil(
      'query',
      'host.name: web-1 and event.dataset: nginx.access',
      '--from',
      '2026-11-18T13:00:00Z',
      '--to',
      '2026-11-18T15:00:00Z',
      '--count',
    );
    expect(Number(answer.out)).toBeGreaterThan(80);
  });
  it('a sweep of the shop, closed as true without impact', () =>
    expect(one('Many kinds of web attack from one address', '203.0.113.50')).toMatchObject({
      state: 'closed',
      verdict: 'true-positive-no-impact',
    }));
  it('a forgotten password, closed as benign', () =>
    expect(one('Brute force against logins', '10.10.0.21')).toMatchObject({ count: 6, state: 'closed', verdict: 'benign' }));
  it('a new listening port on web-1 on Friday', () => {
    const all = found(/listening port/i, 'web-1');
    expect(all).toHaveLength(1);
    expect(all[0]?.['first']).toBe('2026-11-20T09:58:10.000Z');
  });
  it('a host past its end of life', () => expect(found(/end of (its )?(life|support)|past its end/i, 'web-1')).toHaveLength(1));
  it('a second guesser on Saturday night who did not get in', () => {
    expect(found('Brute force against logins', '203.0.113.99')).toHaveLength(1);
    expect(found('Successful login after a brute force', '203.0.113.99')).toEqual([]);
  });
  it('nothing for the first sight of hosts, nor for an upgrade of 47 files', () => {
    const inQuiet = alerts.filter(({ first }) => String(first).startsWith('2026-11-13T09:0') || String(first).startsWith('2026-11-17T03:'));
    expect(inQuiet.filter(({ title }) => !/end of|past its end/i.test(String(title))).map(({ title }) => title)).toEqual([]);
  });
});

describe('incidents', () => {
  it('are one for the intruder: critical, recovered, owned by Priya', async () => {
    const incident = incidentOf(`ip:${INTRUDER}`);
    expect(incident).toMatchObject({ severity: 'critical', state: 'recovered' });
    const users = (await get<Items>('auth/users')).items;
    expect(users.find(({ id }) => id === incident['owner'])?.['name']).toBe('priya');
  });
  it('hold what happened on both hosts, the dump by a person’s merge', () => {
    const { alerts: members } = incidentOf(`ip:${INTRUDER}`);
    const titles = (members as readonly string[]).map((id) => alerts.find((alert) => alert.id === id)?.['title']);
    for (const title of [
      'Brute force against logins',
      'Successful login after a brute force',
      'Root shell by sudo',
      'Database dump outside the backup job',
    ])
      expect(titles).toContain(title);
  });
  it('were moved by people at the times of the story', () => {
    const moves = incidentOf(`ip:${INTRUDER}`)['moves'] as readonly { readonly to: string; readonly at: string }[];
    expect(moves.map(({ to, at }) => `${to} ${at}`)).toEqual([
      'triaged 2026-11-19T07:21:00.000Z',
      'contained 2026-11-19T07:48:30.000Z',
      'eradicated 2026-11-20T11:00:00.000Z',
      'recovered 2026-11-21T16:30:00.000Z',
    ]);
  });
  it('of the sweep and of the forgotten password are closed, that of the second guesser is triaged', () => {
    expect(incidentOf('ip:203.0.113.50')).toMatchObject({ state: 'closed', severity: 'high' });
    expect(incidentOf('ip:10.10.0.21')).toMatchObject({ state: 'closed', verdict: 'benign' });
    expect(incidentOf('ip:203.0.113.99')).toMatchObject({ state: 'triaged', severity: 'high' });
  });
  it('rest on records that are as their agents signed them', { timeout: 60_000 }, async () => {
    const answer = await vigil('verify', `INC-${incidentOf(`ip:${INTRUDER}`)['number']}`);
    expect([answer.code, answer.err]).toEqual([0, '']);
  });
});

describe('hosts', () => {
  const items = async (host: string, kind: string, at?: string): Promise<readonly Row[]> =>
    (await get<Items>(`facts/hosts/${hosts[host]}/items?kind=${kind}&limit=500${at === undefined ? '' : `&at=${at}`}`)).items;
  const fields = (row: Row | undefined): Readonly<Record<string, unknown>> => (row?.['fields'] ?? {}) as Readonly<Record<string, unknown>>;

  it('are known by their system', async () =>
    expect(fields((await items('web-1', 'os'))[0])).toMatchObject({ id: 'debian', version: '11' }));
  it('had another openssl before Tuesday’s upgrade', async () => {
    const version = async (at: string): Promise<unknown> =>
      fields((await items('web-1', 'package', at)).find((row) => fields(row)['name'] === 'openssl'))['version'];
    expect(await version('2026-11-16T00:00:00Z')).toBe('3.0.17-1~deb11u2');
    expect(await version('2026-11-18T00:00:00Z')).toBe('3.0.17-1~deb11u3');
  });
  it('listened on port 8081 on Friday morning, not before and not after', async () => {
    const ports = async (at: string): Promise<readonly unknown[]> =>
      (await items('web-1', 'listener', at)).map((row) => fields(row)['port']);
    expect(await ports('2026-11-20T10:00:00Z')).toContain(8081);
    expect(await ports('2026-11-20T09:00:00Z')).not.toContain(8081);
    expect(await ports('2026-11-21T00:00:00Z')).not.toContain(8081);
  });
  it('had the intruder’s key from 02:19 to 07:48', async () => {
    const rootKeys = async (at: string): Promise<number> =>
      (await items('bastion-1', 'ssh-key', at)).filter((row) => fields(row)['user'] === 'root').length;
    expect([
      await rootKeys('2026-11-19T02:00:00Z'),
      await rootKeys('2026-11-19T05:00:00Z'),
      await rootKeys('2026-11-19T08:00:00Z'),
    ]).toEqual([0, 1, 0]);
  });
  it('tell who may log in: deploy by key alone since Thursday', async () => {
    const { items: people } = await get<Items>(`facts/hosts/${hosts['bastion-1']}/access`);
    expect(people.find(({ user }) => user === 'deploy')).toMatchObject({ password: false, admin: true });
    expect(people.map(({ user }) => user)).not.toContain('postgres');
  });
});

describe('checks and controls', () => {
  const answer = async (host: string, at: string): Promise<unknown> =>
    (await get<Items>(`facts/observations?check=ssh-password-login-disabled&host=${hosts[host]}&at=${at}`)).items[0]?.['result'] ??
    'unknown';

  it('saw password login open on bastion-1 until Thursday 07:48:52, closed since', async () => {
    expect(await answer('bastion-1', '2026-11-19T07:48:51Z')).toBe('fail');
    expect(await answer('bastion-1', '2026-11-19T07:48:53Z')).toBe('pass');
    expect(await answer('db-1', '2026-11-18T12:00:00Z')).toBe('pass');
  });
  it('know nothing of the time before the agents came: unknown is no pass', async () =>
    expect(await answer('bastion-1', '2026-11-12T12:00:00Z')).toBe('unknown'));
  it('turned PR.AA-03 from red to green with it', async () => {
    const state = async (at: string): Promise<unknown> => (await get(`controls/PR.AA-03?at=${at}`))['state'];
    expect(await state('2026-11-18T12:00:00Z')).toBe('not-satisfied');
    expect(await state('2026-11-20T12:00:00Z')).toBe('satisfied');
    expect((await get('controls/PR.AA-03?at=2026-11-20T12:00:00Z'))['since']).toBe('2026-11-19T07:48:52.000Z');
  });
  it('keep a control red that web-1 fails', async () => {
    const { state, checks } = await get<
      Row & { readonly checks: readonly { readonly check: string; readonly counts: { readonly fail: number } }[] }
    >('controls/PR.IR-01');
    expect(state).toBe('not-satisfied');
    expect(checks.find(({ check }) => check === 'services-firewall-on')?.counts.fail).toBe(1);
  });
  it('say what is not measured instead of counting it', async () => {
    const { items } = await get<Items>('controls');
    const subcategories = items.filter(({ kind }) => kind === 'subcategory');
    expect(subcategories).toHaveLength(106);
    expect(subcategories.filter(({ measured }) => measured !== true).length).toBeGreaterThan(30);
  });
});

describe('scores and risks', () => {
  it('put bastion-1 and db-1 before web-1 in Threat', async () => {
    const { items } = await get<Items>('scores?kind=host&order=threat');
    const names = items.map(({ name }) => name).filter((name) => ['bastion-1', 'db-1', 'web-1'].includes(String(name)));
    expect(names.at(-1)).toBe('web-1');
    expect(items.find(({ name }) => name === 'bastion-1')?.['threat']).toBeGreaterThan(80);
  });
  it('put web-1 first in Exposure: past its end, without firewall and audit', async () => {
    const { items } = await get<Items>('scores?kind=host&order=exposure');
    expect(items[0]?.['name']).toBe('web-1');
  });
  it('have shares that add up', async () => {
    const { items } = await get<{
      readonly items: readonly { readonly threat: number; readonly threatShares: readonly { readonly share: number }[] }[];
    }>('scores?kind=host');
    for (const { threat, threatShares } of items)
      expect(Math.round(threatShares.reduce((sum, { share }) => sum + share, 0) * 10) / 10).toBe(threat);
  });
  it('were low the evening before, and say so today', async () => {
    const before = await get(`scores/${encodeURIComponent(`host:${hosts['bastion-1']}`)}?at=2026-11-18T20:00:00Z`);
    expect(Number(before['threat'])).toBeLessThan(30);
  });
  it('raise the risk of a break-in by what happened, and leave its assessment alone', async () => {
    const risk = (await get<Items>('risks')).items.find(({ title }) => title === 'Break-in through remote access');
    expect(risk).toMatchObject({ assessed: { by: 'proposed' } });
    const { likelihood, because } = (risk as Row)['indicated'] as {
      readonly likelihood: string;
      readonly because: readonly { readonly text: string }[];
    };
    expect(['high', 'very-high']).toContain(likelihood);
    expect(because.some(({ text }) => text.includes('Successful login after a brute force'))).toBe(true);
  });
});

describe('the Monday report', () => {
  let text: string;
  beforeAll(async () => {
    text = (await vigil('report', 'weekly', '--format', 'text')).out;
  }, 60_000);

  it('is of week 47, made on Monday at six', () => {
    expect(text).toContain('WEEKLY POSTURE REPORT 2026-W47');
    expect(text).toMatch(/Made Monday 23 November 2026 06:00/);
  });
  it('leads with the break-in and the hours nobody looked', () => {
    const page = text.slice(0, text.indexOf('2. INCIDENTS'));
    expect(page).toMatch(/five hours/);
    expect(page).toContain('bastion-1');
    expect(page).toMatch(/5 h \d\d min/);
    expect(page).not.toContain('began on bastion-1, db-1 and vm');
  });
  it('names what got better and what got worse', () => {
    expect(text).toMatch(/What got better[\s\S]*ssh-password-login-disabled|password/i);
    expect(text).toMatch(/What got worse[\s\S]*acknowledge/i);
  });
  it('says what could not be seen', () => {
    expect(text).toMatch(/vulnerab/i);
    expect(text).toMatch(/17 /);
    expect(text).toMatch(/web-1/);
  });
  it('states the posture with its coverage', () => expect(text).toMatch(/\d+ of \d+ (controls )?(are )?measured|of 106/));
  it('proves itself, and is found changed by one byte', { timeout: 60_000 }, async () => {
    const file = join(dir, '..', 'w47.json');
    expect((await vigil('report', 'weekly', '--format', 'json', '--out', file)).code).toBe(0);
    expect((await run('vigil.js', ['verify', file])).code).toBe(0);
    const bytes = readFileSync(file);
    bytes[Math.floor(bytes.length / 2)] = (bytes[Math.floor(bytes.length / 2)] as number) ^ 1;
    writeFileSync(file, bytes);
    expect((await run('vigil.js', ['verify', file])).code).toBe(1);
  });
});
