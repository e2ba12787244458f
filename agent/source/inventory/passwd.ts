// SPDX-License-Identifier: Apache-2.0
/**
 * The tables of accounts and groups as they stand in files, for everything that asks who somebody is.
 * Input: /etc/passwd, /etc/group. Output: rows in the order of the file; lines that are none are told.
 */
import type { Found, Unseen } from './found.ts';
import { LINE_CHARS, oddities, readText } from './text.ts';
import type { Tree } from './tree.ts';

export interface Account {
  readonly name: string;
  readonly password: string;
  readonly uid: number;
  readonly gid: number;
  readonly comment: string;
  readonly home: string;
  readonly shell: string;
}

export interface Group {
  readonly name: string;
  readonly gid: number;
  readonly members: readonly string[];
}

const ID = /^\d{1,10}$/;

/** Rows of a table of colons; the first of a name counts, as for the system. Undefined where the file cannot be read. */
function* rows<T extends { readonly name: string }>(
  tree: Tree,
  path: string,
  unseen: Unseen | undefined,
  fields: number,
  rowOf: (parts: readonly string[]) => T | undefined,
): Generator<Found, readonly T[] | undefined> {
  const text = yield* readText(tree, path, unseen);
  if (text === undefined) return undefined;
  const odd = oddities();
  const found = new Map<string, T>();
  for (const [i, line] of text.split('\n').entries()) {
    // Plus and minus are places of a network's table (NIS); comments stand in some files though nothing reads them.
    if (line.trim() === '' || /^[#+-]/.test(line)) continue;
    const parts = line.length > LINE_CHARS ? [] : line.split(':');
    const row = parts.length >= fields && parts[0] !== '' ? rowOf(parts) : undefined;
    if (row === undefined) odd.add(i + 1, line.length > LINE_CHARS ? `is longer than ${LINE_CHARS} characters` : 'is no entry');
    else if (!found.has(row.name)) found.set(row.name, row);
    else odd.add(i + 1, `names ${row.name} again`);
  }
  yield* odd.tell(path);
  return [...found.values()];
}

export function* readAccounts(tree: Tree, unseen?: Unseen): Generator<Found, readonly Account[]> {
  const accounts = yield* rows(tree, '/etc/passwd', unseen, 7, ([name, password, uid, gid, comment, home, shell]) =>
    ID.test(uid!) && ID.test(gid!)
      ? { name: name!, password: password!, uid: Number(uid), gid: Number(gid), comment: comment!, home: home!, shell: shell!.trim() }
      : undefined,
  );
  return accounts ?? [];
}

export function* readGroups(tree: Tree, unseen?: Unseen): Generator<Found, readonly Group[]> {
  const groups = yield* rows(tree, '/etc/group', unseen, 4, ([name, , gid, members]) =>
    ID.test(gid!)
      ? {
          name: name!,
          gid: Number(gid),
          members: members!
            .split(',')
            .map((one) => one.trim())
            .filter(Boolean),
        }
      : undefined,
  );
  return groups ?? [];
}

/** The same without a word about what is wrong with the files: the kinds `user` and `group` say that already. */
export const quietly = <T>(reading: Generator<Found, T>): T => {
  for (;;) {
    const step = reading.next();
    if (step.done === true) return step.value;
  }
};
