// SPDX-License-Identifier: Apache-2.0
/** The targets of KQL agree: DuckDB and SQLite find what the predicate finds, on written cases and on random queries and documents. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ECS, ECS_FIELDS } from '../../core/ecs.ts';
import { isCoded } from '../../core/errors.ts';
import { type UnixMs, unixMs } from '../../core/units.ts';
import type { Event } from '../model/event.ts';
import type { Node } from './ast.ts';
import { parseOrThrow } from './parse.ts';
import { print } from './print.ts';
import { registerQueryFunctions } from './sql-sqlite.ts';
import { toDocumentPredicate, toPredicate } from './to-predicate.ts';
import { toSql } from './to-sql.ts';

const NOW = unixMs(Date.UTC(2026, 10, 24, 9, 30));
const at = (text: string): UnixMs => unixMs(Date.parse(text));

const TYPES = {
  keyword: 'VARCHAR',
  text: 'VARCHAR',
  ip: 'VARCHAR',
  keywords: 'VARCHAR[]',
  long: 'BIGINT',
  double: 'DOUBLE',
  date: 'TIMESTAMP',
  boolean: 'BOOLEAN',
  flattened: 'VARCHAR',
};
const COLUMNS = ECS_FIELDS.filter((name) => ECS[name].typed);

let folder: string;
let duckdb: DuckDBConnection;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'vigil-query-'));
  duckdb = await (await DuckDBInstance.create(':memory:')).connect();
});
afterAll(async () => {
  duckdb.closeSync();
  await rm(folder, { recursive: true });
});

const row = (event: Event): string => {
  const out: Record<string, unknown> = {};
  const extra: Record<string, unknown> = Object.assign(Object.create(null), event['vigil.extra']);
  for (const [name, value] of Object.entries(event)) {
    if (name === 'vigil.extra') continue;
    const { type, typed } = ECS[name as keyof typeof ECS];
    if (!typed) extra[name] = value;
    else out[name] = type === 'date' ? new Date(value as number).toISOString() : value;
  }
  return JSON.stringify(Object.keys(extra).length > 0 ? { ...out, 'vigil.extra': extra } : out);
};

let tables = 0;
const loadEvents = async (events: readonly Event[]): Promise<string> => {
  const file = join(folder, 'events.ndjson');
  await writeFile(file, events.map((event, i) => row({ ...event, 'event.sequence': i })).join('\n'));
  const name = `t${tables++}`;
  const columns = COLUMNS.map((column) => `'${column}': '${TYPES[ECS[column].type]}'`).join(', ');
  await duckdb.run(`CREATE TABLE ${name} AS SELECT * FROM read_json('${file}', format = 'newline_delimited', columns = {${columns}})`);
  return name;
};

const inDuckdb = async (table: string, node: Node): Promise<readonly number[]> => {
  const { sql, params } = toSql(node, { dialect: 'duckdb', now: NOW });
  const found = await duckdb.runAndReadAll(
    `SELECT CAST(json_extract_string("vigil.extra", '$."event.sequence"') AS INTEGER) AS i FROM ${table} WHERE ${sql} ORDER BY i`,
    [...params],
  );
  return found.getRows().map(([i]) => i as number);
};

const inMemory = (events: readonly Event[], node: Node): readonly number[] => {
  const matches = toPredicate(node, { now: NOW });
  return events.flatMap((event, i) => (matches({ ...event, 'event.sequence': i }) ? [i] : []));
};

const openDocuments = (documents: readonly unknown[]): DatabaseSync => {
  const database = new DatabaseSync(':memory:');
  registerQueryFunctions(database);
  database.exec('CREATE TABLE d (id INTEGER PRIMARY KEY, value TEXT NOT NULL) STRICT');
  const insert = database.prepare('INSERT INTO d VALUES (?, ?)');
  for (const [i, document] of documents.entries()) insert.run(i, JSON.stringify(document));
  return database;
};

const inSqlite = (database: DatabaseSync, node: Node): readonly number[] => {
  const { sql, params } = toSql(node, { dialect: 'sqlite-json', now: NOW, column: 'd.value' });
  return database
    .prepare(`SELECT id FROM d WHERE ${sql} ORDER BY id`)
    .all(...params)
    .map((found) => found['id'] as number);
};

const EVENTS: readonly Event[] = [
  {
    '@timestamp': at('2026-11-24T09:14:02.000Z'),
    'event.id': 'evt_AbC',
    'event.original': 'Nov 24 09:14:02 bastion sshd[4131]: Failed password for root from 203.0.113.77 port 40022 ssh2',
    message: 'Failed password for root',
    'event.category': ['authentication'],
    'event.outcome': 'failure',
    'user.name': 'root',
    'source.ip': '203.0.113.77',
    'source.port': 40022,
    'host.name': 'bastion',
    'process.args': ['sshd', '-D'],
    'source.bytes': 100,
    'log.syslog.structured_data': { 'origin.ip': '192.0.2.1' },
  },
  {
    '@timestamp': at('2026-11-23T23:59:59.999Z'),
    'user.name': 'MÜLLER',
    'source.ip': '2001:db8::1',
    'source.port': 22,
    'host.name': 'web01',
    'url.path': '/a*b',
    'vigil.maybe_repeated': true,
    'vigil.extra': { 'app.mode': 'Fast', 'q"uo/te~': 'x' },
    'file.mtime': at('2026-11-01T00:00:00.000Z'),
  },
  { '@timestamp': at('2026-11-24T00:00:00.000Z'), message: '100% done_ok', 'source.ip': '10.20.16.5', 'event.type': ['start', 'allowed'] },
  { '@timestamp': at('2026-10-02T00:00:00.000Z'), 'source.ip': '10.1.2.3', 'file.path': '/etc/passwd', 'vigil.extra': {} },
];

const CASES: readonly (readonly [query: string, found: readonly number[]])[] = [
  ['', [0, 1, 2, 3]],
  ['*', [0, 1, 2, 3]],
  ['*:*', [0, 1, 2, 3]],
  ['not *', []],
  ['user.name: ROOT', [0]],
  ['user.name: müller', [1]],
  ['user.name: roo', []],
  ['user.name: r*t', [0]],
  ['user.name: "r*t"', []],
  ['url.path: /a\\*b', [1]],
  ['url.path: /a*', [1]],
  ['user.name: *', [0, 1]],
  ['not user.name: *', [2, 3]],
  ['not user.name: root', [1, 2, 3]],
  ['not (not user.name: root)', [0]],
  ['event.id: evt_AbC', [0]],
  ['event.id: evt_abc', []],
  ['message: failed password', [0]],
  ['message: password failed', []],
  ['message: fail*root', [0]],
  ['message: "100% done_"', [2]],
  ['message: 1_0*', []],
  ['203.0.113.77', [0]],
  ['10.0.0.0/8', [2, 3]],
  ['passwd', [3]],
  ['source.ip: 10.0.0.0/8', [2, 3]],
  ['source.ip: 10.20.16.0/20', [2]],
  ['source.ip: 10.20.0.0/20', []],
  ['source.ip: 0.0.0.0/0', [0, 2, 3]],
  ['source.ip: 10.1.2.3/32', [3]],
  ['source.ip: "2001:db8::/32"', [1]],
  ['source.ip: "2001:0DB8:0:0::1"', [1]],
  ['source.ip >= 10.1.2.3 and source.ip < 10.20.16.5', [3]],
  ['source.ip > 203.0.113.77', [1]],
  ['source.ip: 10.*', [2, 3]],
  ['source.port: 22.0', [1]],
  ['source.port > 22', [0]],
  ['source.port >= 21.5', [0, 1]],
  ['source.bytes: 100', [0]],
  ['source.bytes < 100', []],
  ['event.category: Authentication', [0]],
  ['event.type: all*', [2]],
  ['process.args: "-d"', [0]],
  ['event.type: *', [2]],
  ['process.args: *', [0]],
  ['@timestamp: 2026-11-24', [0, 2]],
  ['@timestamp < 2026-11-24', [1, 3]],
  ['@timestamp <= 2026-11-24', [0, 1, 2, 3]],
  ['@timestamp > 2026-11-23', [0, 2]],
  ['@timestamp >= now-24h', [0, 1, 2]],
  ['@timestamp >= now/d', [0, 2]],
  ['@timestamp: "2026-11-24T10:14+01:00"', [0]],
  ['@timestamp: 2026-10', [3]],
  ['file.mtime: 2026-11-01', [1]],
  ['file.mtime > 2026-11-01', []],
  ['vigil.maybe_repeated: TRUE', [1]],
  ['app.mode: fast', [1]],
  ['vigil.extra.app.mode: fast', [1]],
  ['q\\"uo/te~: x', [1]],
  ['app.mode: *', [1]],
  ['log.syslog.structured_data.origin.ip: 192.0.2.1', [0]],
  ['log.syslog.structured_data: 192.0.2.1', [0]],
  ['log.syslog.structured_data: *', [0]],
  ['source.*: 22', [1]],
  ['source.*: *', [0, 1, 2, 3]],
  ['nosuch*: x', []],
  ['host.name > bastion', [1]],
  ['host.name: (bastion or web01 and not web*)', [0]],
  ['user.name: root or user.name: müller and host.name: nowhere', [0]],
  ['source.port: 22 and not message: *', [1]],
];

describe('events', () => {
  test.each(CASES)('%s finds the same in DuckDB and in memory', async (query, found) => {
    const node = parseOrThrow(query);
    expect(inMemory(EVENTS, node)).toEqual(found);
    expect(await inDuckdb(await loadEvents(EVENTS), node)).toEqual(found);
  });

  test('random queries find the same random events in DuckDB and in memory', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(event(), { minLength: 1, maxLength: 12 }),
        fc.array(query(eventLeaf()), { minLength: 6, maxLength: 6 }),
        async (events, nodes) => {
          const table = await loadEvents(events);
          for (const node of nodes) {
            const expected = orBad(() => inMemory(events, node));
            if (expected === 'bad value') await expect(inDuckdb(table, node)).rejects.toThrow(/is not a value/);
            else expect(await inDuckdb(table, node), print(node)).toEqual(expected);
          }
          await duckdb.run(`DROP TABLE ${table}`);
        },
      ),
      { numRuns: 60 },
    );
  });

  test('a thousand conditions compile to what both engines take', async () => {
    const node = parseOrThrow(`user.name: (${Array.from({ length: 1000 }, (_, i) => `u${i}`).join(' or ')} or root)`);
    expect(await inDuckdb(await loadEvents(EVENTS), node)).toEqual([0]);
    expect(inSqlite(openDocuments([{ user: { name: 'root' } }, {}]), node)).toEqual([0]);
  });
});

const DOCUMENTS: readonly unknown[] = [
  {
    title: 'Brute force',
    level: 'high',
    count: 6,
    last: at('2026-11-24T09:14:02Z'),
    late: false,
    tags: ['a', 'B'],
    keys: [{ serials: ['01', '02'] }, { serials: ['03'] }],
  },
  { title: 'Übung', level: 'low', count: 100, last: at('2026-11-20T00:00:00Z'), late: true, tags: [], by: null },
  { level: 'low', nested: { deep: { x: '5' } }, keys: { serials: '03' } },
];

const DOCUMENT_CASES: readonly (readonly [query: string, found: readonly number[]])[] = [
  ['', [0, 1, 2]],
  ['level: LOW', [1, 2]],
  ['title: übung', [1]],
  ['title: b*e', [0]],
  ['brute', [0]],
  ['ÜBUNG', [1]],
  ['count > 6', [1]],
  ['count: 6', [0]],
  ['last >= now-24h', [0]],
  ['last: 2026-11-20', [1]],
  ['late: true', [1]],
  ['tags: b', [0]],
  ['tags: *', [0]],
  ['by: *', []],
  ['keys.serials: 03', [0, 2]],
  ['keys.serials: 01', [0]],
  ['nested.deep.x: 5', [2]],
  ['nested: *', [2]],
  ['not level: low', [0]],
  ['not count: 6', [1, 2]],
  ['level > high', [1, 2]],
];

describe('documents', () => {
  test.each(DOCUMENT_CASES)('%s finds the same in SQLite and in memory', (query, found) => {
    const node = parseOrThrow(query);
    const matches = toDocumentPredicate(node, { now: NOW });
    expect(DOCUMENTS.flatMap((document, i) => (matches(document) ? [i] : []))).toEqual(found);
    expect(inSqlite(openDocuments(DOCUMENTS), node)).toEqual(found);
  });

  test('random queries find the same random documents in SQLite and in memory', () => {
    fc.assert(
      fc.property(
        fc.array(document(), { minLength: 1, maxLength: 12 }),
        fc.array(query(documentLeaf()), { minLength: 6, maxLength: 6 }),
        (documents, nodes) => {
          const database = openDocuments(documents);
          for (const node of nodes) {
            const expected = orBad(() => {
              const matches = toDocumentPredicate(node, { now: NOW });
              return documents.flatMap((one, i) => (matches(one) ? [i] : []));
            });
            expect(
              orBad(() => inSqlite(database, node)),
              print(node),
            ).toEqual(expected);
          }
          database.close();
        },
      ),
      { numRuns: 150 },
    );
  });
});

// ─── Generators: few words and values, so that queries often match ─────────────────────────────

const orBad = <T>(run: () => T): T | 'bad value' => {
  try {
    return run();
  } catch (error) {
    if (isCoded(error, 'QUERY_BAD_VALUE')) return 'bad value';
    throw error;
  }
};

const WORDS = [
  'root',
  'Root',
  'ΑΣ',
  'İx',
  'straße',
  'a%b',
  'a_b',
  'a*b',
  "o'neil",
  '\\',
  'x\ny',
  '',
  '😀',
  '5',
  '10',
  'true',
  '2026-11-24',
  '-1.5',
];
const word = (): fc.Arbitrary<string> => fc.constantFrom(...WORDS);
const ADDRESSES = ['10.0.0.1', '10.0.16.1', '10.255.0.1', '192.0.2.200', '2001:db8::1', '2001:db8:0:1::', '::1', 'fe80::1:2'];
const NETWORKS = ['10.0.0.0/8', '10.0.0.0/20', '10.0.0.1/32', '0.0.0.0/0', '2001:db8::/32', '2001:db8::/64', '::/0', '10.0.0.0/9'];
const TIMES = ['2026-11-24', '2026-11', 'now-24h', 'now/d', '2026-11-24T09', '2026-11-24T09:14:02.000Z'];
const time = (): fc.Arbitrary<UnixMs> =>
  fc.constantFrom(NOW, unixMs(NOW - 86_400_000), at('2026-11-24'), at('2026-11-01'), at('1969-12-31T23:59:59.999Z'));

const event = (): fc.Arbitrary<Event> =>
  fc.record(
    {
      '@timestamp': time(),
      message: word(),
      'user.name': word(),
      'event.id': word(),
      'event.type': fc.array(word(), { minLength: 1, maxLength: 3 }),
      'process.args': fc.array(word(), { minLength: 1, maxLength: 3 }),
      'source.ip': fc.constantFrom(...ADDRESSES),
      'client.ip': fc.constantFrom(...ADDRESSES),
      'source.port': fc.integer({ min: -2, max: 12 }),
      'source.bytes': fc.integer({ min: -2, max: 12 }),
      'vigil.maybe_repeated': fc.boolean(),
      'file.mtime': time(),
      'vigil.extra': fc.dictionary(fc.constantFrom('app', 'user.nam', 'q"', 'file.mtime.x'), word(), { maxKeys: 3 }),
      'log.syslog.structured_data': fc.dictionary(fc.constantFrom('k', 'a.b'), word(), { minKeys: 1, maxKeys: 2 }),
    },
    { requiredKeys: [] },
  ) as fc.Arbitrary<Event>;

const document = (): fc.Arbitrary<unknown> =>
  fc.record(
    {
      a: fc.oneof(word(), fc.integer({ min: -2, max: 12 }), fc.boolean(), fc.constant(null), time()),
      b: fc.oneof(
        fc.array(fc.oneof(word(), fc.integer({ min: 0, max: 9 }), fc.constant(null))),
        fc.record({ c: word(), d: fc.array(word()) }, { requiredKeys: [] }),
      ),
      e: fc.array(fc.record({ f: fc.oneof(word(), fc.array(word())) }, { requiredKeys: [] }), { maxLength: 2 }),
    },
    { requiredKeys: [] },
  );

const literal = (text: fc.Arbitrary<string>): fc.Arbitrary<{ text: string; quoted: boolean; at: number }> =>
  fc.record({ text, quoted: fc.boolean(), at: fc.constant(0) });
const valueText = (): fc.Arbitrary<string> =>
  fc.oneof(word(), fc.constantFrom('r*', '*o*', '*', 'a*b*', 'A%b'), fc.constantFrom(...ADDRESSES, ...NETWORKS), fc.constantFrom(...TIMES));
const op = () => fc.constantFrom('gt', 'gte', 'lt', 'lte');

const leaf = (field: fc.Arbitrary<string>): fc.Arbitrary<Node> => {
  const name = literal(field);
  return fc.oneof(
    { weight: 4, arbitrary: fc.record({ kind: fc.constant('is'), field: name, value: literal(valueText()) }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('is'), field: fc.constant(null), value: literal(valueText()) }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('exists'), field: name }) },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('range'), field: name, op: op(), value: literal(valueText()) }) },
  ) as fc.Arbitrary<Node>;
};

const eventLeaf = (): fc.Arbitrary<Node> =>
  leaf(
    fc.constantFrom(
      '@timestamp',
      'message',
      'user.name',
      'event.id',
      'event.type',
      'process.args',
      'source.ip',
      'client.ip',
      'source.port',
      'source.bytes',
      'vigil.maybe_repeated',
      'file.mtime',
      'app',
      'q"',
      'user.*',
      'source.*',
      'log.syslog.structured_data',
      'log.syslog.structured_data.a.b',
    ),
  );
const documentLeaf = (): fc.Arbitrary<Node> => leaf(fc.constantFrom('a', 'b', 'b.c', 'b.d', 'e.f', 'e', 'a.b'));

const query = (one: fc.Arbitrary<Node>): fc.Arbitrary<Node> =>
  fc.letrec<{ node: Node }>((tie) => ({
    node: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      one,
      fc.record({ kind: fc.constantFrom('and', 'or'), of: fc.array(tie('node'), { minLength: 2, maxLength: 3 }) }) as fc.Arbitrary<Node>,
      fc.record({ kind: fc.constant('not'), of: tie('node') }) as fc.Arbitrary<Node>,
    ),
  })).node;
