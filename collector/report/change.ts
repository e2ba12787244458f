// SPDX-License-Identifier: Apache-2.0
/**
 * What late facts changed: figures of two revisions side by side, as short sentences.
 * Input: the figures before and after. Output: one sentence a change; none means that a revision is not worth making. Pure.
 */
import type { WeeklyFigures } from './weekly.ts';
import { count } from './words.ts';

type Watched = readonly [what: string, of: (figures: WeeklyFigures) => number | null];

const WATCHED: readonly Watched[] = [
  ['incidents opened', ({ incidents }) => incidents.opened],
  ['incidents open at the end', ({ incidents }) => incidents.open],
  ['alerts', ({ incidents }) => incidents.alerts],
  ['alerts open at the end', ({ incidents }) => incidents.alertsOpen],
  ['clocks met', ({ incidents }) => incidents.steps.reduce((sum, { met }) => sum + met, 0)],
  ['clocks due', ({ incidents }) => incidents.steps.reduce((sum, { due }) => sum + due, 0)],
  ['records heard', ({ coverage }) => coverage.records],
  ['records not understood', ({ coverage }) => coverage.failed],
  ['records lost', ({ coverage }) => coverage.lost],
  ['hosts heard', ({ coverage }) => coverage.heard],
  ['checks that pass', ({ settings }) => settings.all.pass],
  ['checks that fail', ({ settings }) => settings.all.fail],
  ['checks not known', ({ settings }) => settings.all.unknown],
  ['controls satisfied', ({ controls }) => controls.now.satisfied],
  ['controls not satisfied', ({ controls }) => controls.now.failing],
  ['highest threat', ({ entities }) => entities.hosts[0]?.threat ?? null],
  ['risks above tolerance', ({ risks }) => risks.above],
  ['unexplained file changes', ({ files }) => files.unexplained],
];

export const changesBetween = (before: WeeklyFigures, after: WeeklyFigures): readonly string[] =>
  WATCHED.flatMap(([what, of]) => {
    const [was, is] = [of(before), of(after)];
    return was === is ? [] : [`${what} from ${was === null ? 'not known' : count(was)} to ${is === null ? 'not known' : count(is)}`];
  });
