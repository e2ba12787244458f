// SPDX-License-Identifier: Apache-2.0
/**
 * Memory that a process freed and that the C library keeps for itself goes back to the system.
 * Input: nothing. Output: whether something could be done. Decision 0019.
 */

type Trim = (padBytes: bigint) => number;

/**
 * Gives whole pages of freed memory back to the system, wherever in the heap they lie: glibc does that by itself only at the heap's end.
 * For a process that rests: 10 ms where 100 MB are kept, nothing where none is. False where the runtime or the C library cannot do it.
 */
export const trimHeap = (): boolean => {
  trim ??= find();
  try {
    return trim(0n) === 1;
  } catch {
    // The module is experimental: one that wants to be called otherwise is done without.
    trim = none;
    return false;
  }
};

let trim: Trim | undefined;
const none: Trim = () => 0;

const find = (): Trim => {
  // The size it takes is said in 64 bits.
  if (process.platform !== 'linux' || !['x64', 'arm64'].includes(process.arch)) return none;
  const { emitWarning } = process;
  // Node says once a process that this module may change: what it gives is looked at here, and done without where it is not there.
  process.emitWarning = () => {};
  try {
    const foreign = process.getBuiltinModule('node:ffi') as typeof import('node:ffi') | undefined;
    return foreign?.dlopen('libc.so.6', { malloc_trim: { arguments: ['u64'], return: 'i32' } }).functions.malloc_trim ?? none;
  } catch {
    return none;
  } finally {
    process.emitWarning = emitWarning;
  }
};
