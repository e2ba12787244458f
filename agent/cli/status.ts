// SPDX-License-Identifier: Apache-2.0
/**
 * `vigil-agent status` and `explain PATH`: what the running agent does, and why.
 * Input: the agent's socket in the state folder. Output: tables, or NDJSON.
 */

import { isCoded } from '../../core/errors.ts';
import { askAgent } from '../control.ts';
import { lockHolder } from '../enrol/state.ts';
import type { WatchExplanation } from '../source/fim/explain.ts';
import { FIM_STREAM } from '../source/fim/fim.ts';
import { type AgentStatus, type Explanation, explainOffline } from '../status.ts';
import { COMMON_HELP, type Command, READING, READING_HELP, sizeText, table, visible } from './terminal.ts';

export const statusCommand: Command = {
  name: 'status',
  summary: 'what the running agent reads, has sent, and complains of',
  help: `vigil-agent status [--state DIR]

${COMMON_HELP}

Example:
  vigil-agent status --state /var/lib/vigil-agent --json`,
  options: {},
  run: async ({ flags, config }, terminal) => {
    const status = (await askAgent(config.state, { ask: 'status' })) as AgentStatus;
    if (flags['json'] === true) {
      terminal.out(`${JSON.stringify(status)}\n`);
      return 0;
    }
    const { spool, streams, conditions } = status;
    terminal.out(
      [
        `${status.agent} at ${status.url}: ${status.connected ? 'connected' : `not connected (${status.trouble ?? 'nothing sent yet'})`}`,
        `process ${status.pid}, ${sizeText(status.rssBytes)}; spool ${sizeText(spool.bytes)}, of which ${sizeText(spool.waitingBytes)} wait`,
        '',
        table(
          ['STREAM', 'DATASET', 'SEALED', 'ACKED', 'BEHIND', 'READ UP TO'],
          streams.map((s) => [s.stream, s.dataset, String(s.seq), String(s.ackedSeq), sizeText(s.behindBytes), timeText(s.readUpTo)]),
        ),
        ...streams
          .filter(({ stream }) => stream === FIM_STREAM)
          .map(
            ({ counts }) =>
              `integrity: ${Object.entries(counts)
                .map(([name, n]) => `${name} ${n}`)
                .join(', ')}`,
          ),
        ...(conditions.length === 0
          ? []
          : ['', ...conditions.map(({ code, about, hint }) => `${code}: ${visible(about)}\n  ${visible(hint)}`)]),
        '',
      ].join('\n'),
    );
    return 0;
  },
};

const timeText = (at: number): string => (at === 0 ? '-' : new Date(at).toISOString());

export const explainCommand: Command = {
  name: 'explain',
  summary: 'whether and why a path is read or watched, and how far',
  help: `vigil-agent explain PATH [--state DIR]

Asks the running agent; where none runs, says what configuration and file system alone decide.

${READING_HELP}
${COMMON_HELP}

Example:
  vigil-agent explain /var/log/auth.log`,
  options: READING,
  positionals: { name: 'PATH', required: true },
  run: async ({ flags, positional, config }, terminal) => {
    const path = positional ?? '';
    const dir = config.state;
    const running = lockHolder(dir) !== undefined;
    const told = running ? ((await askAgent(dir, { ask: 'explain', path }).catch(offlineOnly)) as Explanation | undefined) : undefined;
    const answer = told ?? explainOffline(path, terminal.from, config, dir);
    if (flags['json'] === true) terminal.out(`${JSON.stringify({ ...answer, running: told !== undefined })}\n`);
    else terminal.out(`${describe(answer, told !== undefined)}\n`);
    return answer.read || answer.integrity?.watched ? 0 : 1;
  },
};

const describeWatch = (path: string, { watched, why, path: real, hint, last }: WatchExplanation): readonly string[] => {
  const where = real === path ? '' : ` as ${real}`;
  const lines = [visible(`integrity is ${watched ? `watched${where}` : 'not watched'}: ${why}`)];
  if (last)
    lines.push(
      visible(
        `last told: ${Object.entries(last)
          .map(([name, value]) => `${name} ${String(value)}`)
          .join(', ')}`,
      ),
    );
  else if (watched) lines.push('nothing of it has been told yet');
  if (hint !== undefined) lines.push(visible(hint));
  return lines;
};

const offlineOnly = (error: unknown): undefined => {
  if (!isCoded(error, 'AGENT_NOT_RUNNING')) throw error;
  return undefined;
};

const describe = (e: Explanation, running: boolean): string => {
  const lines = [`${visible(e.path)} is ${e.read ? '' : 'not '}${running ? 'read' : e.read ? 'to be read' : 'read'}: ${visible(e.why)}.`];
  if (e.dataset !== undefined) lines.push(`dataset ${e.dataset}`);
  if (e.offset !== undefined) lines.push(`at byte ${e.offset}, ${e.behindBytes ?? 0} behind, read up to ${timeText(e.readUpTo ?? 0)}`);
  if (e.seq !== undefined) lines.push(`${e.seq} records sealed, ${e.ackedSeq ?? 0} acknowledged`);
  for (const [name, n] of Object.entries(e.counts ?? {})) lines.push(`${name}: ${n}`);
  if (e.problem !== undefined) lines.push(visible(e.problem));
  if (e.hint !== undefined) lines.push(visible(e.hint));
  if (e.integrity) lines.push(...describeWatch(e.path, e.integrity));
  if (!running) lines.push('No agent runs on this state folder; this is what configuration and file system say.');
  return lines.join('\n  ');
};
