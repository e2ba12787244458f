// SPDX-License-Identifier: Apache-2.0
/** Every way a log is rotated, with the reader running and stopped: each line once, in order. */
import {
  appendFileSync,
  copyFileSync,
  linkSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type TailReader, tailReader } from '../../../test/support/tail-reader.ts';

let dir: string;
let path: string;
let reader: TailReader;

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'vigil-tail-'));
  path = join(dir, 'app.log');
  reader = tailReader([path]);
});

afterEach(async () => {
  await reader.stop();
  rmSync(dir, { recursive: true, force: true });
});

const numbered = (from: number, to: number): string => Array.from({ length: to - from }, (_, i) => `line ${from + i}\n`).join('');
const expected = (to: number): string[] => Array.from({ length: to }, (_, i) => `line ${i}`);

/** Each moves what is in the log out of the way and leaves a log that begins anew. */
const ROTATIONS: Readonly<Record<string, (n: number) => void>> = {
  rename: (n) => renameSync(path, `${path}.${n}`),
  'rename to a dated name': (n) => renameSync(path, `${path}-2026112${n}`),
  'rename with the date before the ending': (n) => renameSync(path, join(dir, `app-2026112${n}.log`)),
  copytruncate: (n) => {
    copyFileSync(path, `${path}.${n}`);
    truncateSync(path, 0);
  },
  'rename and gzip': (n) => {
    writeFileSync(`${path}.${n}.gz`, gzipSync(readFileSync(path)));
    unlinkSync(path);
  },
  'rename and gzip a moment later': (n) => {
    writeFileSync(`${path}.${n}.gz`, gzipSync(readFileSync(path)));
    utimesSync(`${path}.${n}.gz`, new Date(Date.now() + 500), new Date(Date.now() + 500));
    unlinkSync(path);
  },
  'rename and zstd': (n) => {
    writeFileSync(`${path}.${n}.zst`, zstdCompressSync(readFileSync(path)));
    unlinkSync(path);
  },
  'copytruncate and gzip': (n) => {
    writeFileSync(`${path}.${n}.gz`, gzipSync(readFileSync(path)));
    truncateSync(path, 0);
  },
};

describe.each(Object.entries(ROTATIONS))('%s', (_name, rotate) => {
  it('loses nothing while the reader runs', async () => {
    writeFileSync(path, numbered(0, 3));
    await reader.start();
    reader.read();
    appendFileSync(path, numbered(3, 5));
    rotate(1);
    appendFileSync(path, numbered(5, 9));
    expect(await reader.readUntil(9)).toEqual(expected(9));
  });

  it('loses nothing while the reader is stopped, and reads the rotated file first', async () => {
    writeFileSync(path, numbered(0, 3));
    await reader.start();
    reader.read();
    await reader.stop();
    appendFileSync(path, numbered(3, 5));
    rotate(1);
    appendFileSync(path, numbered(5, 9));
    await reader.start();
    expect(await reader.readUntil(9)).toEqual(expected(9));
  });

  it('reads files that were rotated in between, oldest first', async () => {
    writeFileSync(path, numbered(0, 3));
    await reader.start();
    reader.read();
    await reader.stop();
    for (const n of [1, 2, 3]) {
      appendFileSync(path, numbered(n * 3, n * 3 + 3));
      rotate(n);
      // Rotations are hours apart in life; here only the clock of the file system is.
      for (const name of [`${path}.${n}`, `${path}.${n}.gz`, `${path}.${n}.zst`, `${path}-2026112${n}`, join(dir, `app-2026112${n}.log`)])
        if (exists(name)) utimesSync(name, new Date(Date.now() + n * 60_000), new Date(Date.now() + n * 60_000));
      appendFileSync(path, '');
    }
    appendFileSync(path, numbered(12, 14));
    await reader.start();
    expect(await reader.readUntil(14)).toEqual(expected(14));
  });
});

const exists = (name: string): boolean => {
  try {
    statSync(name);
    return true;
  } catch {
    return false;
  }
};

describe('a log', () => {
  it('that is deleted and made anew is read to its end and from the new beginning', async () => {
    writeFileSync(path, numbered(0, 3));
    await reader.start();
    reader.read();
    appendFileSync(path, numbered(3, 5));
    unlinkSync(path);
    writeFileSync(path, numbered(5, 7));
    expect(await reader.readUntil(7)).toEqual(expected(7));
  });

  it('behind a link is followed when the link is swapped, running and stopped', async () => {
    const link = join(dir, 'current.log');
    const [a, b, c] = ['a', 'b', 'c'].map((name) => join(dir, `${name}.txt`)) as [string, string, string];
    writeFileSync(a, numbered(0, 2));
    symlinkSync(a, link);
    reader = tailReader([link]);
    await reader.start();
    reader.read();
    appendFileSync(a, numbered(2, 3));
    writeFileSync(b, numbered(3, 5));
    unlinkSync(link);
    symlinkSync(b, link);
    expect(await reader.readUntil(5)).toEqual(expected(5));
    await reader.stop();
    appendFileSync(b, numbered(5, 6));
    writeFileSync(c, numbered(6, 8));
    unlinkSync(link);
    symlinkSync(c, link);
    await reader.start();
    reader.read();
    expect(reader.lines).toEqual(expected(8));
  });

  it('with a second name is read once', async () => {
    writeFileSync(path, numbered(0, 2));
    linkSync(path, join(dir, 'other.log'));
    reader = tailReader([join(dir, '*.log')]);
    await reader.start();
    reader.read();
    expect(reader.lines).toEqual(expected(2));
    expect(reader.tail.problems()).toMatchObject([{ code: 'FILE_TWICE' }]);
  });

  it('that is truncated and grows past the old place is noticed by the bytes before it', async () => {
    writeFileSync(path, numbered(0, 3));
    await reader.start();
    reader.read();
    writeFileSync(path, 'another beginning\nmuch longer than what stood there before\nand one more\n');
    await reader.readUntil(6);
    expect(reader.lines.slice(3)).toEqual(['another beginning', 'much longer than what stood there before', 'and one more']);
    await reader.stop();
    writeFileSync(path, `${'third content, longer again than what was there\n'.repeat(5)}`);
    await reader.start();
    reader.read();
    expect(reader.lines).toHaveLength(3 + 3 + 5);
  });

  it('whose inode another file took is not taken for it', async () => {
    writeFileSync(path, numbered(0, 3));
    await reader.start();
    reader.read();
    await reader.stop();
    // The same inode with other content, as long as before: what a reuse looks like at its worst.
    writeFileSync(path, numbered(0, 3).replaceAll('line', 'LINE'));
    await reader.start();
    reader.read();
    expect(reader.lines.slice(3)).toEqual(['LINE 0', 'LINE 1', 'LINE 2']);
  });

  it('of nothing, or of one byte, waits for its first line', async () => {
    writeFileSync(path, '');
    await reader.start();
    reader.read();
    appendFileSync(path, 'x');
    reader.read();
    expect(reader.lines).toEqual([]);
    appendFileSync(path, '\n');
    expect(await reader.readUntil(1)).toEqual(['x']);
  });

  it('that begins like the one before is told apart after a rotation', async () => {
    const head = 'started\nconfiguration read\n';
    writeFileSync(path, head);
    await reader.start();
    reader.read();
    await reader.stop();
    appendFileSync(path, 'end of the first\n');
    renameSync(path, `${path}.1`);
    writeFileSync(path, `${head}end of the second\n`);
    await reader.start();
    reader.read();
    expect(reader.lines).toEqual([...head.trim().split('\n'), 'end of the first', ...head.trim().split('\n'), 'end of the second']);
  });

  it('keeps a last line without its end until the file is rotated and quiet', async () => {
    writeFileSync(path, 'one\ntwo without end');
    await reader.start();
    reader.read();
    reader.read();
    expect(reader.lines).toEqual(['one']);
    renameSync(path, `${path}.1`);
    writeFileSync(path, 'three\n');
    expect(await reader.readUntil(2)).toEqual(['one', 'three']);
    for (let i = 0; i < 6; i++) reader.read();
    expect(reader.lines).toEqual(['one', 'three', 'two without end']);
  });

  it('is still read after its rotation while its writer holds it', async () => {
    writeFileSync(path, numbered(0, 1));
    await reader.start();
    reader.read();
    renameSync(path, `${path}.1`);
    writeFileSync(path, '');
    reader.read();
    appendFileSync(`${path}.1`, numbered(1, 2));
    reader.read();
    appendFileSync(path, numbered(2, 3));
    expect(await reader.readUntil(3)).toEqual(expected(3));
  });

  it('is given again from the same place when its batch was not sealed', async () => {
    writeFileSync(path, numbered(0, 3));
    await reader.start();
    reader.clock.advance(1_000);
    reader.tail.poll();
    const text = (): string[] => (reader.tail.next()?.records ?? []).map(({ bytes }) => Buffer.from(bytes).toString());
    expect(text()).toEqual(expected(3));
    expect(text()).toEqual(expected(3));
  });
});

type Act = 'append' | 'partial' | 'rename' | 'copytruncate' | 'gzip' | 'read' | 'restart';

describe('any order of writing, rotating, reading and crashing', () => {
  it('gives every line once and in order', async () => {
    const acts = fc.array(
      fc.constantFrom<Act>('append', 'append', 'partial', 'rename', 'copytruncate', 'gzip', 'read', 'read', 'restart'),
      {
        maxLength: 25,
      },
    );
    await fc.assert(
      fc.asyncProperty(acts, async (list) => {
        const here = mkdtempSync(join(tmpdir(), 'vigil-tail-'));
        const log = join(here, 'app.log');
        const one = tailReader([log]);
        const written: string[] = [];
        let open = false;
        let rotations = 0;
        const append = (whole: boolean): void => {
          const text = `line ${written.length} of a log with some length`;
          written.push(text);
          appendFileSync(log, whole ? `${text}\n` : text.slice(0, 7));
          if (!whole) appendFileSync(log, `${text.slice(7)}\n`);
        };
        writeFileSync(log, '');
        // Something is read first, so that no later file is at first sight.
        append(true);
        await one.start();
        one.read();
        open = true;
        for (const act of list) {
          if (act === 'append') append(true);
          else if (act === 'partial') append(false);
          else if (act === 'read') {
            if (!open) await one.start();
            open = true;
            await one.readUntil(0);
          } else if (act === 'restart') {
            await one.stop();
            open = false;
          } else if (statSync(log).size > 0) {
            rotations += 1;
            const to = `${log}-20261124${String(rotations).padStart(4, '0')}`;
            if (act === 'copytruncate') {
              copyFileSync(log, to);
              truncateSync(log, 0);
            } else {
              renameSync(log, to);
              writeFileSync(log, '');
              if (act === 'gzip' && !open) {
                const { atime, mtime } = statSync(to);
                writeFileSync(`${to}.gz`, gzipSync(readFileSync(to)));
                utimesSync(`${to}.gz`, atime, mtime);
                unlinkSync(to);
              }
            }
          }
        }
        if (!open) await one.start();
        const lines = await one.readUntil(written.length);
        await one.stop();
        rmSync(here, { recursive: true, force: true });
        expect(lines, `${basename(dirname(log))}: ${list.join(' ')}`).toEqual(written);
      }),
      { numRuns: 150 },
    );
  }, 60_000);
});
