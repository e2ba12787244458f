// SPDX-License-Identifier: Apache-2.0
/**
 * Lane `correlate`: signals judged against the table in a file, one fsynced transaction a page, to alerts and incidents.
 * Input: `--signals` (default 60,000), `--page` (500). Output: a table and one JSON line. Synthetic signals.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { parseArgs } from 'node:util';
import { openJudge } from '../collector/cli/judge.ts';
import type { Signal } from '../collector/model/signal.ts';
import { openSignals } from '../collector/store/embedded/signals.ts';
import { unixMs } from '../core/units.ts';
import { correlation, eventRule, pagesOf, ruleSet, signal } from '../test/support/signals.ts';

const { values } = parseArgs({ options: { signals: { type: 'string', default: '60000' }, page: { type: 'string', default: '500' } } });
const total = Number(values.signals);
const perPage = Number(values.page);
const START = Date.UTC(2026, 10, 24);

const dir = mkdtempSync(join(tmpdir(), 'vigil-correlate-'));
const rules = ruleSet(
  eventRule('fail'),
  correlation('brute', { condition: [{ op: 'gte', value: 10 }], level: 'medium' }),
  correlation('spray', { type: 'value_count', field: 'user.name', condition: [{ op: 'gte', value: 10 }], level: 'medium' }),
);
const onlyBrute = ruleSet(eventRule('fail'), correlation('brute', { condition: [{ op: 'gte', value: 10 }], level: 'medium' }));

/** Signals a millisecond apart over so many addresses. */
const make = (groups: number, users: number): Signal[] =>
  Array.from({ length: total }, (_, i) =>
    signal({ at: START + i, key: i, ip: `10.${((i * 7919) % groups) >> 8}.${((i * 7919) % groups) & 255}.1`, user: `user${i % users}` }),
  );

/** The table alone: one insert and one count each, as the design's spike measured it. */
const table = (groups: number): { rate: number; cpuUs: number } => {
  const db = new DatabaseSync(join(dir, `table-${groups}.db`));
  db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL');
  const signals = openSignals(db);
  const pages = pagesOf(make(groups, 5), perPage);
  const cpu = process.cpuUsage();
  const start = performance.now();
  for (const { signals: own } of pages) {
    db.exec('BEGIN IMMEDIATE');
    const rows = own.map((one) => ({
      correlation: 'brute',
      rule: one.rule,
      group: one.fields['source.ip'] ?? '',
      time: one.time,
      signal: one.id,
    }));
    signals.add(own, rows);
    for (const row of rows) signals.count({ correlation: 'brute', group: row.group, from: unixMs(row.time - 59_999), to: row.time }, 100);
    db.exec('COMMIT');
  }
  const rate = Math.round(total / ((performance.now() - start) / 1000));
  const used = process.cpuUsage(cpu);
  db.close();
  return { rate, cpuUs: Math.round((used.user + used.system) / total) };
};

/** The whole step, correlate to incident, in a file. */
const whole = (
  name: string,
  groups: number,
  users: number,
  set = rules,
): { rate: number; cpuUs: number; alerts: number; longestMs: number } => {
  const judge = openJudge(set, () => null, join(dir, `${name}.db`));
  const pages = pagesOf(make(groups, users), perPage);
  let longestMs = 0;
  const cpu = process.cpuUsage();
  const start = performance.now();
  for (const page of pages) {
    const before = performance.now();
    judge.judge(page);
    longestMs = Math.max(longestMs, performance.now() - before);
  }
  const rate = Math.round(total / ((performance.now() - start) / 1000));
  const used = process.cpuUsage(cpu);
  const cpuUs = Math.round((used.user + used.system) / total);
  const alerts = judge.alerts().length;
  judge.close();
  return { rate, cpuUs, alerts, longestMs: Math.round(longestMs) };
};

try {
  const ours = {
    table_20000_groups: table(20_000),
    table_one_burst: table(1),
    count_20000_groups: whole('count', 20_000, 5, onlyBrute),
    count_one_burst: whole('count-burst', 1, 5, onlyBrute),
    count_500_attackers: whole('storm', 500, 5, onlyBrute),
    two_correlations_20000_groups: whole('both', 20_000, 5),
    two_correlations_one_burst: whole('both-burst', 1, 50),
  };
  for (const [what, figure] of Object.entries<{ rate: number; cpuUs: number; alerts?: number; longestMs?: number }>(ours)) {
    const more = figure.alerts === undefined ? '' : `, ${figure.alerts} alerts, longest page ${figure.longestMs} ms`;
    process.stdout.write(`${what.padEnd(32)} ${figure.rate} signals/s, ${figure.cpuUs} µs of CPU each${more}\n`);
  }
  process.stdout.write(`${JSON.stringify({ lane: 'correlate', signals: total, page: perPage, ours })}\n`);
} finally {
  rmSync(dir, { recursive: true, force: true });
}
