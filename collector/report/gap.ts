// SPDX-License-Identifier: Apache-2.0
/**
 * What the report could not see, what it could change, and how to close it: one rule a row.
 * Input: the week's figures. Output: rows of section 10. Pure.
 */
import type { Gap } from './section/method.ts';
import type { WeeklyFigures } from './weekly.ts';
import { capital, count, listed, many, spelt, type Times } from './words.ts';

export const gapsOf = (figures: WeeklyFigures, times: Times): readonly Gap[] => {
  const { coverage, settings } = figures;
  const unseen = coverage.hosts.filter(({ records }) => records === 0).map(({ name }) => name);
  const partial = coverage.hosts.filter(({ records, hours }) => records > 0 && hours < coverage.hours);
  const gap = (when: boolean, what: string, changes: string, remedy: string): readonly Gap[] => (when ? [{ what, changes, remedy }] : []);
  return [
    ...gap(coverage.expected === 0, 'Every host: none is expected', 'Everything', 'Enrol a host: `vigil agent token create`'),
    ...gap(
      unseen.length > 0,
      `${listed(unseen)}: no record in the week`,
      'Sections 2 to 6',
      'Start the agent, or retire the host with a reason',
    ),
    ...gap(
      partial.length > 0,
      `${many(partial.length, 'host')} heard in part of the week, least ${partial.at(-1)?.name ?? ''} with ${count(Math.min(...partial.map(({ hours }) => hours), coverage.hours))} of ${count(coverage.hours)} h`,
      'Section 2',
      'A quiet host is normal; a silent one is named in section 6',
    ),
    ...gap(
      coverage.lost > 0,
      `${many(coverage.lost, 'record')} declared lost, first ${coverage.losses[0] === undefined ? '' : times.moment(coverage.losses[0].at)}`,
      'Section 2',
      'Not recoverable; the notice says where',
    ),
    ...gap(
      coverage.unreadable.length > 0,
      `${many(coverage.unreadable.length, 'source')} an agent may not read`,
      'Section 2',
      '`vigil-agent plan` on the host prints the command that allows it',
    ),
    ...gap(
      coverage.rules.blind.length > 0,
      `${many(coverage.rules.blind.length, 'rule')} that cannot fire on any decoder`,
      'Section 2',
      '`vigil rules coverage rules` names the missing fields',
    ),
    ...gap(
      (coverage.rules.live ?? 1) < coverage.rules.of && coverage.rules.silent > 0,
      `${capital(spelt(coverage.rules.silent))} rules whose source was not heard`,
      'Section 2',
      'Read the source on a host, or leave the rule asleep',
    ),
    ...gap(
      settings.all.unknown > 0,
      `${many(settings.all.unknown, 'answer')} of checks that are missing or stale`,
      'Sections 5 and 8',
      'Start the agent; each answer says how long it holds',
    ),
    ...gap(true, 'Known vulnerabilities of packages', 'Sections 3 and 7', 'Advisories are not matched yet'),
    ...gap(true, 'People, training, backups and exercises', 'Sections 7 and 8', 'Not kept here yet'),
  ];
};
