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
  /** The collector refuses the identity: its clock, or a certificate that ran out. Renewed now, the second time in a row only after a while. */
  refused(): void;
  /** The collector takes it. */
  taken(): void;
  run(signal: AbortSignal): Promise<void>;
}

const LOOK_MS = 60_000;
/** Renewals that refusals ask for, one after the other. */
const REFUSED_BACKOFF = { baseMs: 10_000, capMs: 1_800_000 };
const BACKOFF = { baseMs: 60_000, capMs: 1_800_000 };

export const openRenewal = (options: RenewalOptions): Renewal => {
  const { clock, log } = options;
  let failure: string | undefined;
  let hurry = Promise.withResolvers<void>();
  let asked = false;
  let hurried = 0;
  let hurriedAt = Number.NEGATIVE_INFINITY;
  return {
    refused: () => {
      if (clock.monotonic() - hurriedAt < (hurried === 0 ? 0 : retryDelay(hurried, 1, REFUSED_BACKOFF))) return;
      hurried += 1;
      hurriedAt = clock.monotonic();
      asked = true;
      hurry.resolve();
    },
    taken: () => {
      hurried = 0;
    },
    get failure() {
      return failure;
    },
    run: async (signal) => {
      let since = clock.monotonic();
      let failures = 0;
      while (!signal.aborted) {
        const identity = options.identity();
        // A wall clock that was set back must not put off a renewal for ever.
        const due = asked || clock.now() >= renewalDue(identity) || clock.monotonic() - since >= identity.renewAfterMs;
        let wait = LOOK_MS;
        if (due) {
          asked = false;
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
        hurry = Promise.withResolvers<void>();
        if (!asked) await Promise.race([hurry.promise, clock.sleep(ms(wait), signal)]);
      }
    },
  };
};
