// SPDX-License-Identifier: Apache-2.0
/**
 * Reports as they are made and kept: by the clock, on demand, again when facts come late, over real state and real files.
 * Input: alerts and incidents in state, a clock moved by hand. Output: the register and its files.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { isCoded } from '../../core/errors.ts';
import { type AlertId, hashId, type IncidentId } from '../../core/ids.ts';
import { openLog } from '../../core/log.ts';
import { generateSigner } from '../../core/sign.ts';
import { unixMs } from '../../core/units.ts';
import { handClock, listAudit, memoryState } from '../../test/support/memory-state.ts';
import { defaultConfig, hostId, WEEK } from '../../test/support/report.ts';
import type { Alert } from '../model/alert.ts';
import { makeEntity } from '../model/entity.ts';
import type { Incident } from '../model/incident.ts';
import type { Actor } from '../model/permission.ts';
import { openArchive } from './archive.ts';
import { checkBundle } from './bundle.ts';
import { openDesk } from './desk.ts';
import { makeRevision } from './revision.ts';
import { targetsOf } from './targets.ts';

const HOUR = 3_600_000;
const actor: Actor = { kind: 'user', id: 'usr_x', name: 'anna', role: 'analyst' };
const dirs: string[] = [];

afterEach(() => {
  for (const dir of dirs.splice(0)) rmSync(dir, { recursive: true, force: true });
});

const alert = (n: number, atMs: number): Alert => ({
  id: hashId('alr', n) as AlertId,
  rule: 'brute',
  title: 'Guessing',
  level: 'high',
  entity: makeEntity('host', hostId('web-1')),
  entityName: 'web-1',
  entities: [makeEntity('host', hostId('web-1'))],
  n: 1,
  count: 6,
  first: unixMs(WEEK.from + atMs),
  last: unixMs(WEEK.from + atMs + HOUR),
  detected: unixMs(WEEK.from + atMs + 1_000),
  sample: [],
  members: [],
  tactics: [],
  techniques: ['T1110'],
  why: [],
  late: false,
  backlog: false,
  replay: false,
  status: 'live',
});

const incident = (opener: Alert): Incident => ({
  id: hashId('inc', opener.id) as IncidentId,
  number: 1,
  title: 'Guessing: web-1',
  severity: 'high',
  why: [],
  opener: opener.id,
  alerts: [opener.id],
  entities: opener.entities,
  tactics: [],
  techniques: ['T1110'],
  first: opener.first,
  last: opener.last,
  detected: opener.detected,
  backlog: false,
  replay: false,
});

const desk = async (startAt: number, since = 0) => {
  const dir = mkdtempSync(join(tmpdir(), 'vigil-report-'));
  dirs.push(dir);
  const state = memoryState();
  const clock = handClock(startAt);
  const audit = listAudit();
  const archive = await openArchive(dir, state);
  const events = { total: 90 };
  const opened = openDesk({
    gather: {
      state,
      targets: targetsOf(defaultConfig()),
      events: {
        count: async () => ({ count: events.total, state: { position: null, lagMs: 0 } }),
        top: async (_query, field) =>
          field === 'host.id' ? [{ key: hostId('web-1'), count: events.total }] : [{ key: 'sshd', count: events.total }],
        histogram: async (_query, buckets) => Array.from({ length: buckets }, (_, i) => ({ key: String(i), count: 1 })),
        search: async () => ({ events: [], next: null, state: { position: null, lagMs: 0 } }),
      },
      now: () => clock.now(),
      organisation: 'Example Trading',
      hosts: async () => [{ host: hostId('web-1'), name: 'web-1', standing: 'reporting', since: null, lastSeen: clock.now() }],
      unmanaged: async () => [],
      nameOf: () => 'web-1',
      sources: () => [],
      unreadable: () => [],
      rules: () => ({ loaded: 3, refused: [] }),
      scores: async () => [],
      framework: async () => ({
        catalogue: { id: 'csf:2.0', title: 'CSF', controls: [], byRef: new Map() },
        map: { mappings: [], once: new Set(), ofCheck: new Map(), ofControl: new Map() },
        checks: new Map(),
      }),
      self: hostId('collector'),
      coverage: async () => [],
    },
    state,
    archive,
    audit,
    signer: generateSigner(),
    fonts: null,
    make: async (work) => makeRevision(work),
    zone: 'UTC',
    since: unixMs(since),
    now: () => clock.now(),
    log: openLog({ program: 'vigil', level: 'error' }),
  });
  return { dir, state, clock, audit, events, desk: opened, names: () => readdirSync(dir).sort() };
};

const MONDAY_SIX = WEEK.to + 6 * HOUR;

describe('the report of a week', () => {
  it('is made once it is Monday six o’clock, and not before', async () => {
    const d = await desk(MONDAY_SIX - 60_000);
    await d.desk.due();
    expect(d.names()).toEqual([]);
    d.clock.advance(60_000);
    await d.desk.due();
    await d.desk.due();
    expect(d.names()).toEqual(['2026-W47-r0.html', '2026-W47-r0.json', '2026-W47-r0.txt']);
    expect(d.audit.entries.map(({ act, on, phase }) => [act, on, phase])).toEqual([
      ['report.make', '2026-W47', 'intent'],
      ['report.make', '2026-W47', 'done'],
    ]);
  });

  it('is made late where nothing ran on Monday', async () => {
    const d = await desk(MONDAY_SIX + 50 * HOUR);
    await d.desk.due();
    expect(d.names()).toHaveLength(3);
  });

  it('is not made by itself for a week before there was a collector, but on demand', async () => {
    const d = await desk(MONDAY_SIX, WEEK.to + HOUR);
    await d.desk.due();
    expect(d.names()).toEqual([]);
    expect((await d.desk.make(d.desk.week(), actor, 'local')).entry.week).toBe('2026-W47');
  });

  it('stays as it is while no fact comes, whatever changes after the week', async () => {
    const d = await desk(MONDAY_SIX);
    const one = alert(1, HOUR);
    await d.state.put('alert', one.id, one);
    const first = await d.desk.make(d.desk.week(), actor, 'local');
    await d.state.put('alertWork', one.id, {
      state: 'closed',
      verdict: 'benign',
      acknowledgedAt: MONDAY_SIX as never,
      closedAt: MONDAY_SIX as never,
    });
    await d.state.put('alert', hashId('alr', 2), alert(2, 169 * HOUR));
    const again = await d.desk.make(d.desk.week(), actor, 'local');
    expect(again).toEqual({ entry: first.entry, fresh: false });
  });

  it('has another revision when a fact of the week comes late, which says what changed and follows the first', async () => {
    const d = await desk(MONDAY_SIX);
    const { entry: first } = await d.desk.make(d.desk.week(), actor, 'local');
    const late = alert(1, 100 * HOUR);
    await d.state.put('alert', late.id, late);
    await d.state.put('incident', incident(late).id, incident(late));
    d.clock.advance(26 * HOUR);
    await d.desk.due();
    const { entry, bytes } = await d.desk.read('2026-W47', 'json');
    expect(entry.revision).toBe(1);
    expect(entry.revised).toEqual([
      'incidents opened from 0 to 1',
      'incidents open at the end from 0 to 1',
      'alerts from 0 to 1',
      'alerts open at the end from 0 to 1',
      'clocks due from 0 to 2',
    ]);
    expect(JSON.parse(bytes.toString())).toMatchObject({ after: first.hashes.json, revision: 1 });
    expect((await d.desk.read('2026-W47', 'html')).bytes.toString()).toContain('Revision 1.');
    expect((await d.desk.read('2026-W47', 'json', 0)).entry).toEqual(first);
    expect(await d.desk.list(10)).toMatchObject({ total: 2, items: [{ revision: 1 }, { revision: 0 }] });
  });

  it('proves itself', async () => {
    const d = await desk(MONDAY_SIX);
    await d.desk.make(d.desk.week(), actor, 'local');
    expect(checkBundle(readFileSync(join(d.dir, '2026-W47-r0.json'))).kind).toBe('holds');
  });

  it('that is asked for twice at once is made once', async () => {
    const d = await desk(MONDAY_SIX);
    const both = await Promise.all([d.desk.make(d.desk.week(), actor, 'local'), d.desk.make(d.desk.week(), actor, 'local')]);
    expect(both.map(({ fresh }) => fresh)).toEqual([true, false]);
  });

  it('whose file was changed is not shown', async () => {
    const d = await desk(MONDAY_SIX);
    await d.desk.make(d.desk.week(), actor, 'local');
    const file = join(d.dir, '2026-W47-r0.html');
    writeFileSync(file, readFileSync(file, 'utf8').replace('quiet', 'loud!'));
    await expect(d.desk.read('2026-W47', 'html')).rejects.toSatisfy((error) => isCoded(error, 'REPORT_DAMAGED'));
    await expect(d.desk.read('2026-W40', 'html')).rejects.toSatisfy((error) => isCoded(error, 'NOT_FOUND'));
  });
});
