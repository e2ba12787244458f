// SPDX-License-Identifier: Apache-2.0
/**
 * What the agent does when collector and spool disagree: a new epoch after a conflict (W11), sending again after a restore (W6), blocks asked back (W9).
 * Input: ends, ranges held, ranges missing. Output: blocks sealed anew or offered again, gaps declared for what is gone.
 */
import { random128 } from '../../core/ids.ts';
import type { GapBody, StreamEnd, StreamRanges } from '../../core/protocol.ts';
import type { SourceRecord } from '../../core/record.ts';
import type { Signer } from '../../core/sign.ts';
import { type BlockDraft, decodeBlock, readRecords, seal, sealBlock, unpackBody } from '../../core/wire.ts';
import type { Spool } from './spool.ts';
import type { Pending } from './window.ts';

/** What the sources can say about a place that a collector names. */
export interface PlaceOracle {
  matches(stream: string, end: StreamEnd): boolean;
  moveTo(stream: string, end: StreamEnd): string | undefined;
}

export type Range = readonly [from: number, to: number];

/** The ranges of `whole` that no range of `held` covers. */
export const missingIn = (whole: Range, held: readonly Range[]): Range[] => {
  let rest: Range[] = whole[0] <= whole[1] ? [whole] : [];
  for (const [from, to] of held)
    rest = rest.flatMap(([a, b]): Range[] => {
      if (to < a || from > b) return [[a, b]];
      const parts: Range[] = [];
      if (a < from) parts.push([a, from - 1]);
      if (to < b) parts.push([to + 1, b]);
      return parts;
    });
  return rest;
};

/**
 * W11: opens a new epoch after the collector's newest end and seals every unacked record anew that no matching end covers.
 * The answer is false when the conflict speaks of an epoch that is closed already. Nothing may be sealed meanwhile.
 */
export const openNewEpoch = async (
  spool: Spool,
  oracle: PlaceOracle,
  signer: Signer,
  conflict: { readonly stream: string; readonly epoch: string; readonly ends: readonly StreamEnd[] },
): Promise<{ readonly opened: boolean; readonly matched: boolean }> => {
  const { stream, epoch, ends } = conflict;
  const state = spool.stateOf(stream);
  if (state?.epoch !== epoch) return { opened: false, matched: false };
  const open: Pending[] = [];
  const known = new Map<string, Pending>();
  for await (const block of spool.blocks(false)) {
    if (block.stream !== stream) continue;
    known.set(`${block.epoch}/${block.first + block.count - 1}/${block.hash}`, { ...block, bytes: new Uint8Array(0) });
    if (block.epoch === epoch && spool.isOpen(block)) open.push({ ...block, bytes: new Uint8Array(0) });
  }
  // Newest first: the first that matches is the farthest.
  const inSpool = ends.find((end) => known.has(`${end.epoch}/${end.seq}/${end.hash}`));
  const inFile = ends.find((end) => oracle.matches(stream, end));
  const spooled = inSpool && known.get(`${inSpool.epoch}/${inSpool.seq}/${inSpool.hash}`);
  const isCovered = (block: Pending): boolean => spooled !== undefined && !after(block, spooled);
  const rest = open.filter((block) => !isCovered(block));
  const dropped = inFile ? await coveredByFile(spool, rest, inFile) : { blocks: 0, records: 0 };
  // What the collector holds reaches beyond everything that was sealed here: reading goes on behind it.
  const resume = inFile && dropped.blocks === rest.length && isBehind(state.resume, inFile) ? oracle.moveTo(stream, inFile) : undefined;
  const head = ends[0];
  const begin = {
    stream,
    epoch: random128(),
    seq: 0,
    prev: null,
    ...(head ? { after: { epoch: head.epoch, seq: head.seq } } : {}),
    ...(state.resume === undefined ? {} : { resume: state.resume }),
  };
  let { seq, prev }: { seq: number; prev: string | null } = begin;
  await spool.replaceEpoch(
    begin,
    async function* (add) {
      for (const [index, place] of rest.entries()) {
        if (index < dropped.blocks) continue;
        const block = await readBack(spool, place);
        if (!block) continue;
        const { header } = block;
        const { v: _v, key: _key, at: _at, count: _count, plain: _plain, packed: _packed, hash: _hash, after: _after, ...old } = header;
        const draft: BlockDraft = {
          ...old,
          ...(seq === 0 && head ? { after: { epoch: head.epoch, seq: head.seq } } : {}),
          epoch: begin.epoch,
          first: seq + 1,
          prev,
        };
        if (header.kind === 'gap' || header.kind === 'heartbeat')
          ({ seq, prev } = add(seal(draft, header.at, 1, unpackBody(block), signer)));
        else {
          const records: readonly SourceRecord[] = readRecords(block);
          const skip = index === dropped.blocks ? dropped.records : 0;
          const from = skip === 0 ? header.from : records[skip - 1]!.end;
          ({ seq, prev } = add(sealBlock({ ...draft, from }, records.slice(skip), signer)));
        }
        yield;
      }
    },
    resume,
  );
  return { opened: true, matched: inSpool !== undefined || inFile !== undefined };
};

const after = (a: Pending, b: Pending): boolean =>
  a.place.segment > b.place.segment || (a.place.segment === b.place.segment && a.place.offset > b.place.offset);

const readBack = async (spool: Spool, place: Pending) => {
  const bytes = await spool.readBlock(place.place);
  const decoded = bytes && decodeBlock(bytes);
  return decoded?.kind === 'ok' ? decoded.block : undefined;
};

/** How many whole blocks, and records of the next, end at or before a place of the file. */
const coveredByFile = async (
  spool: Spool,
  blocks: readonly Pending[],
  end: StreamEnd,
): Promise<{ readonly blocks: number; readonly records: number }> => {
  let covered = { blocks: 0, records: 0 };
  for (const [index, place] of blocks.entries()) {
    const block = await readBack(spool, place);
    if (block?.header.kind !== 'lines') continue;
    const { file } = block.header;
    if (file?.device !== end.file?.device || file?.inode !== end.file?.inode) continue;
    const count = readRecords(block).filter((record) => record.end <= end.end).length;
    if (count === block.header.count) covered = { blocks: index + 1, records: 0 };
    else if (count > 0) covered = { blocks: index, records: count };
  }
  return covered;
};

const isBehind = (resume: string | undefined, end: StreamEnd): boolean => {
  if (resume === undefined) return true;
  try {
    const files = (JSON.parse(resume) as { readonly files?: readonly { readonly inode?: string; readonly offset?: number }[] }).files ?? [];
    const same = files.find(({ inode }) => inode === end.file?.inode);
    return same?.offset === undefined || same.offset < end.end;
  } catch {
    // Another source's text: it has no offsets to compare.
    return false;
  }
};

export interface Gap {
  readonly stream: string;
  readonly epoch: string;
  readonly body: GapBody;
}

/** W6: counts as acked only what the collector still holds, begins again from the oldest block kept, and names what is gone from both. */
export const resyncSpool = async (spool: Spool, held: readonly StreamRanges[]): Promise<readonly Gap[]> => {
  const there = new Map<string, readonly Range[]>(held.map(({ stream, epoch, ranges }) => [`${stream}\0${epoch}`, ranges]));
  const here = new Map<string, Range[]>();
  for await (const { stream, epoch, first, count } of spool.blocks(false)) {
    const key = `${stream}\0${epoch}`;
    const list = here.get(key) ?? [];
    const last = list.at(-1);
    if (last && last[1] + 1 === first) list[list.length - 1] = [last[0], first + count - 1];
    else list.push([first, first + count - 1]);
    here.set(key, list);
  }
  const gaps: Gap[] = [];
  for (const [stream, epochs] of spool.ackedEpochs())
    for (const [epoch, seq] of epochs) {
      const key = `${stream}\0${epoch}`;
      const lost = missingIn([1, seq], there.get(key) ?? []);
      for (const range of lost)
        for (const [from, to] of missingIn(range, here.get(key) ?? []))
          gaps.push({ stream, epoch, body: { from, to, cause: 'collector-restored', count: to - from + 1 } });
    }
  spool.rewind(there);
  return gaps;
};

/** W9: offers the blocks of ranges that the collector misses; what the spool has no more comes back as gaps. */
export const offerMissing = async (
  spool: Spool,
  missing: readonly { readonly stream: string; readonly epoch: string; readonly from: number; readonly to: number }[],
): Promise<readonly Gap[]> => {
  let rest = missing.map(({ stream, epoch, from, to }) => ({ stream, epoch, ranges: [[from, to]] as Range[] }));
  for await (const block of spool.blocks(false)) {
    const last = block.first + block.count - 1;
    for (const want of rest) {
      if (want.stream !== block.stream || want.epoch !== block.epoch) continue;
      if (!want.ranges.some(([from, to]) => block.first <= to && last >= from)) continue;
      spool.offer(block);
      want.ranges = want.ranges.flatMap((range) => missingIn(range, [[block.first, last]]));
    }
  }
  rest = rest.filter(({ ranges }) => ranges.length > 0);
  return rest.flatMap(({ stream, epoch, ranges }) =>
    ranges.map(([from, to]): Gap => ({ stream, epoch, body: { from, to, cause: 'spool-corrupt', count: to - from + 1 } })),
  );
};
