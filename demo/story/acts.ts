// SPDX-License-Identifier: Apache-2.0
/**
 * What people of the story did and when: who took note, who contained, what was closed as what.
 * Input: the people at the console. Output: acts in the order of their times, each finding what it is about by what the story says of it.
 */
import type { UnixMs } from '../../core/units.ts';
import type { Person } from '../person.ts';
import { at } from '../said.ts';
import { INTRUDER, SECOND_GUESSER, SWEEPER } from './events.ts';

export const PEOPLE = { priya: 'analyst', tomas: 'analyst', elena: 'admin' } as const;
export type PersonName = keyof typeof PEOPLE;

export interface Act {
  readonly at: UnixMs;
  readonly who: PersonName;
  readonly run: (person: Person) => Promise<void>;
}

interface Found {
  readonly id: string;
  readonly rule: string;
  readonly entities: readonly string[];
  readonly state: string;
}

const incidentOf = async (person: Person, entity: string, but?: string): Promise<string> => {
  const { items } = await person.get<{ readonly items: readonly Found[] }>('/api/v1/incidents?limit=100');
  const found = items.filter(({ id, entities, state }) => entities.includes(entity) && id !== but && state !== 'merged').at(-1);
  if (!found) throw new Error(`there is no incident of ${entity} for ${person.name} to act on`);
  return `/api/v1/incidents/${found.id}`;
};

const alertsOf = async (person: Person, entity: string): Promise<readonly string[]> => {
  const { items } = await person.get<{ readonly items: readonly Found[] }>('/api/v1/alerts?limit=500');
  return items.filter(({ entities, state }) => entities.includes(entity) && state !== 'closed').map(({ id }) => `/api/v1/alerts/${id}`);
};

const move =
  (entity: string, change: Readonly<Record<string, string>>) =>
  async (person: Person): Promise<void> =>
    person.change(await incidentOf(person, entity), change);

/** Closes every alert about an entity, and the incident they made. */
const closeStory =
  (entity: string, verdict: string, reason: string) =>
  async (person: Person): Promise<void> => {
    for (const path of await alertsOf(person, entity)) await person.change(path, { state: 'closed', verdict, reason });
    await person.change(await incidentOf(person, entity), { state: 'closed', verdict, reason });
  };

export const acts = (): readonly Act[] => [
  {
    at: at('16 10:40'),
    who: 'priya',
    run: closeStory(`ip:${SWEEPER}`, 'true-positive-no-impact', 'A sweep for holes we do not have; every request was refused.'),
  },
  {
    at: at('17 14:20'),
    who: 'priya',
    run: closeStory('ip:10.10.0.21', 'benign', 'Anna forgot her password; she called from the office.'),
  },
  {
    at: at('19 07:21'),
    who: 'priya',
    run: async (person) => {
      const path = await incidentOf(person, `ip:${INTRUDER}`);
      await person.change(path, { state: 'triaged', owner: person.id });
      for (const alert of await alertsOf(person, `ip:${INTRUDER}`)) await person.change(alert, { state: 'acknowledged' });
    },
  },
  {
    at: at('19 07:26'),
    who: 'priya',
    run: async (person) => {
      const { items } = await person.get<{
        readonly items: readonly { readonly id: string; readonly title: string; readonly alerts: readonly string[] }[];
      }>('/api/v1/incidents?limit=100');
      const dump = items.find(({ title }) => title.startsWith('Database dump'));
      if (!dump) throw new Error('there is no incident of the dump on db-1 to merge');
      const into = (await incidentOf(person, `ip:${INTRUDER}`, dump.id)).split('/').at(-1) as string;
      for (const id of dump.alerts) {
        const { state } = await person.get<{ readonly state: string }>(`/api/v1/alerts/${id}`);
        if (state === 'new') await person.change(`/api/v1/alerts/${id}`, { state: 'acknowledged' });
      }
      await person.change(`/api/v1/incidents/${dump.id}`, { state: 'merged', mergedInto: into });
    },
  },
  { at: at('19 07:48:30'), who: 'tomas', run: move(`ip:${INTRUDER}`, { state: 'contained' }) },
  { at: at('20 11:00'), who: 'tomas', run: move(`ip:${INTRUDER}`, { state: 'eradicated' }) },
  { at: at('21 16:30'), who: 'tomas', run: move(`ip:${INTRUDER}`, { state: 'recovered' }) },
  { at: at('22 09:15'), who: 'priya', run: move(`ip:${SECOND_GUESSER}`, { state: 'triaged' }) },
];
