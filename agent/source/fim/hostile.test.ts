// SPDX-License-Identifier: Apache-2.0
/** What stands in a watched tree to harm the one who watches: each gets a plain answer, nothing is lost, nothing hangs. */
import { spawn, spawnSync } from 'node:child_process';
import {
  appendFileSync,
  chmodSync,
  closeSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { mountProblem } from '../../../test/support/agent.ts';
import { mkfifo } from '../../../test/support/fifo.ts';
import { type FimDriver, openDriver } from '../../../test/support/fim-driver.ts';
import { NOBODY, nobodyRuns } from '../../../test/support/nobody.ts';
import { digestFile } from './hash.ts';
import { escapeName, rawPath } from './name.ts';

let root: string;
let tree: string;
let driver: FimDriver | undefined;

const at = (name: string): string => join(tree, name);
const scan = async (options: Partial<Parameters<typeof openDriver>[0]> = {}): Promise<FimDriver> => {
  driver = await openDriver({ dir: join(root, 'state'), paths: [tree], watch: false, ...options });
  await driver.until('the scan', () => driver!.fim.progress()[0]!.counts['scans']! > 0);
  return driver;
};
const fieldsOf = (path: string) => driver!.facts.find(({ item }) => item === path)?.fields;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'vigil-fim-'));
  tree = join(root, 'tree');
  for (const folder of ['state', 'tree']) mkdirSync(join(root, folder));
});
afterEach(async () => {
  await driver?.close();
  expect(driver?.bad ?? []).toEqual([]);
  driver = undefined;
  rmSync(root, { recursive: true, force: true });
});

describe('names', () => {
  it('stand escaped, each in one spelling, and can be turned back', () => {
    for (const raw of [
      'plain',
      'Ünï/cödé',
      'line\nend',
      'back\\slash',
      'like\\x0aescaped',
      '\u007f\u0001',
      '\ufffd',
      Buffer.from([0x66, 0xff, 0x6f]),
      Buffer.from([0xc3, 0x28]),
      Buffer.concat([Buffer.from('é'), Buffer.from([0xfe])]),
    ]) {
      const text = escapeName(raw);
      expect([Buffer.from(rawPath(text)), /[\u0000-\u001f\u007f]/.test(text)]).toEqual([Buffer.from(raw), false]);
    }
    expect(escapeName('a\\x0a')).not.toBe(escapeName('a\n'));
    expect(escapeName(Buffer.from([0xc3, 0xa9]))).toBe('é');
  });

  it('with line ends and no UTF-8 are watched, told, and found again when they change or go', async () => {
    const odd = [Buffer.from('two\nlines'), Buffer.from([0x62, 0xff, 0xfe]), Buffer.from('back\\slash')];
    const path = (name: Buffer): Buffer => Buffer.concat([Buffer.from(`${tree}/`), name]);
    for (const name of odd) writeFileSync(path(name), 'x');
    mkdirSync(path(Buffer.from([0xf0, 0x0a])));
    writeFileSync(Buffer.concat([path(Buffer.from([0xf0, 0x0a])), Buffer.from('/in')]), 'x');
    await scan();
    expect(driver!.facts.map(({ item }) => item.slice(tree.length))).toEqual(
      expect.arrayContaining(['/two\\x0alines', '/b\\xff\\xfe', '/back\\x5cslash', '/\\xf0\\x0a', '/\\xf0\\x0a/in']),
    );
    await driver!.close();
    writeFileSync(path(odd[1]!), 'changed');
    rmSync(path(odd[0]!));
    await scan();
    expect(driver!.findings().map(({ change, item }) => `${change} ${item.slice(tree.length)}`)).toEqual([
      'changed /b\\xff\\xfe',
      'removed /two\\x0alines',
    ]);
  });

  it('of the longest kind are told under a short item with the whole path', async () => {
    let folder = Buffer.from(tree);
    for (let i = 0; i < 14; i++) {
      folder = Buffer.concat([folder, Buffer.from('/'), Buffer.alloc(250, 0xff)]);
      mkdirSync(folder);
    }
    writeFileSync(Buffer.concat([folder, Buffer.from('/deep')]), 'x');
    await scan();
    const deep = driver!.facts.find(({ fields }) => String(fields['path']).endsWith('/deep'))!;
    expect([deep.item.length <= 1_024, rawPath(String(deep.fields['path'])).length > 3_500]).toEqual([true, true]);
    expect(driver!.facts.length).toBe(1 + 14 + 1 + 1);
  });
});

describe('what is no regular file', () => {
  it('FIFOs, sockets, devices and links are told by their attributes and never opened', async () => {
    await mkfifo(at('fifo'));
    const server = createServer().listen(at('socket'));
    await new Promise((resolve) => server.once('listening', resolve));
    symlinkSync('/dev/zero', at('zero'));
    symlinkSync('.', at('loop'));
    symlinkSync('b', at('a'));
    symlinkSync('a', at('b'));
    const hasDevice = spawnSync('mknod', [at('device'), 'c', '1', '5']).status === 0;
    await scan();
    expect(fieldsOf(at('fifo'))).toMatchObject({ type: 'fifo', mode: '0644' });
    expect(fieldsOf(at('socket'))).toMatchObject({ type: 'socket' });
    expect(fieldsOf(at('zero'))).toMatchObject({ type: 'symlink', target: '/dev/zero' });
    expect(fieldsOf(at('loop'))).toMatchObject({ type: 'symlink', target: '.' });
    if (hasDevice) expect(fieldsOf(at('device'))).toMatchObject({ type: 'char', device: '1:5' });
    expect(driver!.facts.length).toBe(1 + 6 + (hasDevice ? 1 : 0) + 1);
    await new Promise((resolve) => server.close(resolve));
  });

  it('a folder that becomes a file is told, and what was in it', async () => {
    mkdirSync(at('folder'));
    writeFileSync(at('folder/in'), 'x');
    await scan();
    await driver!.close();
    rmSync(at('folder'), { recursive: true });
    writeFileSync(at('folder'), 'x');
    await scan();
    expect(driver!.findings().map(({ change, item }) => `${change} ${item}`)).toEqual([
      `removed ${at('folder/in')}`,
      `changed ${at('folder')}`,
    ]);
  });

  it('a folder mounted into itself is met once, and named', async (context) => {
    const problem = mountProblem();
    if (problem !== null) return context.skip(problem);
    mkdirSync(at('folder/loop'), { recursive: true });
    writeFileSync(at('folder/file'), 'x');
    const script = join(import.meta.dirname, '..', '..', '..', 'test', 'support', 'fim-scan.ts');
    const { stdout, status } = spawnSync(
      'unshare',
      [
        '-m',
        'sh',
        '-c',
        'mount --bind "$1" "$1/folder/loop" && exec "$2" "$3" "$4" "$1"',
        'sh',
        tree,
        process.execPath,
        script,
        join(root, 'state'),
      ],
      { encoding: 'utf8', timeout: 20_000 },
    );
    const said = JSON.parse(stdout) as { readonly items: string[]; readonly problems: { readonly code: string; readonly about: string }[] };
    expect([status, said.problems]).toMatchObject([0, [{ code: 'FIM_LOOP', about: at('folder/loop') }]]);
    expect(said.items.filter((item) => item.endsWith('/file'))).toEqual([at('folder/file')]);
  });
});

describe('content', () => {
  it('of a sparse file of 100 GB is not hashed, which is said', async () => {
    closeSync(openSync(at('sparse'), 'w'));
    truncateSync(at('sparse'), 100_000_000_000);
    const began = performance.now();
    await scan();
    expect(fieldsOf(at('sparse'))).toMatchObject({ size: 100_000_000_000, reason: expect.stringContaining('fim.limit') });
    expect(performance.now() - began).toBeLessThan(10_000);
  });

  it('that grows while it is read, and files that vanish, end no scan', async () => {
    const loop = 'while :; do head -c 30000 /dev/zero >> "$0/grows"; : > "$0/x$$"; rm "$0/x$$"; done';
    const writer = spawn('sh', ['-c', loop, tree], { stdio: 'ignore' });
    try {
      await scan({ intervalMs: 50 });
      await driver!.until('eight scans', () => driver!.fim.progress()[0]!.counts['scans']! >= 8);
    } finally {
      writer.kill('SIGKILL');
      await new Promise((resolve) => writer.once('exit', resolve));
    }
    // A last scan tells it as it came to rest.
    const scans = driver!.fim.progress()[0]!.counts['scans']!;
    await driver!.until('a scan in peace', () => driver!.fim.progress()[0]!.counts['scans']! >= scans + 2);
    const last = driver!.facts.filter(({ item }) => item === at('grows')).at(-1);
    expect(last?.fields).toMatchObject({ size: lstatSync(at('grows')).size, sha256: expect.stringMatching(/^[0-9a-f]{64}$/) });
  });

  it('is never read through a link that took the file’s place', async () => {
    writeFileSync(at('file'), 'mine');
    const seen = lstatSync(at('file'));
    writeFileSync(join(root, 'secret'), 'another’s');
    rmSync(at('file'));
    symlinkSync(join(root, 'secret'), at('file'));
    expect(digestFile(at('file'), seen, 1_000, () => undefined)).toEqual({ kind: 'moved' });
    rmSync(at('file'));
    renameSync(join(root, 'secret'), at('file'));
    expect(digestFile(at('file'), seen, 1_000, () => undefined)).toEqual({ kind: 'moved' });
    rmSync(at('file'));
    await mkfifo(at('file'));
    expect(digestFile(at('file'), seen, 1_000, () => undefined)).toEqual({ kind: 'moved' });
    rmSync(at('file'));
    expect(digestFile(at('file'), seen, 1_000, () => undefined)).toEqual({ kind: 'gone' });
  });

  it('that changes under a long read is seen to move', () => {
    writeFileSync(at('long'), Buffer.alloc(1_000_000));
    const seen = lstatSync(at('long'));
    expect(digestFile(at('long'), seen, 10_000_000, () => appendFileSync(at('long'), 'x'))).toEqual({ kind: 'moved' });
  });

  it('that may not be read is one counted problem, and its attributes are told', async (context) => {
    const uid = process.getuid?.() === 0 ? NOBODY : undefined;
    if (uid !== undefined && !nobodyRuns()) return context.skip('root reads everything');
    for (let n = 0; n < 30; n++) writeFileSync(at(`f${n}`), 'x', { mode: 0o000 });
    mkdirSync(at('closed'), { mode: 0o000 });
    for (const folder of [root, tree, join(root, 'state')]) chmodSync(folder, 0o777);
    const script = join(import.meta.dirname, '..', '..', '..', 'test', 'support', 'fim-scan.ts');
    const run = () => {
      const { stdout } = spawnSync(process.execPath, [script, join(root, 'state'), tree], {
        encoding: 'utf8',
        timeout: 20_000,
        ...(uid === undefined ? {} : { uid, gid: uid }),
      });
      return JSON.parse(stdout) as {
        readonly items: string[];
        readonly reasons: string[];
        readonly problems: { readonly code: string; readonly reason: string }[];
      };
    };
    const first = run();
    expect(first.problems.map(({ code, reason }) => [code, reason])).toEqual([
      ['FIM_UNREADABLE', 'this agent may not read it, and 30 more'],
    ]);
    expect([first.items.length, first.reasons.length]).toEqual([33, 30]);
    // The next scan finds the same, tells nothing, and still counts.
    const second = run();
    expect([second.items, second.problems]).toEqual([['file'], first.problems]);
  });
});

describe('the baseline', () => {
  it('that is damaged is put aside, said, and begun anew', async () => {
    writeFileSync(at('file'), 'x');
    await scan();
    await driver!.close();
    for (const ending of ['-wal', '-shm']) rmSync(join(root, 'state', `fim.db${ending}`), { force: true });
    writeFileSync(join(root, 'state', 'fim.db'), 'this is no database, and long enough to be looked at as one');
    await scan();
    expect(driver!.fim.problems()).toMatchObject([{ code: 'FIM_BASELINE_LOST' }]);
    expect(driver!.facts.map(({ change }) => change)).toEqual(['baseline', 'baseline', 'baseline']);
  });

  it('holds no more than fim.files, and says so', async () => {
    for (let n = 0; n < 50; n++) writeFileSync(at(`f${n}`), 'x');
    await scan({ maxItems: 20 });
    expect(driver!.fim.problems()).toMatchObject([{ code: 'FIM_LIMIT' }]);
    expect(driver!.facts.filter(({ kind }) => kind === 'file').length).toBe(20);
  });
});
