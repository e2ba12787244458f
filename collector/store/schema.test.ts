// SPDX-License-Identifier: Apache-2.0
/**
 * Tests of rows: what a line holds, and that a row gives its event back.
 * Input: events, fixed and random. Output: claims. The way through the engine is in test/contract.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { anyFields, eventOf, plain } from '../../test/contract/events.ts';
import type { Event } from '../model/event.ts';
import { COLUMNS, columnsOfMask, eventBatch, eventRow, rowToEvent } from './schema.ts';

const range = { collector: 'c', incarnation: 'i', from: 0, to: 1 };

// What read_json makes of a line: columns by name, objects as text.
const rowOf = (line: string): readonly unknown[] => {
  const json = JSON.parse(line) as Record<string, unknown>;
  return COLUMNS.map(({ name }) => {
    const value = json[name];
    return value === undefined ? null : name === 'vigil.extra' ? JSON.stringify(value) : value;
  });
};

test('an event is one line, absent fields left out', () => {
  const event: Event = { '@timestamp': 5 as never, 'event.id': 'evt_1', message: 'a\nb', 'user.name': undefined };
  expect(eventRow(event)).toBe('{"@timestamp":5,"event.id":"evt_1","message":"a\\nb"}');
});

test('sparse fields and extras stand together under vigil.extra, names apart', () => {
  const event: Event = { 'dns.question.name': 'a.example', 'vigil.extra': { 'dns.question.name': 'other', x: 'y' } };
  expect(JSON.parse(eventRow(event))).toEqual({
    'vigil.extra': { 'dns.question.name': 'a.example', 'vigil.extra.dns.question.name': 'other', x: 'y' },
  });
});

test('a line gives its event back, whatever its fields', () => {
  fc.assert(
    fc.property(anyFields, (fields) => {
      const event = eventOf(1, fields);
      const line = eventRow(event);
      expect(line).not.toContain('\n');
      expect(plain(rowToEvent(rowOf(line)))).toEqual(plain(event));
    }),
  );
});

test('a batch has a line for each event, and none when empty', () => {
  const batch = eventBatch(range, 3, [eventOf(1), eventOf(2)]);
  expect(batch).toMatchObject({ range, generation: 3, rows: 2 });
  expect(Buffer.from(batch.ndjson).toString()).toBe(`${eventRow(eventOf(1))}\n${eventRow(eventOf(2))}\n`);
  expect(eventBatch(range, 3, []).ndjson).toHaveLength(0);
});

test('the mask of a batch names every column that its lines fill', () => {
  fc.assert(
    fc.property(fc.array(anyFields, { minLength: 1, maxLength: 5 }), (made) => {
      const batch = eventBatch(
        range,
        1,
        made.map((fields, n) => eventOf(n, fields)),
      );
      const columns = new Set<string>(columnsOfMask(batch.columns).map((column) => column.name));
      for (const line of Buffer.from(batch.ndjson).toString().trim().split('\n'))
        for (const name of Object.keys(JSON.parse(line) as object)) expect(columns).toContain(name);
      expect(columns.size).toBeLessThan(COLUMNS.length);
    }),
  );
  expect(columnsOfMask(undefined)).toBe(COLUMNS);
  expect(columnsOfMask('00000000ff')).toBe(COLUMNS);
});
