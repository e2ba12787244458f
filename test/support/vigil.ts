// SPDX-License-Identifier: Apache-2.0
/**
 * A real Vigil as a test's guest: the real programs in their own processes, on free ports, with data in a temporary folder.
 * Input: options as a person would type them. Output: its addresses, its answers, ways to stop and kill it.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runtimeLibraries } from '../../core/config.ts';
import { ROOT } from './repository.ts';

export interface Answer {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

export interface RunOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly input?: string | Uint8Array;
  /** Words before the program, e.g. `nsenter …`. */
  readonly before?: readonly string[];
}

const start = (program: string, args: readonly string[], options: RunOptions = {}): ChildProcess => {
  const [command, ...words] = [...(options.before ?? []), process.execPath, join(ROOT, 'bin', program), ...args];
  return spawn(command as string, words, {
    cwd: options.cwd ?? ROOT,
    env: { PATH: process.env['PATH'] ?? '', HOME: tmpdir(), NO_COLOR: '1', ...runtimeLibraries(), ...options.env },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
};

/** Runs one command to its end. */
export const run = (program: 'vigil.js' | 'vigil-agent.js', args: readonly string[], options: RunOptions = {}): Promise<Answer> =>
  new Promise((resolve, reject) => {
    const child = start(program, args, options);
    const out: Buffer[] = [];
    const err: Buffer[] = [];
    child.stdout?.on('data', (piece: Buffer) => out.push(piece));
    child.stderr?.on('data', (piece: Buffer) => err.push(piece));
    child.on('error', reject);
    child.on('close', (code, signal) =>
      resolve({ code: code ?? (signal ? 128 : 3), out: Buffer.concat(out).toString('utf8'), err: Buffer.concat(err).toString('utf8') }),
    );
    child.stdin?.on('error', () => {
      // The command may end without reading what it was given.
    });
    child.stdin?.end(options.input);
  });

/** Polls a condition until it holds. Fails with what was seen last. */
export const until = async <T>(
  what: string,
  probe: () => Promise<T | null | undefined | false> | T | null | undefined | false,
  timeoutMs = 20_000,
): Promise<T> => {
  const end = performance.now() + timeoutMs;
  let last: unknown;
  for (;;) {
    try {
      const value = await probe();
      if (value !== null && value !== undefined && value !== false) return value;
      last = value;
    } catch (error) {
      last = error;
    }
    if (performance.now() > end)
      throw new Error(`Waited ${timeoutMs} ms for ${what}; last: ${last instanceof Error ? last.message : JSON.stringify(last)}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
};

export interface Collector {
  readonly dir: string;
  readonly console: string;
  readonly agents: string;
  readonly pid: number;
  /** Its process has ended. */
  readonly gone: () => boolean;
  /** Everything it said on stderr so far. */
  readonly said: () => string;
  /** The one-time password of the first start, once it was printed. */
  readonly password: () => string | undefined;
  readonly stop: (signal?: NodeJS.Signals) => Promise<number>;
  /** SIGKILL to the collector, or to a named child of it. */
  readonly kill: (child?: 'agent' | 'engine') => Promise<void>;
  readonly vigil: (args: readonly string[], options?: RunOptions) => Promise<Answer>;
  /** Answers of `vigil query --json`. */
  readonly query: (kql: string, extra?: readonly string[]) => Promise<readonly Record<string, unknown>[]>;
  readonly count: (kql: string, extra?: readonly string[]) => Promise<number>;
  /** Milliseconds from spawn to the ready line. */
  readonly readyMs: number;
}

export interface CollectorOptions {
  readonly dir?: string;
  readonly tail?: readonly string[];
  readonly discover?: boolean;
  readonly localAgent?: boolean;
  readonly args?: readonly string[];
  readonly agents?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Words before the program. */
  readonly before?: readonly string[];
}

/** Starts a collector and waits for its ready line. */
export const startCollector = async (options: CollectorOptions = {}): Promise<Collector> => {
  const dir = options.dir ?? mkdtempSync(join(tmpdir(), 'vigil-'));
  const args = ['start', '--data', dir, '--listen', '127.0.0.1:0', '--agents', options.agents ?? '127.0.0.1:0'];
  if (options.localAgent ?? true)
    args.push('--local-agent', ...(options.discover ? [] : ['--no-discover']), ...(options.tail ?? []).flatMap((t) => ['--tail', t]));
  const begin = performance.now();
  const { env, before } = options;
  const child = start('vigil.js', [...args, ...(options.args ?? [])], { ...(env ? { env } : {}), ...(before ? { before } : {}) });
  let out = '';
  let err = '';
  child.stdout?.on('data', (piece: Buffer) => (out += piece.toString('utf8')));
  child.stderr?.on('data', (piece: Buffer) => (err += piece.toString('utf8')));
  const ended = new Promise<number>((resolve) => child.on('close', (code) => resolve(code ?? 128)));
  let gone = false;
  ended.then(() => {
    gone = true;
  });
  const ready = await until(
    'the ready line',
    () => {
      if (gone) throw new Error(`the collector ended: ${err}`);
      return /^ready console=(\S+) agents=(\S+) data=(.+)$/m.exec(out);
    },
    180_000,
  ).catch((error: unknown) => {
    child.kill('SIGKILL');
    throw error;
  });
  const readyMs = performance.now() - begin;
  const pid = child.pid as number;
  const vigil = (more: readonly string[], runOptions?: RunOptions): Promise<Answer> =>
    run('vigil.js', [...more, '--data', dir], { ...(before ? { before } : {}), ...runOptions });
  const ask = async (args: readonly string[]): Promise<string> => {
    const answer = await vigil(args);
    if (answer.code !== 0) throw new Error(answer.err);
    return answer.out;
  };
  return {
    dir,
    console: ready[1] as string,
    agents: ready[2] as string,
    pid,
    readyMs,
    gone: () => gone,
    said: () => err,
    password: () => /password[^\n]*?\s([A-Za-z0-9_-]{12,})\s*$/im.exec(err)?.[1],
    stop: async (signal = 'SIGINT') => {
      if (!gone) child.kill(signal);
      return ended;
    },
    kill: async (name) => {
      if (name === undefined) {
        child.kill('SIGKILL');
        await ended;
        return;
      }
      const victim = await until(`the process ${name}`, () =>
        childrenOf(pid).find(({ command }) => command.includes(name === 'agent' ? 'agent/main.ts' : 'engine')),
      );
      process.kill(victim.pid, 'SIGKILL');
      await until(`the end of ${name}`, () => !childrenOf(pid).some((one) => one.pid === victim.pid));
    },
    vigil,
    query: async (kql, extra = []) =>
      (await ask(['query', kql, '--json', '--limit', '10000', ...extra]))
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line) as Record<string, unknown>),
    count: async (kql, extra = []) => Number(await ask(['query', kql, '--count', ...extra])),
  };
};

interface Proc {
  readonly pid: number;
  readonly command: string;
}

/** Direct children of a process, from /proc. */
export const childrenOf = (pid: number): readonly Proc[] =>
  readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      try {
        const stat = readFileSync(`/proc/${name}/stat`, 'utf8');
        const parent = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
        return parent === pid ? [{ pid: Number(name), command: readFileSync(`/proc/${name}/cmdline`, 'utf8').replaceAll('\0', ' ') }] : [];
      } catch {
        // The process ended meanwhile.
        return [];
      }
    });

/** Resident memory of a process, in bytes. */
export const rssOf = (pid: number): number =>
  Number(/^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) * 1024;

export const tempDir = (): string => mkdtempSync(join(tmpdir(), 'vigil-'));
export const removeDir = (dir: string): void => rmSync(dir, { recursive: true, force: true });

/** A failed SSH login as OpenSSH writes it, stamped now. */
export const failedLogin = (address: string, user = 'root', at = new Date(), pid = 4131): string => {
  const stamp = `${at.toLocaleString('en-US', { month: 'short', timeZone: 'UTC' })} ${String(at.getUTCDate()).padStart(2, ' ')} ${at.toISOString().slice(11, 19)}`;
  return `${stamp} bastion sshd[${pid}]: Failed password for ${user} from ${address} port 40022 ssh2\n`;
};
