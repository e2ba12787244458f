// SPDX-License-Identifier: Apache-2.0
/**
 * A large buffer that is used again and again while there is work, and that an idle process does not keep.
 * Input: its size. Output: the buffer, the same one until the engine looked for garbage while nobody held it.
 */

/**
 * A buffer of `sizeBytes`, with whatever its last user left in it. Who takes it holds it, or views of it, only until the work is done.
 * Only pages that were written cost memory: one made anew costs a call of the system, not its size.
 */
export const reusedBuffer = (sizeBytes: number): (() => Buffer) => {
  let held: WeakRef<Buffer> | undefined;
  return () => {
    const known = held?.deref();
    if (known) return known;
    const fresh = Buffer.allocUnsafeSlow(sizeBytes);
    held = new WeakRef(fresh);
    return fresh;
  };
};
