// SPDX-License-Identifier: Apache-2.0
/**
 * The contract of `StateStore`: one test for each MUST of the port, in the same words. Every engine runs it unchanged.
 * Input: how an engine is opened and opened again. Output: claims.
 */
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Page } from '../../collector/model/page.ts';
import type { SinkPosition, StateStore, Stored, Write } from '../../collector/store/store.ts';
import { unixMs } from '../../core/units.ts';
import { nodeOf } from './events.ts';

export interface StateStoreUnderTest {
  readonly name: string;
  create(): Promise<StateStore>;
  /** The same state, opened anew. */
  reopen(store: StateStore): Promise<StateStore>;
  destroy(store: StateStore): Promise<void>;
}

const at = (offset: number, incarnation = 'aa'): SinkPosition => ({ sink: 'detect', collector: 'c1', incarnation, offset });
const setting = (id: string, value: Record<string, unknown>): Write => ({ collection: 'setting', id, value });

export const stateStoreContract = (engine: StateStoreUnderTest): void => {
  describe(`StateStore: ${engine.name}`, () => {
    let store: StateStore;
    beforeEach(async () => {
      store = await engine.create();
    });
    afterEach(() => engine.destroy(store));

    test('MUST refuse a put whose expected version is not the stored one (STATE_CONFLICT) and change nothing', async () => {
      const conflict = { code: 'STATE_CONFLICT', details: { what: 'setting', id: 'a' } };
      await expect(store.put('setting', 'a', { n: 1 }, { ifVersion: 3 })).rejects.toMatchObject(conflict);
      expect(await store.get('setting', 'a')).toBeNull();
      const first = await store.put('setting', 'a', { n: 1 }, { ifVersion: 0 });
      await expect(store.put('setting', 'a', { n: 2 }, { ifVersion: 0 })).rejects.toMatchObject(conflict);
      const second = await store.put('setting', 'a', { n: 3 }, { ifVersion: first });
      expect(second).toBeGreaterThan(first);
      await expect(store.put('setting', 'a', { n: 4 }, { ifVersion: first })).rejects.toMatchObject(conflict);
      expect(await store.get('setting', 'a')).toEqual({ id: 'a', value: { n: 3 }, version: second });
    });

    test('of several that write at once upon the same version, one succeeds', async () => {
      const version = await store.put('setting', 'a', { n: 0 });
      const tries = Array.from({ length: 8 }, (_, n) => store.put('setting', 'a', { n: n + 1 }, { ifVersion: version }));
      const results = await Promise.allSettled(tries);
      expect(results.filter((result) => result.status === 'fulfilled')).toHaveLength(1);
    });

    test('MUST make a commit all or nothing, its position included (C1)', async () => {
      await store.commit(at(5), [setting('a', { n: 1 })]);
      const circular: Record<string, unknown> = {};
      circular['self'] = circular;
      await expect(store.commit(at(9), [setting('a', { n: 2 }), setting('b', circular)])).rejects.toThrow();
      expect((await store.get('setting', 'a'))?.value).toEqual({ n: 1 });
      expect(await store.position('detect')).toEqual(at(5));
    });

    test('MUST answer a commit whose position is not beyond the sink’s own by doing nothing', async () => {
      await store.commit(at(5), [setting('a', { n: 1 })]);
      await store.commit(at(5), [setting('a', { n: 2 })]);
      await store.commit(at(4), [setting('a', { n: 3 }), setting('b', { n: 3 })]);
      expect((await store.get('setting', 'a'))?.value).toEqual({ n: 1 });
      expect(await store.get('setting', 'b')).toBeNull();
      // Another sink and a new incarnation have ends of their own.
      await store.commit({ ...at(1), sink: 'facts' }, [setting('b', { n: 4 })]);
      await store.commit(at(1, 'bb'), [setting('a', { n: 5 })]);
      expect((await store.get('setting', 'a'))?.value).toEqual({ n: 5 });
      expect(await store.position('detect')).toEqual(at(1, 'bb'));
      expect((await store.position('facts'))?.offset).toBe(1);
      expect(await store.position('store')).toBeNull();
    });

    test('MUST keep what an awaited write wrote through a crash and a power cut', async () => {
      const page: Page = { collector: 'c1', incarnation: 'aa', from: 0, to: 7, n: 1, watermarks: { s: unixMs(5) }, signals: [] };
      await store.put('setting', 'a', { text: 'é "x" \u0000 😀' });
      await store.commit(at(7), [setting('b', { n: 1 })], page);
      expect(await store.nextNumber('INC')).toBe(1);
      store = await engine.reopen(store);
      expect((await store.get('setting', 'a'))?.value).toEqual({ text: 'é "x" \u0000 😀' });
      expect((await store.get('setting', 'b'))?.value).toEqual({ n: 1 });
      expect(await store.page('aa', 0)).toEqual(page);
      expect(await store.page('aa', 7)).toBeNull();
      expect(await store.position('detect')).toEqual(at(7));
      expect(await store.nextNumber('INC')).toBe(2);
    });

    test('MUST list with a stable order, so that pages neither repeat nor miss unchanged documents', async () => {
      const value = fc.record({
        n: fc.option(fc.oneof(fc.integer({ min: 0, max: 4 }), fc.string({ maxLength: 2 }), fc.boolean()), { nil: undefined }),
      });
      let round = 0;
      await fc.assert(
        fc.asyncProperty(
          fc.array(value, { maxLength: 25 }),
          fc.integer({ min: 1, max: 7 }),
          fc.boolean(),
          async (values, limit, ascending) => {
            const run = `r${round++}`;
            for (const [i, made] of values.entries()) await store.put('setting', `${run}-${i}`, { ...made, run });
            for (const orderBy of [undefined, 'n']) {
              const seen: Stored<unknown>[] = [];
              for (let after: string | undefined; ; ) {
                const page = await store.list('setting', {
                  where: nodeOf(`run: ${run}`),
                  limit,
                  ascending,
                  ...(orderBy === undefined ? {} : { orderBy }),
                  ...(after === undefined ? {} : { after }),
                });
                expect(page.total).toBe(values.length);
                seen.push(...page.items);
                if (page.next === null) break;
                after = page.next;
              }
              expect(seen.map((item) => item.id).sort()).toEqual(values.map((_, i) => `${run}-${i}`).sort());
            }
          },
        ),
        { numRuns: 15 },
      );
    });

    test('a list is ordered by its field, newest first unless told otherwise, documents without it last', async () => {
      for (const [id, n] of Object.entries({ a: 2, b: 9, c: undefined, d: 5 })) await store.put('setting', id, { n });
      const ids = async (more: object): Promise<string[]> =>
        (await store.list('setting', { limit: 10, ...more })).items.map((item) => item.id);
      expect(await ids({ orderBy: 'n' })).toEqual(['b', 'd', 'a', 'c']);
      expect(await ids({ orderBy: 'n', ascending: true })).toEqual(['a', 'd', 'b', 'c']);
      expect(await ids({})).toEqual(['a', 'b', 'c', 'd']);
    });

    test('a list below a prefix holds the documents whose ids begin with it, and counts only those', async () => {
      for (const id of ['a/1', 'a/2', 'a/é', 'a0', 'b/1', 'a']) await store.put('setting', id, { n: 1 });
      const found = await store.list('setting', { prefix: 'a/', limit: 2 });
      const rest = await store.list('setting', { prefix: 'a/', limit: 10, after: found.next as string });
      expect([...found.items, ...rest.items].map(({ id }) => id)).toEqual(['a/1', 'a/2', 'a/é']);
      expect([found.total, rest.next]).toEqual([3, null]);
    });

    test('a list takes KQL over the document’s own names; dots reach into objects and lists', async () => {
      await store.put('setting', 'a', { level: 'high', owner: { name: 'Ada' }, entities: ['host:1', 'ip:10.0.0.1'], n: 5 });
      await store.put('setting', 'b', { level: 'low', entities: ['host:2'], n: 7 });
      const ids = async (kql: string): Promise<string[]> =>
        (await store.list('setting', { where: nodeOf(kql), limit: 10 })).items.map((item) => item.id);
      expect(await ids('level: high')).toEqual(['a']);
      expect(await ids('owner.name: ada')).toEqual(['a']);
      expect(await ids('entities: "host:2"')).toEqual(['b']);
      expect(await ids('not owner.name: *')).toEqual(['b']);
      expect(await ids('n >= 6 or level: high')).toEqual(['a', 'b']);
    });

    test('remove says whether there was a document', async () => {
      await store.put('setting', 'a', {});
      expect(await store.remove('setting', 'a')).toBe(true);
      expect(await store.remove('setting', 'a')).toBe(false);
      expect(await store.get('setting', 'a')).toBeNull();
    });

    test('a limit, an order and a place that are none are refused with a coded error', async () => {
      await expect(store.list('setting', { limit: 0 })).rejects.toMatchObject({ code: 'USAGE' });
      await expect(store.list('setting', { limit: 1, orderBy: "n' --" })).rejects.toMatchObject({ code: 'USAGE' });
      await expect(store.list('setting', { limit: 1, after: 'x' })).rejects.toMatchObject({ code: 'USAGE' });
    });

    test('a closed store says STORE_CLOSED or refuses, and stays closed', async () => {
      const closing = await engine.create();
      await engine.destroy(closing);
      await expect(closing.get('setting', 'a')).rejects.toThrow();
    });
  });
};
