// SPDX-License-Identifier: Apache-2.0
/**
 * The archive of a backup: everything comes back, nothing changed in it stays unseen, nothing is written where it does not belong.
 * Input: small folders. Output: claims.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CodedError } from '../../core/errors.ts';
import { generateSigner } from '../../core/sign.ts';
import { unixMs } from '../../core/units.ts';
import { lockFolder } from '../store/embedded/lock.ts';
import { type BackupManifest, FIRST_NAME, MANIFEST_NAME, readManifest, SIGNATURE_NAME } from './manifest.ts';
import { isBackup, readBackup } from './read.ts';
import { restoreBackup, UNFINISHED } from './restore.ts';
import { writeBackup } from './write.ts';

const LONG = `events/hot/${'collector%2Dwith%2Da%2Dlong%2Dname+'.repeat(3)}/${'0'.repeat(120)}.ndjson`;
const FILES: Readonly<Record<string, Buffer>> = {
  'keys/collector.pem': Buffer.from('a key'),
  'state/state.db': Buffer.alloc(3 * 1_048_576 + 17, 7),
  'events/files/2026-11-24/empty.parquet': Buffer.alloc(0),
  [LONG]: Buffer.alloc(512, 1),
  'journal/0000000000000000.seg': Buffer.from('frames, and what was appended since'),
};

const root = mkdtempSync(join(tmpdir(), 'vigil-backup-'));
const out = join(root, 'backup.tar');
const signer = generateSigner();

const about: Omit<BackupManifest, 'v' | 'files'> = {
  at: unixMs(Date.UTC(2026, 10, 24, 9)),
  version: '0.1.0',
  collector: 'c1',
  journal: { incarnation: '0'.repeat(32), end: 6 },
};

const codeOf = async (work: Promise<unknown>): Promise<CodedError | null> => {
  try {
    await work;
    return null;
  } catch (error) {
    if (error instanceof CodedError) return error;
    throw error;
  }
};

beforeAll(async () => {
  const sources = Object.entries(FILES).map(([path, content], i) => {
    const from = join(root, `source-${i}`);
    writeFileSync(from, content);
    return { path, from, bytes: path.startsWith('journal/') ? 6 : content.length };
  });
  await writeBackup({ out, sources, about, signer });
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

describe('the archive', () => {
  it('comes back as it was taken, with private modes, a log only up to the length that was durable', async () => {
    const dir = join(root, 'restored');
    const read = await restoreBackup({ file: out, dir, lock: lockFolder });
    expect(read.signer).toBe(signer.publicKey);
    for (const [path, content] of Object.entries(FILES)) {
      const found = readFileSync(join(dir, path));
      expect(found.equals(path.startsWith('journal/') ? content.subarray(0, 6) : content), path).toBe(true);
      expect(statSync(join(dir, path)).mode & 0o777, path).toBe(0o600);
    }
    expect(statSync(join(dir, 'events/files')).mode & 0o777).toBe(0o700);
    expect(existsSync(join(dir, UNFINISHED))).toBe(false);
    expect(statSync(out).mode & 0o777).toBe(0o600);
  });

  it('is what any tar reads', () => {
    const listed = spawnSync('tar', ['-tf', out], { encoding: 'utf8' });
    if (listed.error) return process.stderr.write('skipped: no tar here\n');
    expect(listed.stderr).toBe('');
    expect(listed.stdout.trim().split('\n')).toEqual([FIRST_NAME, ...Object.keys(FILES), MANIFEST_NAME, SIGNATURE_NAME]);
    return undefined;
  });

  it('is found changed by one byte anywhere, and the part is named', async () => {
    const whole = readFileSync(out);
    const file = join(root, 'changed.tar');
    const state = whole.indexOf(Buffer.alloc(64, 7));
    // Contents are large and alike: every offset outside of the largest is as likely as all inside of it.
    const offset = fc.oneof(
      fc.integer({ min: 0, max: state + 600 }),
      fc.integer({ min: state, max: state + 3 * 1_048_576 }),
      fc.integer({ min: whole.length - 6000, max: whole.length - 1 }),
    );
    await fc.assert(
      fc.asyncProperty(offset, fc.integer({ min: 1, max: 255 }), async (at, change) => {
        const changed = Buffer.from(whole);
        changed[at] = (changed[at] as number) ^ change;
        writeFileSync(file, changed);
        const error = await codeOf(readBackup(file));
        expect(error?.code).toBe('BACKUP_BROKEN');
        if (at >= state && at < state + 3 * 1_048_576) expect(error?.details['part']).toBe('state/state.db');
      }),
      { numRuns: 120 },
    );
  }, 60_000);

  it('is found cut or continued anywhere', async () => {
    const whole = readFileSync(out);
    const file = join(root, 'cut.tar');
    for (const length of [0, 1, 511, 2048, whole.length - 1024, whole.length - 1]) {
      writeFileSync(file, whole.subarray(0, length));
      expect((await codeOf(readBackup(file)))?.code, String(length)).toBe('BACKUP_BROKEN');
    }
    writeFileSync(file, Buffer.concat([whole, Buffer.alloc(512)]));
    expect((await codeOf(readBackup(file)))?.code).toBe('BACKUP_BROKEN');
    expect(await isBackup(out)).toBe(true);
    expect(await isBackup(join(root, 'source-0'))).toBe(false);
  });

  it('names no path outside of the folders of a collector', () => {
    const paths = ['../x', 'keys/../../x', '/etc/passwd', 'keys', 'agent/x', 'keys//x', 'keys/./x', 'keys/a\u0000b', 'lock.db'];
    for (const path of paths) {
      const text = JSON.stringify({ v: 1, ...about, files: [{ path, bytes: 0, sha256: '' }] });
      expect(readManifest(Buffer.from(text)), path).toBeNull();
    }
  });
});

describe('a restore', () => {
  it('leaves nothing behind where the backup does not hold', async () => {
    const broken = join(root, 'broken.tar');
    const bytes = readFileSync(out);
    const at = bytes.indexOf('frames');
    bytes[at] = (bytes[at] as number) ^ 1;
    writeFileSync(broken, bytes);
    const dir = join(root, 'empty');
    const error = await codeOf(restoreBackup({ file: broken, dir, lock: lockFolder }));
    expect(error).toMatchObject({ code: 'BACKUP_BROKEN', details: { part: 'journal/0000000000000000.seg' } });
    expect(readdirSync(dir).filter((name) => !name.startsWith('lock.'))).toEqual([]);
    // And the same folder takes a whole one.
    await restoreBackup({ file: out, dir, lock: lockFolder });
    expect(readFileSync(join(dir, 'keys/collector.pem'), 'utf8')).toBe('a key');
  });

  it('refuses a folder that holds anything, and one where a collector runs', async () => {
    const full = join(root, 'full');
    mkdirSync(full);
    writeFileSync(join(full, 'mine.txt'), '');
    expect(await codeOf(restoreBackup({ file: out, dir: full, lock: lockFolder }))).toMatchObject({
      code: 'RESTORE_NOT_EMPTY',
      details: { name: 'mine.txt' },
    });
    expect(readdirSync(full)).toEqual(['mine.txt']);
    const busy = join(root, 'busy');
    const lock = lockFolder(busy);
    expect((await codeOf(restoreBackup({ file: out, dir: busy, lock: lockFolder })))?.code).toBe('DATA_FOLDER_BUSY');
    lock.release();
  });
});

describe('a backup that cannot be written', () => {
  it('leaves no part of itself, and says why', async () => {
    const gone = join(root, 'gone.tar');
    const sources = [{ path: 'keys/x', from: join(root, 'source-0'), bytes: 1000 }];
    const error = await codeOf(writeBackup({ out: gone, sources, about, signer }));
    expect(error?.code).toBe('BACKUP_FAILED');
    expect(error?.details['reason']).toContain('keys/x became shorter');
    expect(readdirSync(root).filter((name) => name.startsWith('gone'))).toEqual([]);
  });
});
