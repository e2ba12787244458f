// SPDX-License-Identifier: Apache-2.0
/**
 * What is known of hosts over HTTP: kinds of facts, items now and at a past time, who may log in, observations.
 * Input: the state. Output: JSON; each item and answer names the event it rests on, so that it can be proved.
 */
import { Type } from 'typebox';
import { FACT_KINDS, type FactKind } from '../../core/fact.ts';
import type { AssetId } from '../../core/ids.ts';
import { isoTime, LAST_TIME_MS, type UnixMs, unixMs } from '../../core/units.ts';
import { fault } from '../errors.ts';
import { Count, closed, Id, OneId, type Route, route, Time } from '../http/route.ts';
import { makeEntity } from '../model/entity.ts';
import type { HostFact } from '../model/fact.ts';
import { type Observation, RESULTS } from '../model/observation.ts';
import { LEVELS } from '../model/rule.ts';
import type { Node } from '../query/ast.ts';
import type { Collection, Collections, StateStore } from '../store/store.ts';
import { accessOf } from './access.ts';
import { OWN_CHECKS } from './check.ts';
import { itemAt } from './item.ts';

export interface FactPorts {
  readonly state: Pick<StateStore, 'list' | 'get'>;
  readonly now: () => UnixMs;
  /** By id or name. @throws CodedError NOT_FOUND. */
  readonly findHost: (idOrName: string) => { readonly id: AssetId; readonly name: string };
}

const KINDS = Object.keys(FACT_KINDS) as FactKind[];
const KindName = Type.Enum([...KINDS]);
const Value = Type.Union([Type.String(), Type.Number(), Type.Boolean(), Type.Array(Type.String())]);
const TimeText = Type.String({ minLength: 4, maxLength: 32, description: 'ISO 8601, e.g. 2026-11-23T08:40Z' });

const ItemSchema = Type.Object({
  kind: KindName,
  item: Type.String(),
  fields: Type.Record(Type.String(), Value),
  since: Time,
  changed: Time,
  observed: Time,
  removed: Type.Union([Time, Type.Null()]),
  event: Type.String({ description: 'the event that said the latest change' }),
  lives: Type.Array(Type.Object({ from: Time, to: Time, version: Type.Union([Type.String(), Type.Null()]) })),
});

const TableSchema = Type.Object({
  kind: KindName,
  scanned: Type.Union([Time, Type.Null()]),
  doubtful: Type.Boolean({ description: 'the host’s own checksum differs: until the next full restatement what stands here is in doubt' }),
  count: Count,
});

const AccessSchema = Type.Object({
  user: Type.String(),
  uid: Type.Union([Type.Number(), Type.Null()]),
  shell: Type.Union([Type.String(), Type.Null()]),
  password: Type.Boolean(),
  keys: Type.Array(
    Type.Object({
      fingerprint: Type.String(),
      type: Type.Union([Type.String(), Type.Null()]),
      comment: Type.Union([Type.String(), Type.Null()]),
      path: Type.Union([Type.String(), Type.Null()]),
    }),
  ),
  admin: Type.Boolean(),
  through: Type.Array(Type.String()),
  lastLogin: Type.Union([Time, Type.Null()]),
  since: Time,
});

const ObservationSchema = Type.Object({
  id: Id,
  check: Type.String(),
  subject: Type.String(),
  result: Type.Enum([...RESULTS]),
  actual: Type.String(),
  expected: Type.String(),
  severity: Type.Enum([...LEVELS]),
  reason: Type.Optional(Type.String()),
  first: Time,
  last: Time,
  expires: Time,
  event: Type.Optional(Type.String()),
  waiver: Type.Optional(Type.Object({ reason: Type.String(), owner: Type.String(), until: Time })),
  open: Type.Boolean({ description: 'the newest answer of its check and subject' }),
});

const CheckSchema = Type.Object({
  id: Type.String(),
  title: Type.String(),
  severity: Type.Enum([...LEVELS]),
  freshMs: Type.Number(),
  fix: Type.Optional(Type.String()),
});

/** @throws CodedError REQUEST_BAD. */
const timeOf = (text: string): UnixMs => {
  const at = Date.parse(text);
  if (!(at >= 0 && at <= LAST_TIME_MS)) throw fault('REQUEST_BAD', { reason: `${text} is not a time such as 2026-11-23T08:40Z` });
  return unixMs(at);
};

const itemJson = (fact: HostFact) => ({
  kind: fact.kind,
  item: fact.item,
  fields: Object.fromEntries(Object.entries(fact.fields).map(([name, value]) => [name, typeof value === 'object' ? [...value] : value])),
  since: isoTime(fact.since),
  changed: isoTime(fact.changed),
  observed: isoTime(fact.observed),
  removed: fact.removed === undefined ? null : isoTime(fact.removed),
  event: fact.event,
  lives: (fact.lives ?? []).map(({ from, to, version = null }) => ({ from: isoTime(from), to: isoTime(to), version })),
});

const observationJson = ({ first, last, expires, waiver, freshMs: _, times: __, ...span }: Observation) => ({
  ...span,
  first: isoTime(first),
  last: isoTime(last),
  expires: isoTime(expires),
  ...(waiver === undefined ? {} : { waiver: { ...waiver, until: isoTime(waiver.until) } }),
});

const PAGE = 1_000;

/** Every document below an id, where asked only those that a query finds. */
const below = async <C extends Collection>(
  state: FactPorts['state'],
  collection: C,
  prefix: string,
  where?: Node,
): Promise<readonly Collections[C][]> => {
  const found: Collections[C][] = [];
  let after: string | undefined;
  do {
    const { items, next } = await state.list(collection, {
      prefix,
      limit: PAGE,
      ...(where === undefined ? {} : { where }),
      ...(after === undefined ? {} : { after }),
    });
    found.push(...items.map(({ value }) => value));
    after = next ?? undefined;
  } while (after !== undefined);
  return found;
};

/** Narrows what is read; what comes is filtered exactly. */
const narrowed = (asked: Readonly<Record<string, string | undefined>>): Node => ({
  kind: 'and',
  of: [
    { kind: 'all' },
    ...Object.entries(asked).flatMap(([field, text]) =>
      text === undefined
        ? []
        : [{ kind: 'is', field: { text: field, quoted: false, at: 0 }, value: { text, quoted: true, at: 0 } } as const],
    ),
  ],
});

export const factRoutes = (ports: FactPorts): readonly Route[] => [
  hostRoute(ports),
  itemsRoute(ports),
  accessRoute(ports),
  observationsRoute(ports),
  checksRoute(),
];

const hostRoute = ({ state, findHost }: FactPorts): Route =>
  route({
    method: 'GET',
    path: '/api/v1/facts/hosts/:id',
    tag: 'facts',
    summary: 'What is known of a host, by kind, with when it was scanned and whether it is in doubt.',
    permission: 'fleet.read',
    params: OneId,
    answer: Type.Object({ id: Id, name: Type.String(), os: Type.Union([ItemSchema, Type.Null()]), kinds: Type.Array(TableSchema) }),
    handle: async ({ params: { id } }) => {
      const host = findHost(id);
      const tables = new Map((await below(state, 'factTable', `${host.id}/`)).map((table) => [table.kind, table]));
      const os = (await below(state, 'hostFact', `${host.id}/os/`)).find(({ removed }) => removed === undefined);
      const kinds = KINDS.flatMap((kind) => {
        const table = tables.get(kind);
        return table === undefined ? [] : [{ kind, scanned: isoTime(table.scanned), doubtful: table.doubtful, count: table.count }];
      });
      return { body: { id: host.id, name: host.name, os: os === undefined ? null : itemJson(os), kinds } };
    },
  });

const itemsRoute = ({ state, findHost }: FactPorts): Route =>
  route({
    method: 'GET',
    path: '/api/v1/facts/hosts/:id/items',
    tag: 'facts',
    summary: 'Items of a host: packages, accounts, keys, listeners, files; now, or those that stood at a past time.',
    permission: 'fleet.read',
    params: OneId,
    query: closed({
      kind: Type.Optional(KindName),
      at: Type.Optional(TimeText),
      removed: Type.Optional(Type.Boolean({ description: 'also those that are gone' })),
      limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 1_000 })),
      after: Type.Optional(Type.String({ maxLength: 8_192 })),
    }),
    answer: Type.Object({ items: Type.Array(ItemSchema), next: Type.Union([Type.String(), Type.Null()]), total: Count }),
    handle: async ({ params: { id }, query: { kind, at, removed = false, limit = 1_000, after } }) => {
      const host = findHost(id);
      const prefix = kind === undefined ? `${host.id}/` : `${host.id}/${kind}/`;
      const { items, next, total } = await state.list('hostFact', { prefix, limit, ...(after === undefined ? {} : { after }) });
      const then = at === undefined ? undefined : timeOf(at);
      const shown = items.flatMap(({ value }) => {
        if (then === undefined) return removed || value.removed === undefined ? [itemJson(value)] : [];
        const life = itemAt(value, then);
        if (life === null) return [];
        const fields =
          life.version === undefined ? value.fields : { ...value.fields, [value.kind === 'file' ? 'sha256' : 'version']: life.version };
        return [{ ...itemJson({ ...value, fields }), since: isoTime(life.since) }];
      });
      return { body: { items: shown, next, total } };
    },
  });

const accessRoute = ({ state, findHost, now }: FactPorts): Route =>
  route({
    method: 'GET',
    path: '/api/v1/facts/hosts/:id/access',
    tag: 'facts',
    summary: 'Who may log in on a host and act as root there: accounts, keys, groups and sudo rules together.',
    permission: 'fleet.read',
    params: OneId,
    answer: Type.Object({ items: Type.Array(AccessSchema) }),
    handle: async ({ params: { id } }) => {
      const host = findHost(id);
      const kinds = ['user', 'group', 'sudo-rule', 'ssh-key'] as const;
      const facts = (await Promise.all(kinds.map((kind) => below(state, 'hostFact', `${host.id}/${kind}/`)))).flat();
      const rows = accessOf(facts, now()).map(({ lastLogin, since, keys, through, ...row }) => ({
        ...row,
        keys: keys.map((key) => ({ ...key })),
        through: [...through],
        lastLogin: lastLogin === null ? null : isoTime(lastLogin),
        since: isoTime(since),
      }));
      return { body: { items: rows } };
    },
  });

const observationsRoute = ({ state, findHost, now }: FactPorts): Route =>
  route({
    method: 'GET',
    path: '/api/v1/facts/observations',
    tag: 'facts',
    summary: 'Answers of checks, newest first: what holds now, or held at a time; what is not covered is unknown and not listed.',
    permission: 'fleet.read',
    query: closed({
      host: Type.Optional(Type.String({ maxLength: 256 })),
      check: Type.Optional(Type.String({ maxLength: 128 })),
      result: Type.Optional(Type.Enum([...RESULTS])),
      at: Type.Optional(TimeText),
      history: Type.Optional(Type.Boolean({ description: 'every span, and not only what holds at the time' })),
      limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 1_000 })),
    }),
    answer: Type.Object({ items: Type.Array(ObservationSchema), total: Count }),
    handle: async ({ query: { host, check, result, at, history = false, limit = 1_000 } }) => {
      const then = at === undefined ? now() : timeOf(at);
      const of = host === undefined ? undefined : findHost(host).id;
      const found = (await below(state, 'observation', '', narrowed({ check, result })))
        .filter((span) => of === undefined || span.subject === makeEntity('host', of) || span.subject.endsWith(`@${of}`))
        .filter((span) => (check === undefined || span.check === check) && (result === undefined || span.result === result))
        .filter(({ first, expires }) => history || (first <= then && then < expires))
        .sort((a, b) => b.first - a.first || (a.id < b.id ? -1 : 1));
      return { body: { items: found.slice(0, limit).map(observationJson), total: found.length } };
    },
  });

const checksRoute = (): Route =>
  route({
    method: 'GET',
    path: '/api/v1/facts/checks',
    tag: 'facts',
    summary: 'The checks that the collector answers itself.',
    permission: 'fleet.read',
    answer: Type.Object({ items: Type.Array(CheckSchema) }),
    handle: async () => ({
      body: { items: OWN_CHECKS.map(({ id, title, severity, freshMs, fix }) => ({ id, title, severity, freshMs, fix })) },
    }),
  });
