// SPDX-License-Identifier: Apache-2.0
/**
 * Who asked for what they may not, in the audit trail: the first of a kind at once, its repeats as a count a minute later,
 * so that nobody fills the trail by being refused.
 * Input: the coded refusal of a request. Output: entries `request` of phase `refused`.
 */
import type { Clock } from '../../core/clock.ts';
import { type CodedError, toError } from '../../core/errors.ts';
import type { Log } from '../../core/log.ts';
import type { AuditTrail } from '../model/audit.ts';
import type { Actor } from '../model/permission.ts';

/** What was asked, as the server saw it. */
export interface Asked {
  readonly actor: Actor | null;
  /** A cookie or token came along, whether it was known or not. */
  readonly withCredentials: boolean;
  readonly method: string;
  /** The route's pattern, e.g. `/api/v1/alerts/:id`. */
  readonly route: string;
  readonly path: string;
  readonly from: string;
}

export interface Refusals {
  /** Takes a refusal; those that are nobody's attempt (a typo in an id, a page before sign-in) are not kept. */
  note(error: CodedError, asked: Asked): void;
  /** Writes the counts that are still open. */
  close(): Promise<void>;
}

/** Repeats of one kind within so long are one count. */
const FOLD_MS = 60_000;
/** Kinds kept apart at a time; whatever is more is counted as one kind. */
const MAX_KINDS = 200;

const NOBODY: Actor = { kind: 'user', id: '', name: 'not signed in', role: 'auditor' };

interface Kind {
  readonly entry: Parameters<AuditTrail['refused']>[0];
  /** Monotonic ms of its first. */
  readonly since: number;
  more: number;
}

export const openRefusals = (parts: {
  readonly audit: Pick<AuditTrail, 'refused'>;
  readonly clock: Clock;
  readonly log: Log;
}): Refusals => {
  const { audit, clock, log } = parts;
  const kinds = new Map<string, Kind>();
  let writing: Promise<unknown> = Promise.resolve();
  const write = (entry: Kind['entry']): void => {
    writing = writing
      .then(() => audit.refused(entry))
      .catch((error: unknown) => log.error({ event: 'audit.unwritten', err: toError(error) }, 'A refusal is not in the audit trail'));
  };
  const fold = (isDue: (kind: Kind) => boolean): void => {
    for (const [key, kind] of kinds) {
      if (!isDue(kind)) continue;
      kinds.delete(key);
      if (kind.more > 0) write({ ...kind.entry, details: { ...kind.entry.details, times: kind.more } });
    }
  };
  const timer = setInterval(() => fold(({ since }) => clock.monotonic() - since >= FOLD_MS), FOLD_MS / 4);
  timer.unref();
  return {
    note: (error, asked) => {
      if (!isAttempt(error, asked)) return;
      const key = `${asked.actor?.id ?? asked.from} ${asked.method} ${asked.route} ${error.code}`;
      const known = kinds.get(key) ?? (kinds.size >= MAX_KINDS ? kinds.get('') : undefined);
      if (known) {
        known.more += 1;
        return;
      }
      const full = kinds.size >= MAX_KINDS;
      const entry = full ? REST : entryOf(error, asked);
      kinds.set(full ? '' : key, { entry, since: clock.monotonic(), more: full ? 1 : 0 });
      if (!full) write(entry);
    },
    close: async () => {
      clearInterval(timer);
      fold(() => true);
      await writing;
    },
  };
};

const REST: Kind['entry'] = { actor: NOBODY, act: 'request', on: 'requests of more kinds than are kept apart', details: {} };

// A wrong id of somebody who may is a mistake when it is looked at, and an attempt when something is to be changed.
const isAttempt = ({ code, status }: CodedError, { actor, withCredentials, method }: Asked): boolean =>
  (status === 403 && code !== 'PASSWORD_MUST_CHANGE') ||
  (code === 'NOT_SIGNED_IN' && withCredentials) ||
  (status === 404 && actor !== null && method !== 'GET' && method !== 'HEAD');

const entryOf = ({ code, details }: CodedError, { actor, method, route, path, from }: Asked): Kind['entry'] => ({
  actor: actor ?? NOBODY,
  act: 'request',
  on: path.replace(/[^\w./:@-]/g, '?').slice(0, 200),
  from,
  details: { code, method, route, ...permissionIn(details) },
});

const permissionIn = ({ permission }: CodedError['details']): { readonly permission?: string } =>
  typeof permission === 'string' ? { permission } : {};
