// SPDX-License-Identifier: Apache-2.0
/**
 * Section 4: vulnerabilities. Matching packages with advisories is not built, so the section says that and what is known instead.
 * Input: packages of the inventory. Output: a hatched section. Pure.
 */
import { hatch, type Section } from '../document.ts';
import { count, many } from '../words.ts';

export interface VulnerabilityFigures {
  readonly matched: 0;
  readonly packages: number;
  readonly hosts: number;
}

export const vulnerabilitySection = ({ packages, hosts }: VulnerabilityFigures): Section => ({
  n: 4,
  title: 'Vulnerabilities',
  coverage: [packages === 0 ? 'no package inventoried' : `0 of ${count(packages)} packages matched`],
  takeaway: 'Not measured: nothing here says that a host is free of known vulnerabilities.',
  blocks: [
    hatch(
      packages === 0
        ? 'No agent has sent a list of packages, and packages are not matched with advisories yet.'
        : `${many(packages, 'package')} on ${many(hosts, 'host')} are known with their versions, and are not matched with advisories yet. The list is complete for the day they are.`,
    ),
  ],
});
