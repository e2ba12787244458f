// SPDX-License-Identifier: Apache-2.0
/**
 * The contract of `EventStore`: one test for each MUST of the port, in the same words. Every engine runs it unchanged.
 * Input: how an engine is opened, and how it crashes. Output: claims.
 */
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Event } from '../../collector/model/event.ts';
import { eventBatch } from '../../collector/store/schema.ts';
import type { EventStore } from '../../collector/store/store.ts';
import { bytes, unixMs } from '../../core/units.ts';
import { anyFields, batchMaker, eventOf, INCARNATION, newestFirst, oldestFirst, plain, queryOf, START } from './events.ts';

export interface EventStoreUnderTest {
  readonly name: string;
  /** A new, empty store. */
  create(): Promise<EventStore>;
  /** Ends every process and thread of it without a word, then opens the same store again. */
  crash(store: EventStore): Promise<EventStore>;
  /** Closes it and removes what it left. */
  destroy(store: EventStore): Promise<void>;
}

const many = (from: number, count: number, more: (n: number) => Partial<Event> = () => ({})): Event[] =>
  Array.from({ length: count }, (_, i) => eventOf(from + i, more(from + i)));

const idsOf = (events: readonly Event[]): readonly (string | undefined)[] => events.map((event) => event['event.id']);

const all = async (store: EventStore, kql: string, limit: number, order: 'newest' | 'oldest' = 'newest'): Promise<Event[]> => {
  const found: Event[] = [];
  for (let after: string | undefined; ; ) {
    const page = await store.search(queryOf(kql), { limit, order, ...(after === undefined ? {} : { after }) });
    expect(page.events.length).toBeLessThanOrEqual(limit);
    found.push(...page.events);
    if (page.next === null) return found;
    expect(page.events.length).toBe(limit);
    after = page.next;
  }
};

export const eventStoreContract = (engine: EventStoreUnderTest): void => {
  describe(`EventStore: ${engine.name}`, () => {
    let store: EventStore;
    let batch: ReturnType<typeof batchMaker>;
    beforeEach(async () => {
      store = await engine.create();
      batch = batchMaker();
    });
    afterEach(() => engine.destroy(store));

    test('MUST store a journal range once: a range already held is passed over', async () => {
      const first = batch(many(0, 3));
      await store.append(first);
      await store.append(first);
      expect((await store.count(queryOf())).count).toBe(3);
      await store.flush();
      await store.append(first);
      expect((await store.count(queryOf())).count).toBe(3);
      await store.append(batch(many(3, 2)));
      expect((await store.count(queryOf())).count).toBe(5);
    });

    test('MUST keep what `position` covers through a crash of any process', async () => {
      expect(await store.position()).toBeNull();
      await store.append(batch(many(0, 100)));
      await store.flush();
      const last = batch(many(100, 50));
      await store.append(last);
      const before = await store.position();
      expect(before?.offset).toBe(last.range.to);
      store = await engine.crash(store);
      expect(await store.position()).toEqual(before);
      expect((await store.count(queryOf())).count).toBe(150);
      await store.append(last);
      await store.append(batch(many(150, 1)));
      expect(idsOf(await all(store, '', 40))).toEqual(idsOf(many(0, 151).sort(newestFirst)));
    });

    test('MUST answer a search with everything appended before it began, or say by how much it is behind (P4)', async () => {
      const appends = Array.from({ length: 8 }, (_, i) => store.append(batch(many(i * 10, 10))));
      const { count, state } = await store.count(queryOf());
      if (state.lagMs === 0) expect(count).toBe(80);
      await Promise.all(appends);
      const page = await store.search(queryOf(), { limit: 1 });
      expect(page.state).toEqual({ position: await store.position(), lagMs: 0 });
      expect((await store.count(queryOf())).count).toBe(80);
    });

    test('MUST give events back equal to what was appended, sparse and extra fields included', async () => {
      let n = 0;
      await fc.assert(
        fc.asyncProperty(fc.array(anyFields, { minLength: 1, maxLength: 12 }), fc.boolean(), async (made, flush) => {
          const events = made.map((fields) => eventOf(n++, fields));
          await store.append(batch(events));
          if (flush) await store.flush();
          const found = await store.get(events.map((event) => event['event.id'] as string));
          expect(found.map(plain)).toEqual(events.map(plain));
        }),
        { numRuns: 25 },
      );
      expect((await store.status()).deadLetters).toBe(0);
    });

    test('MUST order by `@timestamp` newest first, then by event id, so that pages neither repeat nor miss', async () => {
      const second = fc.integer({ min: 0, max: 20 });
      let run = 0;
      await fc.assert(
        fc.asyncProperty(
          fc.array(fc.array(second, { maxLength: 15 }), { maxLength: 5 }),
          fc.integer({ min: 1, max: 9 }),
          fc.boolean(),
          async (groups, limit, flush) => {
            const mark = `run-${run++}`;
            const events: Event[] = [];
            for (const seconds of groups) {
              const part = seconds.map((s, i) => eventOf(s, { 'event.id': `evt_${mark}-${events.length + i}`, 'host.name': mark }));
              events.push(...part);
              await store.append(batch(part));
              if (flush) await store.flush();
            }
            const kql = `host.name: "${mark}"`;
            expect(idsOf(await all(store, kql, limit))).toEqual(idsOf(events.toSorted(newestFirst)));
            expect(idsOf(await all(store, kql, limit, 'oldest'))).toEqual(idsOf(events.toSorted(oldestFirst)));
          },
        ),
        { numRuns: 12 },
      );
    });

    test('MUST read `not` as IS NOT TRUE: a missing field satisfies it', async () => {
      await store.append(
        batch([
          eventOf(1, { 'user.name': 'root', 'dns.question.name': 'a.example' }),
          eventOf(2, { 'user.name': 'eve', 'vigil.extra': { colour: 'red' } }),
          eventOf(3),
        ]),
      );
      for (const flush of [false, true]) {
        if (flush) await store.flush();
        const matching = async (kql: string): Promise<readonly (string | undefined)[]> => idsOf(await all(store, kql, 10, 'oldest'));
        const [one, two, three] = idsOf([eventOf(1), eventOf(2), eventOf(3)]);
        expect(await matching('not user.name: root')).toEqual([two, three]);
        expect(await matching('not dns.question.name: a.example')).toEqual([two, three]);
        expect(await matching('not colour: red')).toEqual([one, three]);
        expect(await matching('not (not user.name: root)')).toEqual([one]);
        expect(await matching('not source.port > 5')).toEqual([one, two, three]);
      }
    });

    test('MUST put a newer generation of a journal range in place of the older ones as a unit: a search sees all of one, never both (P5)', async () => {
      const placed = (from: number, count: number, generation: number, user: string): Event[] =>
        many(from, count, (n) => ({
          'user.name': user,
          'vigil.journal.collector': 'c1',
          'vigil.journal.incarnation': INCARNATION,
          'vigil.journal.offset': n * 10,
          'vigil.journal.generation': generation,
        }));
      const range = (from: number, count: number) => ({
        collector: 'c1',
        incarnation: INCARNATION,
        from: from * 10,
        to: (from + count) * 10,
      });
      const put = (from: number, count: number): Promise<void> =>
        store.append(eventBatch(range(from, count), 1, placed(from, count, 1, 'old')));
      const what = (generation: number, from: number, count: number) => ({
        generation,
        from: unixMs(START + from * 1000 + 5),
        to: unixMs(START + (from + count - 1) * 1000 + 5),
      });
      async function* again(from: number, count: number, generation: number, user: string, fails = false) {
        for (let at = from; at < from + count; at += 25) {
          const n = Math.min(25, from + count - at);
          yield eventBatch(range(at, n), generation, placed(at, n, generation, user));
        }
        if (fails) throw new Error('cut short');
      }
      const users = async (): Promise<readonly string[]> =>
        (await store.top(queryOf(), 'user.name', 10)).map(({ key, count }) => `${key} ${count}`).sort();

      await put(0, 60);
      await store.flush();
      await put(60, 40);
      await expect(store.replace(what(2, 30, 50), again(30, 50, 2, 'new', true))).rejects.toThrow('cut short');
      expect(await users()).toEqual(['old 100']);
      expect((await store.status()).generation).toBe(1);

      // Over the border between what is sealed and what is not.
      expect(await store.replace(what(2, 30, 50), again(30, 50, 2, 'new'))).toEqual({ events: 50 });
      expect(await users()).toEqual(['new 50', 'old 50']);
      expect((await store.count(queryOf())).count).toBe(100);
      expect(idsOf(await all(store, '', 17))).toEqual(idsOf(many(0, 100).sort(newestFirst)));
      const [found] = await store.get([eventOf(40)['event.id'] as string]);
      expect(found).toMatchObject({ 'user.name': 'new', 'vigil.journal.generation': 2 });
      expect((await store.histogram(queryOf('', START, START + 100_000), 1))[0]?.count).toBe(100);

      // The same after a crash, also where older rows of the range are loaded again; then a third time over a part.
      store = await engine.crash(store);
      expect(await users()).toEqual(['new 50', 'old 50']);
      await store.flush();
      expect(await users()).toEqual(['new 50', 'old 50']);
      expect((await store.status()).generation).toBe(2);
      await store.replace(what(3, 0, 40), again(0, 40, 3, 'third'));
      expect(await users()).toEqual(['new 40', 'old 20', 'third 40']);
      expect((await store.count(queryOf('user.name: third'))).count).toBe(40);
      // What arrives later goes on as ever.
      await put(100, 5);
      expect((await store.count(queryOf())).count).toBe(105);
    }, 30_000);

    test('MUST bound rows, groups and time of every answer', async () => {
      await store.append(batch(many(0, 30, (n) => ({ 'user.name': `u${n}` }))));
      for (const limit of [0, 1.5, 10_001, Number.NaN])
        await expect(store.search(queryOf(), { limit })).rejects.toMatchObject({ code: 'USAGE' });
      await expect(store.top(queryOf(), 'user.name', 1001)).rejects.toMatchObject({ code: 'USAGE' });
      await expect(store.histogram(queryOf(), 0)).rejects.toMatchObject({ code: 'USAGE' });
      await expect(store.search(queryOf(), { limit: 1, after: 'elsewhere' })).rejects.toMatchObject({ code: 'USAGE' });
      expect(await store.top(queryOf(), 'user.name', 7)).toHaveLength(7);
      expect(await store.histogram(queryOf(), 1000)).toHaveLength(1000);
    });

    test('counts, most frequent values, counts over time and fields agree with the events', async () => {
      const events = many(0, 120, (n) => ({
        'user.name': `user${n % 7}`,
        tags: n % 2 === 0 ? ['even', 'all'] : ['all'],
        'source.port': 1000 + (n % 3),
        ...(n % 10 === 0 ? { 'dns.question.name': `q${n % 20}.example`, 'process.args': ['ls', `-${n % 4}`] } : {}),
      }));
      for (let i = 0; i < events.length; i += 30) {
        await store.append(batch(events.slice(i, i + 30)));
        if (i === 30) await store.flush();
      }
      expect((await store.count(queryOf('user.name: user3'))).count).toBe(17);
      expect((await store.count(queryOf('', START + 10_000, START + 20_000))).count).toBe(10);
      expect((await store.count(queryOf('tags: even and source.port >= 1002'))).count).toBe(20);
      expect((await store.count(queryOf('"number 11"'))).count).toBe(11);
      expect(await store.top(queryOf(), 'user.name', 2)).toEqual([
        { key: 'user0', count: 18 },
        { key: 'user1', count: 17 },
      ]);
      expect(await store.top(queryOf(), 'tags', 5)).toEqual([
        { key: 'all', count: 120 },
        { key: 'even', count: 60 },
      ]);
      expect(await store.top(queryOf(), 'source.port', 1)).toEqual([{ key: '1000', count: 40 }]);
      expect(await store.top(queryOf(), 'dns.question.name', 5)).toEqual([
        { key: 'q0.example', count: 6 },
        { key: 'q10.example', count: 6 },
      ]);
      expect(await store.top(queryOf(), 'process.args', 3)).toEqual([
        { key: 'ls', count: 12 },
        { key: '-0', count: 6 },
        { key: '-2', count: 6 },
      ]);
      expect(await store.histogram(queryOf('user.name: user0', START, START + 120_000), 4)).toEqual([
        { key: new Date(START).toISOString(), count: 5 },
        { key: new Date(START + 30_000).toISOString(), count: 4 },
        { key: new Date(START + 60_000).toISOString(), count: 4 },
        { key: new Date(START + 90_000).toISOString(), count: 5 },
      ]);
      const fields = new Map((await store.fields(queryOf('tags: even'))).map(({ field, count }) => [field, count]));
      expect(fields.get('@timestamp')).toBe(60);
      expect(fields.get('dns.question.name')).toBe(12);
      expect(fields.has('source.ip')).toBe(false);
    });

    test('expire removes whole files whose newest ingest is older, then the oldest beyond the bytes, and answers what went', async () => {
      for (let i = 0; i < 3; i++) {
        await store.append(batch(many(i * 100, 100)));
        await store.flush();
      }
      const none = await store.expire({ olderThan: unixMs(0), maxBytes: bytes(1e12) });
      expect(none).toEqual({ files: 0, events: 0, bytes: 0 });
      const before = await store.status();
      const gone = await store.expire({ olderThan: unixMs(START + 150_000), maxBytes: bytes(1e12) });
      expect(gone).toMatchObject({ files: 1, events: 100 });
      expect(idsOf(await all(store, '', 100, 'oldest'))).toEqual(idsOf(many(100, 200)));
      expect((await store.status()).bytes).toBe(before.bytes - gone.bytes);
      await store.expire({ olderThan: unixMs(0), maxBytes: bytes(1) });
      expect((await store.count(queryOf())).count).toBe(0);
      // What went is still held: it is not stored again.
      expect((await store.position())?.offset).toBe(600);
    });

    test('get answers in the order asked for and leaves out what is not held', async () => {
      await store.append(batch(many(0, 5)));
      await store.flush();
      await store.append(batch(many(5, 5)));
      const [one, seven] = [eventOf(1)['event.id'] as string, eventOf(7)['event.id'] as string];
      expect(idsOf(await store.get([seven, 'evt_none', one]))).toEqual([seven, one]);
      expect(await store.get([])).toEqual([]);
    });

    test('a second journal has its own ranges, and the position is the last one that grew', async () => {
      await store.append(batch(many(0, 3)));
      const other = batchMaker('c2', 'fedcba9876543210fedcba9876543210');
      await store.append(other(many(10, 2)));
      expect(await store.position()).toMatchObject({ collector: 'c2', offset: 102 });
      store = await engine.crash(store);
      expect((await store.count(queryOf())).count).toBe(5);
      expect(await store.position()).toMatchObject({ collector: 'c2', offset: 102 });
    });
  });
};
