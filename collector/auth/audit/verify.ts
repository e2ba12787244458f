// SPDX-License-Identifier: Apache-2.0
/**
 * Checks an audit log offline: frames, numbering, tree, checkpoints and their signatures, and says where it first does not hold.
 * Input: a log's file or folder, optionally a known key and checkpoints kept elsewhere. Output: what holds, or the first position that does not.
 */
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { systemCode } from '../../../core/errors.ts';
import { readSegment } from '../../../core/segment.ts';
import { isPublicKey } from '../../../core/sign.ts';
import { checkpointHolds, isKnownKey, readCheckpoint } from './checkpoint.ts';
import { EMPTY_TREE, grow, leafHash, rootOf, type Tree } from './merkle.ts';
import { readPayload } from './record.ts';

export interface AuditCheck {
  /** Verifier key, raw key (base64url) or its fingerprint, kept outside of this machine. */
  readonly knownKey?: string;
  /** Signed checkpoints of the last log that were kept elsewhere (agents, reports): they find a log put back or forked. */
  readonly witnesses?: readonly string[];
}

/** Where a log first does not hold. */
export interface AuditPlace {
  readonly file: string;
  /** Byte offset in the file. */
  readonly offset: number;
  /** Sequence of the first entry that is not proven; 0 where none could be read. */
  readonly seq: number;
}

export interface AuditHolds {
  readonly kind: 'holds';
  readonly entries: number;
  readonly checkpoints: number;
  readonly origin: string;
  /** Raw public key that signed, base64url; empty while nothing is signed yet. */
  readonly key: string;
  readonly signer: 'known' | 'unknown';
  /** Newest entries that no checkpoint covers yet. */
  readonly unsigned: number;
  /** Sequence of the first entry, and the one that comes next. */
  readonly firstSeq: number;
  readonly nextSeq: number;
  /** Size and root of the last log. */
  readonly size: number;
  readonly root: string;
  /** What its first entry says of the log before it. */
  readonly after: { readonly size: number; readonly root: string } | null;
}
export interface AuditBroken {
  readonly kind: 'broken';
  readonly at: AuditPlace;
  /** The end of a sentence: what does not hold there. */
  readonly reason: string;
}
export type AuditVerdict = AuditHolds | AuditBroken;

/** Name of the file beside a log that holds its newest checkpoint. */
export const checkpointFile = (log: string): string => log.replace(/\.seg$/, '.checkpoint');

const LOG_NAME = /^audit-(\d{6})\.seg$/;

/** Logs of a folder, oldest first. */
export const auditLogs = async (dir: string): Promise<readonly string[]> =>
  (await readdir(dir)).filter((name) => LOG_NAME.test(name)).sort();

/** Checks a log, or every log of a folder. Never throws for what a file holds; throws as the system does where it cannot be read. */
export const verifyAudit = async (path: string, check: AuditCheck = {}): Promise<AuditVerdict> => {
  if (!(await stat(path)).isDirectory()) return verifyFile(path, check);
  const names = await auditLogs(path);
  if (names.length === 0) return broken({ file: path, offset: 0, seq: 0 }, 'there is no audit log in it');
  let all: AuditHolds | null = null;
  for (const [index, name] of names.entries()) {
    const file = join(path, name);
    if (name !== logName(index + 1)) return broken({ file, offset: 0, seq: 0 }, `${logName(index + 1)} is missing before it`);
    const verdict = await verifyFile(file, index === names.length - 1 ? check : { ...check, witnesses: [] });
    if (verdict.kind === 'broken') return verdict;
    if (all && !follows(verdict, all))
      return broken(
        { file, offset: 0, seq: verdict.firstSeq },
        `it does not go on where ${logName(index)} ends: entries are missing or changed between them`,
      );
    all = all ? { ...verdict, entries: all.entries + verdict.entries, checkpoints: all.checkpoints + verdict.checkpoints } : verdict;
  }
  return all ?? broken({ file: path, offset: 0, seq: 0 }, 'there is no audit log in it');
};

// The first entry of a log says with what size and root the one before it ended.
const follows = (next: AuditHolds, before: AuditHolds): boolean =>
  next.firstSeq === before.nextSeq && next.after?.size === before.size && next.after.root === before.root;

/** Name of the nth log of a folder, from 1. */
export const logName = (n: number): string => `audit-${String(n).padStart(6, '0')}.seg`;

const broken = (at: AuditPlace, reason: string): AuditBroken => ({ kind: 'broken', at, reason });

const verifyFile = async (file: string, check: AuditCheck): Promise<AuditVerdict> => {
  const first = await verifyOnce(file, check);
  // A running collector writes the checkpoint's file a moment after the log: look again before calling it stale.
  return first.kind === 'broken' && first.reason === STALE ? verifyOnce(file, check) : first;
};

const STALE = "the checkpoint beside the log is older than the log's own: an old one was put in its place";

const verifyOnce = async (file: string, check: AuditCheck): Promise<AuditVerdict> => {
  const head = await readHead(file);
  const scan = await scanLog(file, sizesOf([head ?? '', ...(check.witnesses ?? [])]));
  if (scan.kind === 'broken') return scan;
  if (check.knownKey !== undefined && !isKnownKey(check.knownKey, scan.origin, scan.key))
    return broken({ file, offset: scan.firstOffset, seq: scan.firstSeq }, 'it was signed by another key than the known one');
  const problem =
    headProblem(file, scan, head) ??
    firstOf((check.witnesses ?? []).map((text) => checkpointProblem(file, scan, text, 'a checkpoint kept elsewhere')));
  if (problem) return problem;
  return {
    kind: 'holds',
    entries: scan.tree.size,
    checkpoints: scan.checkpoints,
    origin: scan.origin,
    key: scan.key,
    signer: check.knownKey === undefined ? 'unknown' : 'known',
    unsigned: scan.tree.size - scan.signed,
    firstSeq: scan.firstSeq,
    nextSeq: scan.nextSeq,
    size: scan.tree.size,
    root: base64Root(scan.tree),
    after: scan.after,
  };
};

const firstOf = <T>(all: readonly (T | null)[]): T | null => all.find((one) => one !== null) ?? null;

const headProblem = (file: string, scan: ScannedLog, head: string | null): AuditBroken | null => {
  const end = { file, offset: scan.end, seq: scan.nextSeq };
  if (head === null) return scan.checkpoints > 0 ? broken(end, 'the checkpoint beside the log is missing') : null;
  const problem = checkpointProblem(file, scan, head, 'the checkpoint beside the log');
  if (problem) return problem;
  const read = readCheckpoint(head);
  return read.kind === 'ok' && read.checkpoint.size < scan.signed ? broken(end, STALE) : null;
};

/** What contradicts a log in a signed checkpoint of it; null when nothing does. */
const checkpointProblem = (file: string, scan: ScannedLog, text: string, what: string): AuditBroken | null => {
  const end = { file, offset: scan.end, seq: scan.nextSeq };
  const read = readCheckpoint(text);
  if (read.kind === 'bad') return broken(end, `${what} cannot be read: ${read.reason}`);
  const { origin, size, root } = read.checkpoint;
  if (origin !== scan.origin) return broken(end, `${what} speaks of another log, ${origin}`);
  if (!checkpointHolds(read, scan.key)) return broken(end, `the signature of ${what} does not hold`);
  if (size > scan.tree.size) return broken(end, `${what} knows ${size} entries and the log has ${scan.tree.size}: the end was cut off`);
  const at = Math.max(0, size - 1);
  return scan.roots.get(size) === root
    ? null
    : broken(
        { file, offset: scan.offsets[at] ?? scan.end, seq: scan.firstSeq + at },
        `${what} has another root for ${size} entries: the log was forked or rewritten`,
      );
};

const readHead = (file: string): Promise<string | null> =>
  readFile(checkpointFile(file), 'utf8').catch((error: unknown) => {
    if (systemCode(error) === 'ENOENT') return null;
    throw error;
  });

/**
 * What a collector checks before it goes on with its own log. A crash may leave the checkpoint beside it one behind;
 * anything else that contradicts the log forbids to sign it again.
 */
export const resumeLog = async (file: string): Promise<ScannedLog | AuditBroken> => {
  const head = await readHead(file);
  const scan = await scanLog(file, sizesOf([head ?? '']));
  if (scan.kind === 'broken') return scan;
  const problem = headProblem(file, scan, head);
  const crashed = problem?.reason === STALE || (head === null && scan.checkpoints <= 1);
  return problem && !crashed ? problem : scan;
};

// The sizes whose roots must be remembered while the log is read.
const sizesOf = (checkpoints: readonly string[]): ReadonlySet<number> =>
  new Set(
    checkpoints.flatMap((text) => {
      const read = readCheckpoint(text);
      return read.kind === 'ok' ? [read.checkpoint.size] : [];
    }),
  );

/** What a log says of itself, all of it checked. */
export interface ScannedLog {
  readonly kind: 'scanned';
  readonly origin: string;
  readonly key: string;
  readonly tree: Tree;
  /** Entries that the log's last own checkpoint covers. */
  readonly signed: number;
  readonly checkpoints: number;
  readonly after: AuditHolds['after'];
  readonly firstSeq: number;
  readonly firstOffset: number;
  readonly nextSeq: number;
  readonly end: number;
  /** Offset of each entry's frame. */
  readonly offsets: readonly number[];
  /** Roots at the sizes that were asked for, base64. */
  readonly roots: ReadonlyMap<number, string>;
}

/** The tree's root as checkpoints write it. */
export const base64Root = (tree: Tree): string => Buffer.from(rootOf(tree)).toString('base64');

/** Reads a log from its beginning and checks everything that it says of itself. */
export const scanLog = async (file: string, sizes: ReadonlySet<number> = new Set()): Promise<ScannedLog | AuditBroken> => {
  let tree = EMPTY_TREE;
  let [origin, key] = ['', ''];
  let [signed, checkpoints, firstSeq, nextSeq, end] = [0, 0, 0, 0, 0];
  let after: AuditHolds['after'] = null;
  const offsets: number[] = [];
  const roots = new Map<number, string>();
  if (sizes.has(0)) roots.set(0, base64Root(tree));
  for await (const item of readSegment(file)) {
    const place = { file, offset: item.offset, seq: nextSeq };
    if (item.kind !== 'frame')
      return broken(place, item.kind === 'torn' ? 'the file ends within a frame' : 'bytes were changed there: the checksum does not hold');
    const frame = readPayload(item.payload);
    end = item.end;
    if (frame.kind === 'bad') return broken(place, frame.reason);
    if (frame.kind === 'entry') {
      const { entry } = frame;
      if (offsets.length === 0) {
        [origin, key] = [String(entry.details?.['origin'] ?? ''), String(entry.details?.['key'] ?? '')];
        if (entry.act !== 'audit.open' || origin === '' || !isPublicKey(key)) return broken(place, 'its first entry does not open a log');
        [firstSeq, nextSeq] = [entry.seq, entry.seq];
        const { after_size: size, after_root: root } = entry.details ?? {};
        if (typeof size === 'number' && typeof root === 'string') after = { size, root };
      }
      if (entry.seq !== nextSeq)
        return broken({ ...place, seq: nextSeq }, `entry ${nextSeq} is missing or out of order: ${entry.seq} stands in its place`);
      if (entry.intent !== undefined && entry.intent >= entry.seq) return broken(place, `entry ${entry.seq} answers a later one`);
      offsets.push(item.offset);
      tree = grow(tree, leafHash(frame.record));
      nextSeq += 1;
      if (sizes.has(tree.size)) roots.set(tree.size, base64Root(tree));
      continue;
    }
    // What a checkpoint does not confirm is everything after the one before.
    const unproven = { file, offset: offsets[signed] ?? item.offset, seq: firstSeq + signed };
    const read = readCheckpoint(frame.text);
    if (read.kind === 'bad') return broken(place, `a checkpoint cannot be read: ${read.reason}`);
    if (read.checkpoint.origin !== origin) return broken(place, 'a checkpoint of another log stands there');
    if (!checkpointHolds(read, key)) return broken(place, "a checkpoint's signature does not hold");
    if (read.checkpoint.size !== tree.size)
      return broken(unproven, `a checkpoint there was signed over ${read.checkpoint.size} entries, not ${tree.size}`);
    if (read.checkpoint.root !== base64Root(tree))
      return broken(unproven, 'the entries since the checkpoint before are not those that were signed');
    signed = tree.size;
    checkpoints += 1;
  }
  if (offsets.length === 0) return broken({ file, offset: 0, seq: 0 }, 'it holds no entry');
  return {
    kind: 'scanned',
    origin,
    key,
    tree,
    signed,
    checkpoints,
    after,
    firstSeq,
    firstOffset: offsets[0] ?? 0,
    nextSeq,
    end,
    offsets,
    roots,
  };
};
