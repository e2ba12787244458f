// SPDX-License-Identifier: Apache-2.0
/**
 * `npm run test:e2e`: the real programs, real TLS, real disk, a real browser where Chromium is installed.
 * Input: names of files, or none for all. Output: vitest's report and `N passed, N failed, N skipped`.
 */
process.argv.splice(2, 0, '--config', 'test/e2e/vitest.config.ts');
await import('../support/test.ts');
