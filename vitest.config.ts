// SPDX-License-Identifier: Apache-2.0
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: [
      'core/**/*.test.ts',
      'agent/**/*.test.ts',
      'collector/**/*.test.ts',
      'demo/**/*.test.ts',
      'test/*.test.ts',
      'test/{contract,property,model,hostile}/**/*.test.ts',
    ],
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: 30_000,
    hookTimeout: 30_000,
  },
});
