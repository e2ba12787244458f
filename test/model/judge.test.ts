// SPDX-License-Identifier: Apache-2.0
/** Signals in any order, pages twice, crashes inside commits: the live alerts are the same (S3, S5, S6, C1, C3). */
import { expect, it } from 'vitest';
import { runJudge } from './judge.ts';

it('live alerts agree however signals arrive, whatever is killed and repeated', { timeout: 120_000 }, () => {
  for (let seed = 1; seed <= 400; seed++) expect(runJudge(seed), `seed ${seed}`).toEqual([]);
});
