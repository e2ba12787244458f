// SPDX-License-Identifier: Apache-2.0
/**
 * The checks that the collector answers itself: what each says of a host, and that what is not known is never a pass.
 * Input: standings, facts, heartbeats. Output: claims on answers and on the spans in the state.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { FactFields, FactKind } from '../../core/fact.ts';
import { hashId } from '../../core/ids.ts';
import type { HeartbeatBody } from '../../core/protocol.ts';
import { ms, unixMs } from '../../core/units.ts';
import { until } from '../../test/support/blocks.ts';
import { handClock, listNotices, memoryState } from '../../test/support/memory-state.ts';
import { type FactTable, type HostFact, hostFactId } from '../model/fact.ts';
import type { HostStanding, Standing } from '../model/host.ts';
import { OWN_CHECKS } from './check.ts';
import { readReleaseLists, supportOf } from './end-of-life.ts';
import { openOwnChecks } from './own.ts';
import { type HostKnowledge, ownAnswers } from './own-answers.ts';
import { openSelfTest } from './self-test.ts';
import type { Answer } from './span.ts';

const HOST = hashId('ast', 'web1');
const NOW = unixMs(Date.UTC(2026, 10, 23, 8, 40));
const DAY = 86_400_000;
const list = (name: string): string => readFileSync(join(import.meta.dirname, '../../rules/lists', name), 'utf8');
const LISTS = readReleaseLists(list('eol-debian.csv'), list('eol-ubuntu.csv'));

const fact = (kind: FactKind, item: string, fields: FactFields, more: Partial<HostFact> = {}): HostFact => {
  const old = unixMs(NOW - 200 * DAY);
  return { host: HOST, kind, item, fields, since: old, changed: old, observed: NOW, event: hashId('evt', kind, item), ...more };
};
const KINDS: readonly FactKind[] = ['os', 'user', 'group', 'sudo-rule', 'ssh-key', 'certificate', 'package', 'file'];
const table = (kind: FactKind, doubtful = false): FactTable => ({ host: HOST, kind, scanned: NOW, doubtful, count: 1 });
const standing = (is: Standing): HostStanding => ({ host: HOST, name: 'web1', standing: is, since: null, lastSeen: NOW });
const heartbeat = (more: Partial<HeartbeatBody> = {}): HeartbeatBody => ({
  version: '1',
  uptimeMs: 1,
  cost: { cpuMs: 0, rssBytes: 0, spoolBytes: 0, sentBytes: 0 },
  streams: [{ stream: 'file:/var/log/auth.log', dataset: 'syslog', epoch: '0', seq: 1, readUpTo: NOW, behindBytes: 0, counts: {} }],
  conditions: [],
  ...more,
});
const knowledge = (facts: readonly HostFact[], more: Partial<HostKnowledge> = {}): HostKnowledge => ({
  host: HOST,
  standing: standing('reporting'),
  heartbeat: heartbeat(),
  facts,
  tables: new Map(KINDS.map((kind) => [kind, table(kind)])),
  newestPackage: unixMs(NOW - 3 * DAY),
  missing: 0,
  ...more,
});
const answer = (id: string, host: HostKnowledge) => {
  const found = ownAnswers(host, NOW, LISTS).find(({ check }) => check === id);
  return found && [found.result, found.actual || found.reason];
};

describe('the end of a release', () => {
  const of = (id: string, version: string) => supportOf({ id, version }, LISTS);
  it('is found by version or series, in the lists of the distributions', () => {
    expect(of('debian', '12.7')?.name).toBe('Debian 12 Bookworm');
    expect(supportOf({ id: 'debian', codename: 'trixie' }, LISTS)?.name).toBe('Debian 13 Trixie');
    expect(of('ubuntu', '24.04')?.name).toContain('Ubuntu 24.04');
    expect([of('linuxmint', '21'), of('debian', '99')]).toEqual([null, null]);
  });
  it('is that of open support: long-term support of Debian counts, bought support of Ubuntu does not', () => {
    expect(of('debian', '10')?.until).toBe(Date.UTC(2024, 6, 1));
    expect(of('ubuntu', '18.04')?.until).toBeLessThan(Date.UTC(2023, 7, 1));
  });
  it('turns the check red', () => {
    const os = (version: string) => knowledge([fact('os', 'os', { id: 'debian', name: 'Debian GNU/Linux', version })]);
    expect(answer('os-not-end-of-life', os('13'))?.[0]).toBe('pass');
    expect(answer('os-not-end-of-life', os('10'))).toEqual(['fail', 'Debian 10 Buster, ended 2024-06-30']);
    expect(answer('os-not-end-of-life', knowledge([]))?.[0]).toBe('unknown');
    expect(answer('os-not-end-of-life', knowledge([fact('os', 'os', { id: 'plan9', name: 'Plan 9' })]))).toEqual([
      'unknown',
      'no list of releases knows Plan 9',
    ]);
  });
});

describe('an answer of the collector', () => {
  it('about the agent follows the standing', () => {
    const of = (is: Standing) => answer('agent-reporting', knowledge([], { standing: standing(is) }))?.[0];
    expect([of('reporting'), of('silent'), of('expected'), of('planned-off'), of('retired'), of('unmanaged')]).toEqual([
      'pass',
      'fail',
      'fail',
      'unknown',
      undefined,
      undefined,
    ]);
  });

  it('about sources names the one that cannot be read and the one that is behind', () => {
    const of = (more: Partial<HeartbeatBody>) => answer('expected-log-sources-reporting', knowledge([], { heartbeat: heartbeat(more) }));
    expect(of({})).toEqual(['pass', '1 source']);
    expect(of({ conditions: [{ code: 'FILE_DENIED', about: '/var/log/audit/audit.log', hint: '' }] })).toEqual([
      'fail',
      '1 source cannot be read: /var/log/audit/audit.log',
    ]);
    const behind = { ...heartbeat().streams[0]!, behindBytes: 9, readUpTo: unixMs(NOW - 3_600_000) };
    expect(of({ streams: [behind] })).toEqual(['fail', '1 source behind: file:/var/log/auth.log']);
    expect(of({ streams: [{ ...behind, readUpTo: unixMs(0) }] })?.[0]).toBe('pass');
    expect(of({ streams: [{ ...behind, readUpTo: unixMs(0) }], uptimeMs: 3_600_000 })?.[0]).toBe('fail');
    expect(of({ streams: [] })).toEqual(['fail', 'no log is read']);
    expect(answer('expected-log-sources-reporting', knowledge([], { heartbeat: null }))?.[0]).toBe('unknown');
  });

  it('about records counts what the agent lost and what was found missing', () => {
    const lost = { ...heartbeat().streams[0]!, counts: { dropped: 4 } };
    expect(answer('records-complete', knowledge([], { heartbeat: heartbeat({ streams: [lost] }) }))).toEqual([
      'fail',
      '4 records lost by the agent since it started',
    ]);
    expect(answer('records-complete', knowledge([], { missing: 2 }))).toEqual(['fail', '2 gaps found within 7 days']);
    expect(answer('records-complete', knowledge([]))?.[0]).toBe('pass');
  });

  it('about accounts names who was not there for 90 days', () => {
    const user = (name: string, more: FactFields = {}) =>
      fact('user', name, { name, uid: 1000, shell: '/bin/bash', password: 'set', ...more });
    expect(
      answer('accounts-not-stale', knowledge([user('anna', { last_login_at: NOW - DAY }), user('bob', { last_login_at: NOW - 91 * DAY })])),
    ).toEqual(['fail', '1 account unused: bob']);
    expect(answer('accounts-not-stale', knowledge([user('anna', { last_login_at: NOW - DAY })]))?.[0]).toBe('pass');
    expect(answer('accounts-not-stale', knowledge([user('svc', { shell: '/usr/sbin/nologin' })]))?.[0]).toBe('pass');
    expect(answer('accounts-not-stale', knowledge([user('new')].map((one) => ({ ...one, since: unixMs(NOW - DAY) }))))?.[0]).toBe(
      'unknown',
    );
    expect(answer('accounts-not-stale', knowledge([user('old')]))).toEqual(['fail', '1 account never seen to log in: old']);
  });

  it('about certificates, packages, files and rights looks at their times', () => {
    const cert = (left: number, more: FactFields = {}) =>
      fact('certificate', 'c', { path: '/etc/ssl/x.pem', not_after_at: NOW + left * DAY, ...more });
    expect(answer('certificates-valid-30-days', knowledge([cert(29)]))).toEqual(['fail', '/etc/ssl/x.pem until 2026-12-22']);
    expect(answer('certificates-valid-30-days', knowledge([cert(31)]))?.[0]).toBe('pass');
    expect(answer('certificates-valid-30-days', knowledge([cert(2, { authority: true })]))?.[0]).toBe('not-applicable');
    expect(answer('packages-updated-recently', knowledge([], { newestPackage: unixMs(NOW - 46 * DAY) }))?.[0]).toBe('fail');
    expect(answer('packages-updated-recently', knowledge([], { newestPackage: null }))?.[0]).toBe('unknown');
    const file = (reported: number) => fact('file', '/etc/passwd', { path: '/etc/passwd' }, { reported: unixMs(reported) });
    expect(answer('file-changes-explained', knowledge([file(NOW - DAY)]))).toEqual(['fail', '1 file: /etc/passwd']);
    expect(answer('file-changes-explained', knowledge([file(NOW - 8 * DAY)]))?.[0]).toBe('pass');
    expect(answer('file-changes-explained', knowledge([fact('file', '/etc/passwd', {})]))?.[0]).toBe('pass');
    const key = fact('ssh-key', 'root:x', { user: 'root' }, { reported: unixMs(NOW - DAY) });
    expect(answer('privileges-unchanged', knowledge([key]))).toEqual(['fail', 'key of root']);
    expect(answer('privileges-unchanged', knowledge([fact('ssh-key', 'root:x', { user: 'root' })]))?.[0]).toBe('pass');
  });

  it('is never a pass about what is not known or in doubt', () => {
    const asked: Readonly<Record<string, readonly FactKind[]>> = {
      'packages-updated-recently': ['package'],
      'accounts-not-stale': ['user', 'ssh-key'],
      'certificates-valid-30-days': ['certificate'],
      'file-changes-explained': ['file'],
      'privileges-unchanged': ['user', 'group', 'sudo-rule', 'ssh-key'],
    };
    fc.assert(
      fc.property(fc.subarray([...KINDS]), fc.subarray([...KINDS]), (known, doubtful) => {
        const tables = new Map(known.map((kind) => [kind, table(kind, doubtful.includes(kind))]));
        for (const [id, kinds] of Object.entries(asked)) {
          if (kinds.every((kind) => known.includes(kind) && !doubtful.includes(kind))) continue;
          expect(answer(id, knowledge([], { tables }))?.[0], id).toBe('unknown');
        }
      }),
    );
  });
});

describe('asking', () => {
  it('writes spans that go on while the answer is the same, and ends them when it is another', async () => {
    const [state, clock, notices] = [memoryState(), handClock(), listNotices()];
    let is: Standing = 'reporting';
    const failed: unknown[] = [];
    const checks = openOwnChecks({
      state,
      clock,
      lists: LISTS,
      standings: async () => [standing(is)],
      heartbeatOf: () => heartbeat(),
      missing: async () => new Map(),
      notices,
      failed: (error) => void failed.push(error),
    });
    for (const kind of KINDS) await state.put('factTable', hostFactId(HOST, kind, ''), table(kind));
    await checks.run();
    clock.advance(600_000);
    is = 'silent';
    checks.noteChanged([HOST, 'ast_somebodyelse']);
    await checks.settled();
    clock.advance(600_000);
    await checks.run();
    await checks.close();
    const spans = (await state.list('observation', { limit: 100, orderBy: 'first', ascending: true })).items.map(({ value }) => value);
    const of = spans.filter(({ check }) => check === 'agent-reporting');
    expect(of.map(({ result, first, last, open }) => [result, (last - first) / 60_000, open])).toEqual([
      ['pass', 0, false],
      ['fail', 10, true],
    ]);
    expect(new Set(spans.map(({ check }) => check))).toEqual(
      new Set(OWN_CHECKS.map(({ id }) => id).filter((id) => id !== 'detection-self-test')),
    );
    expect(notices.said.filter(({ check }) => check === 'agent-reporting').map(({ action, host }) => [action, host?.name])).toEqual([
      ['check-failed', 'web1'],
    ]);
    expect(failed).toEqual([]);
  });
});

describe('the self-test of detection', () => {
  const open = (withinMs: number) => {
    const [notices, clock] = [listNotices(), handClock()];
    const answers: Answer[] = [];
    const test = openSelfTest({ clock, host: HOST, notices, answer: (one) => void answers.push(one), withinMs: ms(withinMs) });
    return { notices, clock, answers, test };
  };

  it('passes when the planted record is found, and not by one of an earlier plant', async () => {
    const { notices, clock, answers, test } = open(60_000);
    test.plant();
    test.plant();
    expect(notices.said.map(({ action }) => action)).toEqual(['self-test']);
    test.found(null);
    test.found(unixMs(clock.now() - 1));
    expect(answers).toEqual([]);
    test.found(clock.now());
    test.found(clock.now());
    await test.close();
    expect(answers.map(({ check, subject, result }) => [check, subject, result])).toEqual([
      ['detection-self-test', `host:${HOST}`, 'pass'],
    ]);
  });

  it('fails when it is not found in time', async () => {
    const { answers, test } = open(5);
    test.plant();
    await until(() => answers.length > 0);
    test.found(unixMs(NOW));
    await test.close();
    expect(answers.map(({ result, actual }) => [result, actual])).toEqual([['fail', 'not found within 0.005 s']]);
  });
});
