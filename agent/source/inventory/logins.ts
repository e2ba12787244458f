// SPDX-License-Identifier: Apache-2.0
/**
 * When each account last came in, and from where: the newest of what the three records say.
 * Input: lastlog, lastlog2, the end of wtmp. Output: time and place by name.
 */
import { systemCode, toError } from '../../../core/errors.ts';
import { type Found, problem } from './found.ts';
import type { Account } from './passwd.ts';
import { rowsOf } from './sqlite.ts';
import { visibleText } from './text.ts';
import type { Tree } from './tree.ts';

export interface Login {
  readonly at: number;
  readonly from?: string;
}

const LASTLOG = '/var/log/lastlog';
const LASTLOG_BYTES = 292;
/** Numbers of network accounts can be large, and the file has a hole for each below. */
const LASTLOG_MAX_UID = 10_000_000;
const LASTLOG2 = '/var/lib/lastlog/lastlog2.db';
const WTMP = '/var/log/wtmp';
const WTMP_BYTES = 384;
const WTMP_RECORDS = 4_096;
const USER_PROCESS = 7;

export function* lastLogins(tree: Tree, accounts: readonly Account[]): Generator<Found, ReadonlyMap<string, Login>> {
  const found = new Map<string, Login>();
  const take = (name: string, seconds: number, from: string): void => {
    const at = seconds * 1_000;
    if (seconds <= 0 || at <= (found.get(name)?.at ?? 0)) return;
    found.set(name, from === '' ? { at } : { at, from });
  };
  if ((tree.stat(LASTLOG)?.size ?? 0) > 0)
    for (const { name, uid } of accounts) {
      if (uid > LASTLOG_MAX_UID) continue;
      const record = tree.readPart(LASTLOG, uid * LASTLOG_BYTES, LASTLOG_BYTES);
      if (record.length === LASTLOG_BYTES) take(name, record.readUInt32LE(0), cText(record, 36, 256));
    }
  const size = tree.stat(WTMP)?.size ?? 0;
  const records = Math.min(WTMP_RECORDS, Math.floor(size / WTMP_BYTES));
  const begin = (Math.floor(size / WTMP_BYTES) - records) * WTMP_BYTES;
  const wtmp = tree.readPart(WTMP, begin, records * WTMP_BYTES);
  for (let at = 0; at + WTMP_BYTES <= wtmp.length; at += WTMP_BYTES)
    if (wtmp.readInt16LE(at) === USER_PROCESS) take(cText(wtmp, at + 44, 32), wtmp.readUInt32LE(at + 340), cText(wtmp, at + 76, 256));
  if (tree.stat(LASTLOG2)?.isFile()) yield* fromDatabase(tree, take);
  return found;
}

function* fromDatabase(tree: Tree, take: (name: string, seconds: number, from: string) => void): Generator<Found> {
  try {
    for (const { Name, Time, RemoteHost } of rowsOf(tree.real(LASTLOG2)!, 'SELECT Name, Time, RemoteHost FROM Lastlog2'))
      if (typeof Name === 'string' && typeof Time === 'number') take(Name, Time, typeof RemoteHost === 'string' ? RemoteHost : '');
  } catch (error) {
    yield problem('INVENTORY_UNREADABLE', LASTLOG2, systemCode(error) ?? toError(error).message);
  }
}

const cText = (bytes: Buffer, at: number, length: number): string => {
  const field = bytes.subarray(at, at + length);
  const end = field.indexOf(0);
  return visibleText(end === -1 ? field : field.subarray(0, end));
};
