// SPDX-License-Identifier: Apache-2.0
/**
 * What the machine says and what people say of one thing, read as one (river.md C2 keeps them apart as documents).
 * Input: two collections with the same ids. Output: lists, counts and values by KQL over the fields of both.
 */
import type { UnixMs } from '../../core/units.ts';
import type { Literal, Node } from '../query/ast.ts';
import { toDocumentPredicate } from '../query/to-predicate.ts';
import type { Collection, Collections, StateStore } from './store.ts';

export interface Joining<M extends Collection, W extends Collection, V> {
  readonly machine: M;
  readonly people: W;
  /** Fields that people's document gives: a query that names one of them cannot be asked of the machine's alone. */
  readonly peopleFields: ReadonlySet<string>;
  /** Joins the two; `people` is null, version 0, before anybody said something. */
  readonly join: (machine: Collections[M], people: Collections[W] | null, version: number) => V;
  readonly now: () => UnixMs;
}

export interface JoinedQuestion {
  readonly where: Node;
  /** Of `last`, from inclusive to exclusive; null is always. */
  readonly window: { readonly from: UnixMs; readonly to: UnixMs } | null;
}

export interface Joined<V> {
  list(
    question: JoinedQuestion,
    page: { readonly limit: number; readonly after?: string },
  ): Promise<{ readonly items: readonly V[]; readonly next: string | null; readonly total: number }>;
  count(question: JoinedQuestion): Promise<number>;
  top(question: JoinedQuestion, field: string, limit: number): Promise<readonly { readonly key: string; readonly count: number }[]>;
  /** How many of each value of a field ended in each of `bars` equal parts of the window. */
  histogram(
    question: JoinedQuestion & { readonly window: NonNullable<JoinedQuestion['window']> },
    field: string,
    bars: number,
  ): Promise<readonly Readonly<Record<string, number>>[]>;
  get(id: string): Promise<V | null>;
}

/** Documents that one question looks through at most when it must read both sides. */
const SCAN_LIMIT = 200_000;
const CHUNK = 500;

export const joined = <M extends Collection, W extends Collection, V>(state: StateStore, how: Joining<M, W, V>): Joined<V> => {
  const ofBoth = (where: Node): boolean => mentions(where, how.peopleFields);

  const joinOne = async (id: string, machine: Collections[M]): Promise<V> => {
    const people = await state.get(how.people, id);
    return how.join(machine, people?.value ?? null, people?.version ?? 0);
  };

  async function* scan(question: JoinedQuestion): AsyncGenerator<V, void> {
    const match = toDocumentPredicate(question.where, { now: how.now() });
    const people = new Map<string, { readonly value: Collections[W]; readonly version: number }>();
    for (let after: string | null | undefined; after !== null; ) {
      const page: Awaited<ReturnType<typeof state.list<W>>> = await state.list(how.people, {
        limit: CHUNK,
        ...(after === undefined ? {} : { after }),
      });
      for (const { id, value, version } of page.items) people.set(id, { value, version });
      after = page.next;
    }
    let seen = 0;
    for (let after: string | null | undefined; after !== null && seen < SCAN_LIMIT; ) {
      const page: Awaited<ReturnType<typeof state.list<M>>> = await state.list(how.machine, {
        where: within({ kind: 'all' }, question.window),
        orderBy: 'last',
        limit: CHUNK,
        ...(after === undefined ? {} : { after }),
      });
      for (const { id, value } of page.items) {
        const said = people.get(id);
        const view = how.join(value, said?.value ?? null, said?.version ?? 0);
        if (match(view)) yield view;
      }
      seen += page.items.length;
      after = page.next;
    }
  }

  return {
    list: async (question, { limit, after }) => {
      if (!ofBoth(question.where)) {
        const page = await state.list(how.machine, {
          where: within(question.where, question.window),
          orderBy: 'last',
          limit,
          ...(after === undefined ? {} : { after }),
        });
        return { items: await Promise.all(page.items.map(({ id, value }) => joinOne(id, value))), next: page.next, total: page.total };
      }
      const from = after === undefined ? 0 : Number.parseInt(after, 10) || 0;
      const items: V[] = [];
      let total = 0;
      for await (const view of scan(question)) {
        if (total >= from && items.length < limit) items.push(view);
        total += 1;
      }
      return { items, next: from + items.length < total ? String(from + items.length) : null, total };
    },
    count: async (question) => {
      if (!ofBoth(question.where))
        return (await state.list(how.machine, { where: within(question.where, question.window), limit: 1 })).total;
      let total = 0;
      for await (const _ of scan(question)) total += 1;
      return total;
    },
    top: async (question, field, limit) => {
      const counts = new Map<string, number>();
      for await (const view of scan(question)) {
        const value = (view as Readonly<Record<string, unknown>>)[field];
        for (const one of Array.isArray(value) ? value : [value])
          if (one !== undefined && one !== null) counts.set(String(one), (counts.get(String(one)) ?? 0) + 1);
      }
      return [...counts]
        .map(([key, count]) => ({ key, count }))
        .sort((a, b) => b.count - a.count || (a.key < b.key ? -1 : 1))
        .slice(0, limit);
    },
    histogram: async (question, field, bars) => {
      const { from, to } = question.window;
      const out = Array.from({ length: bars }, (): Record<string, number> => ({}));
      for await (const view of scan(question)) {
        const { last, [field]: value } = view as Readonly<Record<string, unknown>>;
        const bucket = out[Math.min(bars - 1, Math.floor(((Number(last) - from) / (to - from)) * bars))];
        if (bucket) bucket[String(value)] = (bucket[String(value)] ?? 0) + 1;
      }
      return out;
    },
    get: async (id) => {
      const found = await state.get(how.machine, id);
      return found === null ? null : joinOne(id, found.value);
    },
  };
};

const literal = (text: string): Literal => ({ text, quoted: false, at: 0 });

const within = (where: Node, window: JoinedQuestion['window']): Node =>
  window === null
    ? where
    : {
        kind: 'and',
        of: [
          where,
          { kind: 'range', field: literal('last'), op: 'gte', value: literal(String(window.from)) },
          { kind: 'range', field: literal('last'), op: 'lt', value: literal(String(window.to)) },
        ],
      };

/** True when a test names one of the fields, any field, or none. */
const mentions = (node: Node, fields: ReadonlySet<string>): boolean => {
  switch (node.kind) {
    case 'all':
      return false;
    case 'and':
    case 'or':
      return node.of.some((one) => mentions(one, fields));
    case 'not':
      return mentions(node.of, fields);
    default:
      return node.field === null || node.field.text.includes('*') || fields.has(node.field.text);
  }
};
