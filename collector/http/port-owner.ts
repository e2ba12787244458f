// SPDX-License-Identifier: Apache-2.0
/**
 * Who listens on a port that is taken, as far as this user may see it.
 * Input: the port; /proc, where there is one. Output: ` by NAME (process PID)`, or nothing.
 */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { basename } from 'node:path';

const LISTENING = '0A';

/** Words for `PORT_TAKEN`; empty on other systems than Linux, and for processes of other users. */
export const portOwner = (port: number, proc = '/proc'): string => {
  const sockets = new Set(
    ['tcp', 'tcp6'].flatMap((table) => listenersOn(port, `${proc}/net/${table}`)).map((inode) => `socket:[${inode}]`),
  );
  if (sockets.size === 0) return '';
  for (const pid of entries(proc)) {
    if (!/^\d+$/.test(pid)) continue;
    if (entries(`${proc}/${pid}/fd`).some((fd) => sockets.has(linkOf(`${proc}/${pid}/fd/${fd}`))))
      return ` by ${basename(textOf(`${proc}/${pid}/cmdline`).split('\0')[0] ?? '') || 'a program'} (process ${pid})`;
  }
  return '';
};

/** Inodes of listening sockets: the second column is ADDRESS:PORT in hexadecimal, the fourth the state, the tenth the inode. */
const listenersOn = (port: number, table: string): readonly string[] =>
  textOf(table)
    .split('\n')
    .slice(1)
    .map((line) => line.trim().split(/\s+/))
    .filter(([, local, , state]) => state === LISTENING && Number.parseInt(local?.split(':')[1] ?? '', 16) === port)
    .flatMap((columns) => columns[9] ?? []);

// Processes end and belong to others while we look: what cannot be read says nothing.
const quietly =
  <T>(read: (path: string) => T, otherwise: T) =>
  (path: string): T => {
    try {
      return read(path);
    } catch {
      // See above.
      return otherwise;
    }
  };
const entries = quietly((path): readonly string[] => readdirSync(path), []);
const linkOf = quietly((path) => readlinkSync(path), '');
const textOf = quietly((path) => readFileSync(path, 'utf8'), '');
