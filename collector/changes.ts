// SPDX-License-Identifier: Apache-2.0
/**
 * What changed, told within a second to whoever looks: kinds and ids, never the things themselves, which each reads with their own right.
 * Input: acts of people as they are written, pages as they are judged. Output: a stream of server-sent events; who lost the right to it is cut off.
 */
import { Type } from 'typebox';
import type { Clock } from '../core/clock.ts';
import { type Ms, ms } from '../core/units.ts';
import { permits } from './auth/permissions.ts';
import { closed, type StreamRoute, streamRoute } from './http/route.ts';
import type { Permission } from './model/permission.ts';
import type { Changed } from './pipeline.ts';
import type { Collection, StateStore } from './store/store.ts';

/** What is told of, and the right to hear it. */
const KINDS = {
  alert: 'alert.read',
  incident: 'incident.read',
  agent: 'fleet.read',
  user: 'user.read',
  risk: 'risk.read',
  report: 'report.read',
} as const satisfies Readonly<Record<string, Permission>>;
export type ChangeKind = keyof typeof KINDS;

const KIND_OF: Partial<Readonly<Record<Collection, ChangeKind>>> = {
  alertWork: 'alert',
  incidentWork: 'incident',
  agent: 'agent',
  enrolToken: 'agent',
  asset: 'agent',
  user: 'user',
  apiToken: 'user',
  risk: 'risk',
  report: 'report',
};

/** Writes of these can take somebody's right away. */
const ACCESS: ReadonlySet<Collection> = new Set(['session', 'user', 'apiToken']);

/** Changes within this are told as one. */
const GATHER_MS: Ms = ms(250);
/** More ids of a kind are not named: whoever hears it reads all anew. */
const IDS = 100;

export interface Changes {
  tell(kind: ChangeKind, ids: readonly string[]): void;
  judged(changed: Changed): void;
  /** The same store; what people write is told. */
  watch(store: StateStore): StateStore;
  /** Called when somebody may have lost a right. */
  onAccess(listener: () => void): void;
  readonly routes: readonly StreamRoute[];
}

type Told = Map<ChangeKind, Set<string>>;

export const openChanges = (clock: Clock): Changes => {
  const listeners = new Set<(told: Told) => void>();
  const access: (() => void)[] = [];
  let gathered: Told = new Map();
  let waits = false;
  const flush = async (): Promise<void> => {
    await clock.sleep(GATHER_MS);
    waits = false;
    const told = gathered;
    gathered = new Map();
    for (const listener of listeners) listener(told);
  };
  const tell = (kind: ChangeKind, ids: readonly string[]): void => {
    if (ids.length === 0 || listeners.size === 0) return;
    const known = gathered.get(kind) ?? new Set();
    for (const id of ids) if (known.size <= IDS) known.add(id);
    gathered.set(kind, known);
    if (waits) return;
    waits = true;
    void flush();
  };
  const wrote = (collection: Collection, id: string, value?: unknown): void => {
    const about = collection === 'comment' ? (value as { readonly about: string }).about : id;
    const kind = collection === 'comment' ? (about.startsWith('alr_') ? 'alert' : 'incident') : KIND_OF[collection];
    if (kind) tell(kind, [about]);
    if (ACCESS.has(collection)) for (const listener of access) listener();
  };
  return {
    tell,
    judged: ({ alerts, incidents }) => {
      tell('alert', alerts);
      tell('incident', incidents);
    },
    watch: (store) => ({
      ...store,
      put: async (collection, id, value, options) => {
        const version = await store.put(collection, id, value, options);
        wrote(collection, id, value);
        return version;
      },
      remove: async (collection, id) => {
        const removed = await store.remove(collection, id);
        if (removed) wrote(collection, id);
        return removed;
      },
    }),
    onAccess: (listener) => void access.push(listener),
    routes: [
      streamRoute({
        path: '/api/v1/changes',
        tag: 'status',
        summary: 'Kinds and ids of what changed, as server-sent events; after a break read what is shown anew.',
        permission: 'status.read',
        query: closed({ kind: Type.Optional(Type.Enum(Object.keys(KINDS) as ChangeKind[])) }),
        open: async ({ query, actor }, send) => {
          const hears = (kind: ChangeKind): boolean =>
            actor !== null && permits(actor, KINDS[kind]) && (query.kind === undefined || query.kind === kind);
          const listener = (told: Told): void => {
            for (const [kind, ids] of told) if (hears(kind)) send('change', { kind, ids: ids.size > IDS ? [] : [...ids] });
          };
          listeners.add(listener);
          send('open', { kinds: (Object.keys(KINDS) as ChangeKind[]).filter(hears) });
          return () => void listeners.delete(listener);
        },
      }),
    ],
  };
};
