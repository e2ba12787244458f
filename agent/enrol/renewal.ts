// SPDX-License-Identifier: Apache-2.0
/**
 * Renews the identity when it is due, by wall clock or by the time that passed, whichever is sooner; failures are tried again.
 * Input: the identity of now. Output: the next one, durable before it is used (river.md I4).
 */
import { retryDelay } from '../../core/backoff.ts';
import type { Clock } from '../../core/clock.ts';
import { toError } from '../../core/errors.ts';
import type { Log } from '../../core/log.ts';
import { ms } from '../../core/units.ts';
import { renew } from './enrol.ts';
import { type Identity, renewalDue, writeIdentity } from './identity.ts';

export interface RenewalOptions {
  readonly dir: string;
  readonly clock: Clock;
  readonly log: Log;
  readonly identity: () => Identity;
  readonly onRenewed: (next: Identity) => void;
  /** Makes the renewal; a test gives its own. */
  readonly renewWith?: typeof renew;
}

export interface Renewal {
  /** Why the last attempt failed; undefined when it did not. */
  readonly failure: string | undefined;
  run(signal: AbortSignal): Promise<void>;
}

const LOOK_MS = 60_000;
const BACKOFF = { baseMs: 60_000, capMs: 1_800_000 };

export const openRenewal = (options: RenewalOptions): Renewal => {
  const { clock, log } = options;
  let failure: string | undefined;
  return {
    get failure() {
      return failure;
    },
    run: async (signal) => {
      let since = clock.monotonic();
      let failures = 0;
      while (!signal.aborted) {
        const identity = options.identity();
        // A wall clock that was set back must not put off a renewal for ever.
        const due = clock.now() >= renewalDue(identity) || clock.monotonic() - since >= identity.renewAfterMs;
        let wait = LOOK_MS;
        if (due) {
          try {
            const next = await (options.renewWith ?? renew)(identity, clock);
            writeIdentity(options.dir, next);
            options.onRenewed(next);
            since = clock.monotonic();
            failures = 0;
            failure = undefined;
            log.info({ event: 'identity.renewed', agent: next.agent }, 'The identity was renewed with a new key.');
          } catch (error) {
            failures += 1;
            failure = toError(error).message;
            wait = retryDelay(failures, Math.random(), BACKOFF) + 1_000;
            log.warn({ event: 'identity.renewal-failed', reason: failure }, 'The identity could not be renewed.');
          }
        }
        await clock.sleep(ms(wait), signal);
      }
    },
  };
};
