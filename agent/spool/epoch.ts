// SPDX-License-Identifier: Apache-2.0
/**
 * A new epoch of a stream: after a conflict, or when what the agent was told to go on after is gone (W6, W10, W11).
 * Input: ends that the collector listed, places the sources recognise. Output: unacked records sealed anew from the spool; where reading goes on.
 */
import { random128 } from '../../core/ids.ts';
import type { Block, StreamEnd } from '../../core/protocol.ts';
import type { SourceRecord } from '../../core/record.ts';
import type { Signer } from '../../core/sign.ts';
import { type BlockDraft, decodeBlock, readJsonBody, readRecords, sealBlock, sealJson } from '../../core/wire.ts';
import type { FileId } from '../source/source.ts';
import { coveredByEnds, coveredByRecords, type Found, isSame, type SpooledBlock } from './cover.ts';
import type { StreamState } from './frame.ts';
import type { Spool } from './spool.ts';
import type { Pending } from './window.ts';

/** What the sources can say and do about a place that a collector names. */
export interface PlaceOracle {
  /** The file that holds the place now, as blocks read from it would name it. */
  matches(stream: string, end: StreamEnd): FileId | undefined;
  /** Files of the stream that are read now, oldest first. */
  files(stream: string): readonly FileId[];
  moveTo(stream: string, ends: readonly StreamEnd[]): string | undefined;
  /** The stream is read again from its first byte, as if it had never been seen. */
  restart(stream: string): Promise<void>;
}

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
  let meant: Pending | undefined;
  /** By epoch, the last sequence of a block that is settled. */
  const settled = new Map<string, number>();
  for await (const block of spool.blocks(false)) {
    if (block.stream !== stream) continue;
    const place = { ...block, bytes: new Uint8Array(0) };
    const last = block.first + block.count - 1;
    known.set(nameOf(block.epoch, last, block.hash), place);
    // One that was held, or asked back, may be of an epoch before.
    const isMeant = block.epoch === conflict.block?.epoch && block.first === conflict.block.first;
    if (isMeant) meant = place;
    if (isMeant || (block.epoch === epoch && spool.isOpen(block))) open.push(place);
    else settled.set(block.epoch, Math.max(last, settled.get(block.epoch) ?? 0));
  }
  const ownOf = (end: StreamEnd): Pending | undefined => known.get(nameOf(end.epoch, end.seq, end.hash));
  // Newest first: the first that matches is the farthest.
  const inSpool = ends.find(ownOf);
  const spooled = inSpool && ownOf(inSpool);
  // What stands there of our own behind the block that conflicts tells nothing of what stands before it: that one is missing there.
  const from = meant;
  const evidence = from ? ends.filter((end) => !isAfter(ownOf(end) ?? from, from)) : ends;
  const rest = open.filter((block) =>
    from ? !isAfter(from, block) && !ends.some((end) => ownOf(end) === block) : !spooled || isAfter(block, spooled),
  );
  const blocks: SpooledBlock[] = [];
  for (const place of rest) {
    const block = await readBack(spool, place);
    if (block) blocks.push({ block, file: fileNow(oracle, block) });
  }
  const found = evidence.flatMap((end): Found[] => {
    const file = oracle.matches(stream, end);
    return file ? [{ file, end }] : [];
  });
  const covered = coveredByRecords(blocks, coveredByEnds(blocks, found, oracle.files(stream)), evidence, found);
  // Where what the collector holds reaches beyond everything that was sealed here, reading goes on behind it.
  const resume = found.length > 0 ? oracle.moveTo(stream, evidence) : undefined;
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
  // Acked once and lost there: what is sealed anew must not be sent under its old numbers too.
  for (const block of open) spool.lowerAcked(stream, block.epoch, Math.max(block.first - 1, settled.get(block.epoch) ?? 0));
  await spool.replaceEpoch(
    begin,
    (add) =>
      sealAnew(
        blocks.map(({ block }) => block),
        covered,
        begin,
        signer,
        add,
      ),
    resume,
  );
  const resealed = new Set(open.map((block) => `${block.epoch}/${block.first}`));
  spool.releaseKept((kept) => kept.why === 'held' && kept.stream === stream && resealed.has(`${kept.epoch}/${kept.first}`));
  const recognised =
    inSpool !== undefined || found.length > 0 || isBehindSame(blocks[0]?.block, ends) || covered.some((count) => count > 0);
  return { opened: true, matched: recognised && !isReadAgain(blocks, covered, ends, found, oracle.files(stream)) };
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
    // What is still in a file is read again.
    if (block && block.header.kind !== 'heartbeat' && !fileNow(oracle, block)) blocks.push(block);
  }
  const begin: StreamState = { stream, epoch: random128(), seq: 0, prev: null };
  spool.forgetAcked(stream);
  await spool.replaceEpoch(begin, (add) => sealAnew(blocks, [], begin, signer, add), undefined);
  await oracle.restart(stream);
};

const nameOf = (epoch: string, seq: number, hash: string): string => `${epoch}/${seq}/${hash}`;

/** The file that holds the bytes of a block now: of one that was cut since, its copy. */
const fileNow = (oracle: PlaceOracle, { header, ...block }: Block): FileId | undefined => {
  const { stream, epoch, first, count, hash, file } = header;
  const end = file && readRecords({ header, ...block }).at(-1)?.end;
  return end === undefined ? undefined : oracle.matches(stream, { epoch, seq: first + count - 1, hash, end, file });
};

/**
 * True where a file is read of which the collector names ends and none is recognised, or one behind which it did not name the next: of a host that
 * was put back, or copied, farther than the ends go back. What it holds of that file may stand there twice.
 */
const isReadAgain = (
  blocks: readonly SpooledBlock[],
  covered: readonly number[],
  ends: readonly StreamEnd[],
  found: readonly Found[],
  read: readonly FileId[],
): boolean =>
  read.some(
    (file) =>
      ends.some((end) => end.end > 0 && isSame(end.file, file)) &&
      mayHoldMore(file, ends, found) &&
      blocks.some(({ block, file: holds }, i) => isSame(holds, file) && (covered[i] ?? 0) < block.header.count),
  );

/** True unless the place that was recognised in the file is followed, in what the collector named, by the block that begins there. */
const mayHoldMore = (file: FileId, ends: readonly StreamEnd[], found: readonly Found[]): boolean => {
  const places = found.filter((one) => isSame(one.file, file)).map(({ end }) => end.end);
  if (places.length === 0) return true;
  const reached = Math.max(...places);
  const beyond = ends.filter((one) => isSame(one.file, file) && one.end > reached);
  return beyond.length > 0 && !beyond.some(({ block }) => block !== undefined && block.from <= reached);
};

/** True where both go on behind the same block, though the spool has let go of it: the first block here names it. */
const isBehindSame = (block: Block | undefined, ends: readonly StreamEnd[]): boolean => {
  const { epoch, first, prev } = block?.header ?? {};
  return ends.some((one) => one.epoch === epoch && one.seq + 1 === first && one.hash === prev);
};

async function* sealAnew(
  blocks: readonly Block[],
  covered: readonly number[],
  begin: StreamState,
  signer: Signer,
  add: (block: Block) => StreamState,
): AsyncGenerator<void> {
  let { seq, prev }: { seq: number; prev: string | null } = begin;
  for (const [index, block] of blocks.entries()) {
    const skip = covered[index] ?? 0;
    if (skip >= block.header.count) continue;
    const { header } = block;
    const { v: _v, key: _key, at: _at, count: _count, plain: _plain, packed: _packed, hash: _hash, after: _after, ...old } = header;
    const after = seq === 0 && begin.after ? { after: begin.after } : {};
    const draft: BlockDraft = { ...old, ...after, epoch: begin.epoch, first: seq + 1, prev };
    if (header.kind === 'gap' || header.kind === 'heartbeat') {
      const json = readJsonBody(block);
      if (json.kind === 'bad') continue;
      // A gap speaks of the epoch that it was sealed in.
      const body = json.kind === 'gap' ? { epoch: header.epoch, ...json.body } : json.body;
      ({ seq, prev } = add(sealJson({ ...draft, at: header.at }, body, signer)));
    } else {
      const records: readonly SourceRecord[] = readRecords(block);
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
