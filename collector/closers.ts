// SPDX-License-Identifier: Apache-2.0
/**
 * What was opened, to be closed again in the opposite order, whatever of it fails.
 * Input: closers in the order of opening. Output: one `close`.
 */
import { toError } from '../core/errors.ts';
import type { Log } from '../core/log.ts';

export interface Closers {
  push(...closers: readonly (() => unknown)[]): void;
  /** For `.then` of an opening: the part is closed with the others, also when another part failed meanwhile. */
  opened<T>(closer: (part: T) => unknown): (part: T) => T;
  close(): Promise<void>;
}

export const makeClosers = (log: Log): Closers => {
  const all: (() => unknown)[] = [];
  return {
    push: (...closers) => void all.push(...closers),
    opened: (closer) => (part) => {
      all.push(() => closer(part));
      return part;
    },
    close: async () => {
      for (const closer of all.reverse().splice(0))
        await Promise.resolve()
          .then(closer)
          .catch((error: unknown) => log.error({ event: 'part.close-failed', err: toError(error) }, 'A part could not be closed'));
    },
  };
};
