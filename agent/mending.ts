// SPDX-License-Identifier: Apache-2.0
/**
 * What the agent does about a collector that holds other records, or fewer, than it was sent: the ways out of W6, W9 and W11 in their order.
 * Input: the spool, the sources, what the uplink heard. Output: handlers for the sender; notes for people.
 */
import type { StreamEnd } from '../core/protocol.ts';
import type { Signer } from '../core/sign.ts';
import { decodeBlock } from '../core/wire.ts';
import { fault } from './errors.ts';
import type { Condition } from './health.ts';
import { HEARTBEAT_STREAM } from './heartbeat.ts';
import type { Source } from './source/source.ts';
import { beginAnew, openNewEpoch } from './spool/epoch.ts';
import { type Gap, offerHeld, offerMissing, resyncSpool } from './spool/mend.ts';
import type { Spool } from './spool/spool.ts';
import type { SenderOptions } from './transport/sender.ts';

export interface MendingParts {
  readonly spool: Spool;
  readonly sources: readonly Source[];
  readonly signer: () => Signer;
  /** Runs work while nothing is sealed: a stream's numbers have one writer. */
  readonly inTurn: <T>(work: () => Promise<T>) => Promise<T>;
  /** A new epoch was opened; `matched` is false when nothing that the collector holds was recognised. */
  readonly onNewEpoch: (stream: string, matched: boolean) => void;
}

export interface Mending extends Pick<SenderOptions, 'onConflict' | 'onResync' | 'onMissing' | 'onOldKey' | 'onReleased' | 'declare'> {
  /** What people should know, newest last. */
  notes(): readonly Condition[];
}

const MAX_NOTES = 50;

/** What is sealed must be on disk before an epoch ends: what waits in memory would be of no epoch. @throws CodedError AGENT_SPOOL_FAILED: it is tried again. */
const settled = async (spool: Spool): Promise<void> => {
  if (!(await spool.flush())) throw fault('AGENT_SPOOL_FAILED', { reason: spool.failure ?? 'the disk takes nothing' });
};

export const makeMending = ({ spool, sources, signer, inTurn, onNewEpoch }: MendingParts): Mending => {
  const notes = new Map<string, Condition>();
  const note = (key: string, condition: Condition): void => {
    notes.set(key, condition);
    for (const oldest of notes.keys()) if (notes.size > MAX_NOTES) notes.delete(oldest);
  };
  const oracle = {
    matches: (stream: string, end: StreamEnd) => {
      for (const source of sources) {
        const file = source.matches(stream, end);
        if (file) return file;
      }
      return undefined;
    },
    restart: async (stream: string) => {
      for (const source of sources) await source.restart(stream);
    },
    files: (stream: string) => sources.flatMap((source) => source.files(stream)),
    moveTo: (stream: string, ends: readonly StreamEnd[]) => {
      for (const source of sources) {
        const resume = source.moveTo(stream, ends);
        if (resume !== undefined) return resume;
      }
      return undefined;
    },
  };
  const sealGaps = async (gaps: readonly Gap[]): Promise<void> => {
    for (const { stream, epoch, body } of gaps) {
      note(`${stream}/${epoch}/${body.from}`, {
        code: 'RECORDS_GONE',
        about: `${stream} ${body.from}..${body.to}`,
        hint: `Nothing can bring them back (${body.cause}).`,
      });
      spool.sealJson(stream, 'gap', 'gap', spool.stateOf(stream)?.epoch === epoch ? body : { ...body, epoch });
    }
    await spool.flush();
  };
  return {
    declare: (gaps) => inTurn(() => sealGaps(gaps)),
    onResync: (held) =>
      inTurn(async () => {
        const { gaps, lost } = await resyncSpool(spool, held);
        for (const stream of lost) {
          const isHeld = ({ epoch, first, count }: { readonly epoch: string; readonly first: number; readonly count: number }): boolean =>
            held.some(
              (one) =>
                one.stream === stream && one.epoch === epoch && one.ranges.some(([from, to]) => from <= first && first + count - 1 <= to),
            );
          await settled(spool);
          await beginAnew(spool, oracle, signer(), stream, isHeld);
        }
        return gaps;
      }),
    onOldKey: (block) =>
      inTurn(async () => {
        const decoded = decodeBlock(block.bytes);
        if (decoded.kind !== 'ok' || decoded.block.header.key === signer().publicKey) return false;
        await settled(spool);
        // No ends: the collector answers the new epoch with a conflict where it knows the stream, and W11 finds the place.
        const { opened } = await openNewEpoch(spool, oracle, signer(), { ...block, ends: [] });
        return opened;
      }),
    onReleased: () => inTurn(() => offerHeld(spool)),
    onMissing: (ranges) => inTurn(() => offerMissing(spool, ranges)),
    onConflict: (conflict) =>
      inTurn(async () => {
        await settled(spool);
        const { opened, matched } = await openNewEpoch(spool, oracle, signer(), conflict);
        if (!opened) return;
        onNewEpoch(conflict.stream, matched);
        // A heartbeat says nothing that could stand there twice.
        if (!matched && conflict.stream !== HEARTBEAT_STREAM)
          note(conflict.stream, {
            code: 'READ_AGAIN',
            about: conflict.stream,
            hint: 'Nothing that the collector holds was recognised; lines may stand there twice.',
          });
      }),
    notes: () => [...notes.values()],
  };
};
