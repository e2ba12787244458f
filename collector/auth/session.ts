// SPDX-License-Identifier: Apache-2.0
/**
 * Sessions on the server's side: the cookie holds 256 random bits, the store only their hash.
 * Input: a login, then the cookie's value on each request. Output: the user behind it, or null at once after a revocation.
 */
import { randomBytes } from 'node:crypto';
import type { Clock } from '../../core/clock.ts';
import { sha256 } from '../../core/hash.ts';
import type { UserId } from '../../core/ids.ts';
import { hours, type Ms, minutes, seconds, unixMs } from '../../core/units.ts';
import type { Session, User } from '../model/user.ts';
import type { StateStore } from '../store/store.ts';
import { everyWhere } from './lookup.ts';

export interface SessionOptions {
  /** Ends after so long without a request (8 h). */
  readonly idleMs?: Ms;
  /** Ends in any case (7 d). */
  readonly absoluteMs?: Ms;
  /** How long an answer may rest on memory alone; a revocation here is told at once, one on another collector within this. */
  readonly cacheMs?: Ms;
}

export interface LiveSession {
  readonly session: Session;
  readonly user: User;
}

export interface Sessions {
  /** Makes a session; the value goes into the cookie and is kept nowhere. */
  create(user: User, from: string): Promise<{ readonly value: string; readonly session: Session }>;
  /** The session behind a cookie's value, or null when it is unknown, ended, or its user may not come in. */
  find(value: string): Promise<LiveSession | null>;
  /** Ends one, by its id (the hash). */
  end(id: string): Promise<void>;
  /** Ends all of a user. Answers how many. */
  endAll(user: UserId): Promise<number>;
  list(user: UserId): Promise<readonly Session[]>;
  /** Removes the ended ones from the store. Answers how many. */
  sweep(): Promise<number>;
}

/** Id of the session a cookie's value stands for. */
export const sessionId = (value: string): string => sha256(value);

const VALUE = /^[A-Za-z0-9_-]{43}$/;
const MAX_CACHED = 10_000;
/** `lastUsed` is written at most so often. */
const TOUCH_MS = minutes(1);

export const openSessions = (state: StateStore, clock: Clock, options: SessionOptions = {}): Sessions => {
  const { idleMs = hours(8), absoluteMs = hours(7 * 24), cacheMs = seconds(5) } = options;
  const cache = new Map<string, { live: LiveSession; readAt: Ms }>();
  // Grows with every revocation: an answer read before one is not kept after it.
  let revocations = 0;

  const alive = ({ session, user }: LiveSession): boolean => {
    const now = clock.now();
    return !user.disabled && now < session.expiresAt && now - session.lastUsed < idleMs && session.createdAt >= user.passwordChangedAt;
  };

  const read = async (id: string): Promise<LiveSession | null> => {
    for (;;) {
      const seen = revocations;
      const session = await state.get('session', id);
      const user = session && (await state.get('user', session.value.user));
      if (seen !== revocations) continue;
      if (!session || !user) return null;
      const live = { session: session.value, user: user.value };
      if (cache.size >= MAX_CACHED) cache.delete(cache.keys().next().value ?? '');
      cache.set(id, { live, readAt: clock.monotonic() });
      return live;
    }
  };

  const touch = async (id: string, live: LiveSession): Promise<LiveSession> => {
    const now = clock.now();
    if (now - live.session.lastUsed < TOUCH_MS) return live;
    const seen = revocations;
    const stored = await state.get('session', id);
    if (!stored || seen !== revocations) return live;
    const session = { ...stored.value, lastUsed: now };
    // A session ended meanwhile has no such version any more, so it cannot be brought back by this write.
    const written = await state.put('session', id, session, { ifVersion: stored.version }).then(
      () => true,
      () => false,
    );
    const next = { session, user: live.user };
    if (written && seen === revocations) cache.set(id, { live: next, readAt: clock.monotonic() });
    return next;
  };

  const drop = (belongs: (id: string, live: LiveSession) => boolean): void => {
    revocations += 1;
    for (const [id, { live }] of cache) if (belongs(id, live)) cache.delete(id);
  };

  const remove = async (ids: readonly string[]): Promise<void> => {
    for (const id of ids) await state.remove('session', id);
    const gone = new Set(ids);
    drop((id) => gone.has(id));
  };

  const list = async (user: UserId): Promise<readonly Session[]> => {
    const found = await everyWhere(state, 'session', 'user', user);
    return found.map(({ value }) => value).filter((session) => session.user === user);
  };

  return {
    create: async (user, from) => {
      const value = randomBytes(32).toString('base64url');
      const now = clock.now();
      const session: Session = {
        id: sessionId(value),
        user: user.id,
        // A clock set back must not make a session older than the password it was opened with.
        createdAt: unixMs(Math.max(now, user.passwordChangedAt)),
        lastUsed: now,
        expiresAt: unixMs(now + absoluteMs),
        from,
      };
      await state.put('session', session.id, session, { ifVersion: 0 });
      return { value, session };
    },
    find: async (value) => {
      if (!VALUE.test(value)) return null;
      const id = sessionId(value);
      const cached = cache.get(id);
      const fresh = cached && clock.monotonic() - cached.readAt < cacheMs ? cached.live : null;
      const live = fresh ?? (await read(id));
      if (!live || !alive(live)) return null;
      return touch(id, live);
    },
    end: (id) => {
      drop((key) => key === id);
      return remove([id]);
    },
    endAll: async (user) => {
      drop((_, live) => live.user.id === user);
      const ids = (await list(user)).map(({ id }) => id);
      await remove(ids);
      drop((_, live) => live.user.id === user);
      return ids.length;
    },
    list,
    sweep: async () => {
      const now = clock.now();
      const ended: string[] = [];
      let after: string | undefined;
      do {
        const page = await state.list('session', { limit: 1_000, ...(after === undefined ? {} : { after }) });
        for (const { id, value } of page.items) if (now >= value.expiresAt || now - value.lastUsed >= idleMs) ended.push(id);
        after = page.next ?? undefined;
      } while (after !== undefined);
      await remove(ended);
      return ended.length;
    },
  };
};
