// SPDX-License-Identifier: Apache-2.0
/**
 * The agent on the collector's own host: a child process that enrols over the real listener with a one-use token, kept running.
 * Input: where the agent's program and state are, what it tails. Output: a process that is started again with back-off, and stopped by SIGTERM.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { retryDelay } from '../../core/backoff.ts';
import { asObject, parseJson } from '../../core/bytes.ts';
import type { Clock } from '../../core/clock.ts';
import { toError } from '../../core/errors.ts';
import { isId } from '../../core/ids.ts';
import type { Log } from '../../core/log.ts';
import { minutes, seconds } from '../../core/units.ts';
import type { Agent } from '../model/agent.ts';
import type { Actor } from '../model/permission.ts';
import { readIfThere, writePrivate } from './keys.ts';
import type { Registry } from './registry.ts';
import { denialOf } from './standing.ts';
import type { EnrolTokens } from './token.ts';

/** How the agent of this host gets and keeps its identity. */
export interface LocalEnrolment {
  /** `denied`: a person revoked or retired it, so it is not started again. */
  readonly state: () => Promise<'enrolled' | 'none' | 'denied'>;
  /** A one-use local token as text; bound to the identity that is there, where there is one. */
  readonly makeToken: () => Promise<string>;
}

/** The enrolment of a state folder against this collector's registry and listener. */
export const openLocalEnrolment = (
  stateDir: string,
  parts: { readonly registry: Registry; readonly tokens: EnrolTokens; readonly pin: string; readonly localUrl: () => string },
): LocalEnrolment => {
  const identity = async (): Promise<{ readonly agent: Agent | undefined; readonly current: boolean } | null> => {
    const text = await readIfThere(join(stateDir, 'identity.json'));
    if (text === null) return null;
    const map = readObject(text);
    const agent = isId('agt', map?.['agent']) ? parts.registry.find(map['agent']) : undefined;
    // A listener on a free port (`:0`) has another address each time.
    return { agent, current: map?.['url'] === parts.localUrl() && map['pin'] === parts.pin };
  };
  return {
    state: async () => {
      const found = await identity();
      if (!found?.agent) return 'none';
      if (denialOf(found.agent) !== null) return 'denied';
      return found.current ? 'enrolled' : 'none';
    },
    makeToken: async () => {
      const agent = (await identity())?.agent;
      const made = await parts.tokens.create(COLLECTOR, { local: true, expiresInMs: minutes(10), ...(agent ? { replace: agent.id } : {}) });
      return made.text;
    },
  };
};

const COLLECTOR: Actor = { kind: 'local-owner', id: 'collector', name: 'the collector', role: 'admin' };

const readObject = (text: string): Readonly<Record<string, unknown>> | null => {
  try {
    return asObject(parseJson(Buffer.from(text), 4));
  } catch {
    // A file that was cut short is an identity that is not there; the agent says more when it is asked.
    return null;
  }
};

export interface LocalAgentOptions {
  /** Command line up to the agent's own arguments, e.g. `[process.execPath, '…/bin/vigil-agent.js']`. */
  readonly program: readonly string[];
  /** State folder of this agent, e.g. `<data>/agent`. */
  readonly stateDir: string;
  /** `PATH` or `PATH=DATASET` with absolute paths, each passed on as `--tail`. */
  readonly tails: readonly string[];
  /** More arguments for `run`. */
  readonly args?: readonly string[];
  readonly enrolment: LocalEnrolment;
  readonly clock: Clock;
  readonly log: Log;
  /** From 0 to 1; a test gives a fixed one. */
  readonly random?: () => number;
}

export interface LocalAgent {
  /** What it is doing now. */
  readonly state: () => 'enrolling' | 'running' | 'waiting' | 'stopped';
  readonly pid: () => number | null;
  /** Ends since the start that nobody asked for. */
  readonly restarts: () => number;
  /** The last lines it wrote on stderr, for health and doctor. */
  readonly lastWords: () => string;
  /** Stops it: SIGTERM, after 10 s SIGKILL. */
  close(): Promise<void>;
}

const BACKOFF = { baseMs: 1_000, capMs: 60_000 };
/** A run of so long was a good one: the next failure waits little again. */
const SETTLED_MS = minutes(1);
const STOP_MS = seconds(10);
const WORDS_CHARACTERS = 4_000;

/** Starts the agent and keeps it running until closed. Returns at once. */
export const startLocalAgent = (options: LocalAgentOptions): LocalAgent => {
  const { clock, log, stateDir, random = Math.random } = options;
  const stop = new AbortController();
  let state: ReturnType<LocalAgent['state']> = 'enrolling';
  let child: ChildProcess | null = null;
  let restarts = 0;
  let words = '';

  /** Runs the program to its end; answers its exit status, or the signal that ended it. */
  const run = (args: readonly string[]): Promise<number | string> =>
    new Promise((resolve) => {
      const [command = process.execPath, ...rest] = options.program;
      const started = spawn(command, [...rest, ...args], { stdio: ['ignore', 'ignore', 'pipe'], cwd: stateDir });
      child = started;
      started.stderr?.setEncoding('utf8').on('data', (text: string) => {
        words = (words + text).slice(-WORDS_CHARACTERS);
      });
      let ended = false;
      const end = (how: number | string): void => {
        if (ended) return;
        ended = true;
        if (child === started) child = null;
        resolve(how);
      };
      started.once('error', (error) => {
        words = (words + error.message).slice(-WORDS_CHARACTERS);
        end(error.message);
      });
      started.once('close', (code, signal) => end(signal ?? code ?? 'unknown'));
      if (stop.signal.aborted) started.kill('SIGTERM');
    });

  const enrol = async (): Promise<number | string> => {
    state = 'enrolling';
    const file = join(stateDir, 'local-token');
    await writePrivate(file, `${await options.enrolment.makeToken()}\n`, true);
    try {
      return await run(['enrol', '--state', stateDir, '--token-file', file, '--replace']);
    } finally {
      await rm(file, { force: true });
    }
  };

  const once = async (): Promise<number | string> => {
    const enrolment = await options.enrolment.state();
    if (enrolment === 'denied') {
      log.error({ event: 'fleet.local-agent.denied' }, 'the agent on this host was revoked or retired and is not started');
      stop.abort();
      return 'denied';
    }
    if (enrolment === 'none') {
      const ended = await enrol();
      if (ended !== 0) return `enrol: ${ended}`;
      if (stop.signal.aborted) return 'stopped';
    }
    state = 'running';
    const tails = options.tails.flatMap((tail) => ['--tail', tail]);
    return run(['run', '--state', stateDir, ...tails, '--parent-pid', String(process.pid), ...(options.args ?? [])]);
  };

  const keepRunning = async (): Promise<void> => {
    let failures = 0;
    await mkdir(stateDir, { recursive: true, mode: 0o700 });
    while (!stop.signal.aborted) {
      const began = clock.monotonic();
      const ended = await once().catch((error: unknown) => toError(error).message);
      if (stop.signal.aborted) break;
      restarts += 1;
      failures = clock.monotonic() - began > SETTLED_MS ? 1 : failures + 1;
      log.warn(
        { event: 'fleet.local-agent.ended', how: ended, restarts, last_words: words.slice(-500) },
        'the agent on this host ended and is started again',
      );
      state = 'waiting';
      await clock.sleep(retryDelay(failures, random(), BACKOFF), stop.signal);
    }
    state = 'stopped';
  };

  const running = keepRunning().catch((error: unknown) => {
    state = 'stopped';
    log.error({ event: 'fleet.local-agent.failed', err: error }, 'the agent on this host cannot be started');
  });

  return {
    state: () => state,
    pid: () => child?.pid ?? null,
    restarts: () => restarts,
    lastWords: () => words,
    close: async () => {
      stop.abort();
      child?.kill('SIGTERM');
      const patience = new AbortController();
      void clock.sleep(STOP_MS, patience.signal).then(() => !patience.signal.aborted && child?.kill('SIGKILL'));
      await running;
      patience.abort();
    },
  };
};
