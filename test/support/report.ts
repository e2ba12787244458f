// SPDX-License-Identifier: Apache-2.0
/**
 * Inputs of a weekly report for tests and pictures: an empty installation, a quiet week, a week with a break-in, a hostile one.
 * Input: what a test wants otherwise. Output: `ReportInputs` of 2026-W47.
 */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { COLLECTOR_SETTINGS, type CollectorConfig } from '../../collector/config.ts';
import { parseCatalogue } from '../../collector/isms/catalogue.ts';
import { parseRegister } from '../../collector/isms/register.ts';
import { makeEntity } from '../../collector/model/entity.ts';
import type { Observation } from '../../collector/model/observation.ts';
import { observationId } from '../../collector/model/observation.ts';
import { LEVELS, type Level } from '../../collector/model/rule.ts';
import type { ScoreInputs } from '../../collector/model/score.ts';
import { METHOD, type ReportInputs, type WindowInput } from '../../collector/report/inputs.ts';
import { targetsOf } from '../../collector/report/targets.ts';
import { readWeek, type Week, weekAfter } from '../../collector/report/week.ts';
import { loadConfig } from '../../core/config.ts';
import type { AlertId, AssetId, IncidentId } from '../../core/ids.ts';
import { hashId } from '../../core/ids.ts';
import { unixMs } from '../../core/units.ts';
import { ROOT } from './repository.ts';

const HOUR = 3_600_000;
/** Settings as they are where nobody has set any. */
export const defaultConfig = (): CollectorConfig => loadConfig(COLLECTOR_SETTINGS, { env: {} }).config;
const PROPOSED = join(ROOT, 'rules', 'risks', 'proposed.yml');
const CSF = parseCatalogue('csf:2.0', readFileSync(join(ROOT, 'rules', 'controls', 'csf-2.0.jsonl'), 'utf8'));
export const WEEK: Week = readWeek('2026-W47', 'UTC', unixMs(Date.UTC(2026, 10, 23, 6)));
const HOSTS = ['bastion-1', 'db-1', 'mail-1', 'web-1', 'web-2'] as const;
export const hostId = (name: string): AssetId => hashId('ast', name);

/** The proposed register, of which the first rests on the checks of these tests. */
const RISKS = parseRegister(readFileSync(PROPOSED, 'utf8'), PROPOSED, CSF, unixMs(Date.UTC(2026, 9, 1))).map((risk, i) =>
  i % 3 === 0 ? { ...risk, checks: ['firewall-active', 'ssh-password-login-disabled'] } : risk,
);

const emptyWindow = ({ name, from, to, days }: Week): WindowInput => ({
  week: name,
  from,
  to,
  days,
  alerts: [],
  incidents: [],
  records: { total: 0, failed: 0, byDay: [0, 0, 0, 0, 0, 0, 0], byHost: [], byDataset: [] },
  notices: [],
  noticesMore: 0,
  files: { hosts: 0, changes: 0, sample: [], upgrades: [] },
});

/** Nothing is enrolled and nothing was heard. */
export const emptyInputs = (): ReportInputs => ({
  method: METHOD,
  week: WEEK.name,
  zone: 'UTC',
  organisation: 'Example Trading',
  targets: targetsOf(defaultConfig()),
  now: emptyWindow(WEEK),
  before: emptyWindow(weekAfter(WEEK, -1)),
  moment: {
    at: unixMs(WEEK.to + 6 * HOUR),
    hosts: [],
    sources: [],
    unreadable: [],
    rules: { loaded: 62, refused: [], coverage: [] },
    unmanaged: [],
    inventory: { packages: 0, hosts: 0 },
  },
  observations: [],
  scores: { scored: {}, now: [], before: [] },
  risks: { risks: [], incidents: [] },
  controls: {
    catalogue: 'csf:2.0',
    title: CSF.title,
    controls: CSF.controls.map(({ ref, id, kind, parent, title }) => ({ ref, id, kind, parent, title })),
    mappings: [],
    once: [],
    self: hostId('collector'),
    stays: [],
    titles: {},
  },
});

const heard = (window: WindowInput, factor: number): WindowInput => {
  const byHost = HOSTS.map((name, i) => ({
    host: hostId(name),
    name,
    count: Math.round((812_440 / (i * 3 + 1)) * factor),
    hours: name === 'bastion-1' ? 121 : 168,
  }));
  const total = byHost.reduce((sum, { count }) => sum + count, 0);
  return {
    ...window,
    records: {
      total,
      failed: 1_204,
      byDay: window.days.slice(1).map((_, i) => Math.round(total / 7) + i * 90),
      byHost,
      byDataset: ['sshd', 'nginx.access', 'postfix', 'auditd', 'kernel'].map((name, i) => ({ name, count: Math.round(total / (i + 3)) })),
    },
  };
};

/** All five hosts were heard and nothing happened. */
export const quietInputs = (): ReportInputs => {
  const empty = emptyInputs();
  return {
    ...empty,
    now: heard(empty.now, 1),
    before: heard(empty.before, 0.98),
    moment: {
      ...empty.moment,
      hosts: HOSTS.map((name) => ({ host: hostId(name), name, standing: 'reporting', since: null, lastSeen: empty.moment.at })),
      sources: HOSTS.flatMap((host) =>
        ['syslog', 'nginx.access'].map((dataset) => ({
          host,
          stream: `file:/var/log/${dataset}`,
          dataset,
          behindBytes: 0,
          counts: { redacted: 3 },
        })),
      ),
      rules: {
        loaded: 62,
        refused: [],
        coverage: Array.from({ length: 62 }, (_, i) => ({
          rule: `rule-${i}`,
          title: `Rule ${i}`,
          level: 'high',
          state: i < 48 ? ('live' as const) : ('silent' as const),
          missing: [],
          techniques: [`T1${String(i % 40).padStart(3, '0')}`],
        })),
      },
    },
    observations: spans(),
    controls: {
      ...empty.controls,
      stays: HOSTS.map((name) => ({ host: hostId(name), from: unixMs(WEEK.from - 20 * 24 * HOUR), to: unixMs(253_402_300_799_999) })),
      titles: { 'ssh-password-login-disabled': 'SSH refuses passwords' },
      mappings: empty.controls.controls
        .filter(({ kind }) => kind === 'subcategory')
        .flatMap(({ ref }, i) =>
          i % 2 === 0
            ? [
                {
                  check: (CHECKS[(i / 2) % CHECKS.length] as (typeof CHECKS)[number])[0],
                  control: ref,
                  relationship: 'intersects-with' as const,
                },
              ]
            : [],
        ),
    },
    risks: { risks: RISKS, incidents: [] },
    scores: {
      scored: { host: 5, ip: 2 },
      now: HOSTS.map((name, i) => scored(name, i === 0 ? 1 : 0, i)),
      before: HOSTS.map((name) => scored(name, 0, 1)),
    },
  };
};

const CHECKS: readonly (readonly [check: string, severity: Level])[] = [
  ['ssh-root-login-disabled', 'high'],
  ['ssh-password-login-disabled', 'critical'],
  ['firewall-active', 'high'],
  ['audit-rules-loaded', 'medium'],
  ['core-dumps-restricted', 'low'],
  ['time-synchronised', 'medium'],
];

const scored = (host: string, alerts: number, checks: number): ScoreInputs => ({
  entity: makeEntity('host', hostId(host)),
  name: host,
  weights: 1,
  at: unixMs(WEEK.from),
  before: null,
  threat: Array.from({ length: alerts * 5 }, (_, i) => ({
    ...{
      key: `rule-${i}`,
      title: [
        'SSH login after failures',
        'SSH key added to root',
        'First root shell by a service account',
        'Path traversal sweep',
        'Web scanner',
      ][i] as string,
      level: LEVELS[4 - (i % 4)] as Level,
    },
    ...{
      confidence: 1,
      count: 1 + i,
      last: unixMs(WEEK.from + 80 * HOUR),
      frozen: i < 2,
      factor: 1,
      held: ['INC-8'],
      sources: [hashId('alr', i)],
    },
  })),
  exposure: CHECKS.slice(0, checks).map(([key, level]) => ({
    key,
    title: key,
    level,
    confidence: 1,
    count: 1,
    last: null,
    frozen: false,
    factor: 1,
    sources: [],
  })),
  context: [],
});

const span = (
  check: string,
  severity: Level,
  host: string,
  result: Observation['result'],
  first: number,
  last: number,
  more: Partial<Observation> = {},
): Observation => {
  const subject = makeEntity('host', hostId(host));
  return {
    id: observationId(check, subject, unixMs(first)),
    check,
    subject,
    result,
    actual: result === 'pass' ? 'no' : 'yes',
    expected: 'no',
    severity,
    first: unixMs(first),
    last: unixMs(last),
    expires: unixMs(last + 2 * HOUR),
    open: true,
    ...more,
  };
};

const spans = (): readonly Observation[] => {
  const { from, to } = WEEK;
  const then = from - 10 * 24 * HOUR;
  return HOSTS.flatMap((host, h) =>
    CHECKS.flatMap(([check, severity], c): readonly Observation[] => {
      if (host === 'bastion-1' && check === 'ssh-password-login-disabled')
        return [
          span(check, severity, host, 'fail', then, from + 78 * HOUR, { actual: 'PasswordAuthentication yes' }),
          span(check, severity, host, 'pass', from + 79 * HOUR, to),
        ];
      if (host === 'web-1' && check === 'firewall-active')
        return [
          span(check, severity, host, 'pass', then, from + 100 * HOUR),
          span(check, severity, host, 'fail', from + 101 * HOUR, to, { actual: 'inactive' }),
        ];
      if (h === 2 && c === 5) return [span(check, severity, host, 'pass', then, from + 20 * HOUR)];
      if (h === 1 && c === 4)
        return [
          span(check, severity, host, 'fail', then, to, {
            waiver: { reason: 'needed to debug the database', owner: 'J. Weber', until: unixMs(to + 9 * 24 * HOUR) },
          }),
        ];
      return [span(check, severity, host, 'pass', then, to)];
    }),
  );
};

const alert = (n: number, title: string, level: Level, host: string, atMs: number): WindowInput['alerts'][number] => ({
  id: hashId('alr', n) as AlertId,
  rule: `rule-${title}`,
  title,
  level,
  entity: makeEntity('host', hostId(host)),
  entityName: host,
  first: unixMs(WEEK.from + atMs),
  detected: unixMs(WEEK.from + atMs + 2_000),
  techniques: ['T1110'],
  replay: false,
  ...(n % 3 === 0
    ? {
        closedAt: unixMs(WEEK.from + atMs + 3 * HOUR),
        acknowledgedAt: unixMs(WEEK.from + atMs + HOUR),
        verdict: n % 2 === 0 ? ('benign' as const) : ('true-positive-no-impact' as const),
      }
    : {}),
});

interface IncidentSketch {
  readonly number: number;
  readonly title: string;
  readonly severity: Level;
  readonly hosts: readonly string[];
  readonly atMs: number;
  readonly detectedMs: number;
  readonly moves: readonly (readonly [to: WindowInput['incidents'][number]['moves'][number]['to'], atMs: number])[];
  readonly owner?: string;
  readonly alerts?: number;
}

const incident = ({
  number,
  title,
  severity,
  hosts,
  atMs,
  detectedMs,
  moves,
  owner,
  alerts = 2,
}: IncidentSketch): WindowInput['incidents'][number] => ({
  id: hashId('inc', number) as IncidentId,
  number,
  title,
  severity,
  first: unixMs(WEEK.from + atMs),
  detected: unixMs(WEEK.from + atMs + detectedMs),
  alerts: Array.from({ length: alerts }, (_, i) => hashId('alr', number * 100 + i) as AlertId),
  entities: hosts.map((name) => makeEntity('host', hostId(name))),
  techniques: ['T1110', 'T1078', 'T1098.004'],
  backlog: false,
  replay: false,
  moves: moves.map(([to, at]) => ({ to, at: unixMs(WEEK.from + at), by: 'usr_x' })),
  owner: owner ?? null,
  verdict: moves.some(([to]) => to === 'closed') ? 'true-positive' : null,
  hosts,
});

/** A break-in that nobody answered for five hours, a smaller incident still open, one carried in and closed. */
export const busyInputs = (): ReportInputs => {
  const quiet = quietInputs();
  const breakIn = 74 * HOUR + 14 * 60_000;
  return {
    ...quiet,
    risks: {
      ...quiet.risks,
      incidents: [
        {
          incident: {
            id: hashId('inc', 8) as IncidentId,
            number: 8,
            title: 'SSH login after failures: bastion-1',
            techniques: ['T1110'],
            detected: unixMs(WEEK.from + breakIn),
            replay: false,
          },
          work: { state: 'recovered', moves: [{ to: 'contained', at: unixMs(WEEK.from + breakIn + 6 * HOUR), by: 'usr_x' }] },
        },
      ],
    },
    now: {
      ...quiet.now,
      alerts: Array.from({ length: 46 }, (_, i) =>
        alert(
          i,
          i % 4 === 0 ? 'SSH login after failures' : 'Web scanner',
          LEVELS[1 + ((i * 7) % 11 === 0 ? 3 : i % 3)] as Level,
          HOSTS[i % 5] as string,
          ((i * 37) % 168) * HOUR,
        ),
      ),
      incidents: [
        incident({
          number: 6,
          title: 'Backup of db-1 lost',
          severity: 'high',
          hosts: ['db-1'],
          atMs: -50 * HOUR,
          detectedMs: HOUR,
          moves: [
            ['triaged', 3 * HOUR],
            ['recovered', 82 * HOUR],
            ['closed', 110 * HOUR],
          ],
          owner: 'jweber',
        }),
        incident({
          number: 8,
          title: 'SSH login after failures: bastion-1, and 5 more rules',
          severity: 'critical',
          hosts: ['bastion-1', 'db-1'],
          atMs: breakIn,
          detectedMs: 91_000,
          moves: [
            ['triaged', breakIn + 5 * HOUR + 7 * 60_000],
            ['contained', breakIn + 6 * HOUR],
            ['recovered', breakIn + 62 * HOUR],
          ],
          owner: 'jweber',
          alerts: 12,
        }),
        incident({
          number: 9,
          title: 'Password guessing: bastion-1',
          severity: 'medium',
          hosts: ['bastion-1'],
          atMs: 150 * HOUR,
          detectedMs: 105_000,
          moves: [],
        }),
      ],
      files: {
        hosts: 5,
        changes: 3,
        sample: ['/root/.ssh/authorized_keys', '/root/.bash_history', '/usr/local/bin/backup.sh'].map((path, i) => ({
          event: hashId('evt', path),
          host: 'bastion-1',
          path,
          action: i === 0 ? 'file-added' : 'file-changed',
          at: unixMs(WEEK.from + breakIn + i * HOUR),
        })),
        upgrades: [47, 116].map((files) => ({ event: hashId('evt', files), files })),
      },
      notices: [
        {
          event: 'evt_x',
          at: unixMs(breakIn + WEEK.from),
          action: 'records-missing',
          host: 'db-1',
          message: 'Records 88214 to 88230 of auditd on db-1 are missing.',
          count: 17,
        },
      ],
    },
    moment: {
      ...quiet.moment,
      inventory: { packages: 2_914, hosts: 5 },
      hosts: quiet.moment.hosts.map((one) => (one.name === 'web-2' ? { ...one, standing: 'silent' as const } : one)),
      unreadable: [{ host: 'bastion-1', code: 'FILE_DENIED', about: '/var/log/audit/audit.log' }],
      rules: {
        ...quiet.moment.rules,
        refused: [{ file: 'rules/packs/own/win_defender_off.yml', line: 12, message: 'the field is unknown' }],
      },
    },
  };
};

/** Names and titles as somebody hostile would choose them. */
export const hostileInputs = (): ReportInputs => {
  const busy = busyInputs();
  const markup = `<img src=x onerror="fetch('//evil.example')"><script>alert(1)</script></style>\u202e\u0007${'x'.repeat(60)}`.slice(
    0,
    120,
  );
  return {
    ...busy,
    organisation: markup,
    scores: {
      ...busy.scores,
      now: busy.scores.now.map((one) => ({ ...one, name: markup, threat: one.threat.map((part) => ({ ...part, title: markup })) })),
    },
    now: {
      ...busy.now,
      files: { ...busy.now.files, sample: busy.now.files.sample.map((one) => ({ ...one, path: markup, host: markup })) },
      incidents: busy.now.incidents.map((one) => ({ ...one, title: markup, hosts: [markup], owner: markup })),
      alerts: busy.now.alerts.map((one) => ({ ...one, title: markup })),
      notices: busy.now.notices.map((one) => ({ ...one, message: markup })),
    },
    moment: {
      ...busy.moment,
      hosts: busy.moment.hosts.map((one) => ({ ...one, name: markup })),
      rules: { ...busy.moment.rules, refused: [{ file: markup, line: 1, message: markup }] },
    },
    observations: busy.observations.map((one) => ({ ...one, check: markup, actual: markup })),
  };
};
