// SPDX-License-Identifier: Apache-2.0
/**
 * Tests on whole machines run one after another; the first run of each makes its disk, which takes minutes.
 * Input: test/vm. Output: a vitest run.
 */
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/vm/**/*.test.ts'],
    root: '.',
    pool: 'forks',
    maxWorkers: 1,
    fileParallelism: false,
    testTimeout: 400_000,
    hookTimeout: 900_000,
  },
});
