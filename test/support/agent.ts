// SPDX-License-Identifier: Apache-2.0
/**
 * A real agent as a test's guest: the program in its own process, on a state folder, perhaps with another folder in the place of its logs.
 * Input: options as a person would type them. Output: ways to stop and kill it, what it said.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { runtimeLibraries } from '../../core/config.ts';
import { ROOT } from './repository.ts';
import { tempDir } from './vigil.ts';

export interface AgentOptions {
  readonly state: string;
  /** `PATH=DATASET`, as `--tail` takes it. */
  readonly tail: readonly string[];
  /** This folder stands in the place of another for this process: two machines with the same paths on one. */
  readonly mount?: { readonly from: string; readonly at: string };
  /** Words before the command, e.g. `nsenter …`. */
  readonly before?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** More words of the command. */
  readonly args?: readonly string[];
}

export interface Agent {
  readonly pid: number;
  /** Everything it said on stderr so far. */
  said(): string;
  readonly gone: boolean;
  stop(): Promise<void>;
  kill(): Promise<void>;
}

/** Why folders cannot be put in the place of others here; null when they can. */
export const mountProblem = (): string | null => {
  const probe = tempDir();
  mkdirSync(join(probe, 'a'));
  mkdirSync(join(probe, 'b'));
  const { status, error, stderr } = spawnSync('unshare', ['-m', 'mount', '--bind', join(probe, 'b'), join(probe, 'a')], {
    encoding: 'utf8',
  });
  if (status === 0) return null;
  return error ? 'there is no program unshare' : (stderr.split('\n')[0] ?? 'mounting is not allowed');
};

export const startAgent = (options: AgentOptions): Agent => {
  const { state, tail, mount, before = [], args = [] } = options;
  const run = ['run', '--state', state, '--no-discover', ...tail.flatMap((one) => ['--tail', one]), ...args];
  const program = [...before, process.execPath, '--disable-sigusr1', '--disable-proto=throw', join(ROOT, 'bin', 'vigil-agent.js'), ...run];
  const command = mount
    ? ['unshare', '-m', 'sh', '-c', 'mount --bind "$0" "$1" && shift 1 && exec "$@"', mount.from, mount.at, ...program]
    : program;
  const child: ChildProcess = spawn(command[0] as string, command.slice(1), {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { PATH: process.env['PATH'] ?? '', ...runtimeLibraries(), ...options.env },
  });
  let said = '';
  child.stderr?.on('data', (piece: Buffer) => (said += piece.toString('utf8')));
  let gone = false;
  const ended = new Promise<void>((resolve) =>
    child.on('close', () => {
      gone = true;
      resolve();
    }),
  );
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    if (!gone) child.kill(signal);
    await ended;
  };
  return {
    pid: child.pid as number,
    said: () => said,
    get gone() {
      return gone;
    },
    stop: () => end('SIGTERM'),
    kill: () => end('SIGKILL'),
  };
};

/** Makes the agent of a state folder renew its identity as soon as it runs. */
export const makeRenewalDue = (state: string): void => {
  const file = join(state, 'identity.json');
  writeFileSync(file, JSON.stringify({ ...(JSON.parse(readFileSync(file, 'utf8')) as object), renewAfterMs: 1 }), { mode: 0o600 });
};

/** The certificate of a state folder: another one after each renewal. */
export const certificateOf = (state: string): string =>
  (JSON.parse(readFileSync(join(state, 'identity.json'), 'utf8')) as { readonly certificate: string }).certificate;
