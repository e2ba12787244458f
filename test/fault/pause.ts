// SPDX-License-Identifier: Apache-2.0
/**
 * A pause in a run of faults: chance decides where a kill falls, so nothing can be waited for.
 * Input: milliseconds. Output: later.
 */
export const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
