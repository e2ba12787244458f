// SPDX-License-Identifier: Apache-2.0
/** A second host: one pasted line fetches, checks, installs, enrols; again it changes nothing; a full disk costs nothing; uninstalling leaves nothing. */
import { spawn, spawnSync } from 'node:child_process';
import {
  chownSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Answer, type Collector, failedLogin, removeDir, startCollector, tempDir, until } from '../support/vigil.ts';

/** Hosts that enrol with one token; 30 with VIGIL_HOSTS=30, which takes some minutes. */
const HOSTS = Number(process.env['VIGIL_HOSTS'] ?? 3);
const isRoot = process.getuid?.() === 0;
/** The plain user a line is pasted as; as root it is `nobody`. */
const USER = isRoot ? { uid: 65_534, gid: 65_534 } : {};

let root: string;
let collector: Collector;

const freePort = (): Promise<number> =>
  new Promise((resolve) => {
    const server = createServer().listen(0, () => {
      const { port } = server.address() as { readonly port: number };
      server.close(() => resolve(port));
    });
  });

/** A home folder as a machine of its own. */
const newHost = (name: string): string => {
  const home = join(root, name);
  mkdirSync(home, { recursive: true });
  if (isRoot) chownSync(home, 65_534, 65_534);
  return home;
};
const paste = (home: string, line: string, env: Readonly<Record<string, string>> = {}): Promise<Answer> =>
  new Promise((resolve) => {
    const child = spawn('sh', ['-c', line], {
      env: { PATH: process.env['PATH'] ?? '', HOME: home, TMPDIR: home, ...env },
      cwd: home,
      ...USER,
    });
    const [out, err]: Buffer[][] = [[], []];
    child.stdout.on('data', (piece: Buffer) => out?.push(piece));
    child.stderr.on('data', (piece: Buffer) => err?.push(piece));
    child.on('close', (code) =>
      resolve({ code: code ?? 128, out: Buffer.concat(out ?? []).toString(), err: Buffer.concat(err ?? []).toString() }),
    );
  });
const lineOf = async (...args: readonly string[]): Promise<string> => {
  const made = await collector.vigil(['agent', 'token', 'create', ...args]);
  expect(made.code, made.err).toBe(0);
  return made.out.trim();
};
const programOf = (home: string): string => join(home, '.local/share/vigil-agent');
/** Every file with its size and time of change: what a run that changes nothing leaves as it was. */
const print = (dir: string): readonly string[] =>
  readdirSync(dir, { recursive: true })
    .map(String)
    .sort()
    .map((path) => {
      const { size, mtimeMs } = lstatSync(join(dir, path));
      return `${path} ${size} ${mtimeMs}`;
    });

beforeAll(async () => {
  root = tempDir();
  if (isRoot) spawnSync('chmod', ['755', root]);
  const port = await freePort();
  collector = await startCollector({
    dir: join(root, 'collector'),
    localAgent: false,
    agents: `0.0.0.0:${port}`,
    args: ['--public-url', `https://${hostname()}:${port}`],
  });
});

afterAll(async () => {
  await collector.stop();
  removeDir(root);
});

describe('the line that is pasted on a host', () => {
  it('installs the agent for a plain user, whose own Node runs it; again it changes nothing', { timeout: 120_000 }, async () => {
    const home = newHost('plain');
    const line = await lineOf();
    const first = await paste(home, line);
    expect(first.code, first.err).toBe(0);
    expect(first.out).toContain('is enrolled');
    expect(first.out).toMatch(/WOULD READ|Expected/);
    const program = join(programOf(home), 'current/bin/vigil-agent');
    expect(spawnSync(program, ['--version'], { encoding: 'utf8' }).stdout).toMatch(/^\d+\.\d+\.\d+\n$/);

    const before = print(home);
    const again = await paste(home, line);
    expect(again.code, again.err).toBe(0);
    expect(again.out).toContain('installed');
    expect(again.out).toContain('keeps its identity');
    expect(print(home)).toEqual(before);

    // It runs, and the collector hears it.
    const log = join(home, 'app.log');
    writeFileSync(log, '');
    const agent = spawn(
      program,
      ['run', '--state', join(home, '.local/state/vigil-agent'), '--no-discover', '--tail', `${log}=syslog`, '--host', 'plain-1'],
      {
        env: { HOME: home, PATH: '/usr/bin:/bin' },
        ...USER,
        stdio: 'ignore',
      },
    );
    try {
      writeFileSync(log, failedLogin('203.0.113.7', 'root'));
      await until('its first line', async () => (await collector.count('source.ip: 203.0.113.7')) === 1, 30_000);
    } finally {
      agent.kill('SIGTERM');
      await new Promise((resolve) => agent.on('exit', resolve));
    }

    const gone = await paste(
      home,
      `curl -fsSk ${collector.agents.replace(/\/\/[^:]+/, `//${hostname()}`)}/install/agent.sh | sh -s uninstall`,
    );
    expect(gone.code, gone.err).toBe(0);
    expect(existsSync(programOf(home))).toBe(false);
    expect(existsSync(join(home, '.local/state/vigil-agent'))).toBe(false);
  });

  it('is refused when a byte of script or package is another', { timeout: 60_000 }, async () => {
    const home = newHost('forged');
    const line = await lineOf();
    const forged = line.replace(/echo "([0-9a-f])/, (_, digit: string) => `echo "${digit === '0' ? '1' : '0'}`);
    const answer = await paste(home, forged);
    expect(answer.code).not.toBe(0);
    expect(existsSync(programOf(home))).toBe(false);
  });

  it('keeps the version that was there when the disk is too full for the new one', { timeout: 60_000 }, async () => {
    const home = newHost('full');
    const old = join(programOf(home), 'versions/old');
    mkdirSync(join(old, 'bin'), { recursive: true });
    writeFileSync(join(old, 'bin/vigil-agent'), '#!/bin/sh\necho 0.0.9\n', { mode: 0o755 });
    symlinkSync('versions/old', join(programOf(home), 'current'));
    if (isRoot) spawnSync('chown', ['-R', '65534:65534', home]);
    // A `df` of a full disk stands before the real one.
    const bin = join(home, 'bin');
    mkdirSync(bin);
    writeFileSync(
      join(bin, 'df'),
      '#!/bin/sh\necho "Filesystem 1024-blocks Used Available Capacity Mounted"\necho "disk 100 100 7000 99% /"\n',
      { mode: 0o755 },
    );
    const answer = await paste(home, await lineOf(), { PATH: `${bin}:${process.env['PATH'] ?? ''}` });
    expect(answer.err).toContain('INSTALL_DISK_FULL');
    expect(answer.err).toContain('7 MB free');
    expect(answer.code).toBe(3);
    expect(readlinkSync(join(programOf(home), 'current'))).toBe('versions/old');
    expect(readdirSync(programOf(home)).sort()).toEqual(['current', 'versions']);
  });

  it('is small: one archive of at most 45 MB, the same for the same sources', async () => {
    const dir = join(collector.dir, 'packages');
    const [archive, ...others] = readdirSync(dir);
    expect(others).toEqual([]);
    expect(statSync(join(dir, archive as string)).size).toBeLessThan(45_000_000);
    const names = spawnSync('tar', ['-tzf', join(dir, archive as string)], { encoding: 'utf8' }).stdout.split('\n');
    expect(names).toContain('app/agent/main.js');
    expect(names.filter((name) => /\.ts$|\.test\./.test(name))).toEqual([]);
    const kept = readFileSync(join(dir, archive as string));
    renameSync(join(dir, archive as string), join(root, 'kept'));
    await collector.stop();
    collector = await startCollector({
      dir: collector.dir,
      localAgent: false,
      agents: '0.0.0.0:0',
      args: ['--public-url', `https://${hostname()}:1`],
    });
    await lineOf();
    expect(readFileSync(join(dir, archive as string)).equals(kept)).toBe(true);
  }, 60_000);
});

describe('one token', () => {
  it(`lets ${HOSTS} hosts enrol and refuses the next`, { timeout: 60_000 + HOSTS * 30_000 }, async () => {
    await collector.stop();
    const port = await freePort();
    collector = await startCollector({
      dir: collector.dir,
      localAgent: false,
      agents: `0.0.0.0:${port}`,
      args: ['--public-url', `https://${hostname()}:${port}`],
    });
    const line = await lineOf('--uses', String(HOSTS));
    for (let i = 1; i <= HOSTS; i++) {
      const home = newHost(`fleet-${i}`);
      const answer = await paste(home, line);
      expect(answer.code, answer.err).toBe(0);
      // Its identity is what counts; the program of each would fill the disk.
      removeDir(programOf(home));
    }
    const refused = await paste(newHost('one-more'), line);
    expect(refused.code).toBe(2);
    expect(refused.err).toContain('ENROL_REFUSED');
    const agents = (await collector.vigil(['agent', 'list', '--json'])).out.trim().split('\n');
    expect(agents.length).toBeGreaterThanOrEqual(HOSTS);
  });
});
