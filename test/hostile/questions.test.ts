// SPDX-License-Identifier: Apache-2.0
/**
 * Questions of somebody who may only look, and requests of somebody who may nothing: they end soon, or are refused with a code.
 * Input: queries against one long line, requests with hostile addresses. Output: the time they take, problem details.
 */
import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { PROBLEM_TYPE } from '../../collector/http/errors.ts';
import { parseOrThrow } from '../../collector/query/parse.ts';
import { toPredicate } from '../../collector/query/to-predicate.ts';
import { toSql } from '../../collector/query/to-sql.ts';
import { unixMs } from '../../core/units.ts';
import { openConsole, type TestConsole } from '../support/console.ts';

const NOW = unixMs(Date.UTC(2026, 10, 26));

describe('a query of many wildcards', () => {
  let duckdb: DuckDBConnection;
  beforeAll(async () => {
    duckdb = await (await DuckDBInstance.create(':memory:', { threads: '1' })).connect();
    await duckdb.run(`create table e as select repeat('a', 1000000) as "event.original", 'x.y(z)*|[é' as "user.name"`);
  });
  afterAll(() => duckdb.closeSync());

  const matches = async (kql: string): Promise<boolean> => {
    const { sql, params } = toSql(parseOrThrow(kql), { dialect: 'duckdb', now: NOW });
    const [row] = (await duckdb.runAndReadAll(`select count(*) from e where ${sql}`, [...params])).getRows();
    return Number(row?.[0]) === 1;
  };

  test('over a line of a megabyte ends soon', async () => {
    const begin = performance.now();
    expect(await matches(`event.original: ${'*a'.repeat(40)}*b`)).toBe(false);
    expect(await matches(`event.original: ${'*a'.repeat(40)}*`)).toBe(true);
    expect(performance.now() - begin).toBeLessThan(5_000);
  });

  test.each([
    ['user.name: x.*\\(*\\**', true],
    ['user.name: X*Y*[É', true],
    ['user.name: x?*\\(*[é', false],
    ['user.name: *.*|*', true],
    ['user.name: x*y*q*', false],
  ])('takes signs of patterns for themselves: %s', async (kql, wanted) => {
    expect(await matches(kql)).toBe(wanted);
    expect(toPredicate(parseOrThrow(kql), { now: NOW })({ 'user.name': 'x.y(z)*|[é' } as never)).toBe(wanted);
  });

  test('is refused when it has more of them than anybody means', () => {
    expect(() => toSql(parseOrThrow(`user.name: ${'*a'.repeat(100)}`), { dialect: 'duckdb', now: NOW })).toThrow(/wildcards|not a value/);
  });

  test('is text, whatever SQL it holds', () => {
    for (const text of ["'; DROP TABLE e; --", '\\"; --', "a' OR '1'='1", '?; ?', '$1', '::INT']) {
      const { sql } = toSql(parseOrThrow(`user.name: "${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`), {
        dialect: 'duckdb',
        now: NOW,
      });
      expect(sql).not.toContain('DROP');
      expect(sql.match(/'/g) ?? []).toHaveLength(0);
    }
  });
});

describe('a hostile address', () => {
  let vigil: TestConsole;
  beforeAll(async () => {
    vigil = await openConsole();
  });
  afterAll(() => vigil.close());

  test.each(['__proto__', 'constructor', 'toString', '__proto__.x'])('with the key %s is refused as unknown', async (name) => {
    const answer = await vigil.ask('GET', `/api/v1/events/search?${name}=1`, { role: 'auditor' });
    expect(answer.statusCode).toBe(400);
    expect(answer.json()).toMatchObject({ code: 'REQUEST_BAD' });
  });

  test('that cannot be read is a problem with all headers', async () => {
    for (const path of ['/api/v1/incidents/%F0%90', '/%ff', '/%']) {
      const answer = await vigil.ask('GET', path);
      expect(answer.statusCode, path).toBe(400);
      expect(answer.headers['content-type']).toContain(PROBLEM_TYPE);
      expect(answer.headers['x-content-type-options']).toBe('nosniff');
      expect(answer.headers['content-security-policy']).toContain("default-src 'none'");
      expect(answer.headers['cache-control']).toBe('no-store');
      expect(answer.json()).toMatchObject({ code: 'REQUEST_BAD' });
    }
  });

  test.each([
    '/../../../etc/passwd',
    '/assets/..%2f..%2fkeys/agent-ca.key',
    '/assets/%2e%2e/keys/audit.pem',
    '//etc/passwd',
    '/index.html%00.js',
  ])('reaches no file: %s', async (path) => {
    const answer = await vigil.ask('GET', path);
    expect(answer.body).not.toMatch(/root:|PRIVATE KEY/);
    expect([200, 404]).toContain(answer.statusCode);
    if (answer.statusCode === 200) expect(answer.body).toContain('<!doctype html>');
  });

  test('of a local file moves nobody but the owner of the data folder', async () => {
    for (const role of ['admin', 'analyst', 'auditor'] as const)
      expect((await vigil.ask('POST', '/api/v1/fleet/tokens', { role, body: { local: true } })).statusCode).toBe(
        role === 'admin' ? 201 : 403,
      );
  });
});

test('guesses of others behind an address do not shut out who has the right credential', async () => {
  const vigil = await openConsole();
  const bad = { headers: { authorization: `Bearer vgl_${'A'.repeat(63)}` } };
  const guesses = await Promise.all(Array.from({ length: 150 }, () => vigil.ask('GET', '/api/v1/auth/me', bad)));
  expect(guesses.some(({ statusCode }) => statusCode === 429)).toBe(true);
  expect((await vigil.ask('GET', '/api/v1/auth/me', { role: 'auditor' })).statusCode).toBe(200);
  await vigil.close();
});
