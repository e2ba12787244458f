// SPDX-License-Identifier: Apache-2.0
/**
 * A journal in memory that answers an agent by W5, W6, W9 and W10, for tests.
 * Input: requests as bytes. Output: answers; what it took, block by block.
 */
import { random128 } from '../../core/ids.ts';
import type { Block, BlockAnswer, BlocksAnswer, StreamEnd, StreamRanges } from '../../core/protocol.ts';
import { type UnixMs, unixMs } from '../../core/units.ts';
import { checkBlock, decodeRequest, readRecords } from '../../core/wire.ts';

export interface SmallJournal {
  readonly blocks: readonly Block[];
  /** Judges a block by hand; undefined leaves it to the rules. */
  judge: ((block: Block) => BlockAnswer | undefined) | undefined;
  /** Ranges to ask back with the next answer (W9). */
  missing: { readonly stream: string; readonly epoch: string; readonly from: number; readonly to: number }[];
  /** The answer to a request, or a status. */
  answer(body: Uint8Array): BlocksAnswer | number;
  heads(): BlocksAnswer;
  /** Puts the journal back to its first blocks, as a new incarnation (W6). */
  restore(count: number): void;
  /** Lines of a stream in the order of arrival. */
  lines(stream: string): readonly string[];
}

export const smallJournal = (now: () => UnixMs = () => unixMs(Date.now())): SmallJournal => {
  let blocks: Block[] = [];
  let incarnation = random128();

  const rangesOf = (): StreamRanges[] => {
    const byEpoch = Map.groupBy(blocks, ({ header }) => `${header.stream}\0${header.epoch}`);
    return [...byEpoch.values()].map((list) => {
      const ranges: [number, number][] = [];
      for (const { header } of list.toSorted((a, b) => a.header.first - b.header.first)) {
        const last = ranges.at(-1);
        const end = header.first + header.count - 1;
        if (last && last[1] + 1 >= header.first) last[1] = Math.max(last[1], end);
        else ranges.push([header.first, end]);
      }
      const { stream, epoch } = list[0]!.header;
      return { stream, epoch, ranges, last: endOf(list.at(-1)!) };
    });
  };

  const endOf = (block: Block): StreamEnd => {
    const { epoch, first, count, hash, file, kind } = block.header;
    const end = kind === 'lines' ? (readRecords(block).at(-1)?.end ?? 0) : 0;
    return { epoch, seq: first + count - 1, hash, end, ...(file ? { file } : {}) };
  };

  const endsOf = (stream: string): StreamEnd[] =>
    blocks
      .filter(({ header }) => header.stream === stream)
      .map(endOf)
      .reverse();

  const take = (block: Block): BlockAnswer => {
    const { header } = block;
    const problem = checkBlock(block);
    if (problem !== null) return { hash: header.hash, result: 'bad', code: 'BAD', reason: problem };
    const own = blocks.filter((other) => other.header.stream === header.stream);
    const same = own.filter((other) => other.header.epoch === header.epoch);
    const last = header.first + header.count - 1;
    const place = same.findIndex((other) => other.header.hash === header.hash && other.header.first === header.first);
    if (place >= 0) return { hash: header.hash, result: 'have', offset: blocks.indexOf(same[place]!) + 1 };
    const overlaps = same.some((other) => other.header.first <= last && header.first <= other.header.first + other.header.count - 1);
    // W10: an epoch that is not known follows the head, or nothing.
    const head = own.at(-1)?.header;
    const isNew = same.length === 0 && head !== undefined;
    const follows = head && header.after?.epoch === head.epoch && header.after.seq === head.first + head.count - 1;
    const closed = own.some((other) => other.header.after?.epoch === header.epoch && last > other.header.after.seq);
    if (overlaps || closed || (isNew && !follows)) return { hash: header.hash, result: 'conflict', ends: endsOf(header.stream) };
    blocks.push(block);
    return { hash: header.hash, result: 'accepted', offset: blocks.length };
  };

  const answer = (body: Uint8Array): BlocksAnswer | number => {
    const request = decodeRequest(body);
    if (request.kind === 'bad') return 400;
    const mark = request.preamble.journal;
    const serverTime = now();
    const known = mark === null || (mark.incarnation === incarnation && mark.offset <= blocks.length);
    if (!known) return { kind: 'resync', incarnation, serverTime, held: rangesOf() };
    const stopped = new Set<string>();
    const answers = request.blocks.map((decoded): BlockAnswer => {
      if (decoded.kind === 'bad') return { hash: decoded.hash, result: 'bad', code: 'BAD', reason: decoded.reason };
      const { stream, hash } = decoded.block.header;
      if (stopped.has(stream)) return { hash, result: 'refused' };
      const given = journal.judge?.(decoded.block) ?? take(decoded.block);
      if (given.result === 'conflict') stopped.add(stream);
      return given;
    });
    const missing = journal.missing;
    journal.missing = [];
    return { kind: 'answers', incarnation, serverTime, answers, ...(missing.length > 0 ? { missing } : {}) };
  };

  const journal: SmallJournal = {
    get blocks() {
      return blocks;
    },
    judge: undefined,
    missing: [],
    answer,
    heads: () => ({ kind: 'resync', incarnation, serverTime: now(), held: rangesOf() }),
    restore: (count) => {
      blocks = blocks.slice(0, count);
      incarnation = random128();
    },
    lines: (stream) =>
      blocks
        .filter(({ header }) => header.stream === stream && (header.kind === 'lines' || header.kind === 'facts'))
        .flatMap((block) => readRecords(block).map(({ bytes }) => Buffer.from(bytes).toString())),
  };
  return journal;
};
