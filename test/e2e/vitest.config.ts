// SPDX-License-Identifier: Apache-2.0
/**
 * End-to-end tests run one after another: each has the machine's two cores for its own processes.
 * Input: test/e2e. Output: a vitest run.
 */
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/e2e/**/*.test.ts'],
    root: '.',
    pool: 'forks',
    maxWorkers: 1,
    fileParallelism: false,
    testTimeout: 60_000,
    hookTimeout: 120_000,
  },
});
