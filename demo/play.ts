// SPDX-License-Identifier: Apache-2.0
/**
 * Plays the story into a running collector: the clock moves, hosts say what they saw, people act, jobs run when they are due.
 * Input: a collector on the story's clock, its data folder. Output: the same collector, fed; nothing is written past its doors.
 */
import { callCollector } from '../collector/cli/client.ts';
import type { Collector } from '../collector/collector.ts';
import { type UnixMs, unixMs } from '../core/units.ts';
import { openStoryAgent, type StoryAgent } from './agent.ts';
import type { StoryClock } from './clock.ts';
import { openPerson, type Person } from './person.ts';
import { at, HOST_NAMES, type HostName, type Said } from './said.ts';
import { acts, PEOPLE, type PersonName } from './story/acts.ts';
import { events, lostRecords } from './story/events.ts';
import { facts, type StoryCheck } from './story/facts.ts';
import { quietWork } from './story/work.ts';

/** The agents are installed on Friday; the clock stands on Monday of the second week after. */
export const BEGIN = at('13 09:00');
export const END = at('23 08:40');

export interface Stage {
  readonly collector: Collector;
  readonly clock: StoryClock;
  readonly dir: string;
  readonly version: string;
  readonly checks: readonly StoryCheck[];
  /** From 0 to 1. */
  readonly onProgress: (share: number) => void;
}

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
/** Steps in which agents send: fine where seconds matter to the story, coarse in quiet hours. */
const FINE: readonly (readonly [from: UnixMs, to: UnixMs, step: number])[] = [
  [at('16 10:00'), at('16 10:20'), MINUTE],
  [at('18 12:50'), at('18 15:20'), MINUTE],
  [at('19 01:50'), at('19 03:00'), MINUTE / 4],
  [at('19 07:40'), at('19 07:55'), MINUTE / 4],
  [at('21 22:08'), at('21 22:30'), MINUTE / 2],
];
const COARSE = 15 * MINUTE;
/** web-1 had no way to the collector on Wednesday; what it read waited there. */
const CUT_OFF: readonly [UnixMs, UnixMs] = [at('18 13:00'), at('18 15:00')];
/** The watch for silent agents looks every five seconds of this clock. */
const LOOK = 5_000;

const stepsOf = (stops: readonly number[]): readonly UnixMs[] => {
  const ends = new Set<number>([...stops, END]);
  for (let time = BEGIN + COARSE; time < END; time += COARSE) ends.add(time);
  for (const [from, to, step] of FINE) for (let time: number = from; time <= to; time += step) ends.add(time);
  return [...ends].sort((a, b) => a - b).map(unixMs);
};

/** @throws Error when a door does not take what it should. */
export const playStory = async (stage: Stage): Promise<void> => {
  const { collector, clock, dir, version, onProgress } = stage;
  const people = new Map<PersonName, Person>();
  for (const [name, role] of Object.entries(PEOPLE) as [PersonName, 'admin' | 'analyst'][])
    people.set(name, await openPerson(dir, collector.consoleUrl, name, role));
  const { token } = await callCollector<{ readonly token: string }>(
    { dir },
    {
      method: 'POST',
      path: '/api/v1/fleet/tokens',
      body: { uses: HOST_NAMES.length, local: true, group: 'demo' },
      headers: { 'idempotency-key': 'demo-agents' },
    },
  );
  const agents: readonly StoryAgent[] = await Promise.all(HOST_NAMES.map((host) => openStoryAgent(host, token, version)));
  try {
    const said = [...quietWork(BEGIN, END), ...events(), ...facts(BEGIN, END, stage.checks)].sort((a, b) => a.at - b.at);
    const lost = lostRecords();
    const doings = [...acts()].sort((a, b) => a.at - b.at);
    const midnights = Array.from({ length: 10 }, (_, i) => at(String(14 + i)));
    const jobs = new Set<number>([...midnights, at('16 06:00'), at('23 06:00')]);
    let [told, acted] = [0, 0];
    for (const end of stepsOf([...doings.map((act) => act.at), ...jobs])) {
      await moveTo(clock, end);
      const begin = told;
      while (told < said.length && (said[told] as Said).at <= end) told += 1;
      const cutOff = end > CUT_OFF[0] && end < CUT_OFF[1];
      await Promise.all(
        agents.map(async (agent) => {
          const own = said.slice(begin, told).filter(({ host }) => host === agent.host);
          if (own.length > 0) agent.seal(own);
          if (agent.host === 'db-1' && lost.length > 0 && end >= (lost.at(-1) as Said).at) agent.lose(lost.splice(0));
          agent.beat(end, version);
          if (!(cutOff && agent.host === ('web-1' satisfies HostName))) await agent.send();
        }),
      );
      if (jobs.has(end) || doings[acted]?.at === end) await collector.settled();
      for (; doings[acted] && (doings[acted]?.at ?? 0) <= end; acted += 1) {
        const act = doings[acted] as (typeof doings)[number];
        await act.run(people.get(act.who) as Person);
      }
      if (jobs.has(end) || end % HOUR === 0) await collector.runDue();
      onProgress((end - BEGIN) / (END - BEGIN));
    }
    await collector.settled();
    await collector.runDue();
  } finally {
    for (const agent of agents) agent.close();
  }
};

/** In small steps where somebody watches for silence, in one elsewhere. */
const moveTo = async (clock: StoryClock, end: UnixMs): Promise<void> => {
  if (end > CUT_OFF[0] && end <= CUT_OFF[1] + 10 * MINUTE)
    while (end - clock.lived.now() > LOOK) {
      clock.moveTo(unixMs(clock.lived.now() + LOOK));
      await new Promise((resolve) => setImmediate(resolve));
    }
  clock.moveTo(end);
};
