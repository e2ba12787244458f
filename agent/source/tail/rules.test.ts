// SPDX-License-Identifier: Apache-2.0
/** Multiline rules, globs, discovery, names of rotated files. */
import { appendFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { RECORD_FLAGS } from '../../../core/record.ts';
import { tailReader } from '../../../test/support/tail-reader.ts';
import { datasetOf, discover, parseEntry } from './discover.ts';
import { expandGlob, globPattern } from './glob.ts';
import { parseMultiline } from './multiline.ts';
import { isRotatedName } from './rotated.ts';

let dir: string;

beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'vigil-rules-'));
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

describe('a multiline rule', () => {
  const read = async (rule: string, text: string, seconds = 0): Promise<readonly string[]> => {
    const path = join(dir, 'multi.log');
    writeFileSync(path, text);
    const reader = tailReader([path], { multiline: [`${dir}/*.log ${rule}`] });
    await reader.start();
    reader.read();
    // A change of the file begins the wait for the rest of its last group.
    appendFileSync(path, '');
    for (let i = 0; i < seconds; i++) reader.read();
    await reader.stop();
    return reader.lines;
  };

  const trace = 'first\n  at a\n  at b\nsecond\nthird\n  at c\n';

  it('joins lines that match to the one before, as the bytes stand in the file', async () => {
    const lines = await read('pattern=^\\s', trace, 7);
    expect(lines).toEqual(['first\n  at a\n  at b', 'second', 'third\n  at c']);
  });

  it('with negate joins lines that do not match', async () => {
    expect(await read('pattern=^\\d{4} negate=true', '2026 a\nb\n2026 c\n', 7)).toEqual(['2026 a\nb', '2026 c']);
  });

  it('ends a group at its number of lines', async () => {
    expect(await read('pattern=^\\s lines=2', 'a\n 1\n 2\n 3\n', 7)).toEqual(['a\n 1', ' 2\n 3']);
  });

  it('flags what it joined, and only that', async () => {
    const path = join(dir, 'flag.log');
    writeFileSync(path, 'a\n b\nc\nd\n');
    const reader = tailReader([path], { multiline: [`${path} pattern=^\\s`] });
    await reader.start();
    reader.read();
    expect(reader.records.map(({ flags }) => (flags & RECORD_FLAGS.multiline) !== 0)).toEqual([
      true,
      false,
      ...reader.records.slice(2).map(() => false),
    ]);
    await reader.stop();
  });

  it('is refused when it is malformed or may run for ever', () => {
    for (const rule of [
      '/x',
      '/x pattern=(',
      '/x pattern=(a+)+ lines=3',
      '/x pattern=a lines=1',
      '/x pattern=a timeout=soon',
      '/x pattern=a negate=perhaps',
    ])
      expect(() => parseMultiline(rule), rule).toThrowError(expect.objectContaining({ code: 'AGENT_BAD_RULE' }));
  });
});

describe('a glob', () => {
  it('matches like the shell does inside a folder', () => {
    expect(globPattern('/var/log/*.log').test('/var/log/a.log')).toBe(true);
    expect(globPattern('/var/log/*.log').test('/var/log/b/a.log')).toBe(false);
    expect(globPattern('/var/**/a.log').test('/var/log/b/a.log')).toBe(true);
    expect(globPattern('/var/log/app[0-9]?.log').test('/var/log/app1x.log')).toBe(true);
  });

  it('finds the files that are there, and keeps a plain path that is not', () => {
    mkdirSync(join(dir, 'deep', 'er'), { recursive: true });
    for (const name of ['deep/a.log', 'deep/er/b.log', 'deep/c.txt', 'deep/.hidden.log']) writeFileSync(join(dir, name), '');
    expect(expandGlob(`${dir}/deep/*.log`).paths).toEqual([join(dir, 'deep/a.log')]);
    expect(expandGlob(`${dir}/deep/**/*.log`).paths).toEqual([join(dir, 'deep/a.log'), join(dir, 'deep/er/b.log')]);
    expect(expandGlob('/no/such/file').paths).toEqual(['/no/such/file']);
    expect(expandGlob('/no/such/*').paths).toEqual([]);
  });

  it('never throws and never takes long, whatever is written', () => {
    fc.assert(fc.property(fc.string({ maxLength: 30 }), (text) => globPattern(`/${text.replaceAll('[', '')}`).test('/a/b') !== undefined));
  });
});

describe('discovery', () => {
  it('takes PATH=DATASET apart, and leaves other equal signs in the path', () => {
    expect(parseEntry('/a/b.log=nginx.access', '/')).toEqual({ glob: '/a/b.log', dataset: 'nginx.access' });
    expect(parseEntry('logs/x', '/home')).toEqual({ glob: '/home/logs/x', dataset: undefined });
    expect(parseEntry('/a/k=V/x.log', '/')).toEqual({ glob: '/a/k=V/x.log', dataset: undefined });
  });

  it('knows the usual names', () => {
    expect(
      ['/var/log/auth.log', '/var/log/nginx/site-access.log', '/var/log/audit/audit.log', '/srv/x/nginx/error.log', '/srv/x/what'].map(
        datasetOf,
      ),
    ).toEqual(['syslog', 'nginx.access', 'auditd', 'nginx.error', 'auto']);
  });

  it('lets the entry that comes first decide the dataset', () => {
    writeFileSync(join(dir, 'd.log'), '');
    const { targets } = discover({ paths: [`${dir}/d.log=auditd`, `${dir}/d.*=syslog`], exclude: [], usual: false }, '/');
    expect(targets).toEqual([{ path: join(dir, 'd.log'), dataset: 'auditd', because: `${dir}/d.log=auditd` }]);
  });
});

describe('a rotated name', () => {
  it.each([
    'app.log.1',
    'app.log.12.gz',
    'app.log-20261124',
    'app.log-20261124.gz',
    'app.log.2026-11-24',
    'app-20261124.log',
    'app.log.old',
    'app.log.1.zst',
  ])('%s belongs to app.log', (name) => expect(isRotatedName('app.log', name)).toBe(true));
  it.each(['app.log', 'app.log.conf', 'app-2.log', 'other.log.1', 'app.log.1.bak', 'app.logs'])('%s does not', (name) =>
    expect(isRotatedName('app.log', name)).toBe(false),
  );
});
