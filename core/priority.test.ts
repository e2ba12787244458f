// SPDX-License-Identifier: Apache-2.0
/**
 * Standing back: one thread only, and never beyond what the system knows.
 * Input: a worker. Output: claims.
 */
import { getPriority } from 'node:os';
import { Worker } from 'node:worker_threads';
import { expect, test } from 'vitest';

test.runIf(process.platform === 'linux')('a thread stands back by itself: who started it goes on as before', async () => {
  const before = getPriority();
  const worker = new Worker(
    `const { parentPort } = require('node:worker_threads');
     const { getPriority } = require('node:os');
     import(${JSON.stringify(new URL('./priority.ts', import.meta.url).href)}).then(({ standBack }) => {
       standBack(3);
       const once = getPriority();
       standBack(100);
       parentPort.postMessage([once, getPriority()]);
     });`,
    { eval: true },
  );
  const seen = await new Promise((resolve, reject) => {
    worker.once('message', resolve);
    worker.once('error', reject);
  });
  expect(seen).toEqual([Math.min(19, before + 3), 19]);
  expect(getPriority()).toBe(before);
});
