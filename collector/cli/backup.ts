// SPDX-License-Identifier: Apache-2.0
/**
 * `vigil backup`, `vigil restore`, `vigil redecode`, and `vigil verify` of a backup: what is done with the data as a whole.
 * Input: a running collector, or an archive and an empty folder. Output: what was written, or the first part that does not hold.
 */
import { existsSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { systemClock } from '../../core/clock.ts';
import { CodedError } from '../../core/errors.ts';
import { isoTime, ms } from '../../core/units.ts';
import { type BackupRead, readBackup } from '../backup/read.ts';
import { restoreBackup } from '../backup/restore.ts';
import type { BackupProgress } from '../backup/take.ts';
import type { BackupMade } from '../backup/write.ts';
import { fault } from '../errors.ts';
import { lockFolder } from '../store/embedded/lock.ts';
import type { RedecodeResult } from '../store/routes.ts';
import { callCollector, type Target } from './client.ts';
import { countText, sizeText, spanText, type Terminal, visible } from './terminal.ts';

const POLL_MS = 500;

/** A line that moves on a terminal, and nothing elsewhere. */
const progress = (what: string, terminal: Terminal) => {
  const begin = systemClock.monotonic();
  let shown = Number.NEGATIVE_INFINITY;
  return {
    show: (done: number, total: number): void => {
      const now = systemClock.monotonic();
      if (!terminal.live || now - shown < POLL_MS || total === 0) return;
      shown = now;
      const rate = done / Math.max(1, now - begin);
      const left = rate > 0 ? `, ${spanText((total - done) / rate)} left` : '';
      terminal.err(`\r\u001b[K${what} ${Math.floor((100 * done) / total)} %, ${sizeText(rate * 1000)}/s${left}`);
    },
    end: (): void => {
      if (terminal.live) terminal.err('\r\u001b[K');
    },
  };
};

/** Calls a route that takes long, and shows what another one says of it meanwhile. */
const callLong = async <T>(target: Target, path: string, body: unknown, what: string, terminal: Terminal): Promise<T> => {
  const bar = progress(what, terminal);
  const done = new AbortController();
  const watch = async (): Promise<void> => {
    while (terminal.live && !done.signal.aborted) {
      await systemClock.sleep(ms(POLL_MS), done.signal);
      if (done.signal.aborted) return;
      // What cannot be asked now is asked the next time; the call itself says what is wrong.
      const state = await callCollector<BackupProgress>(target, { path }).catch(() => null);
      if (state?.running && !done.signal.aborted) bar.show(state.done, state.total);
    }
  };
  const watching = watch();
  try {
    return await callCollector<T>(target, { method: 'POST', path, body });
  } finally {
    done.abort();
    await watching;
    bar.end();
  }
};

export const runBackup = async (out: string, target: Target, json: boolean, terminal: Terminal): Promise<void> => {
  if (existsSync(out)) throw fault('USAGE', { reason: `${out} is there already; a backup goes into a new file` });
  if (!existsSync(dirname(out))) throw fault('USAGE', { reason: `The folder ${dirname(out)} does not exist` });
  const made = await callLong<BackupMade>(target, '/api/v1/backup', { path: out }, 'backup', terminal);
  if (json) terminal.out(`${JSON.stringify({ file: out, ...made })}\n`);
  else
    terminal.out(
      `${visible(out)}: ${countText(made.files)} files, ${sizeText(made.bytes)}. It holds private keys; \`vigil verify\` checks it, \`vigil restore\` puts it back.\n`,
    );
};

export const runRestore = async (file: string, dir: string, json: boolean, terminal: Terminal): Promise<void> => {
  const bar = progress('restore', terminal);
  const read = await restoreBackup({ file, dir, lock: lockFolder, onProgress: bar.show }).finally(bar.end);
  if (json) terminal.out(`${JSON.stringify({ file, dir, ...summary(read) })}\n`);
  else
    terminal.out(
      `${countText(read.manifest.files.length)} files of ${visible(read.manifest.collector)}, taken at ${isoTime(read.manifest.at)}, are in ${visible(dir)}.\nStart with \`vigil start --data ${visible(dir)}\`; agents send again what came in since.\n`,
    );
};

/** Answers whether the backup holds. */
export const verifyBackup = async (file: string, json: boolean, terminal: Terminal): Promise<boolean> => {
  const bar = progress('verify', terminal);
  try {
    const read = await readBackup(file, { onProgress: bar.show }).finally(bar.end);
    if (json) terminal.out(`${JSON.stringify({ kind: 'backup', path: file, holds: true, ...summary(read) })}\n`);
    else
      terminal.out(
        `${visible(file)}: ${countText(read.manifest.files.length)} files in ${sizeText(read.bytes)}, taken at ${isoTime(read.manifest.at)} from ${visible(read.manifest.collector)}\nEvery byte is as it was signed; signer ${read.signer}, not known to this check.\n`,
      );
    return true;
  } catch (error) {
    if (!(error instanceof CodedError) || error.code !== 'BACKUP_BROKEN') throw error;
    const { part, reason } = error.details;
    if (json) terminal.out(`${JSON.stringify({ kind: 'backup', path: file, holds: false, part, reason })}\n`);
    else terminal.out(`FAILS  ${visible(basename(file))} at ${visible(String(part))}: ${visible(String(reason))}\n`);
    return false;
  }
};

const summary = ({ manifest, signer, bytes }: BackupRead) => ({
  at: isoTime(manifest.at),
  collector: manifest.collector,
  version: manifest.version,
  files: manifest.files.length,
  bytes,
  signer,
});

export const runRedecode = async (
  range: { readonly from: string; readonly to?: string },
  target: Target,
  json: boolean,
  terminal: Terminal,
): Promise<void> => {
  const made = await callLong<RedecodeResult>(target, '/api/v1/redecode', range, 'redecode', terminal);
  if (json) terminal.out(`${JSON.stringify(made)}\n`);
  else if (made.bytes === 0) terminal.out('Nothing came in between these times; nothing was changed.\n');
  else
    terminal.out(
      `${countText(made.events)} events from ${sizeText(made.bytes)} of the journal are generation ${made.generation} now. Alerts stay as they were raised.\n`,
    );
};
