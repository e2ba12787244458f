// SPDX-License-Identifier: Apache-2.0
/**
 * Has a report made by a thread of its own.
 * Input: `RevisionWork`. Output: the revision, null where nothing changed, or the thread's error.
 */
import { Worker } from 'node:worker_threads';
import type { MadeRevision, RevisionWork } from './revision.ts';

/** What a thread may hold, in MB: the inputs of a large fleet several times over. */
const HEAP_MB = 1_024;

export const makeInThread = (work: RevisionWork): Promise<MadeRevision | null> =>
  new Promise((resolve, reject) => {
    const worker = new Worker(new URL('./worker.ts', import.meta.url), {
      workerData: work,
      resourceLimits: { maxOldGenerationSizeMb: HEAP_MB },
    });
    worker.once('message', resolve);
    worker.once('error', reject);
    worker.once('exit', (code) => reject(new Error(`the thread that makes reports ended with ${code}`)));
  });
