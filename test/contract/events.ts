// SPDX-License-Identifier: Apache-2.0
/**
 * Events for the store's tests: fixed ones, and random ones over the whole field table.
 * Input: numbers and seeds. Output: events and batches as the pass would append them.
 */
import fc from 'fast-check';
import type { Event } from '../../collector/model/event.ts';
import type { JournalRange } from '../../collector/model/page.ts';
import type { Node } from '../../collector/query/ast.ts';
import { parse } from '../../collector/query/parse.ts';
import { eventBatch } from '../../collector/store/schema.ts';
import type { EventBatch, EventQuery } from '../../collector/store/store.ts';
import { ECS, ECS_FIELDS, type EcsField } from '../../core/ecs.ts';
import { type UnixMs, unixMs } from '../../core/units.ts';

export const START = Date.UTC(2026, 10, 24, 9, 0, 0);
const COLLECTOR = 'c1';
export const INCARNATION = '0123456789abcdef0123456789abcdef';

/** Event number `n`; one second apart. */
export const eventOf = (n: number, more: Partial<Event> = {}): Event => ({
  '@timestamp': unixMs(START + n * 1000),
  'event.id': `evt_${String(n).padStart(20, '0')}`,
  'event.ingested': unixMs(START + n * 1000 + 5),
  'event.original': `line number ${n} of a log`,
  'event.dataset': 'syslog',
  'vigil.dataset': 'syslog',
  'vigil.decode': 'ok',
  ...more,
});

/** Appends one after another without holes, as the pass does. */
export const batchMaker = (
  collector = COLLECTOR,
  incarnation = INCARNATION,
): ((events: readonly Event[], generation?: number) => EventBatch) => {
  let offset = 0;
  return (events, generation = 1) => {
    const range: JournalRange = { collector, incarnation, from: offset, to: (offset += 100 + events.length) };
    return eventBatch(range, generation, events);
  };
};

/** A query over all time, from KQL. */
export const queryOf = (kql = '', from = 0, to = START * 2): EventQuery => ({ where: nodeOf(kql), from: unixMs(from), to: unixMs(to) });

export const nodeOf = (kql: string): Node => {
  if (kql === '') return { kind: 'all' };
  const parsed = parse(kql);
  if (parsed.kind === 'failed') throw new Error(`${kql}: ${parsed.problem.message}`);
  return parsed.node;
};

const text = fc.oneof(
  fc.string({ unit: 'grapheme', minLength: 1, maxLength: 30 }),
  fc.string({ unit: 'binary', minLength: 1, maxLength: 10 }).map((s) => s.toWellFormed()),
  fc.constantFrom('"', '\\', '\u0000', '\n', '\u2028', '{"a":1}', "'; DROP TABLE event; --", 'null', '[]'),
);
const name = fc.oneof(
  text,
  fc.constantFrom('__proto__', 'constructor', 'dns.question.name', 'vigil.extra.x', 'message', 'a.b', '$."x"', '~/'),
);
const map = fc
  .dictionary(name, text, { minKeys: 1, maxKeys: 4, noNullPrototype: false })
  .map((made) => Object.assign(Object.create(null), made) as Record<string, string>);

const anyValue = (field: EcsField): fc.Arbitrary<unknown> => {
  switch (ECS[field].type) {
    case 'date':
      return fc.integer({ min: -62_135_596_800_000, max: 253_402_300_799_999 });
    case 'long':
      return fc.maxSafeInteger();
    case 'boolean':
      return fc.boolean();
    case 'keywords':
      return fc.array(text, { minLength: 1, maxLength: 4 });
    case 'ip':
      return fc.oneof(fc.ipV4(), fc.ipV6());
    case 'flattened':
      return map;
    case 'keyword':
    case 'text':
      return text;
  }
};

/** Any event the field table allows, without id and times, which the test gives. */
export const anyFields: fc.Arbitrary<Partial<Event>> = fc
  .subarray(
    ECS_FIELDS.filter((field) => !['@timestamp', 'event.id', 'event.ingested'].includes(field)),
    { maxLength: 30 },
  )
  .chain((fields) => fc.record(Object.fromEntries(fields.map((field) => [field, anyValue(field)]))))
  .map((made) => made as Partial<Event>);

/** The order every page follows. */
export const newestFirst = (a: Event, b: Event): number => (b['@timestamp'] as UnixMs) - (a['@timestamp'] as UnixMs) || idOrder(a, b);
export const oldestFirst = (a: Event, b: Event): number => (a['@timestamp'] as UnixMs) - (b['@timestamp'] as UnixMs) || idOrder(a, b);
const idOrder = (a: Event, b: Event): number => ((a['event.id'] ?? '') < (b['event.id'] ?? '') ? -1 : 1);

/** Without the fields that are absent, to compare with what comes back. */
export const plain = (event: Event): Record<string, unknown> => JSON.parse(JSON.stringify(event)) as Record<string, unknown>;
