// SPDX-License-Identifier: Apache-2.0
/**
 * Offline proof of a journal: every frame's CRC, every block's hash, signature, place in its sequence and in its chain.
 * Input: a journal folder, nothing running; the keys that are known. Output: what holds, and the first position that does not, as values.
 */
import type { AgentId } from '../../core/ids.ts';
import type { Block, BlockHeader } from '../../core/protocol.ts';
import { readSegment } from '../../core/segment.ts';
import { checkBlock, decodeBlock, unpackBody } from '../../core/wire.ts';
import { readFrame } from './frame.ts';
import { addRange, overlaps, type Range } from './ranges.ts';
import { listSegments, OpeningReader } from './segments.ts';

const PROBLEM_KINDS = ['frame', 'form', 'hash-or-signature', 'body', 'agent', 'key', 'sequence', 'chain'] as const;

export interface JournalProblem {
  /** Position in the journal, and the file. */
  readonly offset: number;
  readonly segment: string;
  readonly kind: (typeof PROBLEM_KINDS)[number];
  readonly reason: string;
}

export interface VerifiedStream {
  readonly agent: AgentId;
  readonly stream: string;
  readonly epoch: string;
  readonly first: number;
  readonly last: number;
  readonly blocks: number;
  readonly records: number;
}

export interface JournalProof {
  readonly segments: number;
  readonly blocks: number;
  readonly records: number;
  readonly bytes: number;
  /** The same block twice: allowed, counted. */
  readonly repeated: number;
  /** Places where the block before is not here: dropped by retention, or missing. */
  readonly openLinks: number;
  /** Signers, and whether each is known: an unknown one proves consistency only. */
  readonly signers: readonly { readonly key: string; readonly agent: AgentId; readonly known: boolean; readonly blocks: number }[];
  readonly streams: readonly VerifiedStream[];
  /** At most 100, in order; the first is the first position that does not hold. */
  readonly problems: readonly JournalProblem[];
  readonly problemCount: number;
  readonly incarnations: readonly string[];
}

export interface VerifyOptions {
  /** Whether an agent ever held a key; without it signers are "consistent, unknown". */
  readonly knows?: (agent: AgentId, key: string) => boolean;
  /** Unpacks every body too; default true. */
  readonly bodies?: boolean;
}

/** Why a block does not hold by itself; null when it does. */
export const blockProblem = (block: Block, bodies = true): Pick<JournalProblem, 'kind' | 'reason'> | null => {
  const reason = checkBlock(block);
  if (reason !== null) return { kind: 'hash-or-signature', reason };
  if (!bodies) return null;
  try {
    unpackBody(block);
    return null;
  } catch (error) {
    return { kind: 'body', reason: error instanceof Error ? error.message : 'its body cannot be unpacked' };
  }
};

/** Reads the whole journal, block by block, with memory for its streams only. */
export const verifyJournal = async (dir: string, options: VerifyOptions = {}): Promise<JournalProof> => {
  const files = await listSegments(dir);
  const proof = new Proof(options);
  for (const [i, file] of files.entries()) {
    const next = files[i + 1]?.start;
    if (next !== undefined && file.start + file.bytes < next) {
      const offset = file.start + file.bytes;
      proof.problem({ offset, segment: file.path, kind: 'frame', reason: `${next - offset} bytes are missing before the next segment` });
    }
    const opening = new OpeningReader();
    for await (const item of readSegment(file.path, undefined, next === undefined ? undefined : next - file.start)) {
      const offset = file.start + item.offset;
      const problem = (kind: JournalProblem['kind'], reason: string): void => proof.problem({ offset, segment: file.path, kind, reason });
      if (item.kind !== 'frame') {
        problem('frame', `${item.end - item.offset} bytes are ${item.kind}`);
        continue;
      }
      const frame = readFrame(item.payload);
      if (frame?.kind === 'opening') {
        opening.take(frame.json, frame.last);
        if (opening.opening) proof.incarnation(opening.opening.incarnation);
        continue;
      }
      if (!frame) {
        problem('frame', 'it is no frame of a journal');
        continue;
      }
      const decoded = decodeBlock(frame.encoded);
      if (decoded.kind === 'bad') problem('form', decoded.reason);
      else if (decoded.end !== frame.encoded.length) problem('form', 'bytes follow the block');
      else proof.block(decoded.block, frame.agent, item.end - item.offset, problem);
    }
  }
  return proof.end(files.length);
};

interface Chain {
  readonly header: BlockHeader;
  first: number;
  last: number;
  blocks: number;
  records: number;
  /** Hash by last sequence, of blocks nobody followed yet; what is awaited at a last sequence. */
  readonly ends: Map<number, string>;
  readonly awaited: Map<number, string>;
  readonly ranges: Range[];
  /** Hashes of the last blocks, by first sequence. */
  readonly recent: Map<number, string>;
}

const PROBLEMS = 100;
const RECENT = 256;

class Proof {
  readonly #options: VerifyOptions;
  readonly #chains = new Map<string, Chain>();
  readonly #signers = new Map<string, { key: string; agent: AgentId; known: boolean; blocks: number }>();
  readonly #problems: JournalProblem[] = [];
  readonly #incarnations = new Set<string>();
  #problemCount = 0;
  #blocks = 0;
  #records = 0;
  #bytes = 0;
  #repeated = 0;

  constructor(options: VerifyOptions) {
    this.#options = options;
  }

  problem(problem: JournalProblem): void {
    this.#problemCount++;
    if (this.#problems.length < PROBLEMS) this.#problems.push(problem);
  }

  incarnation(value: string): void {
    this.#incarnations.add(value);
  }

  block(block: Block, agent: AgentId, bytes: number, problem: (kind: JournalProblem['kind'], reason: string) => void): void {
    const { header } = block;
    this.#blocks++;
    this.#bytes += bytes;
    const own = blockProblem(block, this.#options.bodies ?? true);
    if (own) {
      problem(own.kind, own.reason);
      return;
    }
    if (header.agent !== agent) problem('agent', `it was sent by ${agent} and speaks for ${header.agent}`);
    this.#signer(header, problem);
    this.#follow(header, problem);
  }

  #signer({ key, agent }: BlockHeader, problem: (kind: JournalProblem['kind'], reason: string) => void): void {
    const id = `${agent} ${key}`;
    let signer = this.#signers.get(id);
    if (!signer) {
      signer = { key, agent, known: this.#options.knows?.(agent, key) ?? false, blocks: 0 };
      this.#signers.set(id, signer);
      if (this.#options.knows && !signer.known) problem('key', `${agent} never held the key ${key}`);
    }
    signer.blocks++;
  }

  #follow(header: BlockHeader, problem: (kind: JournalProblem['kind'], reason: string) => void): void {
    const id = `${header.agent}\0${header.stream}\0${header.epoch}`;
    const last = header.first + header.count - 1;
    let chain = this.#chains.get(id);
    if (!chain) {
      chain = {
        header,
        first: header.first,
        last: 0,
        blocks: 0,
        records: 0,
        ends: new Map(),
        awaited: new Map(),
        ranges: [],
        recent: new Map(),
      };
      this.#chains.set(id, chain);
    }
    if (overlaps(chain.ranges, header.first, last)) {
      if (chain.recent.get(header.first) === header.hash) this.#repeated++;
      else problem('sequence', `sequences ${header.first} to ${last} were there before`);
      return;
    }
    addRange(chain.ranges, header.first, last);
    chain.recent.set(header.first, header.hash);
    if (chain.recent.size > RECENT)
      for (const oldest of chain.recent.keys()) {
        chain.recent.delete(oldest);
        break;
      }
    const before = chain.ends.get(header.first - 1);
    if (header.first === 1) {
      if (header.prev !== null) problem('chain', 'the first block of an epoch names one before it');
    } else if (header.prev === null) problem('chain', 'it names no block before it');
    else if (before === undefined) chain.awaited.set(header.first - 1, header.prev);
    else {
      chain.ends.delete(header.first - 1);
      if (before !== header.prev) problem('chain', `the block before it has the hash ${before}`);
    }
    const awaited = chain.awaited.get(last);
    if (awaited === undefined) chain.ends.set(last, header.hash);
    else {
      chain.awaited.delete(last);
      if (awaited !== header.hash) problem('chain', `the block after it names ${awaited}`);
    }
    chain.first = Math.min(chain.first, header.first);
    chain.last = Math.max(chain.last, last);
    chain.blocks++;
    chain.records += header.count;
    this.#records += header.count;
  }

  end(segments: number): JournalProof {
    const chains = [...this.#chains.values()];
    return {
      segments,
      blocks: this.#blocks,
      records: this.#records,
      bytes: this.#bytes,
      repeated: this.#repeated,
      openLinks: chains.reduce((sum, { awaited }) => sum + awaited.size, 0),
      signers: [...this.#signers.values()],
      streams: chains.map(({ header: { agent, stream, epoch }, first, last, blocks, records }) => ({
        agent,
        stream,
        epoch,
        first,
        last,
        blocks,
        records,
      })),
      problems: this.#problems,
      problemCount: this.#problemCount,
      incarnations: [...this.#incarnations],
    };
  }
}
