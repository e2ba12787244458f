// SPDX-License-Identifier: Apache-2.0
/**
 * The checks of our own policies as the story's hosts answer them.
 * Input: rules/posture. Output: what an answer needs, in the order of files and checks.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fixText } from '../core/fix.ts';
import { parsePolicy } from '../core/policy.ts';
import type { StoryCheck } from './story/facts.ts';

/** @throws CodedError of a policy that cannot be read. */
export const storyChecks = (dir: string): readonly StoryCheck[] =>
  readdirSync(dir)
    .filter((name) => name.endsWith('.yml'))
    .sort()
    .flatMap((name) => {
      const policy = parsePolicy(readFileSync(join(dir, name), 'utf8'), name);
      return policy.checks.map(({ id, title, severity, expected, fix }) => ({
        id,
        policy: policy.id,
        title,
        severity,
        expected,
        fix: fixText(fix, []),
      }));
    });
