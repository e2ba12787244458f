// SPDX-License-Identifier: Apache-2.0
/** What a log may hold, and what else may stand where a log is looked for. */
import { appendFileSync, chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { LINE_LIMIT_BYTES, RECORD_FLAGS } from '../../../core/record.ts';
import { unixMs } from '../../../core/units.ts';
import { type TailReader, tailReader } from '../../../test/support/tail-reader.ts';
import { cutLines } from './lines.ts';

let dir: string;
let path: string;
let reader: TailReader;

const at = (name: string): string => join(dir, name);
const open = async (more: Parameters<typeof tailReader>[1] = {}, paths: readonly string[] = [path]): Promise<TailReader> => {
  reader = tailReader(paths, more);
  await reader.start();
  return reader;
};

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'vigil-tail-'));
  path = at('app.log');
});

afterEach(async () => {
  await reader?.stop();
  rmSync(dir, { recursive: true, force: true });
});

describe('the bytes of a line', () => {
  it('are kept as they are: invalid UTF-8, NUL, carriage returns inside', async () => {
    const raw = Buffer.from([0xff, 0xfe, 0x00, 0x41, 0x0d, 0x42, 0xc3, 0x28]);
    writeFileSync(path, Buffer.concat([raw, Buffer.from('\n')]));
    (await open()).read();
    expect(Buffer.from(reader.lines[0] as string, 'latin1').equals(raw)).toBe(true);
  });

  it('end before a line feed or a carriage return and line feed', async () => {
    writeFileSync(path, 'one\r\ntwo\n\nfour\n');
    (await open()).read();
    expect(reader.lines).toEqual(['one', 'two', '', 'four']);
    expect(reader.records.map(({ end }) => end)).toEqual([5, 9, 10, 15]);
  });

  it('of ten megabytes come in flagged parts that join to the line', async () => {
    const long = Buffer.alloc(10_000_000, 'abcdefghij');
    writeFileSync(path, Buffer.concat([Buffer.from('before\n'), long, Buffer.from('\nafter\n')]));
    (await open()).read();
    const parts = reader.records.slice(1, -1);
    expect(parts.map(({ flags }) => flags & (RECORD_FLAGS.cut | RECORD_FLAGS.continued))).toEqual([
      RECORD_FLAGS.cut,
      ...Array.from({ length: parts.length - 1 }, () => RECORD_FLAGS.continued),
    ]);
    expect(Buffer.from(parts.map(({ text }) => text).join(''), 'latin1').equals(long)).toBe(true);
    expect([reader.lines[0], reader.lines.at(-1)]).toEqual(['before', 'after']);
    expect(reader.tail.progress()[0]?.counts).toMatchObject({ cut: 1 });
  });

  it('go on as a continued part after a restart in the middle of a long line', async () => {
    writeFileSync(path, Buffer.alloc(LINE_LIMIT_BYTES + 10, 'x'));
    (await open()).read();
    expect(reader.records).toHaveLength(1);
    await reader.stop();
    appendFileSync(path, 'end\n');
    await reader.start();
    reader.read();
    expect(reader.records[1]).toMatchObject({ text: `${'x'.repeat(10)}end`, flags: RECORD_FLAGS.continued });
  });
});

describe('cutting lines', () => {
  it('gives back every byte, however the file is cut into reads', () => {
    const piece = fc.oneof(fc.constantFrom('\n', '\r\n', '', 'é', '\0'), fc.string({ maxLength: 12, unit: 'binary' }));
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 40 }), fc.integer({ min: 1, max: 64 }), (pieces, step) => {
        const file = Buffer.from(pieces.join(''));
        const again: Buffer[] = [];
        let offset = 0;
        let continued = false;
        for (let stop = step; offset < file.length; stop += step) {
          const final = stop >= file.length;
          const cut = cutLines(file.subarray(offset, stop), offset, {
            readAt: unixMs(0),
            final,
            continued,
            backlogTo: 0,
            maxRecords: 1_000,
            maxBytes: 1_000,
          });
          let from = offset;
          for (const { bytes, end } of cut.records) {
            // What lies between a record and its end is its line ending, nothing else.
            expect(['', '\n', '\r\n']).toContain(file.subarray(from + bytes.length, end).toString('latin1'));
            again.push(file.subarray(from, end));
            expect(file.subarray(from, from + bytes.length).equals(bytes)).toBe(true);
            from = end;
          }
          expect(from).toBe(offset + cut.consumed);
          offset = from;
          continued = cut.continued;
          if (final && cut.records.length === 0) break;
        }
        expect(Buffer.concat(again).equals(file)).toBe(true);
      }),
    );
  });

  it('never parts the bytes of one character', () => {
    const line = Buffer.from('é'.repeat(LINE_LIMIT_BYTES));
    const options = { readAt: unixMs(0), final: true, continued: false, backlogTo: 0, maxRecords: 10, maxBytes: 10_000_000 };
    const { records } = cutLines(Buffer.concat([Buffer.from('x'), line]), 0, options);
    expect(records.length).toBeGreaterThan(1);
    for (const { bytes } of records) expect(Buffer.from(bytes).toString('utf8')).not.toContain('\ufffd');
  });
});

describe('what is no readable log', () => {
  it('neither blocks nor is read: a FIFO, a device, a folder, a link of somebody else', async () => {
    const { mkfifo } = await import('../../../test/support/fifo.ts');
    await mkfifo(at('pipe.log'));
    mkdirSync(at('folder.log'));
    symlinkSync('/dev/zero', at('zero.log'));
    symlinkSync(at('nowhere'), at('dangling.log'));
    writeFileSync(path, 'one\n');
    (
      await open(
        {},
        ['pipe', 'folder', 'zero', 'dangling', 'app'].map((name) => at(`${name}.log`)),
      )
    ).read();
    expect(reader.lines).toEqual(['one']);
    const problems = Object.fromEntries(reader.tail.problems().map(({ about, code }) => [about, code]));
    expect(problems).toEqual({
      [at('pipe.log')]: 'FILE_NOT_REGULAR',
      [at('folder.log')]: 'FILE_NOT_REGULAR',
      [at('zero.log')]: 'FILE_NOT_REGULAR',
      [at('dangling.log')]: 'FILE_MISSING',
    });
  });

  it('is said of a path or glob of the configuration that finds nothing', async () => {
    writeFileSync(path, 'one\n');
    await open({}, [path, at('mispelt.log'), at('none*.log')]);
    expect(reader.tail.problems().map(({ about, code }) => [about, code])).toEqual([
      [at('mispelt.log'), 'FILE_MISSING'],
      [at('none*.log'), 'GLOB_EMPTY'],
    ]);
  });

  it('is named with the command that would allow it, and read once it is allowed', async () => {
    writeFileSync(path, 'secret\n');
    chmodSync(path, 0o000);
    chmodSync(dir, 0o755);
    const root = process.getuid?.() === 0;
    // Root reads everything, so the test looks with other eyes.
    if (root) process.seteuid?.(65_534);
    try {
      (await open()).read();
    } finally {
      if (root) process.seteuid?.(0);
    }
    expect(reader.lines).toEqual([]);
    expect(reader.tail.problems()).toMatchObject([{ code: 'FILE_DENIED', about: path, hint: expect.stringContaining('setfacl') }]);
    chmodSync(path, 0o600);
    reader.read();
    expect(reader.lines).toEqual(['secret']);
    expect(reader.tail.problems()).toEqual([]);
  });

  it('is refused where it is a collector’s data, also by a link', async () => {
    mkdirSync(at('data'));
    writeFileSync(at('data/control.sock'), '');
    writeFileSync(at('data/own.log'), 'own\n');
    symlinkSync(at('data/own.log'), path);
    mkdirSync(at('named'));
    writeFileSync(at('named/x.log'), 'x\n');
    (await open({ refuse: [at('named')] }, [path, at('data/*.log'), at('named/*.log')])).read();
    expect(reader.lines).toEqual([]);
    expect(reader.tail.problems().map(({ code }) => code)).toEqual(['FILE_REFUSED', 'FILE_REFUSED', 'FILE_REFUSED']);
  });
});

describe('a file that fails', () => {
  it('is let go without harm to the others, and begun again where it was', async () => {
    writeFileSync(path, 'one\n');
    writeFileSync(at('b.log'), 'b\n');
    await open({}, [path, at('b.log')]);
    reader.read();
    appendFileSync(path, 'two\n');
    appendFileSync(at('b.log'), 'c\n');
    const follow = reader.tail.follow(path) as { next: unknown };
    const failing = Object.assign(new Error('input/output error'), { code: 'EIO' });
    follow.next = () => {
      throw failing;
    };
    reader.read();
    expect(reader.lines).toEqual(['one', 'b', 'c']);
    expect(reader.tail.problems()).toMatchObject([{ code: 'FILE_FAILED', about: path, reason: 'EIO' }]);
    await reader.rescan();
    reader.read();
    expect(reader.lines).toEqual(['one', 'b', 'c', 'two']);
    expect(reader.tail.problems()).toEqual([]);
  });
});

describe('the first sight of a file', () => {
  const daysAgo = (n: number): Date => new Date(Date.now() - n * 86_400_000);

  it('reads it from the beginning, its rotated files before, all marked as backlog (A2)', async () => {
    writeFileSync(`${path}.2`, 'too old\n');
    utimesSync(`${path}.2`, daysAgo(9), daysAgo(9));
    writeFileSync(`${path}.1`, 'rotated\n');
    utimesSync(`${path}.1`, daysAgo(2), daysAgo(2));
    writeFileSync(path, 'now\n');
    (await open()).read();
    appendFileSync(path, 'news\n');
    reader.read();
    expect(reader.records.map(({ text, flags }) => [text, flags & RECORD_FLAGS.backlog])).toEqual([
      ['rotated', RECORD_FLAGS.backlog],
      ['now', RECORD_FLAGS.backlog],
      ['news', 0],
    ]);
  });

  it('begins at the end of a file that nobody wrote to for a week', async () => {
    writeFileSync(path, 'old\n');
    utimesSync(path, daysAgo(8), daysAgo(8));
    (await open()).read();
    appendFileSync(path, 'news\n');
    reader.read();
    expect(reader.lines).toEqual(['news']);
    expect(reader.tail.progress()[0]?.counts).toMatchObject({ skippedBytes: 4 });
  });

  it('of a file that appears while the agent runs is news, not backlog', async () => {
    await open({}, [at('*.log')]);
    reader.read();
    reader.clock.advance(60_000);
    writeFileSync(path, 'fresh\n');
    utimesSync(path, new Date(reader.clock.now()), new Date(reader.clock.now()));
    await reader.tail.rescan();
    reader.read();
    expect(reader.records).toMatchObject([{ text: 'fresh', flags: 0 }]);
  });
});

describe('several files', () => {
  it('take turns, so that a large one does not hold up the others', async () => {
    writeFileSync(at('a.log'), 'a line of the large file\n'.repeat(100_000));
    for (const name of ['b', 'c']) writeFileSync(at(`${name}.log`), `${name}\n`);
    await open({}, [at('*.log')]);
    reader.clock.advance(1_000);
    reader.tail.poll();
    const first = [1, 2, 3].map(() => {
      const { stream } = reader.tail.next() ?? {};
      reader.tail.commit();
      return stream;
    });
    expect(first.sort()).toEqual(['a', 'b', 'c'].map((name) => `file:${at(`${name}.log`)}`));
  });

  it('matched by a glob are found without their rotated and packed ones', async () => {
    for (const name of ['app.log', 'app.log.1', 'app.log.2.gz', 'other.log']) writeFileSync(at(name), readFileSync('/dev/null'));
    await open({ exclude: [at('oth*')] }, [at('*')]);
    expect(reader.tail.progress().map(({ stream }) => stream)).toEqual([`file:${path}`]);
  });
});
