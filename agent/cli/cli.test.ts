// SPDX-License-Identifier: Apache-2.0
/** The program as people run it: help, errors, plan, explain, run as a child, signals, an orphan. */
import { type ChildProcess, spawn } from 'node:child_process';
import { appendFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runtimeLibraries } from '../../core/config.ts';
import { type SmallCollector, startSmallCollector } from '../../test/support/small-collector.ts';
import { openStateFolder } from '../enrol/state.ts';

const ENTRY = join(import.meta.dirname, '..', '..', 'bin', 'vigil-agent.js');
const FLAGS = ['--disable-sigusr1', '--disable-proto=throw'];

interface Answer {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

const begin = (
  args: readonly string[],
  input = '',
): { readonly child: ChildProcess; readonly ended: Promise<Answer>; readonly out: () => string } => {
  const child = spawn(process.execPath, [...FLAGS, ENTRY, ...args], {
    cwd: tmpdir(),
    env: { PATH: '/usr/bin:/bin', ...runtimeLibraries() },
  });
  let out = '';
  let err = '';
  child.stdout.on('data', (piece: Buffer) => (out += piece.toString()));
  child.stderr.on('data', (piece: Buffer) => (err += piece.toString()));
  child.stdin.end(input);
  const ended = new Promise<Answer>((resolve) => child.on('close', (code) => resolve({ code, out, err })));
  return { child, ended, out: () => out };
};
const run = (args: readonly string[], input = ''): Promise<Answer> => begin(args, input).ended;

const until = async (what: string, test: () => boolean): Promise<void> => {
  const end = performance.now() + 20_000;
  while (!test()) {
    if (performance.now() > end) throw new Error(`${what} did not come`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
};

let dir: string;
let collector: SmallCollector;
const state = (): string => join(dir, 'state');
const logFile = (): string => join(dir, 'logs', 'a.log');

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'vigil-cli-'));
  mkdirSync(join(dir, 'logs'));
  writeFileSync(logFile(), 'one\n');
  openStateFolder(join(dir, 'ca'));
  collector = await startSmallCollector(join(dir, 'ca'));
});
afterAll(async () => {
  await collector.close();
  rmSync(dir, { recursive: true, force: true });
});

describe('vigil-agent', () => {
  it.each(['enrol', 'run', 'status', 'plan', 'explain', 'check'])('%s has help with an example', async (command) => {
    const { code, out } = await run([command, '--help']);
    expect([code, out.includes('Example:'), out.includes(`vigil-agent ${command}`)]).toEqual([0, true, true]);
  });

  it('words bad input as a code, a sentence and a hint on stderr, and exits 2', async () => {
    for (const args of [
      ['fly'],
      ['run', '--wings'],
      ['explain'],
      ['run', '--parent-pid', 'x'],
      ['check', '--multiline', 'x'],
      ['check', '--zone', 'Mars/Phobos'],
      ['check', '--config', '/none'],
    ]) {
      const { code, out, err } = await run([...args, ...(args[0] === 'fly' ? [] : ['--state', state()])]);
      expect([args, code, out]).toEqual([args, 2, '']);
      expect(err).toMatch(/^vigil-agent: [A-Z_]+: .+\n {2}\S.+\n$/);
    }
  });

  it('prints every setting with its origin', async () => {
    const { out } = await run(['run', '--print-config', '--state', state(), '--tail', '/a=b']);
    expect(out).toContain('tail.paths: ["/a=b"]  # flag');
    expect(out).toContain('spool.quota: 1073741824  # default');
  });

  it('plans and explains without an identity', async () => {
    const flags = ['--state', state(), '--no-discover', '--tail', `${logFile()}=syslog`, '--json'];
    const plan = (await run(['plan', ...flags])).out
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(plan).toContainEqual({ inventory: expect.objectContaining({ os: 1 }), everyMs: 3_600_000 });
    expect(plan.filter((one) => one['path'] === logFile() || 'files' in one)).toMatchObject([
      { read: true, path: logFile(), dataset: 'syslog' },
      { files: 1 },
    ]);
    const no = await run(['explain', '/etc/hostname', ...flags]);
    expect([no.code, JSON.parse(no.out)]).toMatchObject([1, { read: false, running: false }]);
    const yes = await run(['explain', logFile(), ...flags]);
    expect([yes.code, JSON.parse(yes.out)]).toMatchObject([0, { read: true, dataset: 'syslog' }]);
  });

  it('refuses to run without an identity, and says how to get one', async () => {
    const { code, err } = await run(['run', '--state', state()]);
    expect([code, err.includes('AGENT_NOT_ENROLLED'), err.includes('vigil-agent enrol')]).toEqual([2, true, true]);
  });
});

describe('an enrolled agent', () => {
  it('enrols by a token on stdin, once', async () => {
    const first = await run(['enrol', '--state', state(), '--token', '-'], collector.token);
    expect([first.code, first.out.startsWith('Enrolled as agt_')]).toEqual([0, true]);
    const second = await run(['enrol', '--state', state(), '--token', '-'], collector.token);
    expect([second.code, second.err.includes('AGENT_ALREADY_ENROLLED')]).toEqual([2, true]);
    expect(first.out + second.err).not.toContain(collector.secret);
  });

  it('runs, answers status and explain, lets nobody else run, and ends on SIGTERM with everything sealed', async () => {
    const flags = ['--state', state(), '--no-discover', '--tail', `${logFile()}=syslog`];
    const { child, ended, out } = begin(['run', ...flags]);
    await until('the ready line', () => /^ready agent=agt_\S+ collector=https:\S+ state=/m.test(out()));
    await until('the first line', () => collector.lines(`file:${logFile()}`).length === 1);
    const status = JSON.parse((await run(['status', '--state', state(), '--json'])).out) as { readonly pid: number };
    expect(status).toMatchObject({ pid: child.pid, connected: true });
    expect((await run(['status', '--state', state()])).out).toContain('syslog');
    expect(JSON.parse((await run(['explain', logFile(), ...flags, '--json'])).out)).toMatchObject({ read: true, offset: 4, running: true });
    expect((await run(['run', ...flags])).err).toContain('DATA_FOLDER_BUSY');
    appendFileSync(logFile(), 'two\n');
    await until('the second line', () => collector.lines(`file:${logFile()}`).length === 2);
    child.kill('SIGTERM');
    child.kill('SIGINT');
    expect((await ended).code).toBe(0);
    expect((await run(['status', '--state', state()])).err).toContain('AGENT_NOT_RUNNING');
  });

  it('ends by itself when the process that started it is gone', async () => {
    const script = `
      const { spawn } = require('node:child_process');
      const child = spawn(process.execPath, ${JSON.stringify([...FLAGS, ENTRY, 'run', '--state', state(), '--no-discover', '--parent-pid'])}.concat(String(process.pid)), { stdio: ['ignore', 'pipe', 'ignore'] });
      child.stdout.on('data', () => { process.stdout.write(String(child.pid)); setInterval(() => {}, 1000); });`;
    const parent = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'ignore'] });
    let pid = '';
    parent.stdout.on('data', (piece: Buffer) => (pid += piece.toString()));
    await until('the child', () => pid !== '');
    parent.kill('SIGKILL');
    await until('its end', () => {
      try {
        return readFileSync(`/proc/${pid}/stat`, 'utf8').includes(') Z ');
      } catch {
        return true;
      }
    });
  });
});
