// SPDX-License-Identifier: Apache-2.0
/**
 * The audit trail: intent fsynced before an act, outcome after, in one append-only Merkle log with signed checkpoints.
 * Input: acts of people, tokens and the local owner. Output: `audit-NNNNNN.seg` and its `.checkpoint`, which `verifyAudit` checks offline.
 */
import { mkdir, open, rename } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { Clock } from '../../../core/clock.ts';
import { isCoded, systemCode, toError } from '../../../core/errors.ts';
import { random128 } from '../../../core/ids.ts';
import { openSegment, readSegment, repairSegment, type Segment, syncFolder } from '../../../core/segment.ts';
import type { Signer } from '../../../core/sign.ts';
import { fault } from '../../errors.ts';
import type { AuditEntry, AuditTrail } from '../../model/audit.ts';
import { signCheckpoint } from './checkpoint.ts';
import { EMPTY_TREE, grow, leafHash, type Tree } from './merkle.ts';
import { checkpointPayload, entryBytes, entryPayload, readPayload } from './record.ts';
import { type AuditPlace, auditLogs, base64Root, checkpointFile, logName, resumeLog, type ScannedLog } from './verify.ts';

export interface AuditLog extends AuditTrail {
  /** Signs what is not signed yet; does nothing when all is. Called at times, and by `close`. */
  checkpoint(): Promise<void>;
  /** The newest signed checkpoint, for agents and reports to keep; null before the first. */
  readonly latest: () => string | null;
  /** Public key and origin: what an auditor writes down. */
  readonly identity: () => { readonly origin: string; readonly key: string };
  close(): Promise<void>;
}

export interface AuditOptions {
  readonly dir: string;
  /** A key of its own, used for nothing else. */
  readonly signer: Signer;
  readonly clock: Clock;
  /** A checkpoint after so many entries. */
  readonly checkpointEvery?: number;
  /** Another log after so many entries, chained to the one before: a start reads only the last (100,000 entries, about 2 s). */
  readonly rotateEvery?: number;
  /** Told when an earlier log does not hold; a new one is begun beside it. */
  readonly onBroken?: (at: AuditPlace, reason: string) => void;
}

type Draft = Omit<AuditEntry, 'seq' | 'at'>;

interface Waiting {
  readonly draft: Draft;
  readonly resolve: (entry: AuditEntry) => void;
  readonly reject: (error: Error) => void;
}

interface Current {
  readonly n: number;
  readonly path: string;
  readonly origin: string;
  readonly segment: Segment;
  tree: Tree;
  signed: number;
  firstSeq: number;
  offsets: number[];
  latest: string | null;
}

const SYSTEM: AuditEntry['actor'] = { kind: 'local-owner', id: 'collector', name: 'the collector' };

/** Opens the trail of a folder: checks what is there, goes on with it, or begins a new log where it does not hold. @throws CodedError AUDIT_FAILED. */
export const openAudit = async (options: AuditOptions): Promise<AuditLog> => {
  const log = new MerkleLog(options);
  await log.open();
  return log;
};

class MerkleLog implements AuditLog {
  readonly #options: AuditOptions;
  readonly #waiting: Waiting[] = [];
  #current: Current | null = null;
  #flushing: Promise<void> | null = null;
  #signNow = false;
  #closed = false;

  constructor(options: AuditOptions) {
    this.#options = options;
  }

  async open(): Promise<void> {
    const { dir } = this.#options;
    await mkdir(dir, { recursive: true, mode: 0o700 });
    const names = await auditLogs(dir);
    const last = names.at(-1);
    if (last === undefined) {
      this.#current = await this.#begin(1, 1, {});
      return;
    }
    const path = join(dir, last);
    // A torn tail was never acknowledged; everything else must hold.
    const repaired = await repairSegment(path).catch(() => null); // what cannot be repaired is what the scan reports
    const scan = await resumeLog(path);
    if (scan.kind === 'scanned' && scan.key === this.#options.signer.publicKey) {
      const current = await goOn(names.length, path, scan);
      this.#current = current;
      const cut = repaired?.cut;
      if (cut) {
        const details = { cut_from: cut.from, cut_bytes: cut.to - cut.from };
        await this.#append({ actor: SYSTEM, act: 'audit.repair', on: current.origin, phase: 'done', details });
      }
      await this.#sign(current);
      return;
    }
    const at = scan.kind === 'broken' ? scan.at : { file: path, offset: scan.firstOffset, seq: scan.firstSeq };
    const reason = scan.kind === 'broken' ? scan.reason : 'it was signed by another key than this collector has';
    this.#options.onBroken?.(at, reason);
    const nextSeq = scan.kind === 'scanned' ? scan.nextSeq : Math.max(1, at.seq);
    this.#current = await this.#begin(names.length + 1, nextSeq, { after: last, broken: reason, broken_at: at.seq });
  }

  async #begin(n: number, firstSeq: number, details: NonNullable<AuditEntry['details']>): Promise<Current> {
    const path = join(this.#options.dir, logName(n));
    const origin = `vigil-audit-${random128()}`;
    const segment = await openSegment(path);
    const current: Current = { n, path, origin, segment, tree: EMPTY_TREE, signed: 0, firstSeq, offsets: [], latest: null };
    const key = this.#options.signer.publicKey;
    await this.#write(
      current,
      [{ actor: SYSTEM, act: 'audit.open', on: origin, phase: 'done', details: { ...details, origin, key } }],
      true,
    );
    return current;
  }

  async act<T>(entry: Parameters<AuditTrail['act']>[0], run: () => Promise<T>): Promise<T> {
    const draft = draftOf(entry);
    const { seq } = await this.#append({ ...draft, phase: 'intent' });
    const outcome = { actor: draft.actor, act: draft.act, on: draft.on, intent: seq } as const;
    let result: T;
    try {
      result = await run();
    } catch (error) {
      const code = isCoded(error) ? error.code : (systemCode(error) ?? toError(error).name);
      await this.#append({ ...outcome, phase: 'failed', details: { code } });
      throw error;
    }
    await this.#append({ ...outcome, phase: 'done' });
    return result;
  }

  async refused(entry: Parameters<AuditTrail['refused']>[0]): Promise<void> {
    await this.#append({ ...draftOf(entry), phase: 'refused' });
  }

  async read(limit: number, before = Number.MAX_SAFE_INTEGER): Promise<readonly AuditEntry[]> {
    const current = this.#current;
    if (!current) throw fault('AUDIT_FAILED', { reason: 'it is closed' });
    const { offsets, firstSeq, path, segment, n } = current;
    const wanted = Math.max(0, Math.min(limit, 1_000));
    const to = Math.max(0, Math.min(offsets.length, before - firstSeq));
    const from = Math.max(0, to - wanted);
    const newest = from < to ? await entriesOf(path, offsets[from], offsets[to] ?? segment.size) : [];
    let found = newest.slice(0, to - from).reverse();
    // Older logs have no index in memory; a page of them is a scan of one file.
    for (let older = n - 1; older >= 1 && found.length < wanted; older -= 1) {
      const all = (await entriesOf(join(this.#options.dir, logName(older)))).filter(({ seq }) => seq < before);
      found = [...found, ...all.slice(-(wanted - found.length)).reverse()];
    }
    return found;
  }

  async checkpoint(): Promise<void> {
    this.#signNow = true;
    await this.#flush();
  }

  latest = (): string | null => this.#current?.latest ?? null;

  identity = (): { readonly origin: string; readonly key: string } => ({
    origin: this.#current?.origin ?? '',
    key: this.#options.signer.publicKey,
  });

  async close(): Promise<void> {
    if (this.#closed) return;
    await this.checkpoint();
    this.#closed = true;
    await this.#flushing;
    await this.#current?.segment.close();
    this.#current = null;
  }

  #append(draft: Draft): Promise<AuditEntry> {
    if (this.#closed) return Promise.reject(fault('AUDIT_FAILED', { reason: 'it is closed' }));
    return new Promise((resolve, reject) => {
      this.#waiting.push({ draft, resolve, reject });
      void this.#flush();
    });
  }

  // One flush at a time; all that arrives meanwhile shares the next fsync.
  #flush(): Promise<void> {
    this.#flushing ??= this.#drain().finally(() => {
      this.#flushing = null;
    });
    return this.#flushing;
  }

  async #drain(): Promise<void> {
    while (this.#waiting.length > 0 || this.#signNow) {
      const batch = this.#waiting.splice(0, 500);
      const sign = this.#signNow;
      this.#signNow = false;
      try {
        if (!this.#current) await this.#reopen();
        const current = this.#current;
        if (!current) throw new Error('the log could not be opened');
        const entries = await this.#write(
          current,
          batch.map(({ draft }) => draft),
          sign,
        );
        for (const [i, { resolve }] of batch.entries()) resolve(entries[i]!);
        batch.length = 0;
        if (current.tree.size >= (this.#options.rotateEvery ?? 100_000)) await this.#rotate(current);
      } catch (error) {
        const reason = fault('AUDIT_FAILED', { reason: toError(error).message }, error);
        for (const { reject } of batch) reject(reason);
        await this.#abandon();
        if (sign) throw reason;
      }
    }
  }

  async #write(current: Current, drafts: readonly Draft[], signNow: boolean): Promise<readonly AuditEntry[]> {
    const { signer, clock, checkpointEvery = 100 } = this.#options;
    const at = clock.now();
    let tree = current.tree;
    const entries: AuditEntry[] = [];
    const payloads: Uint8Array[] = [];
    for (const draft of drafts) {
      const entry: AuditEntry = { ...draft, seq: current.firstSeq + tree.size, at };
      const record = entryBytes(entry);
      tree = grow(tree, leafHash(record));
      entries.push(entry);
      payloads.push(entryPayload(record));
    }
    const due = tree.size - current.signed >= (signNow ? 1 : checkpointEvery);
    const text = due ? signCheckpoint({ origin: current.origin, size: tree.size, root: base64Root(tree) }, signer) : null;
    if (text !== null) payloads.push(checkpointPayload(text));
    if (payloads.length === 0) return [];
    const offsets = await current.segment.append(payloads);
    await current.segment.sync();
    current.tree = tree;
    for (const offset of offsets.slice(0, entries.length)) current.offsets.push(offset);
    if (text !== null) {
      current.signed = tree.size;
      current.latest = text;
      await writeCheckpoint(current.path, text);
    }
    return entries;
  }

  async #rotate(before: Current): Promise<void> {
    await this.#write(before, [], true);
    const details = { after: basename(before.path), after_size: before.tree.size, after_root: base64Root(before.tree) };
    this.#current = await this.#begin(before.n + 1, before.firstSeq + before.tree.size, details);
    await before.segment.close();
  }

  // After a start the file beside the log may be one checkpoint behind, and the newest entries unsigned.
  async #sign(current: Current): Promise<void> {
    if (current.signed < current.tree.size) return this.checkpoint();
    const { origin, tree } = current;
    current.latest = signCheckpoint({ origin, size: tree.size, root: base64Root(tree) }, this.#options.signer);
    await writeCheckpoint(current.path, current.latest);
  }

  async #abandon(): Promise<void> {
    const segment = this.#current?.segment;
    this.#current = null;
    await segment?.close().catch(() => undefined); // a file that failed may fail to close too; it is given up either way
  }

  // What the failed flush left on the disk is not known, so the file itself is asked.
  async #reopen(): Promise<void> {
    const { dir } = this.#options;
    const names = await auditLogs(dir);
    const path = join(dir, names.at(-1) ?? logName(1));
    await repairSegment(path);
    const scan = await resumeLog(path);
    if (scan.kind === 'broken') throw new Error(scan.reason);
    this.#current = await goOn(names.length, path, scan);
  }
}

const goOn = async (n: number, path: string, scan: ScannedLog): Promise<Current> => {
  const { origin, tree, signed, firstSeq, offsets } = scan;
  return { n, path, origin, segment: await openSegment(path), tree, signed, firstSeq, offsets: [...offsets], latest: null };
};

const entriesOf = async (path: string, from?: number, end?: number): Promise<AuditEntry[]> => {
  const found: AuditEntry[] = [];
  for await (const item of readSegment(path, from, end)) {
    const frame = item.kind === 'frame' ? readPayload(item.payload) : null;
    if (frame?.kind === 'entry') found.push(frame.entry);
  }
  return found;
};

const draftOf = (entry: Parameters<AuditTrail['act']>[0]): Omit<Draft, 'phase'> => ({
  actor: { kind: entry.actor.kind, id: entry.actor.id, name: entry.actor.name },
  act: entry.act,
  on: entry.on,
  ...(entry.details === undefined ? {} : { details: entry.details }),
  ...(entry.from === undefined ? {} : { from: entry.from }),
});

const writeCheckpoint = async (log: string, text: string): Promise<void> => {
  const path = checkpointFile(log);
  const file = await open(`${path}.new`, 'w', 0o600);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(`${path}.new`, path);
  await syncFolder(join(path, '..'));
};
