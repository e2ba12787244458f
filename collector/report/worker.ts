// SPDX-License-Identifier: Apache-2.0
/**
 * The thread that makes one report and ends, so that nothing else waits for it.
 * Input: `RevisionWork` as workerData. Output: one message, the revision or null.
 */
import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import { makeRevision, type RevisionWork } from './revision.ts';

(parentPort as MessagePort).postMessage(makeRevision(workerData as RevisionWork));
