// SPDX-License-Identifier: Apache-2.0
/**
 * Protocol P7: the example rules, correlations and filters of the Sigma specification all load.
 * Input: `sigma-spec` of the test data. Output: loaded and refused, by kind.
 */
import { join } from 'node:path';
import { readRuleFolders } from '../../collector/detect/folder.ts';
import { compileRuleSet } from '../../collector/detect/ruleset.ts';

const MARK = { loaded: 12, refused: 0 } as const;

/** Runs the protocol on a data folder. */
export const run = async (dataDir: string) => {
  const ruleset = compileRuleSet(await readRuleFolders([join(dataDir, 'sigma-spec', 'tests')]));
  const { loaded, refused } = ruleset;
  const correlations = ruleset.correlations.length;
  const rules = ruleset.events.length;
  const filters = loaded - rules - correlations;
  return {
    protocol: 'sigma-spec',
    loaded,
    refused,
    rules,
    correlations,
    filters,
    mark: MARK,
    holds: loaded === MARK.loaded && refused === MARK.refused,
  };
};
