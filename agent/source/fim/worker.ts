// SPDX-License-Identifier: Apache-2.0
/**
 * Entry of the worker thread: opens the baseline, does jobs one after another, ends when told. It lives only while there is something to look at.
 * Input: settings, jobs, what was sealed. Output: facts in chunks, folders to watch, figures. Everything here blocks, which is quickest.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { systemClock } from '../../../core/clock.ts';
import { toError } from '../../../core/errors.ts';
import { type Baseline, isBroken, openBaseline, setAside } from './baseline.ts';
import { runJob } from './job.ts';
import { makeOutbox, Stopped } from './outbox.ts';
import type { FimWorkerData, FromFimWorker } from './protocol.ts';

const data = workerData as FimWorkerData;
const port = parentPort!;
const post = (message: FromFimWorker): void => port.postMessage(message);
let baseline: Baseline | undefined;

try {
  baseline = openBaseline(data.file);
  const open = baseline;
  const outbox = makeOutbox({ port, gate: new Int32Array(data.gate), baseline: () => open, now: () => systemClock.now() });
  for (let job = outbox.nextJob(); job; job = outbox.nextJob())
    post({ kind: 'done', ...runJob(data, job, open, outbox, systemClock, post) });
} catch (error) {
  if (isBroken(error)) {
    baseline?.close();
    baseline = undefined;
    setAside(data.file);
    post({ kind: 'broken', reason: toError(error).message });
  } else if (!(error instanceof Stopped)) throw error;
} finally {
  baseline?.close();
}
