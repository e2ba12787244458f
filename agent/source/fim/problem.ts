// SPDX-License-Identifier: Apache-2.0
/**
 * What stands in the way of watching, each kind once with its count: a thousand unreadable files are one problem.
 * Input: what a walk met. Output: problems for plan, status and heartbeat.
 */
import type { SourceProblem } from '../source.ts';
import type { Root } from './entries.ts';
import type { WalkCounts } from './walk.ts';

export interface Met {
  readonly counts: WalkCounts;
  readonly denied: readonly string[];
  /** Roots that are links. */
  readonly links: readonly Root[];
  /** Roots that the configuration names and that are not there. */
  readonly missing: readonly Root[];
  readonly packages: SourceProblem | undefined;
  readonly maxItems: number;
}

export const problemsOf = ({ counts, denied, links, missing, packages, maxItems }: Met): readonly SourceProblem[] => [
  ...(counts.firstUnreadable === undefined
    ? []
    : [
        {
          code: 'FIM_UNREADABLE',
          about: counts.firstUnreadable,
          reason: counts.unreadable === 1 ? 'this agent may not read it' : `this agent may not read it, and ${counts.unreadable - 1} more`,
          hint: 'Give the agent CAP_DAC_READ_SEARCH; until then their attributes are watched, and their content is not.',
        },
      ]),
  ...denied.map((folder) => ({
    code: 'FIM_UNREADABLE',
    about: folder,
    reason: 'this agent may not list it',
    hint: 'Give the agent CAP_DAC_READ_SEARCH.',
  })),
  ...(counts.loops.length === 0
    ? []
    : [
        {
          code: 'FIM_LOOP',
          about: counts.loops[0]!,
          reason: `it leads back into a folder above it, or lies too deep${counts.loops.length === 1 ? '' : `, as do ${counts.loops.length - 1} more`}`,
          hint: 'See the mounts there; name it in fim.exclude where it is meant to be so.',
        },
      ]),
  ...(counts.limitReached
    ? [
        {
          code: 'FIM_LIMIT',
          about: `${maxItems} files`,
          reason: 'more than fim.files stand below the watched paths, and the rest is not watched',
          hint: 'Raise fim.files, or take paths out by fim.exclude.',
        },
      ]
    : []),
  ...links
    .filter(({ entry }) => entry.because !== 'usual')
    .map(({ path }) => ({
      code: 'FIM_LINK',
      about: path,
      reason: 'it is a link; where it points to is watched, what lies there is not',
      hint: 'Name the target itself in fim.paths.',
    })),
  ...missing.map(({ path }) => ({
    code: 'FIM_MISSING',
    about: path,
    reason: 'it is not there',
    hint: 'Check its spelling; it is looked for at each scan.',
  })),
  ...(packages ? [packages] : []),
];
