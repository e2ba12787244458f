// SPDX-License-Identifier: Apache-2.0
/**
 * Lane `incident`: alerts of any origin grouped and scored, as `vigil incidents` does.
 * Input: `--alerts` (default 500,000). Output: a line for each of three sizes and one JSON line. Synthetic alerts, seeded.
 */
import { parseArgs } from 'node:util';
import { type ForeignAlert, groupForeign } from '../collector/cli/incidents.ts';
import { makeEntity } from '../collector/model/entity.ts';
import type { Level } from '../collector/model/rule.ts';

const { values } = parseArgs({ options: { alerts: { type: 'string', default: '500000' } } });
const total = Number(values.alerts);
const START = Date.UTC(2026, 10, 16);
const WEEK_MS = 7 * 86_400_000;

/** A small generator of even random numbers below 1 (mulberry32). */
const random = (seed: number) => () => {
  seed = (seed + 0x6d2b79f5) | 0;
  let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
  return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
};

/** A week over 200 hosts: nine in ten alerts are low or medium, rules are few and frequent or many and rare, addresses repeat. */
const alertsOf = (n: number): ForeignAlert[] => {
  const next = random(7);
  const below = (limit: number): number => Math.floor(next() * limit);
  return Array.from({ length: n }, (_, i) => {
    const rule = below(10) < 8 ? below(20) : 20 + below(300);
    const level: Level = below(1000) < 3 ? 'critical' : below(100) < 1 ? 'high' : below(10) < 3 ? 'medium' : 'low';
    const host = `host-${below(200)}`;
    const entities = [makeEntity('host', host)];
    if (below(2) === 0) entities.push(makeEntity('ip', `198.51.${below(100)}.${below(250)}`));
    if (below(3) === 0) entities.push(makeEntity('user', `user${below(20)}@${host}`));
    return {
      id: String(i),
      rule: `rule-${rule}`,
      level,
      time: START + below(WEEK_MS),
      entities,
      tactics: [`TA000${rule % 9}`],
      techniques: [],
      count: 1,
    };
  });
};

const sizes = [total / 25, total / 5, total].map(Math.round);
const ours = sizes.map((n) => {
  const alerts = alertsOf(n);
  const start = performance.now();
  const incidents = groupForeign(alerts);
  const seconds = Math.round(performance.now() - start) / 1000;
  process.stdout.write(`${n} alerts: ${incidents.length} incidents in ${seconds} s\n`);
  return { alerts: n, incidents: incidents.length, seconds };
});
const [small, , large] = ours;
const exponent =
  small && large ? Math.round((Math.log(large.seconds / small.seconds) / Math.log(large.alerts / small.alerts)) * 100) / 100 : null;
const rssMb = Math.round(process.resourceUsage().maxRSS / 1024);
process.stdout.write(`${JSON.stringify({ lane: 'incident', ours: { ...large, exponent, rssMb } })}\n`);
