// SPDX-License-Identifier: Apache-2.0
/**
 * What the journal holds of every stream, in memory: ranges, the last blocks, epochs and what follows them (river.md W5, W7, W9, W10).
 * Input: blocks as they are appended and made durable; the opening frames of segments. Output: views for verdicts, heads, ends, holes.
 *
 * Memory: measured 5 KB a stream, most of it the last RECENT blocks, which a conflict lists as ends. Older blocks are found on disk (places.ts).
 */
import type { AgentId } from '../../core/ids.ts';
import type { BlockHeader, StreamEnd, StreamRanges } from '../../core/protocol.ts';
import type { UnixMs } from '../../core/units.ts';
import type { Appended, AppendMeta, BlockView, HeldBlock, HeldEnd, MissingRange, StreamEpoch } from '../model/journal.ts';
import { addRange, covers, holes, overlaps, type Range } from './ranges.ts';

const RECENT = 8;
/** Files of an epoch whose ends are remembered after the next one was begun. */
const LEFT_FILES = 6;

/** One life of a stream. */
export interface EpochState {
  readonly epoch: string;
  ranges: Range[];
  /** Ranges that gaps declare lost. */
  declared: Range[];
  /** The held block of the highest sequence, as an end to go on from. */
  last: StreamEnd | null;
  /** Farthest ends in files that were left for another, newest last; absent while there is one file. */
  left?: StreamEnd[];
  /** The epoch that it continues, and the last sequence it leaves to that one. */
  after: { readonly epoch: string; readonly seq: number } | null;
  /** Ingest of its newest block. */
  at: UnixMs;
  /** Sequences up to here lay in segments that are gone. */
  goneTo: number;
  holeSince: UnixMs | null;
}

interface Pending extends HeldBlock {
  readonly durable: Promise<unknown>;
}

interface Recent extends HeldBlock {
  readonly epoch: string;
  readonly endOffset: number;
  readonly running: string | undefined;
  readonly file: BlockHeader['file'];
  readonly cursor: string | undefined;
}

interface StreamState {
  readonly agent: AgentId;
  readonly stream: string;
  readonly epochs: Map<string, EpochState>;
  readonly pending: Map<string, Pending[]>;
  /** Newest last. */
  recent: Recent[];
  /** Positions of blocks before those, read back from an opening; newest last. */
  older: (readonly [at: number, to: number])[];
}

/** The part of an epoch that an opening frame carries. */
export interface EpochSnapshot extends Omit<EpochState, 'goneTo' | 'holeSince'> {
  /** Positions of its last blocks, newest last. */
  readonly recent?: readonly (readonly [at: number, to: number])[];
  readonly agent: AgentId;
  readonly stream: string;
}

const lastOf = (header: BlockHeader): number => header.first + header.count - 1;

/** Heads are kept in memory: one agent, gone mad or taken over, must not fill it. A heartbeat speaks of 4,096 streams at most. */
const MOST: { readonly streams: number; readonly epochs: number } = { streams: 8_192, epochs: 4_096 };

export class Streams {
  readonly #agents = new Map<AgentId, Map<string, StreamState>>();
  /** Epochs with holes, by agent, so that an answer need not look at every stream. */
  readonly #holed = new Map<AgentId, Set<{ readonly state: StreamState; readonly epoch: EpochState }>>();
  readonly #most: typeof MOST;
  #count = 0;

  constructor(most: typeof MOST = MOST) {
    this.#most = most;
  }

  /** Number of epochs known. */
  get size(): number {
    return this.#count;
  }

  view(header: BlockHeader): BlockView {
    const streams = this.#agents.get(header.agent);
    const state = streams?.get(header.stream);
    if (!state) {
      return {
        crowded: (streams?.size ?? 0) >= this.#most.streams,
        otherEpoch: false,
        overlaps: false,
        same: null,
        waiting: null,
        gone: false,
        closedAt: null,
        parent: null,
      };
    }
    const epoch = state.epochs.get(header.epoch);
    const pending = state.pending.get(header.epoch) ?? [];
    const last = lastOf(header);
    const waiting = pending.find((block) => block.first === header.first) ?? null;
    const same = waiting ?? state.recent.findLast((block) => block.epoch === header.epoch && block.first === header.first) ?? null;
    const other = (name: string): boolean => name !== header.epoch;
    return {
      crowded: epoch === undefined && pending.length === 0 && state.epochs.size >= this.#most.epochs,
      otherEpoch: [...state.epochs.keys()].some(other) || [...state.pending].some(([name, list]) => other(name) && list.length > 0),
      ownEpoch: epoch !== undefined || pending.length > 0,
      overlaps:
        (epoch !== undefined && overlaps(epoch.ranges, header.first, last)) ||
        pending.some((block) => block.first <= last && block.first + block.count > header.first),
      same,
      waiting: waiting?.durable ?? null,
      gone: epoch !== undefined && last <= epoch.goneTo && covers(epoch.ranges, header.first, last),
      closedAt: this.#successor(state, header.epoch)?.seq ?? null,
      parent: header.after ? this.#parent(state, header.after.epoch, header.epoch) : null,
    };
  }

  #parent(state: StreamState, name: string, child: string): BlockView['parent'] {
    const waiting = state.pending.get(name) ?? [];
    const successor = this.#successor(state, name);
    const last = Math.max(state.epochs.get(name)?.last?.seq ?? 0, ...waiting.map((block) => block.first + block.count - 1));
    return { last, successor: successor && successor.epoch !== child ? successor.epoch : null };
  }

  // What follows an epoch may be known before the epoch itself, and may still wait for its fsync.
  #successor(state: StreamState, name: string): { readonly epoch: string; readonly seq: number } | null {
    for (const { epoch, after } of state.epochs.values()) if (after?.epoch === name) return { epoch, seq: after.seq };
    return this.#claims.get(claimKey(state, name)) ?? null;
  }

  /** Epochs that wait for their first fsync, by the parent that they name. */
  readonly #claims = new Map<string, { readonly epoch: string; readonly seq: number }>();

  /** Notes a block that is on its way to the disk. The answer takes it back where it does not get there. */
  expect(header: BlockHeader, durable: Promise<unknown>): () => void {
    const state = this.#state(header.agent, header.stream);
    const block: Pending = { first: header.first, count: header.count, hash: header.hash, offset: -1, end: -1, durable };
    const list = state.pending.get(header.epoch) ?? [];
    list.push(block);
    state.pending.set(header.epoch, list);
    const claim = header.after ? claimKey(state, header.after.epoch) : null;
    if (claim !== null && !this.#claims.has(claim)) this.#claims.set(claim, { epoch: header.epoch, seq: header.after?.seq ?? 0 });
    return () => {
      list.splice(list.indexOf(block), 1);
      if (list.length === 0) state.pending.delete(header.epoch);
      if (claim !== null && list.length === 0 && this.#claims.get(claim)?.epoch === header.epoch) this.#claims.delete(claim);
      if (state.epochs.size === 0 && state.pending.size === 0) this.#agents.get(header.agent)?.delete(header.stream);
    };
  }

  /** Takes in a block that is durable, or read back from a segment. */
  apply(header: BlockHeader, meta: Pick<AppendMeta, 'endOffset' | 'gap'>, place: Appended): void {
    const state = this.#state(header.agent, header.stream);
    const epoch = this.#epoch(state, header.epoch);
    const seq = lastOf(header);
    const block: Recent = {
      epoch: epoch.epoch,
      first: header.first,
      count: header.count,
      hash: header.hash,
      offset: place.offset,
      end: place.end,
      endOffset: meta.endOffset,
      running: header.running,
      file: sameFile(epoch.last?.file, header.file),
      cursor: header.cursor,
    };
    addRange(epoch.ranges, header.first, seq);
    if (epoch.last === null || seq > epoch.last.seq) {
      const end = endOf(block);
      leaveFile(epoch, end);
      epoch.last = end;
    }
    epoch.at = place.at;
    if (header.after && epoch.after === null) {
      epoch.after = header.after;
      const parent = state.epochs.get(header.after.epoch);
      if (parent) this.#noteHoles(state, parent, place.at);
    }
    const { gap } = meta;
    if (gap && gap.from >= 1 && gap.to >= gap.from) {
      // It may speak of an epoch that was closed meanwhile; of one that is not known here there is nothing to close.
      const about = gap.epoch === undefined ? epoch : state.epochs.get(gap.epoch);
      if (about) {
        addRange(about.declared, gap.from, gap.to);
        this.#noteHoles(state, about, place.at);
      }
    }
    state.recent.push(block);
    if (state.recent.length > RECENT) state.recent.shift();
    if (state.recent.length + state.older.length > RECENT) state.older.shift();
    this.#noteHoles(state, epoch, place.at);
  }

  /** Hash of the agent's block that ends at a position, where it is among the last ones. */
  hashAt(agent: AgentId, end: number): string | null {
    for (const { recent } of this.#agents.get(agent)?.values() ?? []) {
      for (const block of recent) if (block.end === end) return block.hash;
    }
    return null;
  }

  heads(agent: AgentId): StreamRanges[] {
    const out: StreamRanges[] = [];
    for (const { stream, epochs } of this.#agents.get(agent)?.values() ?? []) {
      for (const { epoch, ranges, last } of epochs.values()) if (last) out.push({ stream, epoch, ranges: [...ranges], last });
    }
    return out;
  }

  epochs(agent: AgentId, stream: string): StreamEpoch[] {
    const states = [...(this.#agents.get(agent)?.get(stream)?.epochs.values() ?? [])];
    return states.flatMap(({ epoch, after, last }) => (last === null ? [] : [{ epoch, after, last }]));
  }

  ends(agent: AgentId, stream: string, limit: number): HeldEnd[] {
    const state = this.#agents.get(agent)?.get(stream);
    if (!state) return [];
    // The head stands first: a new epoch must name it (W10), whatever arrived last.
    const open = [...state.epochs.values()].filter(({ epoch, last }) => last !== null && this.#successor(state, epoch) === null);
    const head = open.sort((a, b) => b.at - a.at)[0]?.last ?? null;
    const known = head && state.recent.findLast((block) => block.epoch === head.epoch && block.first + block.count - 1 === head.seq);
    const out: HeldEnd[] = head ? [known ? { end: head, at: known.offset, to: known.end } : { end: head, at: null }] : [];
    const rest: HeldEnd[] = state.recent.toReversed().map((block) => ({ end: endOf(block), at: block.offset, to: block.end }));
    for (const [at, to] of state.older.toReversed()) rest.push({ end: null, at, to });
    for (const { last, left = [] } of [...state.epochs.values()].toReversed())
      for (const end of [...left, ...(last ? [last] : [])].toReversed()) rest.push({ end, at: null });
    for (const one of rest) {
      if (out.length >= limit) break;
      if (one.end === null || !out.some(({ end }) => end?.epoch === one.end.epoch && end.seq === one.end.seq)) out.push(one);
    }
    return out;
  }

  missing(agent: AgentId, limit: number): MissingRange[] {
    const out: MissingRange[] = [];
    for (const { state, epoch } of this.#holed.get(agent) ?? []) {
      for (const [from, to] of this.#missingOf(state, epoch)) {
        if (out.length >= limit) return out;
        out.push({ stream: state.stream, epoch: epoch.epoch, from, to, since: epoch.holeSince ?? epoch.at });
      }
    }
    return out;
  }

  /** Agents that have holes. */
  holed(): AgentId[] {
    return [...this.#holed.keys()];
  }

  /** Everything an opening frame carries, oldest stream first. */
  *snapshot(): Generator<EpochSnapshot> {
    for (const streams of this.#agents.values()) {
      for (const { agent, stream, epochs, recent: blocks, older } of streams.values()) {
        // Which epoch carries the positions does not matter: they are the stream's.
        let recent: EpochSnapshot['recent'] & {} = [...older, ...blocks.map(({ offset, end }) => [offset, end] as const)];
        for (const { epoch, ranges, declared, last, left, after, at } of epochs.values()) {
          yield {
            agent,
            stream,
            epoch,
            ranges,
            declared,
            last,
            ...(left ? { left } : {}),
            after,
            at,
            ...(recent.length > 0 ? { recent } : {}),
          };
          recent = [];
        }
      }
    }
  }

  /** Takes in one epoch of an opening frame. */
  restore({ agent, stream, recent, ...rest }: EpochSnapshot): void {
    const state = this.#state(agent, stream);
    state.older.push(...(recent ?? []));
    if (!state.epochs.has(rest.epoch)) this.#count++;
    const epoch: EpochState = { ...rest, goneTo: 0, holeSince: null };
    state.epochs.set(rest.epoch, epoch);
    this.#noteHoles(state, epoch, rest.at);
  }

  /** Notes that everything an opening frame lists lay in segments that are gone. */
  forget({ agent, stream, epoch, last }: EpochSnapshot): void {
    const known = this.#agents.get(agent)?.get(stream)?.epochs.get(epoch);
    if (known && last) known.goneTo = Math.max(known.goneTo, last.seq);
  }

  /** Drops streams whose newest block came before the time, all of it gone: heads of dated files do not grow without end. */
  expire(before: UnixMs): number {
    let dropped = 0;
    for (const [agent, streams] of this.#agents) {
      for (const [name, state] of streams) {
        const idle = [...state.epochs.values()].every((epoch) => epoch.at < before && (epoch.last?.seq ?? 0) <= epoch.goneTo);
        if (!idle || state.pending.size > 0) continue;
        streams.delete(name);
        dropped += state.epochs.size;
        for (const holed of this.#holed.get(agent) ?? []) if (holed.state === state) this.#holed.get(agent)?.delete(holed);
      }
      if (streams.size === 0) this.#agents.delete(agent);
    }
    this.#count -= dropped;
    return dropped;
  }

  #state(agent: AgentId, stream: string): StreamState {
    let streams = this.#agents.get(agent);
    if (!streams) this.#agents.set(agent, (streams = new Map()));
    let state = streams.get(stream);
    if (!state) streams.set(stream, (state = { agent, stream, epochs: new Map(), pending: new Map(), recent: [], older: [] }));
    return state;
  }

  #epoch(state: StreamState, name: string): EpochState {
    let epoch = state.epochs.get(name);
    if (!epoch) {
      epoch = {
        epoch: name,
        ranges: [],
        declared: [],
        last: null,
        after: null,
        at: 0 as UnixMs,
        goneTo: 0,
        holeSince: null,
      };
      state.epochs.set(name, epoch);
      this.#count++;
    }
    return epoch;
  }

  #missingOf(state: StreamState, epoch: EpochState): Range[] {
    const end = Math.max(epoch.last?.seq ?? 0, state.epochs.size > 1 ? (this.#successor(state, epoch.epoch)?.seq ?? 0) : 0);
    const [first] = epoch.ranges;
    // One range from 1 to the end is what nearly every stream has.
    if (epoch.ranges.length === 1 && first![0] === 1 && first![1] >= end) return [];
    return holes(end, epoch.ranges, epoch.declared);
  }

  #noteHoles(state: StreamState, epoch: EpochState, at: UnixMs): void {
    const has = this.#missingOf(state, epoch).length > 0;
    if (has === (epoch.holeSince !== null)) return;
    epoch.holeSince = has ? at : null;
    let holed = this.#holed.get(state.agent);
    if (has) {
      if (!holed) this.#holed.set(state.agent, (holed = new Set()));
      holed.add({ state, epoch });
      return;
    }
    for (const entry of holed ?? []) if (entry.epoch === epoch) holed?.delete(entry);
    if (holed?.size === 0) this.#holed.delete(state.agent);
  }
}

/** The end that an agent may go on from. */
const endOf = ({ epoch, first, count, hash, endOffset, running, file, cursor }: Recent): StreamEnd => ({
  epoch,
  seq: first + count - 1,
  hash,
  end: endOffset,
  ...(running === undefined ? {} : { running }),
  ...(file === undefined ? {} : { file }),
  ...(cursor === undefined ? {} : { cursor }),
});

const isSameFile = (a: StreamEnd, b: StreamEnd): boolean => a.file?.device === b.file?.device && a.file?.inode === b.file?.inode;

/** Notes the place reached in a file when the next block comes from another: after a conflict, each file goes on from its own place (W11). */
const leaveFile = (epoch: EpochState, next: StreamEnd): void => {
  const { last, left = [] } = epoch;
  if (!last?.file || !next.file || isSameFile(last, next)) return;
  epoch.left = [...left.filter((end) => !isSameFile(end, last) && !isSameFile(end, next)), last].slice(-LEFT_FILES);
};

// Every block of a file says which file; one copy is enough.
const sameFile = (known: BlockHeader['file'], said: BlockHeader['file']): BlockHeader['file'] =>
  known && said && known.device === said.device && known.inode === said.inode && known.fingerprint === said.fingerprint ? known : said;

const claimKey = (state: StreamState, parent: string): string => `${state.agent}\0${state.stream}\0${parent}`;
