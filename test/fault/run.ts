// SPDX-License-Identifier: Apache-2.0
/**
 * `npm run fault`: faults with real processes; nothing acknowledged may be lost or doubled, or it is said what is gone.
 * Input: --quick, --kills N, --only TEXT; --seed S replays that seed of the model first; --model N runs N seeds of it and nothing else.
 * Output: a line a fault, then `{"kills","faults","acked","lost","doubled","seconds"}`.
 */
import { parseArgs } from 'node:util';
import { toError } from '../../core/errors.ts';
import { seeded } from '../model/random.ts';
import { AGENT_STATE } from './agent-state.ts';
import { AWAY } from './away.ts';
import { CLOCKS } from './clock.ts';
import { DISKS } from './disk.ts';
import type { Fault, FaultOptions } from './fault.ts';
import { KILLS, randomKills } from './kills.ts';
import { MACHINES } from './machines.ts';
import { replaySeed, runPart, runParts } from './model.ts';
import { placeProblem } from './place.ts';
import { PUT_BACK } from './put-back.ts';
import { type Verdict, World } from './world.ts';

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    kills: { type: 'string' },
    seed: { type: 'string' },
    only: { type: 'string' },
    model: { type: 'string' },
    part: { type: 'string' },
    verbose: { type: 'boolean', default: false },
  },
  allowPositionals: true,
});
const kills = Number(values.kills ?? (values.quick ? 4 : 20));
const options: FaultOptions = { random: seeded(Number(values.seed ?? 1)), awayMs: values.quick ? 6_000 : 60_000 };
const say = (line: unknown): void => void process.stdout.write(`${JSON.stringify(line)}\n`);
const secondsSince = (at: number): number => Math.round((performance.now() - at) / 100) / 10;
const begin = performance.now();
const total = { kills: 0, faults: 0, acked: 0, lost: 0, doubled: 0 };
let holds = true;

/** What cannot be done here is said, and passed over. */
const problemOf = async (fault: Fault): Promise<string | null> =>
  fault.problem?.() ?? (fault.world?.disk === undefined ? null : await placeProblem());

/** Faults of one world, one after the other; each is counted by itself. */
const inOneWorld = async (faults: readonly Fault[]): Promise<void> => {
  const world = new World(faults[0]?.world);
  let verdict: Verdict = { written: 0, found: 0, lost: 0, doubled: 0, said: 0 };
  try {
    await world.open();
    for (const fault of faults) {
      const started = performance.now();
      const wrong = (await fault.run(world, options).catch((error: unknown) => [toError(error).message])) ?? [];
      verdict = await world.settle();
      const ok = wrong.length === 0 && verdict.lost === 0 && verdict.doubled === 0;
      total.faults += 1;
      holds &&= ok;
      const seconds = Math.round((performance.now() - started) / 1000);
      say({ fault: fault.name, ...verdict, seconds, ...(wrong.length > 0 ? { wrong } : {}) });
      if (!ok || values.verbose) process.stderr.write(world.said);
    }
  } catch (error) {
    holds = false;
    say({ fault: faults[0]?.name, wrong: [toError(error).message] });
    process.stderr.write(world.said);
  } finally {
    total.kills += world.kills;
    total.acked += verdict.written;
    total.lost += verdict.lost;
    total.doubled += verdict.doubled;
    await world.close();
  }
};

/** Seeds of the model alone; a failure names its schedule. */
const modelOnly = async (seeds: number): Promise<void> => {
  const first = Number(values.seed ?? 1);
  const { failed, lost, doubled, stats } = await runParts(first, seeds, say);
  say({ model: { first, seeds, failed, ...stats } });
  holds = failed === 0;
  say({ kills: stats.crashes, faults: stats.crashes + stats.restores, acked: stats.acked, lost, doubled, seconds: secondsSince(begin) });
};

const chosen = (fault: Fault): boolean => values.only === undefined || fault.name.includes(values.only);
const everything = async (): Promise<void> => {
  if (values.seed !== undefined) {
    const broken = await replaySeed(Number(values.seed), (text) => void process.stderr.write(`${text}\n`));
    holds &&= broken.length === 0;
    say({ seed: Number(values.seed), broken });
  }
  const together = [...KILLS, ...AWAY, randomKills(kills)].filter(chosen);
  if (together.length > 0) await inOneWorld(together);
  for (const fault of [...AGENT_STATE, ...MACHINES, ...PUT_BACK, ...DISKS, ...CLOCKS].filter(chosen)) {
    const problem = await problemOf(fault);
    if (problem !== null) say({ fault: fault.name, skipped: problem });
    else await inOneWorld([fault]);
  }
  say({ ...total, seconds: secondsSince(begin) });
};

if (values.part !== undefined) {
  const [first = 1, seeds = 1] = values.part.split('+').map(Number);
  say(await runPart(first, seeds));
} else if (values.model !== undefined) await modelOnly(Number(values.model));
else await everything();
process.exitCode = holds ? 0 : 1;
