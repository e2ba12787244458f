// SPDX-License-Identifier: Apache-2.0
/**
 * Sections that have no data yet: what is not measured, and what would measure it.
 * Input: nothing. Output: hatched sections. Pure.
 */
import { hatch, type Section } from '../document.ts';

export const entitySection = (): Section => ({
  n: 3,
  title: 'Entities',
  coverage: ['0 entities scored'],
  takeaway: 'No entity is scored.',
  blocks: [hatch('No score has been computed for this week, so hosts cannot be put in an order by Threat or Exposure.')],
});

export const riskSection = (): Section => ({
  n: 7,
  title: 'Risks',
  coverage: ['0 risks indicated'],
  takeaway: 'No risk is in the register.',
  blocks: [hatch('There is no register of risks here, so none can be said to be within tolerance.')],
});

export const complianceSection = (): Section => ({
  n: 8,
  title: 'Compliance',
  coverage: ['0 controls measured'],
  takeaway: 'No control is measured.',
  blocks: [hatch('No catalogue is loaded, so no requirement can be said to be met.')],
});
