// SPDX-License-Identifier: Apache-2.0
/**
 * The thread of a backup: copies the state database as it is at one moment, then writes the archive, so that no listener waits for either.
 * Input: where the database lies, then what belongs into the archive. Output: progress, and what was made.
 */
import { DatabaseSync } from 'node:sqlite';
import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import { toError } from '../../core/errors.ts';
import { signerFromPem } from '../../core/sign.ts';
import { type BackupMade, type WriteBackup, writeBackup } from './write.ts';

export interface BackupData {
  /** Database of the state, and where its copy goes; the copy must not exist. */
  readonly state: string;
  readonly copy: string;
  /** PKCS#8 PEM of the key that signs. */
  readonly key: string;
}

export type ToBackup =
  | { readonly kind: 'write'; readonly work: Pick<WriteBackup, 'out' | 'sources' | 'about'> }
  | { readonly kind: 'stop' };

export type FromBackup =
  | { readonly kind: 'copied' }
  | { readonly kind: 'progress'; readonly done: number; readonly total: number }
  | { readonly kind: 'made'; readonly made: BackupMade }
  | { readonly kind: 'failed'; readonly reason: string };

const PROGRESS_MS = 100;

const main = parentPort as MessagePort;
const data = workerData as BackupData;
const tell = (message: FromBackup): void => main.postMessage(message);
const stop = new AbortController();

const copyState = (): void => {
  // A connection of its own reads one moment of the write-ahead log while the state worker goes on writing.
  const db = new DatabaseSync(data.state);
  try {
    db.exec('PRAGMA busy_timeout = 5000');
    db.prepare('VACUUM INTO ?').run(data.copy);
  } finally {
    db.close();
  }
};

const write = async (work: Pick<WriteBackup, 'out' | 'sources' | 'about'>): Promise<void> => {
  let told = 0;
  const onProgress = (done: number, total: number): void => {
    if (performance.now() - told < PROGRESS_MS) return;
    told = performance.now();
    tell({ kind: 'progress', done, total });
  };
  tell({ kind: 'made', made: await writeBackup({ ...work, signer: signerFromPem(data.key), onProgress, signal: stop.signal }) });
};

const failed = (error: unknown): void => {
  const { details, message } = error as { readonly details?: { readonly reason?: string }; readonly message?: string };
  tell({ kind: 'failed', reason: details?.reason ?? message ?? toError(error).message });
};

main.on('message', (message: ToBackup) => {
  if (message.kind === 'stop') {
    stop.abort();
    main.close();
  } else write(message.work).catch(failed);
});

try {
  copyState();
  tell({ kind: 'copied' });
} catch (error) {
  failed(error);
}
