// SPDX-License-Identifier: Apache-2.0
/**
 * `npm run fault`: kills and outages with real processes; nothing acknowledged may be lost or doubled.
 * Input: --quick, --kills N, --seed S. Output: a line a fault, then `{"kills","faults","acked","lost","doubled","seconds"}`.
 */
import { parseArgs } from 'node:util';
import { failedLogin, until } from '../support/vigil.ts';
import { type Verdict, World } from './world.ts';

const { values } = parseArgs({
  options: { quick: { type: 'boolean', default: false }, kills: { type: 'string' }, seed: { type: 'string', default: '1' } },
  allowPositionals: true,
});
const kills = Number(values.kills ?? (values.quick ? 4 : 20));
const awayMs = values.quick ? 5_000 : 60_000;

/** A small seeded generator (mulberry32), so that a run can be repeated. */
const seeded = (seed: number) => (): number => {
  seed = (seed + 0x6d2b79f5) | 0;
  let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
  return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
};
const random = seeded(Number(values.seed));
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

type Fault = readonly [name: string, run: (world: World) => Promise<void>];

const FAULTS: readonly Fault[] = [
  [
    'collector killed in the middle of a batch',
    async (world) => {
      world.write(3000);
      await pause(100 + random() * 400);
      await world.killCollector();
      world.write(500);
      await world.startCollector();
    },
  ],
  [
    'agent killed',
    async (world) => {
      world.write(3000);
      await pause(50 + random() * 300);
      await world.killAgent();
      world.write(500);
      world.startAgent();
    },
  ],
  [
    'query engine killed',
    async (world) => {
      world.write(2000);
      await pause(300 + random() * 500);
      await world.killEngine();
      world.write(500);
    },
  ],
  [
    'collector away while lines keep coming, ten rotations meanwhile',
    async (world) => {
      await world.stopCollector();
      const end = performance.now() + awayMs;
      for (let i = 0; i < 10; i++) {
        world.write(200);
        await pause(Math.max(20, (end - performance.now()) / (10 - i)));
        world.rotate();
      }
      world.write(200);
      await world.startCollector();
    },
  ],
  [
    'agent stopped during two rotations',
    async (world) => {
      world.write(200);
      await world.stopAgent();
      world.write(200);
      world.rotate();
      world.write(200);
      world.rotate();
      world.write(100);
      world.startAgent();
    },
  ],
];

/** A restart in the middle of a brute force still gives one alert. */
const bruteForce = async (world: World): Promise<string | null> => {
  for (let i = 0; i < 3; i++) world.raw(failedLogin('203.0.113.99', 'root'));
  await until('three lines', async () => (await world.collector.count('source.ip: 203.0.113.99')) === 3, 30_000);
  await world.killCollector();
  await world.startCollector();
  for (let i = 0; i < 3; i++) world.raw(failedLogin('203.0.113.99', 'root'));
  const alerts = await until(
    'the alert',
    async () => {
      const found = (await world.collector.query('', ['--in', 'alerts'])).filter(
        (alert) => alert['entity'] === 'ip:203.0.113.99' && alert['count'] === 6,
      );
      return found.length > 0 ? found : null;
    },
    30_000,
  );
  return alerts.length === 1 ? null : `${alerts.length} alerts instead of one`;
};

const begin = performance.now();
const world = new World();
let verdict: Verdict = { written: 0, found: 0, lost: 0, doubled: 0 };
let faults = 0;
const wrong: string[] = [];
const report = (name: string): void => void process.stdout.write(`${JSON.stringify({ fault: name, ...verdict })}\n`);
try {
  await world.open();
  for (const [name, run] of FAULTS) {
    await run(world);
    faults += 1;
    verdict = await world.settle();
    report(name);
  }
  for (let i = 0; i < kills; i++) {
    const [, run] = FAULTS[Math.floor(random() * 3)] as Fault;
    await run(world);
    faults += 1;
  }
  verdict = await world.settle(120_000);
  report(`${kills} random kills`);
  const bad = await bruteForce(world);
  faults += 1;
  process.stdout.write(
    `${JSON.stringify({ fault: 'restart in the middle of a brute force', holds: bad === null, ...(bad === null ? {} : { bad }) })}\n`,
  );
  if (bad) wrong.push(bad);
} finally {
  await world.close();
}
const seconds = Math.round((performance.now() - begin) / 100) / 10;
const ok = verdict.lost === 0 && verdict.doubled === 0 && wrong.length === 0;
process.stdout.write(
  `${JSON.stringify({ kills: world.kills, faults, acked: verdict.written, lost: verdict.lost, doubled: verdict.doubled, seconds })}\n`,
);
process.exitCode = ok ? 0 : 1;
