// SPDX-License-Identifier: Apache-2.0
/**
 * What the agent does when the collector holds less than it was sent: sending again after a restore (W6), blocks asked back (W9).
 * Input: ranges held, ranges missing. Output: blocks offered again, gaps to declare for what is gone.
 */
import type { GapBody, StreamRanges } from '../../core/protocol.ts';
import type { Spool } from './spool.ts';

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

export interface Gap {
  readonly stream: string;
  readonly epoch: string;
  readonly body: GapBody;
}

/**
 * W6: counts as acked only what the collector still holds, begins again from the oldest block kept, and names what is gone from both.
 * `lost` are streams whose told head is gone: they must begin anew.
 */
export const resyncSpool = async (
  spool: Spool,
  held: readonly StreamRanges[],
): Promise<{ readonly gaps: readonly Gap[]; readonly lost: readonly string[] }> => {
  const there = new Map<string, readonly Range[]>(held.map(({ stream, epoch, ranges }) => [`${stream}\0${epoch}`, ranges]));
  const heads = new Map(held.map(({ stream, epoch, last }) => [`${stream}\0${epoch}`, last]));
  /** Epochs whose head there is another than what was sealed here: a copy of this spool has been there before. */
  const twoWays = new Set(
    held.filter(({ stream, epoch, last }) => last.seq > sealedSeq(spool, stream, epoch)).map(({ stream, epoch }) => `${stream}\0${epoch}`),
  );
  const here = new Map<string, Range[]>();
  for await (const { stream, epoch, first, count, hash, prev } of spool.blocks(false)) {
    const key = `${stream}\0${epoch}`;
    const head = heads.get(key);
    // The oldest block kept tells the last one that was let go.
    if (head && !here.has(key) && head.seq === first - 1 && head.hash !== prev) twoWays.add(key);
    if (head && first <= head.seq && head.seq < first + count && (head.seq !== first + count - 1 || head.hash !== hash)) twoWays.add(key);
    const list = here.get(key) ?? [];
    const last = list.at(-1);
    if (last && last[1] + 1 === first) list[list.length - 1] = [last[0], first + count - 1];
    else list.push([first, first + count - 1]);
    here.set(key, list);
  }
  for (const { stream, epoch, seq, prev } of spool.states()) {
    const head = heads.get(`${stream}\0${epoch}`);
    if (head && head.seq === seq && head.hash !== prev) twoWays.add(`${stream}\0${epoch}`);
  }
  const gaps: Gap[] = [];
  for (const [stream, epochs] of spool.ackedEpochs())
    for (const [epoch, seq] of epochs) {
      const key = `${stream}\0${epoch}`;
      // Where it went two ways, numbers there tell nothing of what was let go here: more is declared than may be gone, and nothing less.
      const lost = missingIn([1, seq], twoWays.has(key) ? [] : (there.get(key) ?? []));
      for (const range of lost)
        for (const [from, to] of missingIn(range, here.get(key) ?? []))
          gaps.push({ stream, epoch, body: { from, to, cause: 'collector-restored', count: to - from + 1 } });
    }
  const lost = spool.states().flatMap(({ stream, told }) => {
    const ranges = told && (there.get(`${stream}\0${told.epoch}`) ?? []);
    return !ranges || ranges.some(([from, to]) => from <= told.seq && told.seq <= to) ? [] : [stream];
  });
  // What was sealed twice under one number is told by its hash alone: all of such an epoch is sent again.
  spool.rewind(new Map([...there].filter(([key]) => !twoWays.has(key))));
  return { gaps, lost };
};

/** The last sequence that was sealed or acked here; none limits an epoch that this spool knows nothing of. */
const sealedSeq = (spool: Spool, stream: string, epoch: string): number => {
  const state = spool.stateOf(stream);
  if (state?.epoch === epoch) return state.seq;
  return spool.knowsEpoch(stream, epoch) ? spool.ackedSeq(stream, epoch) : Number.POSITIVE_INFINITY;
};

/** I5: offers the blocks that were held, before all others; they count as kept until they are settled. */
export const offerHeld = async (spool: Spool): Promise<void> => {
  for await (const block of spool.blocks(false)) {
    const isKept = spool.kept.some(
      ({ why, stream, epoch, first }) => why === 'held' && stream === block.stream && epoch === block.epoch && first === block.first,
    );
    if (isKept) spool.offer(block);
  }
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
  // Of an epoch that was never this spool's, nobody can say here that it is gone: its agent may still come.
  rest = rest.filter(({ stream, epoch, ranges }) => ranges.length > 0 && spool.knowsEpoch(stream, epoch));
  return rest.flatMap(({ stream, epoch, ranges }) =>
    ranges.map(([from, to]): Gap => ({ stream, epoch, body: { from, to, cause: 'spool-corrupt', count: to - from + 1 } })),
  );
};
