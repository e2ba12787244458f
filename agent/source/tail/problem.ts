// SPDX-License-Identifier: Apache-2.0
/**
 * Says why a file is not read and which command would allow it.
 * Input: a path and what went wrong on opening it. Output: a problem for plan, status, explain and heartbeat.
 */
import { readFileSync, statSync } from 'node:fs';
import { userInfo } from 'node:os';
import { dirname } from 'node:path';
import type { SourceProblem } from '../source.ts';
import type { OpenProblem } from './identity.ts';

const CODES: Readonly<Record<OpenProblem, string>> = {
  missing: 'FILE_MISSING',
  denied: 'FILE_DENIED',
  'not-regular': 'FILE_NOT_REGULAR',
  'untrusted-link': 'FILE_UNTRUSTED_LINK',
  refused: 'FILE_REFUSED',
  failed: 'FILE_FAILED',
};

export const describeProblem = (path: string, problem: OpenProblem, reason: string): SourceProblem => ({
  code: CODES[problem],
  about: path,
  reason,
  hint: hintOf(path, problem),
});

/** A glob of the configuration that finds nothing: a misspelt one looks just like one that is early. */
export const nothingMatches = (entry: string): SourceProblem => ({
  code: 'GLOB_EMPTY',
  about: entry,
  reason: 'no file matches it',
  hint: 'Check its spelling; it is looked for again each minute.',
});

const hintOf = (path: string, problem: OpenProblem): string => {
  if (problem === 'denied') return allowCommand(path);
  if (problem === 'untrusted-link') return 'Name the target itself in tail.paths, or let root own the link.';
  if (problem === 'refused') return 'Nothing: the collector’s own data and keys are never read.';
  if (problem === 'not-regular') return 'Name a regular file; pipes, sockets and devices are not read.';
  if (problem === 'missing') return 'Check its spelling; it is read as soon as it is there.';
  return 'See the reason; the file is tried again each minute.';
};

/** A command that lets this user read the path: membership of the file's group where that is enough, else an access list. */
export const allowCommand = (path: string): string => {
  const user = userName();
  try {
    const stat = statSync(path);
    const group = groupName(stat.gid);
    const bits = stat.isDirectory() ? 0o050 : 0o040;
    if (group !== undefined && stat.gid !== 0 && (stat.mode & bits) === bits) return `sudo usermod -aG ${group} ${user}`;
  } catch {
    // The folder above is closed as well: only an access list on it helps.
    return `sudo setfacl -m u:${user}:rx ${quoted(dirname(path))}`;
  }
  return `sudo setfacl -m u:${user}:r ${quoted(path)}`;
};

const userName = (): string => {
  try {
    return userInfo().username;
  } catch {
    // A uid without a name, as in containers.
    return String(process.getuid?.() ?? 'USER');
  }
};

const groupName = (gid: number): string | undefined => {
  try {
    const line = readFileSync('/etc/group', 'utf8')
      .split('\n')
      .find((entry) => entry.split(':')[2] === String(gid));
    return line?.split(':')[0];
  } catch {
    // Groups may come from elsewhere than this file; then the access list is proposed.
    return undefined;
  }
};

const quoted = (path: string): string => (/^[\w@%+=:,./-]+$/.test(path) ? path : `'${path.replaceAll("'", `'\\''`)}'`);
