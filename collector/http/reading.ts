// SPDX-License-Identifier: Apache-2.0
/**
 * Reads alerts and incidents as people see them: what the machine says joined with what people said.
 * Input: the two stores. Output: the reading side of the routes' ports: lists by KQL over the joined fields, one, its chain down to raw lines.
 */
import { isId } from '../../core/ids.ts';
import type { UnixMs } from '../../core/units.ts';
import type { AlertChain, AlertPorts, AlertView, EvidenceLine } from '../alert/routes.ts';
import { fault } from '../errors.ts';
import type { IncidentChain, IncidentPorts, IncidentView } from '../incident/routes.ts';
import type { Event } from '../model/event.ts';
import type { Node } from '../query/ast.ts';
import { toDocumentPredicate } from '../query/to-predicate.ts';
import type { EventStore, Listed, StateStore, Stored } from '../store/store.ts';

export interface ReadingParts {
  readonly state: StateStore;
  readonly events: Pick<EventStore, 'get'>;
  /** What `now` is in queries. */
  readonly now: () => UnixMs;
}

interface Question {
  readonly where: Node;
  readonly window: { readonly from: UnixMs; readonly to: UnixMs } | null;
}

/** One joined kind of document. */
interface Kind<M, W, V> {
  readonly machine: 'alert' | 'incident';
  readonly work: 'alertWork' | 'incidentWork';
  readonly view: (machine: M, work: Stored<W> | null) => V;
}

/** Names that people's documents bring into a view; a query on one of them must see the joined document. */
const WORK_FIELDS: ReadonlySet<string> = new Set([
  'state',
  'assignee',
  'owner',
  'verdict',
  'reason',
  'closedAt',
  'mergedInto',
  'added',
  'removed',
  'version',
]);

/** Most documents that one question over joined fields looks at. */
const MAX_SCANNED = 50_000;
const PAGE = 1_000;
const MAX_LINES = 100;

type AlertDocument = Omit<AlertView, 'version' | 'state'>;
type IncidentDocument = Omit<IncidentView, 'version' | 'state'>;

const ALERTS: Kind<AlertDocument, object, AlertView> = {
  machine: 'alert',
  work: 'alertWork',
  view: (machine, work) => ({ ...machine, state: 'new', ...work?.value, version: work?.version ?? 0 }) as AlertView,
};

const INCIDENTS: Kind<IncidentDocument, object, IncidentView> = {
  machine: 'incident',
  work: 'incidentWork',
  view: (machine, work) =>
    ({
      ...machine,
      state: machine.mergedInto === undefined ? 'new' : 'merged',
      ...work?.value,
      version: work?.version ?? 0,
    }) as IncidentView,
};

/** The reading side of the alerts' routes. */
export const readAlerts = ({ state, events, now }: ReadingParts): Omit<AlertPorts, 'change'> => {
  const reads = joined(state, now, ALERTS);
  const get = async (id: string): Promise<AlertView> => {
    const view = isId('alr', id) ? await reads.get(id) : null;
    if (view === null) throw fault('NOT_FOUND', { what: 'alert', id });
    return view;
  };
  return { now, ...reads, get, explain: async (id) => chainOf(events, await get(id)) };
};

/** The reading side of the incidents' routes; takes ids and numbers such as INC-8. */
export const readIncidents = ({ state, events, now }: ReadingParts): Omit<IncidentPorts<AlertChain>, 'change' | 'chain'> => {
  const reads = joined(state, now, INCIDENTS);
  const alerts = joined(state, now, ALERTS);
  const get = async (id: string): Promise<IncidentView> => {
    const known = isId('inc', id) ? id : await byNumber(state, id);
    const view = known === null ? null : await reads.get(known);
    if (view === null) throw fault('NOT_FOUND', { what: 'incident', id });
    return view;
  };
  const explain = async (id: string): Promise<IncidentChain<AlertChain>> => {
    const incident = await get(id);
    const chains: AlertChain[] = [];
    for (const member of incident.alerts) {
      const view = await alerts.get(member);
      if (view !== null) chains.push(await chainOf(events, view));
    }
    return { incident, alerts: chains };
  };
  return { now, ...reads, get, explain };
};

const byNumber = async (state: StateStore, text: string): Promise<string | null> => {
  const number = /^(?:INC-)?(\d{1,9})$/i.exec(text)?.[1];
  if (number === undefined) return null;
  const found = await state.list('incident', { where: is('number', number), limit: 1 });
  return found.items[0]?.id ?? null;
};

const chainOf = async (events: ReadingParts['events'], alert: AlertView): Promise<AlertChain> => {
  const found = await events.get(alert.sample.slice(0, MAX_LINES));
  const lines = found.map(lineOf).sort((a, b) => a.time - b.time || a.seq - b.seq);
  return { alert, lines, more: Math.max(0, alert.count - lines.length) };
};

const lineOf = (event: Event): EvidenceLine => ({
  event: event['event.id'] ?? '',
  time: event['@timestamp'] ?? (0 as UnixMs),
  original: event['event.original'] ?? event.message ?? '',
  stream: event['vigil.stream'] ?? '',
  seq: event['vigil.seq'] ?? 0,
  offset: event['vigil.journal.offset'] ?? 0,
});

interface Reads<V> {
  list(
    question: Question,
    page: { readonly limit: number; readonly after?: string },
  ): Promise<{ readonly items: readonly V[]; readonly next: string | null; readonly total: number }>;
  count(question: Question): Promise<number>;
  top(question: Question, field: string, limit: number): Promise<readonly { readonly key: string; readonly count: number }[]>;
  get(id: string): Promise<V | null>;
}

const joined = <M, W, V>(state: StateStore, now: () => UnixMs, kind: Kind<M, W, V>): Reads<V> => {
  const workOf = async (id: string): Promise<Stored<W> | null> => (await state.get(kind.work, id)) as Stored<W> | null;
  const viewOf = async (stored: Stored<unknown>): Promise<V> => kind.view(stored.value as M, await workOf(stored.id));

  // Every joined document that the question means, newest first.
  const each = async (question: Question, visit: (view: V) => void): Promise<void> => {
    const works = new Map<string, Stored<W>>();
    for (let after: string | null = ''; after !== null && works.size < MAX_SCANNED; ) {
      const page: Listed<unknown> = await state.list(kind.work, { limit: PAGE, ...(after === '' ? {} : { after }) });
      for (const stored of page.items) works.set(stored.id, stored as unknown as Stored<W>);
      after = page.next;
    }
    const matches = toDocumentPredicate(question.where, { now: now() });
    let scanned = 0;
    for (let after: string | null = ''; after !== null && scanned < MAX_SCANNED; ) {
      const page: Listed<unknown> = await state.list(kind.machine, {
        where: windowOf(question),
        orderBy: 'last',
        limit: PAGE,
        ...(after === '' ? {} : { after }),
      });
      for (const stored of page.items) {
        const view = kind.view(stored.value as M, works.get(stored.id) ?? null);
        if (matches(view)) visit(view);
      }
      scanned += page.items.length;
      after = page.next;
    }
  };

  return {
    get: async (id) => {
      const stored = await state.get(kind.machine, id);
      return stored === null ? null : viewOf(stored);
    },
    list: async (question, { limit, after }) => {
      if (!asksWork(question.where)) {
        const where: Node = { kind: 'and', of: [windowOf(question), question.where] };
        const page = await state.list(kind.machine, { where, orderBy: 'last', limit, ...(after === undefined ? {} : { after }) });
        return { items: await Promise.all(page.items.map(viewOf)), next: page.next, total: page.total };
      }
      const from = after === undefined ? 0 : Number(/^\d{1,9}$/.exec(after)?.[0] ?? Number.NaN);
      if (Number.isNaN(from)) throw fault('REQUEST_BAD', { reason: 'after is not the next of a page' });
      const items: V[] = [];
      let total = 0;
      await each(question, (view) => {
        if (total >= from && items.length < limit) items.push(view);
        total++;
      });
      return { items, next: from + items.length < total ? String(from + items.length) : null, total };
    },
    count: async (question) => {
      if (!asksWork(question.where))
        return (await state.list(kind.machine, { where: { kind: 'and', of: [windowOf(question), question.where] }, limit: 1 })).total;
      let total = 0;
      await each(question, () => total++);
      return total;
    },
    top: async (question, field, limit) => {
      const counts = new Map<string, number>();
      await each(question, (view) => {
        for (const key of textsOf((view as Readonly<Record<string, unknown>>)[field])) counts.set(key, (counts.get(key) ?? 0) + 1);
      });
      return [...counts]
        .map(([key, count]) => ({ key, count }))
        .sort((a, b) => b.count - a.count || (a.key < b.key ? -1 : 1))
        .slice(0, limit);
    },
  };
};

const textsOf = (value: unknown): readonly string[] => {
  if (Array.isArray(value)) return [...new Set(value.flatMap(textsOf))];
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' ? [String(value)] : [];
};

const literal = (text: string) => ({ text, quoted: true, at: 0 });
const is = (field: string, value: string): Node => ({ kind: 'is', field: literal(field), value: literal(value) });

const windowOf = ({ window }: Question): Node =>
  window === null
    ? { kind: 'all' }
    : {
        kind: 'and',
        of: [
          { kind: 'range', field: literal('last'), op: 'gte', value: literal(String(window.from)) },
          { kind: 'range', field: literal('last'), op: 'lt', value: literal(String(window.to)) },
        ],
      };

const asksWork = (node: Node): boolean => {
  switch (node.kind) {
    case 'all':
      return false;
    case 'and':
    case 'or':
      return node.of.some(asksWork);
    case 'not':
      return asksWork(node.of);
    default:
      return node.field === null || WORK_FIELDS.has(node.field.text.split('.', 1)[0] as string);
  }
};
