// SPDX-License-Identifier: Apache-2.0
/**
 * Section 9: people and continuity. What Vigil does not measure yet is named, one surface each, so that silence is not read as good.
 * Input: nothing yet. Output: a hatched section. Pure.
 */
import { hatch, type Section } from '../document.ts';

const NOT_MEASURED: readonly string[] = [
  'Policies and their signatures are not kept here yet; who has signed what is not known.',
  'Training, access reviews and exercises are not kept here yet; what is overdue is not known.',
  'Backups are not followed yet: their lines are searchable, but the age of the newest good copy is not computed and no restore is tested.',
];

export const peopleSection = (): Section => ({
  n: 9,
  title: 'People and continuity',
  coverage: [`0 of ${NOT_MEASURED.length} parts measured`],
  takeaway: 'Not measured. Nothing in this report says that people are trained or that a backup can be restored.',
  blocks: NOT_MEASURED.map(hatch),
});
