// SPDX-License-Identifier: Apache-2.0
/**
 * Protocol P7: the 351 rules that a Linux host can feed load without a warning.
 * Input: `sigma-linux-rules` of the test data. Output: loaded, refused, warnings, and the time it took.
 */
import { join } from 'node:path';
import { readRuleFolders } from '../../collector/detect/folder.ts';
import { compileRuleSet } from '../../collector/detect/ruleset.ts';

const MARK = { loaded: 351, refused: 0, warnings: 0, unindexed: 0 } as const;

/** Runs the protocol on a data folder. */
export const run = async (dataDir: string) => {
  const files = await readRuleFolders([join(dataDir, 'sigma-linux-rules')]);
  const start = performance.now();
  const ruleset = compileRuleSet(files);
  const seconds = Number(((performance.now() - start) / 1000).toFixed(3));
  const { loaded, refused } = ruleset;
  const warnings = ruleset.findings.filter((f) => f.outcome === 'warning').length;
  const unindexed = ruleset.events.filter((rule) => !rule.witness).length;
  const holds = loaded === MARK.loaded && refused === 0 && warnings === 0 && unindexed === 0;
  return { protocol: 'sigma-linux-rules', files: files.length, loaded, refused, warnings, unindexed, seconds, mark: MARK, holds };
};
