// SPDX-License-Identifier: Apache-2.0
/**
 * Makes the agent's package beside the main thread: reading, hashing and packing 150 MB would stop everything else for seconds.
 * Input: what the package is made of. Output: one message, the package or why there is none.
 */
import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import { isCoded, toError } from '../../../core/errors.ts';
import { type AgentPackage, makePackage, type PackageParts } from './archive.ts';

export type FromPackageWorker = { readonly package: AgentPackage } | { readonly reason: string };

const main = parentPort as MessagePort;
try {
  main.postMessage({ package: await makePackage(workerData as PackageParts) } satisfies FromPackageWorker);
} catch (error) {
  main.postMessage({ reason: isCoded(error) ? String(error.details['reason']) : toError(error).message } satisfies FromPackageWorker);
}
