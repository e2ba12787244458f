// SPDX-License-Identifier: Apache-2.0
/**
 * `vigil-agent run`: the agent itself, until a signal or until its parent is gone.
 * Input: settings, the identity in the state folder. Output: `ready` on stdout; its log on stderr or in a file.
 */
import { systemClock } from '../../core/clock.ts';
import { openLog } from '../../core/log.ts';
import { ms } from '../../core/units.ts';
import { startAgent } from '../agent.ts';
import { openControl, type Question } from '../control.ts';
import { readIdentity } from '../enrol/identity.ts';
import { lockState, openStateFolder } from '../enrol/state.ts';
import { fault } from '../errors.ts';
import { COMMON_HELP, type Command, READING, READING_HELP, text } from './terminal.ts';

/** A second signal so soon is the same wish: Ctrl-C reaches the whole group. */
const SAME_SIGNAL_MS = 2_000;
const PARENT_MS = 1_000;

export const runCommand: Command = {
  name: 'run',
  summary: 'read, seal and send, until a signal',
  help: `vigil-agent run [--tail PATH[=DATASET]]… [--no-discover]

Reads the usual logs of this host and what --tail names, and sends them to the collector that it is enrolled with.
On SIGTERM and SIGINT it seals what it has read, and ends.

${READING_HELP}
  --parent-pid PID   end when that process is gone
${COMMON_HELP}

Example:
  vigil-agent run --state /var/lib/vigil-agent --tail '/srv/app/log/*.log=nginx.access'`,
  options: { ...READING, 'parent-pid': { type: 'string' } },
  run: async ({ flags, config }, terminal) => {
    const dir = config.state;
    const parent = text(flags, 'parent-pid');
    if (parent !== undefined && !/^[1-9]\d*$/.test(parent)) throw fault('AGENT_USAGE', { reason: '--parent-pid needs a process id' });
    openStateFolder(dir);
    const lock = lockState(dir);
    try {
      const identity = readIdentity(dir);
      if (!identity) throw fault('AGENT_NOT_ENROLLED', { dir });
      const { 'log.level': level, 'log.file': file } = config;
      const log = openLog({
        program: 'vigil-agent',
        level: level as Parameters<typeof openLog>[0]['level'],
        ...(file === null ? {} : { file }),
      });
      const agent = await startAgent({ config, dir, from: terminal.from, identity, version: terminal.version, clock: systemClock, log });
      const control = await openControl(dir, (question: Question) =>
        question.ask === 'status' ? agent.status() : agent.explain(question.path),
      );
      terminal.out(`ready agent=${identity.agent} collector=${identity.url} state=${dir}\n`);
      const ended = new AbortController();
      try {
        await Promise.race([agent.done, untilSignal(), untilOrphan(parent, ended.signal)]);
      } finally {
        ended.abort();
        await control.close();
        await agent.stop();
      }
      return 0;
    } finally {
      lock.release();
    }
  },
};

/** Resolves at the first signal; the same again shortly after is ignored, a later one ends at once. */
const untilSignal = (): Promise<void> =>
  new Promise((resolve) => {
    let first: number | undefined;
    for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const)
      process.on(signal, () => {
        const now = systemClock.monotonic();
        if (first !== undefined && now - first >= SAME_SIGNAL_MS) {
          process.removeAllListeners(signal);
          process.kill(process.pid, signal);
        }
        first ??= now;
        resolve();
      });
  });

/** Resolves when the process that started this one is gone. */
const untilOrphan = async (parent: string | undefined, signal: AbortSignal): Promise<void> => {
  if (parent === undefined) return new Promise(() => undefined);
  const pid = Number(parent);
  const direct = process.ppid === pid;
  while (!signal.aborted && (direct ? process.ppid === pid : isAlive(pid))) await systemClock.sleep(ms(PARENT_MS), signal);
};

const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
};
