// SPDX-License-Identifier: Apache-2.0
/**
 * Asks systeminformation for the machine's memory in a thread that ends at once: the library would otherwise stay in the agent's memory for good.
 * Input: nothing. Output: one message; on Linux the library reads /proc/meminfo for it and starts no process.
 */
import { type MessagePort, parentPort } from 'node:worker_threads';
import { mem } from 'systeminformation';

const { total, swaptotal } = await mem();
(parentPort as MessagePort).postMessage({ memory: total, swap: swaptotal } satisfies FromHardware);

export interface FromHardware {
  /** Bytes. */
  readonly memory: number;
  readonly swap: number;
}
