// SPDX-License-Identifier: Apache-2.0
/**
 * How far quiet streams were heard: a heartbeat says up to when a source was read to its end, and counts only when what it speaks of is
 * journaled (S3).
 * Input: headers and heartbeats in the order of the journal. Output: watermarks. After a start a stream is known from its next block on.
 */
import type { BlockHeader, HeartbeatBody } from '../../core/protocol.ts';
import type { UnixMs } from '../../core/units.ts';

export interface Heard {
  /** A block of records was passed. */
  note(agent: string, header: Pick<BlockHeader, 'stream' | 'epoch' | 'first' | 'count'>): void;
  /** Streams of this agent that a heartbeat moves, and how far. */
  moved(agent: string, body: Pick<HeartbeatBody, 'streams'>): readonly { readonly stream: string; readonly time: UnixMs }[];
}

export const makeHeard = (): Heard => {
  const heads = new Map<string, { readonly epoch: string; readonly seq: number }>();
  return {
    note: (agent, { stream, epoch, first, count }) => {
      const key = `${agent} ${stream}`;
      const seq = first + count - 1;
      const known = heads.get(key);
      // A block that was asked back takes nothing away.
      if (known?.epoch !== epoch || known.seq < seq) heads.set(key, { epoch, seq });
    },
    moved: (agent, { streams }) =>
      streams.flatMap(({ stream, epoch, seq, readUpTo }) => {
        const head = heads.get(`${agent} ${stream}`);
        return head?.epoch === epoch && head.seq >= seq && readUpTo > 0 ? [{ stream, time: readUpTo }] : [];
      }),
  };
};
