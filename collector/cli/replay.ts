// SPDX-License-Identifier: Apache-2.0
/**
 * `vigil replay`: old logs through the whole pipeline of a running collector, or of one that is opened for as long as it takes.
 * Input: files and what they are. Output: how many lines were new, when they are judged and searchable.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { systemClock } from '../../core/clock.ts';
import { isCoded } from '../../core/errors.ts';
import { openLog } from '../../core/log.ts';
import { loadCollectorConfig } from '../config.ts';
import { fault } from '../errors.ts';
import type { ReplayResult } from '../ingest/replay.ts';
import { callCollector } from './client.ts';
import { countText, type Terminal, visible } from './terminal.ts';

export interface ReplayOptions {
  readonly dataset: string;
  readonly host: string;
  readonly dir: string;
  readonly tz: string;
  readonly year?: number;
  readonly json?: boolean;
}

export const runReplay = async (files: readonly string[], options: ReplayOptions, terminal: Terminal): Promise<void> => {
  const { checkLines } = await import('./decode.ts');
  checkLines(options.dataset, options.tz);
  for (const file of files) if (!existsSync(file)) throw fault('FILE_UNREADABLE', { file, reason: 'it does not exist' });
  const { year } = options;
  const send = async (): Promise<void> => {
    for (const path of files) {
      const body = { path, dataset: options.dataset, host: options.host, zone: options.tz, ...(year === undefined ? {} : { year }) };
      const result = await callCollector<ReplayResult>({ dir: options.dir }, { method: 'POST', path: '/api/v1/replay', body });
      if (options.json) terminal.out(`${JSON.stringify({ file: path, ...result })}\n`);
      else terminal.out(`${visible(path)}: ${countText(result.appended)} of ${countText(result.lines)} lines were new.\n`);
    }
  };
  try {
    await send();
  } catch (error) {
    if (!isCoded(error, 'NOT_RUNNING')) throw error;
    const fresh = !existsSync(join(options.dir, 'journal'));
    terminal.err(
      `No collector runs on ${visible(options.dir)}${fresh ? ', which is made now' : ''}: one is opened there for as long as this takes.\n`,
    );
    const { openCollector } = await import('../collector.ts');
    const { config } = loadCollectorConfig({
      flags: { 'data.dir': options.dir, 'console.listen': '127.0.0.1:0', 'agents.listen': '127.0.0.1:0' },
    });
    const collector = await openCollector({
      config,
      clock: systemClock,
      log: openLog({ program: 'vigil', level: 'error' }),
      onFault: (failure) => terminal.err(`${failure.message}\n`),
    });
    const { firstAdmin } = collector;
    // The next start of this folder is not its first, and would not say it.
    if (firstAdmin) terminal.err(`Its console will ask ${firstAdmin.name} for the one-time password ${firstAdmin.oneTimePassword}\n`);
    try {
      await send();
    } finally {
      await collector.close();
    }
  }
};
