// SPDX-License-Identifier: Apache-2.0
/**
 * The question behind each figure, as a command that anyone with a token can run again.
 * Input: the week's bounds. Output: Q1, Q2 and so on, in one order everywhere. Pure.
 */
import { isoTime } from '../../core/units.ts';
import type { WindowInput } from './inputs.ts';

export const QUERY_NAMES = [
  'posture',
  'incidents',
  'clocks',
  'alerts',
  'scores',
  'checks',
  'files',
  'records',
  'losses',
  'rules',
  'risks',
  'controls',
] as const;
export type QueryName = (typeof QUERY_NAMES)[number];

/** Counted from 1: `Q3`. */
export const queryNumber = (name: QueryName): number => QUERY_NAMES.indexOf(name) + 1;

export interface ReportQuery {
  readonly name: QueryName;
  readonly title: string;
  readonly command: string;
}

/** Every query of a report over its window. */
export const queriesOf = ({ week, from, to }: Pick<WindowInput, 'week' | 'from' | 'to'>): readonly ReportQuery[] => {
  const window = `--from ${short(isoTime(from))} --to ${short(isoTime(to))}`;
  const at = `--at ${short(isoTime(to))}`;
  return [
    { name: 'posture', title: 'Controls by state at the end of the week', command: `vigil controls list ${at}` },
    { name: 'incidents', title: 'Incidents that touch the week', command: `vigil query '' --in incidents ${window}` },
    {
      name: 'clocks',
      title: 'Steps of each incident with their times',
      command: `vigil query 'moves.at >= ${from}' --in incidents ${window} --json`,
    },
    {
      name: 'alerts',
      title: 'Alerts whose first event lies in the week',
      command: `vigil query 'first >= ${from} and first < ${to}' --in alerts --by level --from ${short(isoTime(from))}`,
    },
    { name: 'scores', title: 'Scores with their shares', command: `vigil explain score ID ${at}` },
    { name: 'checks', title: 'Answers of the checks', command: `vigil query 'event.dataset: posture' ${window} --by event.outcome` },
    { name: 'files', title: 'Changes of watched files', command: `vigil query 'event.dataset: fim' ${window} --by event.action` },
    { name: 'records', title: 'Records heard, by host', command: `vigil query 'not event.dataset: vigil' ${window} --by host.name` },
    { name: 'losses', title: 'What Vigil noticed of itself', command: `vigil query 'event.dataset: vigil' ${window} --by event.action` },
    { name: 'rules', title: 'Which rules can fire here', command: 'vigil rules coverage rules' },
    { name: 'risks', title: 'Risks, assessed and indicated', command: `vigil explain risk R-01 ${at}` },
    { name: 'controls', title: 'Controls whose state changed', command: `vigil report weekly --week ${week} --format json` },
  ];
};

/** Without the milliseconds, which are zero at midnight. */
const short = (iso: string): string => iso.replace('.000Z', 'Z');
