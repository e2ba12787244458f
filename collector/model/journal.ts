// SPDX-License-Identifier: Apache-2.0
/**
 * The journal as its writers see it: what it holds of a stream, and how a block gets in (river.md W, J; implemented in journal).
 * Input: verified blocks. Output: positions that are durable, and answers about what is held.
 */
import type { AgentId } from '../../core/ids.ts';
import type { Block, BlockHeader, GapBody, JournalMark, StreamEnd, StreamRanges } from '../../core/protocol.ts';
import type { UnixMs } from '../../core/units.ts';

/** Bits of a journal frame's flags. A bit is never reused. */
export const FRAME_FLAGS = {
  /** Replayed: keeps its own time, has alerts of its own, notifies nobody (X2, S5). */
  replay: 1,
  /** The collector's own stream (model/notice.ts). */
  own: 2,
  /** Taken in by a door of the collector and signed by its key: origin is "received from" (X1). */
  received: 4,
  /** Released from quarantine by a person (I5). */
  released: 8,
} as const;

/** A block that the journal holds. Offsets are positions in the journal. */
export interface HeldBlock {
  readonly first: number;
  readonly count: number;
  readonly hash: string;
  readonly offset: number;
  readonly end: number;
}

/** What the journal knows about the place of one block, at one instant. Blocks that wait for their fsync count as held. */
export interface BlockView {
  /** The block would begin a stream or an epoch, and its agent has as many as one may have. */
  readonly crowded?: boolean;
  /** The stream is known with another epoch than this one. */
  readonly otherEpoch: boolean;
  /** Some block of its epoch is known. */
  readonly ownEpoch?: boolean;
  /** Some of its sequence numbers are in a known range. */
  readonly overlaps: boolean;
  /** The block that begins at the same sequence, where it is at hand. */
  readonly same: HeldBlock | null;
  /** Resolves when `same` is durable, where it is not yet. */
  readonly waiting: Promise<unknown> | null;
  /** All of its range is known and lay in segments that retention took. */
  readonly gone: boolean;
  /** Last sequence that a successor's `after` leaves to this epoch; null while it is open. */
  readonly closedAt: number | null;
  /** The epoch that its `after` names: last sequence held of it (0 when unknown here), and another epoch that follows it already. */
  readonly parent: { readonly last: number; readonly successor: string | null } | null;
}

export interface AppendMeta {
  /** Who sent it: the agent of the connection, or the collector itself. */
  readonly agent: AgentId;
  /** A union of FRAME_FLAGS. */
  readonly flags: number;
  /** Byte offset behind the block's last record. */
  readonly endOffset: number;
  /** For a gap: what it declares. */
  readonly gap?: GapBody;
}

export interface Appended {
  readonly offset: number;
  readonly end: number;
  /** Time of ingest (J5). */
  readonly at: UnixMs;
}

export interface MissingRange {
  readonly stream: string;
  readonly epoch: string;
  readonly from: number;
  readonly to: number;
  /** When the hole was first seen. */
  readonly since: UnixMs;
}

export interface StreamEpoch {
  readonly epoch: string;
  readonly after: { readonly epoch: string; readonly seq: number } | null;
  readonly last: StreamEnd;
}

/** An end, or the position of the block that ends there, or both. */
export type HeldEnd =
  | { readonly end: StreamEnd; readonly at: number | null; readonly to?: number }
  /** Known by its position only, since the start. */
  | { readonly end: null; readonly at: number; readonly to: number };

export interface BlockJournal {
  readonly collector: string;
  readonly incarnation: string;
  /** Offset behind the last durable frame. */
  readonly end: number;
  /** Bytes that wait to be written. */
  readonly waitingBytes: number;
  /** MUST answer from memory, at once, pending blocks included. */
  view(header: BlockHeader): BlockView;
  /** Looks on disk for the held block that begins where this one does. */
  find(header: Pick<BlockHeader, 'agent' | 'stream' | 'epoch' | 'first'>): Promise<HeldBlock | null>;
  /**
   * MUST resolve only after the block's fsync; MUST be seen by `view` as soon as it returns its promise.
   * @throws CodedError JOURNAL_BUSY, JOURNAL_FAILED, JOURNAL_CLOSED.
   */
  append(block: Block, encoded: Uint8Array, meta: AppendMeta): Promise<Appended>;
  /** What is held of each of the agent's streams (W7). */
  heads(agent: AgentId): readonly StreamRanges[];
  /** Ends back from the head of a stream; the first is the head that a new epoch must name (W10). `at`: where its block's frame begins, where it is at hand. */
  ends(agent: AgentId, stream: string, limit: number): readonly HeldEnd[];
  /** Lives of a stream, in no order: what each continues, and where it stands. */
  epochs(agent: AgentId, stream: string): readonly StreamEpoch[];
  /** The block whose frame begins at a position; null when it is gone or was never there. */
  read(offset: number): Promise<Block | null>;
  /** Whether a mark that an agent was given is of this journal (W6). `beyond`: of this incarnation, but behind its end. */
  checkMark(agent: AgentId, mark: JournalMark): Promise<'ok' | 'other' | 'beyond'>;
  /** Makes a new incarnation because the journal was put back; does nothing when this one was made by this process. Answers whether it did. */
  renew(): Promise<boolean>;
  /** Holes in the agent's ranges that no gap declares (W9). */
  missing(agent: AgentId, limit: number): readonly MissingRange[];
}
