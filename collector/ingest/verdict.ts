// SPDX-License-Identifier: Apache-2.0
/**
 * What becomes of a block, a request and a hole: the deciders of ingest, pure (river.md W5, W6, W9, W10).
 * Input: a header and what the journal knows at one instant. Output: a verdict as a value; `receive.ts` acts on it.
 */
import type { BlockHeader, JournalMark } from '../../core/protocol.ts';
import type { UnixMs } from '../../core/units.ts';
import type { BlockView, HeldBlock, MissingRange } from '../model/journal.ts';

export type ConflictCode = 'SAME_SEQUENCE' | 'UNKNOWN_BELOW_HEAD' | 'EPOCH_CLOSED' | 'EPOCH_MOVED_ON' | 'EPOCH_FOLLOWED' | 'EPOCH_UNNAMED';

export type Verdict =
  | { readonly kind: 'accept' }
  /** Held already; null where its segment is gone by retention. Answered after its fsync. */
  | { readonly kind: 'have'; readonly block: HeldBlock | null }
  /** Its range is known and the block is not at hand: look on disk, then decide again with what was found. */
  | { readonly kind: 'look' }
  /** Not taken now; the agent keeps it. */
  | { readonly kind: 'refuse'; readonly code: 'TOO_MANY_STREAMS'; readonly reason: string }
  | { readonly kind: 'conflict'; readonly code: ConflictCode; readonly reason: string };

/** Decides one block that is whole and rightly signed. `found` is the answer of a look on disk. */
export const decideBlock = (header: BlockHeader, view: BlockView, found?: HeldBlock | null): Verdict => {
  const last = header.first + header.count - 1;
  if (view.overlaps) {
    const same = view.same ?? found;
    if (same) {
      return same.hash === header.hash && same.count === header.count
        ? { kind: 'have', block: same }
        : conflict('SAME_SEQUENCE', `another block with sequence ${header.first} is held`);
    }
    if (found === undefined) return { kind: 'look' };
    return view.gone ? { kind: 'have', block: null } : conflict('UNKNOWN_BELOW_HEAD', `sequences up to ${last} are held in other blocks`);
  }
  if (view.closedAt !== null && last > view.closedAt) {
    return conflict('EPOCH_CLOSED', `its epoch was closed after sequence ${view.closedAt}`);
  }
  if (header.after && view.parent) {
    // W10. An epoch that is not known here may be known to another collector.
    if (header.after.epoch === header.epoch) return conflict('EPOCH_UNNAMED', 'its epoch names itself as the one before');
    if (view.parent.last > header.after.seq) {
      return conflict('EPOCH_MOVED_ON', `the epoch before it is held up to sequence ${view.parent.last}`);
    }
    if (view.parent.successor !== null) return conflict('EPOCH_FOLLOWED', 'the epoch before it was continued by another');
  }
  if (view.crowded === true)
    return { kind: 'refuse', code: 'TOO_MANY_STREAMS', reason: 'its agent has more streams or epochs than one may have' };
  // W10. The first block of an epoch names the one before; without it here, a later block stands for nothing.
  const isNamed = header.first === 1 && header.after !== undefined;
  if (view.otherEpoch && view.ownEpoch !== true && !isNamed) {
    return conflict('EPOCH_UNNAMED', 'the stream is known, and its new epoch names none before it');
  }
  return { kind: 'accept' };
};

const conflict = (code: ConflictCode, reason: string): Verdict => ({ kind: 'conflict', code, reason });

/** What a request's mark of the journal means: go on, send what is held, or make a new incarnation first (W6). */
export const decideMark = (mark: JournalMark | null, checked: 'ok' | 'other' | 'beyond'): 'go-on' | 'resync' | 'renew' => {
  if (mark === null || checked === 'ok') return 'go-on';
  return checked === 'beyond' ? 'renew' : 'resync';
};

/** Holes that are told of now: those older than the grace time that were not told of before (W9). Also what is remembered from here on. */
export const decideMissing = (
  holes: readonly MissingRange[],
  told: ReadonlySet<string>,
  now: UnixMs,
  graceMs: number,
): { readonly tell: readonly MissingRange[]; readonly told: ReadonlySet<string> } => {
  const key = ({ stream, epoch, from, to }: MissingRange): string => `${stream}\0${epoch}\0${from}\0${to}`;
  const due = holes.filter(({ since }) => now - since >= graceMs);
  return { tell: due.filter((hole) => !told.has(key(hole))), told: new Set(due.map(key)) };
};
