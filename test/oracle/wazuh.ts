// SPDX-License-Identifier: Apache-2.0
/**
 * Wazuh's rule test lines of Linux hosts as a regression net for the decoders; what is raised on them is scored with the rules.
 * Input: `wazuh-4.14/cases.jsonl`. Output: share of lines understood wholly, in part, and not.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { decodeOne } from './decode.ts';

const MARK = { understood: 0.6 } as const;

interface Case {
  readonly id: string;
  readonly file: string;
  readonly linux_host: boolean;
  readonly line: string;
}

/** Runs the net on a data folder. */
export const run = async (dataDir: string) => {
  const text = await readFile(join(dataDir, 'wazuh-4.14', 'cases.jsonl'), 'utf8');
  const cases = text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Case)
    .filter((test) => test.linux_host);
  const outcomes = { ok: 0, partial: 0, failed: 0 };
  const missed: Record<string, number> = {};
  for (const test of cases) {
    const outcome = (await decodeOne(test.line, 'auto', 'UTC'))['vigil.decode'] as keyof typeof outcomes;
    outcomes[outcome] += 1;
    if (outcome !== 'ok') missed[test.file] = (missed[test.file] ?? 0) + 1;
  }
  const understood = Math.round((outcomes.ok / cases.length) * 10_000) / 10_000;
  return {
    protocol: 'wazuh-decode',
    cases: cases.length,
    ...outcomes,
    understood,
    mark: MARK,
    holds: understood >= MARK.understood,
    misses: missed,
  };
};
