// SPDX-License-Identifier: Apache-2.0
/**
 * What was told last of each kind, one small file a kind in the state folder; it moves only when its facts are durable (A1).
 * Input: a folder, items. Output: the same again after a restart; a file that is not whole is as good as none, and said.
 */
import { closeSync, fsyncSync, mkdirSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { systemCode } from '../../../core/errors.ts';
import type { FactFields, FactKind } from '../../../core/fact.ts';
import { sha256 } from '../../../core/hash.ts';
import { type UnixMs, unixMs } from '../../../core/units.ts';
import type { Told } from './delta.ts';
import type { Unseen } from './found.ts';

export interface Baseline extends Told {
  /** When everything was told last. */
  readonly fullAt: UnixMs;
}

export type ReadBaseline = Baseline | 'none' | 'lost';

const VERSION = 1;

const fileOf = (folder: string, kind: FactKind): string => join(folder, `${kind}.ndjson`);

/** Written beside and renamed: a crash leaves the old one or the new one, whole. @throws what the disk says. */
export const writeBaseline = (folder: string, kind: FactKind, { items, unseen, fullAt }: Baseline): void => {
  const body = [...items].map((entry) => JSON.stringify(entry)).join('\n');
  const head = JSON.stringify({ v: VERSION, kind, fullAt, unseen, count: items.size, sha256: sha256(body) });
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const fd = openSync(`${fileOf(folder, kind)}.new`, 'w', 0o600);
  try {
    writeSync(fd, `${head}\n${body}`);
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
  renameSync(`${fileOf(folder, kind)}.new`, fileOf(folder, kind));
};

export const readBaseline = (folder: string, kind: FactKind): ReadBaseline => {
  let text: string;
  try {
    text = readFileSync(fileOf(folder, kind), 'utf8');
  } catch (error) {
    return systemCode(error) === 'ENOENT' ? 'none' : 'lost';
  }
  const end = text.indexOf('\n');
  const body = text.slice(end + 1);
  try {
    const head = JSON.parse(text.slice(0, end)) as { v: unknown; kind: unknown; fullAt: number; unseen: Unseen[]; sha256: unknown };
    if (head.v !== VERSION || head.kind !== kind || head.sha256 !== sha256(body)) return 'lost';
    const entries = body === '' ? [] : body.split('\n').map((line) => JSON.parse(line) as [string, FactFields]);
    return { fullAt: unixMs(head.fullAt), unseen: head.unseen, items: new Map(entries) };
  } catch {
    // Not JSON: the same as a wrong checksum.
    return 'lost';
  }
};
