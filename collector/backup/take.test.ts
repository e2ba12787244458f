// SPDX-License-Identifier: Apache-2.0
/**
 * Taking a backup: in which order, what a client that goes leaves behind, and that only one is taken at a time (river.md J6).
 * Input: a data folder with a real database, ports that write down when they are asked. Output: claims.
 */
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../core/clock.ts';
import { generateSigner } from '../../core/sign.ts';
import { until } from '../../test/support/blocks.ts';
import { lockFolder } from '../store/embedded/lock.ts';
import { restoreBackup } from './restore.ts';
import { type Backups, openBackups } from './take.ts';

let root: string;
let dir: string;
let db: DatabaseSync;
let asked: string[];
let pins: number;
let segmentBytes: number;
let backups: Backups;
const never = new AbortController().signal;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'vigil-take-'));
  dir = join(root, 'data');
  for (const name of ['keys', 'state', 'journal', 'audit', 'quarantine']) mkdirSync(join(dir, name), { recursive: true });
  // Left by a collector that was ended while it took one.
  mkdirSync(join(dir, 'backup'));
  writeFileSync(join(dir, 'keys', 'collector.pem'), 'a key');
  writeFileSync(join(dir, 'audit', 'audit-000001.seg'), 'entries');
  writeFileSync(join(dir, 'journal', '0000000000000000.seg'), 'acknowledged');
  writeFileSync(join(dir, 'journal', 'incarnation'), 'a life');
  writeFileSync(join(dir, 'state', 'joins.jsonl'), '{"offset":1}\n');
  db = new DatabaseSync(join(dir, 'state', 'state.db'));
  db.exec('PRAGMA journal_mode = WAL; CREATE TABLE t (n INTEGER); INSERT INTO t VALUES (1)');
  asked = [];
  pins = 0;
  segmentBytes = 12;
  backups = openBackups({
    dir,
    clock: systemClock,
    signer: generateSigner(),
    version: '0.1.0',
    collector: 'c1',
    journal: {
      incarnation: 'i',
      pin: () => {
        asked.push('pin');
        pins += 1;
        return {
          files: [{ path: join(dir, 'journal', '0000000000000000.seg'), bytes: segmentBytes }],
          end: segmentBytes,
          release: () => {
            pins -= 1;
          },
        };
      },
    },
    events: {
      snapshot: async (into) => {
        asked.push('events');
        mkdirSync(into);
        writeFileSync(join(into, 'manifest.db'), 'files');
        // The pass goes on meanwhile.
        writeFileSync(join(dir, 'state', 'joins.jsonl'), '{"offset":1}\n{"offset":2}\n{"offs');
        return ['manifest.db'];
      },
    },
  });
});
afterEach(async () => {
  await backups.close();
  db.close();
  rmSync(root, { recursive: true, force: true });
});

describe('a backup while running', () => {
  it('takes store and state first and the journal last, pinned meanwhile, without its incarnation', async () => {
    expect(existsSync(join(dir, 'backup'))).toBe(false);
    const out = join(root, 'out.tar');
    await backups.take(out, never);
    expect(asked).toEqual(['pin', 'events', 'pin']);
    expect(pins).toBe(0);
    expect(readdirSync(dir).toSorted()).toEqual(['audit', 'journal', 'keys', 'quarantine', 'state']);
    const restored = join(root, 'restored');
    const { manifest } = await restoreBackup({ file: out, dir: restored, lock: lockFolder });
    expect(manifest.files.map(({ path }) => path)).toEqual([
      'keys/collector.pem',
      'audit/audit-000001.seg',
      'state/state.db',
      'state/joins.jsonl',
      'events/manifest.db',
      'journal/0000000000000000.seg',
    ]);
    expect(readFileSync(join(restored, 'state', 'joins.jsonl'), 'utf8')).toBe('{"offset":1}\n{"offset":2}\n');
    const copy = new DatabaseSync(join(restored, 'state', 'state.db'));
    expect(copy.prepare('SELECT n FROM t').all()).toEqual([{ n: 1 }]);
    copy.close();
  });

  it('is given up when its client goes, and leaves nothing; meanwhile no other is begun', async () => {
    // A hole of the disk that takes a while to read.
    segmentBytes = 4 * 1_073_741_824;
    truncateSync(join(dir, 'journal', '0000000000000000.seg'), segmentBytes);
    const client = new AbortController();
    const out = join(root, 'out.tar');
    const taken = backups.take(out, client.signal).catch((error: unknown) => error);
    await until(() => backups.progress().done > 0, 'the first piece');
    await expect(backups.take(join(root, 'other.tar'), never)).rejects.toMatchObject({ code: 'BACKUP_RUNNING' });
    expect(backups.progress()).toMatchObject({ running: true });
    client.abort();
    expect(await taken).toMatchObject({ code: 'BACKUP_FAILED', details: { reason: 'it was given up' } });
    expect(readdirSync(root)).toEqual(['data']);
    expect(existsSync(join(dir, 'backup'))).toBe(false);
    expect(pins).toBe(0);
    expect(backups.progress().running).toBe(false);
  });

  it('says why it could not be taken', async () => {
    segmentBytes = 100;
    await expect(backups.take(join(root, 'out.tar'), never)).rejects.toMatchObject({
      code: 'BACKUP_FAILED',
      details: { reason: 'journal/0000000000000000.seg became shorter while it was read' },
    });
    await expect(backups.take(join(root, 'none', 'out.tar'), never)).rejects.toMatchObject({ details: { reason: 'ENOENT' } });
    expect(pins).toBe(0);
  });
});
