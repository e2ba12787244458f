// SPDX-License-Identifier: Apache-2.0
/**
 * `/api/v1/backup`: takes a backup into a file of the collector's own host, and says how far one is.
 * Input: a path that the owner of the data folder named. Output: what was written.
 */
import { Type } from 'typebox';
import { hours } from '../../core/units.ts';
import { Count, closed, type Route, route } from '../http/route.ts';
import type { Actor } from '../model/permission.ts';
import type { BackupProgress } from './take.ts';
import type { BackupMade } from './write.ts';

export interface BackupPorts {
  /** Audited. @throws CodedError NOT_PERMITTED for anyone but the local owner, BACKUP_RUNNING, BACKUP_FAILED. */
  take(by: Actor, path: string, from: string, signal: AbortSignal): Promise<BackupMade>;
  progress(): BackupProgress;
}

export const backupRoutes = (ports: BackupPorts): readonly Route[] => [
  route({
    method: 'POST',
    path: '/api/v1/backup',
    tag: 'backup',
    summary: 'Takes a backup into a file of the collector’s own host; only through the control socket. Ends when the client goes.',
    permission: 'backup.write',
    timeoutMs: hours(24),
    body: closed({ path: Type.String({ minLength: 1, maxLength: 4096 }) }),
    answer: Type.Object({ files: Count, bytes: Count, manifest: Type.String() }),
    handle: async ({ actor, body, from, signal }) => ({ body: await ports.take(actor, body.path, from, signal) }),
  }),
  route({
    method: 'GET',
    path: '/api/v1/backup',
    tag: 'backup',
    summary: 'How far a backup under way is.',
    permission: 'backup.write',
    answer: Type.Object({ running: Type.Boolean(), done: Count, total: Count }),
    handle: async () => ({ body: { ...ports.progress() } }),
  }),
];
