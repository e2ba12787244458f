// SPDX-License-Identifier: Apache-2.0
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { loadConfig, nearest, printConfig, type SettingTable } from './config.ts';

const TABLE = {
  'data.dir': { type: 'text', default: '.vigil', env: 'DIR', doc: 'A folder.' },
  'keep.for': { type: 'duration', default: '90s', min: 1000, doc: 'A span.' },
  'keep.bytes': { type: 'size', default: '64MiB', doc: 'A size.' },
  count: { type: 'integer', default: 3, max: 9, doc: 'A number.' },
  on: { type: 'boolean', default: false, doc: 'A switch.' },
  paths: { type: 'list', default: [], doc: 'A list.' },
  key: { type: 'text', default: null, secret: true, doc: 'A secret.' },
} as const satisfies SettingTable;

const dir = mkdtempSync(join(tmpdir(), 'vigil-config-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));
const fileOf = (text: string): string => {
  const file = join(dir, `${Math.random()}.yml`);
  writeFileSync(file, text);
  return file;
};

describe('loading the configuration', () => {
  it('puts default, file, environment and flag in this order and remembers where each value came from', () => {
    const file = fileOf('data:\n  dir: from-file\nkeep.for: 2h\ncount: 4\n');
    const { config, origins } = loadConfig(TABLE, { file, env: { DIR: 'from-env' }, flags: { count: 5, on: undefined } });
    expect(config).toMatchObject({ 'data.dir': 'from-env', 'keep.for': 7_200_000, count: 5, on: false, 'keep.bytes': 67_108_864 });
    expect(origins).toMatchObject({ 'data.dir': 'environment', 'keep.for': 'file', count: 'flag', on: 'default' });
  });

  it('refuses an unknown key and names the nearest', () => {
    expect(() => loadConfig(TABLE, { file: fileOf('dta:\n  dir: x\n') })).toThrow(
      expect.objectContaining({ code: 'CONFIG_UNKNOWN_KEY', hint: expect.stringContaining('data.dir') }),
    );
  });

  it.each([
    ['keep.for: soon', 'a time such as'],
    ['keep.for: 10ms', 'at least 1000'],
    ['keep.bytes: -1', 'a size such as'],
    ['count: 2.5', 'a whole number'],
    ['count: 10', 'at most 9'],
    ['on: perhaps', 'true or false'],
    ['paths: [1, 2]', 'a list of texts'],
  ])('refuses %s and says what it expects', (text, expected) => {
    expect(() => loadConfig(TABLE, { file: fileOf(text) })).toThrow(
      expect.objectContaining({ code: 'CONFIG_BAD_VALUE', message: expect.stringContaining(expected) }),
    );
  });

  it('says that a file cannot be read', () => {
    expect(() => loadConfig(TABLE, { file: join(dir, 'none.yml') })).toThrow(expect.objectContaining({ code: 'CONFIG_UNREADABLE' }));
  });

  it('prints every value with its origin, and no secret', () => {
    const printed = printConfig(TABLE, loadConfig(TABLE, { flags: { key: 'hunter2' } }));
    expect(printed).toContain('keep.for: 90000  # default');
    expect(printed).not.toContain('hunter2');
    expect(printed.split('\n')).toHaveLength(Object.keys(TABLE).length);
  });

  it('finds the nearest name by edits', () => {
    expect(nearest('data.dri', Object.keys(TABLE))).toBe('data.dir');
    expect(nearest('listne', ['log.file', 'console.listen'])).toBe('console.listen');
  });
});
