// SPDX-License-Identifier: Apache-2.0
/**
 * Decisions that wait for a person: one rule a kind, each with whose it is and by when.
 * Input: the week's figures. Output: rows of the first page, most urgent first, at most seven. Pure.
 */
import { unixMs } from '../../core/units.ts';
import { levelRank } from '../model/rule.ts';
import type { Decision } from './document.ts';
import type { ReportInputs } from './inputs.ts';
import { riskName } from './section/risks.ts';
import type { WeeklyFigures } from './weekly.ts';
import { capital, count, listed, many, span, type Times } from './words.ts';

const DAY_MS = 86_400_000;
const MOST = 7;
/** Waivers that end this soon are worth a decision. */
const SOON_MS = 14 * DAY_MS;

interface Ranked extends Decision {
  readonly due: number;
}

export const decisionsOf = (inputs: ReportInputs, figures: WeeklyFigures, times: Times): readonly Decision[] => {
  const { to } = inputs.now;
  const by = (at: number): Pick<Ranked, 'by' | 'due'> => ({ by: times.day(unixMs(at)), due: at });
  const incidents = figures.incidents.incidents
    .filter(({ open, owner, acknowledged }) => open && (owner === null || !acknowledged))
    .sort((a, b) => levelRank(b.severity) - levelRank(a.severity) || a.number - b.number)
    .map((one): Ranked => {
      const clock = one.clocks.find(({ step }) => step === 'acknowledge');
      const over = clock?.met === false && clock.running ? `, ${span((clock.spanMs ?? 0) - (clock.targetMs ?? 0))} over its target` : '';
      return {
        text: `Take INC-${one.number}, or dismiss it with a reason`,
        who: 'nobody yet',
        why: `${capital(one.severity)}${over}`,
        ...by(to + DAY_MS),
      };
    });
  const { coverage, settings } = figures;
  const mute = coverage.hosts
    .filter(({ records, standing }) => records === 0 && standing !== 'silent' && standing !== 'planned-off')
    .map(({ name }) => name);
  const above = figures.risks.risks.filter((one) => one.above);
  const rest: readonly Ranked[] = [
    ...(coverage.expected === 0
      ? [
          {
            text: 'Enrol the first host, so that there is something to report',
            who: 'nobody yet',
            why: 'nothing is measured',
            ...by(to + DAY_MS),
          },
        ]
      : []),
    ...(coverage.silent.length > 0
      ? [
          {
            text: `Bring ${listed(coverage.silent)} back, or retire ${coverage.silent.length === 1 ? 'it' : 'them'} with a reason`,
            who: 'nobody yet',
            why: 'silent',
            ...by(to + 2 * DAY_MS),
          },
        ]
      : []),
    ...(mute.length > 0
      ? [{ text: `Find out why ${listed(mute)} sent nothing all week`, who: 'nobody yet', why: 'not heard', ...by(to + 2 * DAY_MS) }]
      : []),
    ...(above.length > 0
      ? [
          {
            text: `Assess ${listed(above.map(riskName), 4)}, or bring ${above.length === 1 ? 'it' : 'them'} down`,
            who: 'nobody yet',
            why: 'above tolerance',
            ...by(to + 4 * DAY_MS),
          },
        ]
      : []),
    ...settings.waivers
      .filter(({ until }) => until - to < SOON_MS)
      .map(({ title, name, owner, until }) => ({
        text: `Renew or end the exception of “${title}” on ${name}`,
        who: owner === '' ? 'nobody yet' : owner,
        why: 'lapses by itself',
        ...by(until),
      })),
    ...(coverage.rules.refused.length > 0
      ? [
          {
            text: `Mend ${many(coverage.rules.refused.length, 'rule')} that ${coverage.rules.refused.length === 1 ? 'is' : 'are'} not loaded`,
            who: 'nobody yet',
            why: 'cannot fire',
            ...by(to + 7 * DAY_MS),
          },
        ]
      : []),
    ...(figures.incidents.untouched > 0
      ? [
          {
            text: `Look at ${many(figures.incidents.untouched, 'alert')} that nobody has opened`,
            who: 'nobody yet',
            why: `of ${count(figures.incidents.alerts)} in the week`,
            ...by(to + 5 * DAY_MS),
          },
        ]
      : []),
    ...(coverage.unreadable.length > 0
      ? [
          {
            text: `Allow ${many(coverage.unreadable.length, 'source')} to be read, or accept not to see ${coverage.unreadable.length === 1 ? 'it' : 'them'}`,
            who: 'nobody yet',
            why: 'unseen',
            ...by(to + 7 * DAY_MS),
          },
        ]
      : []),
    ...(coverage.unmanaged.length > 0
      ? [
          {
            text: `Enrol or name ${listed(coverage.unmanaged)}`,
            who: 'nobody yet',
            why: 'seen only in others’ logs',
            ...by(to + 7 * DAY_MS),
          },
        ]
      : []),
  ];
  return [...incidents, ...[...rest].sort((a, b) => a.due - b.due)].slice(0, MOST).map(({ due: _, ...decision }) => decision);
};
