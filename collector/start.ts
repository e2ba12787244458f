// SPDX-License-Identifier: Apache-2.0
/**
 * `vigil start` as a person sees it: the console's address, the one-time password, what cannot be read, one honest status line; Ctrl-C stops all.
 * Input: the configuration, the terminal, signals. Output: `ready …` alone on stdout; words on stderr; an exit status.
 */
import { join } from 'node:path';
import { type Clock, systemClock } from '../core/clock.ts';
import { openLog } from '../core/log.ts';
import { statusLine } from './cli/status.ts';
import { styled, type Terminal, visible } from './cli/terminal.ts';
import { type Collector, openCollector } from './collector.ts';
import type { CollectorConfig } from './config.ts';
import { makeDataFolder } from './folder.ts';
import type { StatusView } from './http/status.ts';

/** A second signal within this is the same Ctrl-C, which reached the group and was passed on. */
const SAME_SIGNAL_MS = 2_000;
const LINE_LIVE_MS = 1_000;
const LINE_QUIET_MS = 60_000;
/** How long the first words wait for the local agent to say what it cannot read. */
const AGENT_WORDS_MS = 5_000;

/** A collector that lives on another clock and is told something once it is open. */
export interface Staged {
  readonly clock: Clock;
  readonly fleetClock: Clock;
  /** Runs before the ready line; what it throws ends the collector. */
  readonly prepare: (collector: Collector, dir: string) => Promise<void>;
}

/** Runs until a signal or a fault. @throws CodedError of opening. */
export const runCollector = async (given: CollectorConfig, terminal: Terminal, staged?: Staged): Promise<void> => {
  const config = { ...given, 'data.dir': terminal.here(given['data.dir']) };
  // Files are for this user alone also where the folder was there before and lets others in.
  process.umask(0o077);
  // Before the log, which lies in it.
  makeDataFolder(config['data.dir']);
  const log = openLog({
    program: 'vigil',
    level: config['log.level'] as 'info',
    file: config['log.file'] ?? join(config['data.dir'], 'logs', 'vigil.log'),
  });
  let stop = (_error?: Error): void => {};
  const stopped = new Promise<Error | undefined>((resolve) => {
    stop = resolve;
  });
  const clock = systemClock;
  let signalled = Number.NEGATIVE_INFINITY;
  let second = (): void => {};
  const onSignal = (): void => {
    const now = clock.monotonic();
    if (now - signalled < SAME_SIGNAL_MS) return;
    if (signalled > 0) second();
    signalled = now;
    stop();
  };
  process.on('SIGINT', onSignal);
  process.on('SIGTERM', onSignal);
  const collector = await openCollector({
    config,
    log,
    clock: staged?.clock ?? clock,
    ...(staged ? { fleetClock: staged.fleetClock } : {}),
    onFault: (error) => stop(error),
  });
  const end = new AbortController();
  try {
    await staged?.prepare(collector, config['data.dir']);
    if (collector.firstAdmin)
      terminal.err(
        `First start. Sign in at ${collector.consoleUrl} as ${styled(terminal, 'bold', collector.firstAdmin.name)} with this one-time password:\n\n  password  ${styled(terminal, 'bold', collector.firstAdmin.oneTimePassword)}\n\n`,
      );
    terminal.out(`ready console=${collector.consoleUrl} agents=${collector.agentsUrl} data=${config['data.dir']}\n`);
    void tell(collector, terminal, end.signal);
    const failure = await stopped;
    if (failure) throw failure;
  } finally {
    end.abort();
    if (terminal.live) terminal.err('\n');
    const forced = new Promise<void>((resolve) => {
      second = resolve;
    });
    await Promise.race([collector.close(), forced]);
  }
};

/** First what cannot be read, then the status line: moving on a terminal, once a minute elsewhere. */
const tell = async (collector: Collector, terminal: Terminal, signal: AbortSignal): Promise<void> => {
  const told = new Set<string>();
  const begin = systemClock.monotonic();
  while (!signal.aborted) {
    const status = await collector.status().catch(() => null);
    if (signal.aborted) return;
    if (status) {
      sayConditions(status, told, terminal);
      if (terminal.live) terminal.err(`\r\u001b[K${statusLine(status)}`);
      else if (systemClock.monotonic() - begin > AGENT_WORDS_MS) terminal.err(`${statusLine(status)}\n`);
    }
    const waiting = systemClock.monotonic() - begin < AGENT_WORDS_MS;
    await systemClock.sleep((terminal.live || waiting ? LINE_LIVE_MS : LINE_QUIET_MS) as never, signal);
  }
};

/** Each condition once: what it is about, and the command that would mend it. */
const sayConditions = ({ conditions }: StatusView, told: Set<string>, terminal: Terminal): void => {
  for (const { code, about, text, hint } of conditions) {
    const key = `${code} ${about}`;
    if (told.has(key) || code === 'LAG') continue;
    told.add(key);
    terminal.err(`${terminal.live ? '\r\u001b[K' : ''}${visible(about)} ${visible(text)}\n  ${visible(hint)}\n`);
  }
};
