// SPDX-License-Identifier: Apache-2.0
/**
 * A new epoch of a stream: after a conflict, or when what the agent was told to go on after is gone (W6, W10, W11).
 * Input: ends that the collector listed, places the sources recognise. Output: unacked records sealed anew from the spool; where reading goes on.
 */
import { random128 } from '../../core/ids.ts';
import type { Block, StreamEnd } from '../../core/protocol.ts';
import type { SourceRecord } from '../../core/record.ts';
import type { Signer } from '../../core/sign.ts';
import { type BlockDraft, decodeBlock, readRecords, seal, sealBlock, unpackBody } from '../../core/wire.ts';
import type { FileId } from '../source/source.ts';
import { type Covered, coveredByEnd, coveredByRecords } from './cover.ts';
import type { StreamState } from './frame.ts';
import type { Spool } from './spool.ts';
import type { Pending } from './window.ts';

/** What the sources can say and do about a place that a collector names. */
export interface PlaceOracle {
  /** The file that holds the place now, as blocks read from it would name it. */
  matches(stream: string, end: StreamEnd): FileId | undefined;
  moveTo(stream: string, end: StreamEnd): string | undefined;
  /** The stream is read again from its first byte, as if it had never been seen. */
  restart(stream: string): Promise<void>;
}

const NOTHING: Covered = { blocks: 0, records: 0 };

/**
 * W11: opens a new epoch after the collector's newest end and seals every unacked record anew that no matching end covers.
 * `opened` is false when the conflict speaks of an epoch that is closed already. Nothing may be sealed meanwhile.
 */
export const openNewEpoch = async (
  spool: Spool,
  oracle: PlaceOracle,
  signer: Signer,
  conflict: { readonly stream: string; readonly epoch: string; readonly ends: readonly StreamEnd[]; readonly block?: Pending },
): Promise<{ readonly opened: boolean; readonly matched: boolean }> => {
  const { stream, epoch, ends } = conflict;
  const state = spool.stateOf(stream);
  if (state?.epoch !== epoch) return { opened: false, matched: false };
  const open: Pending[] = [];
  const known = new Map<string, Pending>();
  for await (const block of spool.blocks(false)) {
    if (block.stream !== stream) continue;
    known.set(nameOf(block.epoch, block.first + block.count - 1, block.hash), { ...block, bytes: new Uint8Array(0) });
    // One that was held, or asked back, may be of an epoch before.
    const isMeant = block.epoch === conflict.block?.epoch && block.first === conflict.block.first;
    if (isMeant || (block.epoch === epoch && spool.isOpen(block))) open.push({ ...block, bytes: new Uint8Array(0) });
  }
  // Newest first: the first that matches is the farthest.
  const inSpool = ends.find((end) => known.has(nameOf(end.epoch, end.seq, end.hash)));
  const spooled = inSpool && known.get(nameOf(inSpool.epoch, inSpool.seq, inSpool.hash));
  const found = firstFound(oracle, stream, ends);
  const rest = open.filter((block) => spooled === undefined || isAfter(block, spooled));
  const blocks = await Promise.all(rest.map((place) => readBack(spool, place)));
  const byEnd = found ? coveredByEnd(blocks, found.file, found.end.end) : NOTHING;
  const covered = coveredByRecords(blocks, byEnd, ends, found);
  // What the collector holds reaches beyond everything that was sealed here: reading goes on behind it.
  const ahead = found && byEnd.blocks === rest.length && isBehind(state.resume, found.file, found.end);
  const resume = ahead ? oracle.moveTo(stream, found.end) : undefined;
  const head = ends[0];
  // Records up to a head that this spool never held are known to the collector alone.
  const told = head && !known.has(nameOf(head.epoch, head.seq, head.hash)) ? { epoch: head.epoch, seq: head.seq } : state.told;
  const begin: StreamState = {
    stream,
    epoch: random128(),
    seq: 0,
    prev: null,
    ...(head ? { after: { epoch: head.epoch, seq: head.seq } } : {}),
    ...(told ? { told } : {}),
    ...(state.resume === undefined ? {} : { resume: state.resume }),
  };
  await spool.replaceEpoch(begin, (add) => sealAnew(blocks, covered, begin, signer, add), resume);
  const resealed = new Set(open.map((block) => `${block.epoch}/${block.first}`));
  spool.releaseKept((kept) => kept.why === 'held' && kept.stream === stream && resealed.has(`${kept.epoch}/${kept.first}`));
  return { opened: true, matched: inSpool !== undefined || found !== undefined || covered !== NOTHING };
};

/**
 * W6: what the agent was told to go on after is gone from the collector, so it asks again: the stream begins anew without a predecessor and is read
 * from its beginning; a collector that knows the stream answers with a conflict, and W11 finds the place. What only the spool holds is sealed anew first.
 */
export const beginAnew = async (
  spool: Spool,
  oracle: PlaceOracle,
  signer: Signer,
  stream: string,
  isHeld: (block: Pick<Pending, 'epoch' | 'first' | 'count'>) => boolean,
): Promise<void> => {
  const state = spool.stateOf(stream);
  if (!state) return;
  const blocks: Block[] = [];
  for await (const place of spool.blocks(false)) {
    const counts = place.epoch === state.epoch || place.first <= spool.ackedSeq(stream, place.epoch);
    if (place.stream !== stream || !counts || isHeld(place)) continue;
    const block = await readBack(spool, place);
    const { file } = block?.header ?? {};
    const last = block && file ? readRecords(block).at(-1) : undefined;
    // Still in a file: it is read again.
    if (block && file && last && oracle.matches(stream, { epoch: place.epoch, seq: 0, hash: place.hash, end: last.end, file })) continue;
    if (block && block.header.kind !== 'heartbeat') blocks.push(block);
  }
  const begin: StreamState = { stream, epoch: random128(), seq: 0, prev: null };
  spool.forgetAcked(stream);
  await spool.replaceEpoch(begin, (add) => sealAnew(blocks, NOTHING, begin, signer, add), undefined);
  await oracle.restart(stream);
};

const nameOf = (epoch: string, seq: number, hash: string): string => `${epoch}/${seq}/${hash}`;

const firstFound = (
  oracle: PlaceOracle,
  stream: string,
  ends: readonly StreamEnd[],
): { readonly file: FileId; readonly end: StreamEnd } | undefined => {
  for (const end of ends) {
    const file = oracle.matches(stream, end);
    if (file) return { file, end };
  }
  return undefined;
};

async function* sealAnew(
  blocks: readonly (Block | undefined)[],
  covered: Covered,
  begin: StreamState,
  signer: Signer,
  add: (block: Block) => StreamState,
): AsyncGenerator<void> {
  let { seq, prev }: { seq: number; prev: string | null } = begin;
  for (const [index, block] of blocks.entries()) {
    if (!block || index < covered.blocks) continue;
    const { header } = block;
    const { v: _v, key: _key, at: _at, count: _count, plain: _plain, packed: _packed, hash: _hash, after: _after, ...old } = header;
    const after = seq === 0 && begin.after ? { after: begin.after } : {};
    const draft: BlockDraft = { ...old, ...after, epoch: begin.epoch, first: seq + 1, prev };
    if (header.kind === 'gap' || header.kind === 'heartbeat') ({ seq, prev } = add(seal(draft, header.at, 1, unpackBody(block), signer)));
    else {
      const records: readonly SourceRecord[] = readRecords(block);
      const skip = index === covered.blocks ? covered.records : 0;
      const from = skip === 0 ? header.from : records[skip - 1]!.end;
      ({ seq, prev } = add(sealBlock({ ...draft, from }, records.slice(skip), signer)));
    }
    yield;
  }
}

const isAfter = (a: Pending, b: Pending): boolean =>
  a.place.segment > b.place.segment || (a.place.segment === b.place.segment && a.place.offset > b.place.offset);

const readBack = async (spool: Spool, place: Pending): Promise<Block | undefined> => {
  const bytes = await spool.readBlock(place.place);
  const decoded = bytes && decodeBlock(bytes);
  return decoded?.kind === 'ok' ? decoded.block : undefined;
};

const isBehind = (resume: string | undefined, file: FileId, end: StreamEnd): boolean => {
  if (resume === undefined) return true;
  try {
    const files = (JSON.parse(resume) as { readonly files?: readonly { readonly inode?: string; readonly offset?: number }[] }).files ?? [];
    const same = files.find(({ inode }) => inode === file.inode);
    return same?.offset === undefined || same.offset < end.end;
  } catch {
    // Another source's text: it has no offsets to compare.
    return false;
  }
};
