// SPDX-License-Identifier: Apache-2.0
/**
 * `vigil decode`: one JSON line for each line, whatever the input; complaints about what cannot be decoded at all.
 * Input: streams and files. Output: claims.
 */
import { mkdtemp, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type DecodeArgs, decodeCommand, splitLines } from './decode.ts';

let dir: string;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'vigil-decode-'));
});
afterAll(() => rm(dir, { recursive: true }));

const run = async (args: Partial<DecodeArgs>, input = ''): Promise<Record<string, unknown>[]> => {
  let out = '';
  const io = {
    stdin: Readable.from([Buffer.from(input)]),
    out: (text: string) => {
      out += text;
    },
  };
  await decodeCommand({ dataset: 'auto', file: '-', ...args }, io);
  return args.list
    ? out
        .trimEnd()
        .split('\n')
        .map((line) => ({ line }))
    : out
        .split('\n')
        .slice(0, -1)
        .map((line) => JSON.parse(line) as Record<string, unknown>);
};

const fieldOf = (printed: Record<string, unknown> | undefined, name: string): unknown =>
  (printed?.['event'] as Record<string, unknown> | undefined)?.[name];

describe('vigil decode', () => {
  it('prints exactly one line for each line, in order, empty ones too', async () => {
    const lines = await run(
      { dataset: 'sshd' },
      'Nov 24 09:14:02 h sshd[1]: Invalid user x from 1.2.3.4 port 5\r\n\nnonsense\nlast without end',
    );
    expect(lines.map(({ line, outcome }) => [line, outcome])).toEqual([
      [1, 'ok'],
      [2, 'partial'],
      [3, 'partial'],
      [4, 'partial'],
    ]);
    expect(fieldOf(lines[0], 'event.original')).not.toContain('\r');
  });

  it('leaves out what only a collector knows', async () => {
    const [line] = await run({}, 'Nov 24 09:14:02 h sshd[1]: Invalid user x from 1.2.3.4 port 5\n');
    const names = Object.keys(line?.['event'] as object);
    expect(names.filter((name) => /^(?:host|agent|vigil\.(?:agent|journal|seq))/.test(name))).toEqual([]);
    expect(names).toContain('source.ip');
  });

  it('reads stamps in the zone and year it is given', async () => {
    const [line] = await run({ tz: 'America/New_York', year: 2019, dataset: 'syslog' }, 'Nov 24 09:14:02 h p[1]: x\n');
    expect(fieldOf(line, '@timestamp')).toBe('2019-11-24T14:14:02.000Z');
  });

  it('takes a file’s own time for when its lines were read', async () => {
    const file = join(dir, 'old.log');
    await writeFile(file, 'Nov 24 09:14:02 h p[1]: x\n');
    await utimes(file, new Date('2020-01-05'), new Date('2020-01-05'));
    const [line] = await run({ file, dataset: 'syslog' });
    expect(fieldOf(line, '@timestamp')).toBe('2019-11-24T09:14:02.000Z');
  });

  it('lists its datasets, each with a sentence', async () => {
    const lines = await run({ list: true });
    expect(lines.map(({ line }) => String(line).split('\t')[0])).toContain('nginx.access');
  });

  it('unpacks gzip, and says when it is damaged', async () => {
    const file = join(dir, 'old.gz');
    const packed = gzipSync('Nov 24 09:14:02 h p[1]: x\n'.repeat(1_000));
    await writeFile(file, packed);
    expect(await run({ file, dataset: 'syslog' })).toHaveLength(1_000);
    await writeFile(file, packed.subarray(0, packed.length - 20));
    await expect(run({ file, dataset: 'syslog' })).rejects.toMatchObject({ code: 'FILE_UNREADABLE', exit: 2 });
  });

  it('refuses an unknown dataset, an unknown zone and a missing file with a code', async () => {
    await expect(run({ dataset: 'nope' })).rejects.toMatchObject({ code: 'USAGE' });
    await expect(run({ tz: 'Mars/Olympus' })).rejects.toMatchObject({ code: 'USAGE' });
    await expect(run({ file: join(dir, 'none') })).rejects.toMatchObject({ code: 'FILE_UNREADABLE' });
  });
});

describe('splitLines', () => {
  const split = async (chunks: readonly Uint8Array[]): Promise<string[]> => {
    const lines: string[] = [];
    for await (const line of splitLines(Readable.from(chunks))) lines.push(Buffer.from(line).toString('latin1'));
    return lines;
  };

  it('gives the same lines however the stream is cut', async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: fc.constantFrom('a', '\n', '\r', 'b') }), fc.integer({ min: 1, max: 5 }), async (text, size) => {
        const bytes = Buffer.from(text);
        const chunks: Buffer[] = [];
        for (let at = 0; at < bytes.length; at += size) chunks.push(bytes.subarray(at, at + size));
        const expected = text.split('\n').map((line) => line.replace(/\r$/, ''));
        if (text.split('\n').at(-1) === '') expected.pop();
        expect(await split(chunks)).toEqual(expected);
      }),
    );
  });

  it('holds no more of a line than the limit', async () => {
    const lines = await split([Buffer.alloc(1_500_000, 97), Buffer.alloc(1_500_000, 97), Buffer.from('\nx\n')]);
    expect(lines.map((line) => line.length)).toEqual([1_048_577, 1]);
  });
});
