// SPDX-License-Identifier: Apache-2.0
import { DatabaseSync } from 'node:sqlite';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { unixMs } from '../../../core/units.ts';
import { signal } from '../../../test/support/signals.ts';
import type { SignalRow, SignalTable } from '../../model/signals.ts';
import { openSignals } from './signals.ts';

const open = (): { readonly table: SignalTable; readonly db: DatabaseSync } => {
  const db = new DatabaseSync(':memory:');
  return { db, table: openSignals(db) };
};

const rowOf = (
  at: number,
  more: Partial<SignalRow> & { readonly key?: number } = {},
): { readonly row: SignalRow; readonly one: ReturnType<typeof signal> } => {
  const { key = 0, ...rest } = more;
  const one = signal({ at, key });
  return { one, row: { correlation: 'c', rule: one.rule, group: 'g', time: one.time, signal: one.id, ...rest } };
};

const all = { correlation: 'c', group: 'g', from: unixMs(0), to: unixMs(1_000_000) };

describe('the signals table', () => {
  it('answers with what was added in the running transaction, and forgets it with a rollback', () => {
    const { db, table } = open();
    db.exec('BEGIN');
    const { one, row } = rowOf(10);
    table.add([one], [row]);
    expect(table.range(all, 10)).toEqual([row]);
    expect(table.get([one.id])).toEqual([one]);
    db.exec('ROLLBACK');
    expect(table.range(all, 10)).toEqual([]);
    expect(table.get([one.id])).toEqual([]);
  });

  it('keeps a row once, however often it is added', () => {
    const { table } = open();
    const { one, row } = rowOf(10);
    table.add([one], [row]);
    table.add([one], [row]);
    expect(table.count(all, 10)).toBe(1);
  });

  it('orders by time, then by signal id, and counts up to the limit', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 20 }), { maxLength: 40 }), fc.integer({ min: 1, max: 50 }), (times, limit) => {
        const { table } = open();
        const made = times.map((at, key) => rowOf(at, { key }));
        table.add(
          made.map(({ one }) => one),
          made.map(({ row }) => row),
        );
        const sorted = made.map(({ row }) => row).sort((a, b) => a.time - b.time || (a.signal < b.signal ? -1 : 1));
        expect(table.range(all, limit)).toEqual(sorted.slice(0, limit));
        expect(table.range(all, limit, 'newest')).toEqual(sorted.reverse().slice(0, limit));
        expect(table.count(all, limit)).toBe(Math.min(limit, times.length));
      }),
      { numRuns: 50 },
    );
  });

  it('takes both ends of a range in', () => {
    const { table } = open();
    const made = [10, 20, 30].map((at) => rowOf(at));
    table.add(
      made.map(({ one }) => one),
      made.map(({ row }) => row),
    );
    expect(table.count({ ...all, from: unixMs(10), to: unixMs(20) }, 10)).toBe(2);
    expect(table.count({ ...all, from: unixMs(11), to: unixMs(19) }, 10)).toBe(0);
  });

  it('finds rows by rule and by value', () => {
    const { table } = open();
    const made = [rowOf(1, { value: 'root' }), rowOf(2, { value: 'bob' }), rowOf(3, { rule: 'other', value: 'root' })];
    table.add(
      made.map(({ one }) => one),
      made.map(({ row }) => row),
    );
    expect(table.range({ ...all, value: 'root' }, 10).map(({ time }) => time)).toEqual([1, 3]);
    expect(table.range({ ...all, rule: 'other' }, 10).map(({ time }) => time)).toEqual([3]);
    expect(table.count({ ...all, rule: 'fail', value: 'root' }, 10)).toBe(1);
  });

  it('counts different values exactly, also below a flood of one value', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.integer({ min: 0, max: 300 }), fc.constantFrom('a', 'a', 'a', 'b', 'c', 'd', 'e', 'f')), { maxLength: 400 }),
        fc.integer({ min: 1, max: 8 }),
        fc.integer({ min: 0, max: 200 }),
        (list, limit, from) => {
          const { table } = open();
          const made = list.map(([at, value], key) => rowOf(at, { key, value }));
          table.add(
            made.map(({ one }) => one),
            made.map(({ row }) => row),
          );
          const values = new Set(list.filter(([at]) => at >= from && at <= from + 150).map(([, value]) => value));
          expect(table.distinct({ ...all, from: unixMs(from), to: unixMs(from + 150) }, limit)).toBe(Math.min(limit, values.size));
        },
      ),
      { numRuns: 60 },
    );
  });

  it('removes what arrived before a time with its rows, also rows that came later for the same signal', () => {
    const { db, table } = open();
    const old = signal({ at: 10, ingested: 1000 });
    const young = signal({ at: 5, ingested: 3000 });
    const row = (one: typeof old, correlation: string): SignalRow => ({
      correlation,
      rule: 'fail',
      group: 'g',
      time: one.time,
      signal: one.id,
    });
    table.add([old, young], [row(old, 'c'), row(young, 'c')]);
    table.add([old], [row(old, 'd')]);
    expect(table.expire(unixMs(2000))).toBe(1);
    expect(table.range(all, 10)).toEqual([row(young, 'c')]);
    expect(table.get([old.id, young.id])).toEqual([young]);
    expect(db.prepare('SELECT count(*) AS n FROM signal_row').get()).toEqual({ n: 1 });
  });

  it('raises a mark and never lowers it', () => {
    const { table } = open();
    table.raise('stream:a', unixMs(10));
    table.raise('stream:a', unixMs(5));
    table.raise('due:b', unixMs(7));
    expect([...table.reached('stream:')]).toEqual([['stream:a', 10]]);
  });
});
