// SPDX-License-Identifier: Apache-2.0
/**
 * Section 10: how every figure was made, what could change them, and how to check it without trusting anyone.
 * Input: the inputs' bounds, what the other sections could not see. Output: definitions, queries, gaps, hashes. Pure.
 */
import { isoTime } from '../../../core/units.ts';
import { end, mono, note, type Section, strong, table, ticked, wide } from '../document.ts';
import type { ReportInputs } from '../inputs.ts';
import { queriesOf } from '../query.ts';
import { type Times, target } from '../words.ts';

export interface Gap {
  readonly what: string;
  readonly changes: string;
  readonly remedy: string;
}

/** Hashes of what the figures were made from, and of the figures; who signs them. */
export interface Seal {
  readonly inputs: string;
  readonly figures: string;
  readonly key: string;
}

export const methodSection = (inputs: ReportInputs, gaps: readonly Gap[], seal: Seal, times: Times): Section => {
  const { now, zone, moment, method, targets } = inputs;
  const levels = ['critical', 'high', 'medium', 'low'] as const;
  return {
    n: 10,
    title: 'Method',
    coverage: ['for the reader who recomputes', `method ${method}`],
    takeaway:
      'Every figure is computed from records that are kept, and every sentence from the figures. Nothing here was typed by a person.',
    blocks: [
      { kind: 'queries', of: queriesOf(now) },
      ...(gaps.length === 0
        ? []
        : [
            table(
              [wide('What we could not see'), wide('It could change'), wide('How to close it')],
              gaps.map(({ what, changes, remedy }) => [what, changes, ticked(remedy)]),
            ),
          ]),
      note(
        strong('Window '),
        `${isoTime(now.from)} to ${isoTime(now.to)} by event time, days of ${zone}. `,
        strong('As of '),
        `${times.moment(moment.at)}: hosts, sources and rules are known only as they stand, so they are taken when the report is first made and kept by its revisions. `,
        strong('Satisfied '),
        'all supporting checks pass or are excepted. ',
        strong('Measured '),
        'at least one supporting check was answered and is in date. ',
        strong('Unknown '),
        'not measured or stale; never counted as good. ',
        strong('Detect, acknowledge, contain, resolve '),
        'from the first event; then each from detection, to the first step a person took, to containment, to recovery. ',
        strong('p90 '),
        'nearest rank. ',
        strong('Rounding '),
        'half up; never 100 when one is missing; shares by largest remainder.',
      ),
      {
        kind: 'pair',
        of: [
          table(
            ['Target, plain hours', ...levels.map((level) => end(level.slice(0, 1).toUpperCase() + level.slice(1)))],
            (['acknowledge', 'contain', 'resolve'] as const).map((step) => [
              step.slice(0, 1).toUpperCase() + step.slice(1),
              ...levels.map((level) => (targets[step][level] === null ? 'none' : target(targets[step][level]))),
            ]),
          ),
          table(
            ['Seal', wide('SHA-256')],
            [
              ['Inputs', [mono(grouped(seal.inputs))]],
              ['Figures', [mono(grouped(seal.figures))]],
              ['Key that signs', [mono(grouped(seal.key))]],
            ],
          ),
        ],
      },
      note(
        'To check it without a network: ',
        mono(`vigil report weekly --week ${now.week} --format json --out report.json`),
        ', then ',
        mono('vigil verify report.json'),
        '. It computes every figure again from the inputs. A later fact makes another revision that says what changed.',
      ),
      { kind: 'signatures', of: ['Security', 'Management', 'Auditor'] },
    ],
  };
};

const grouped = (hash: string): string => (hash.match(/.{1,8}/g) ?? []).join(' ');
