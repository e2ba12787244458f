// SPDX-License-Identifier: Apache-2.0
/**
 * Finds the spool's state again after a stop or a crash, from the last segment that opens with a whole snapshot.
 * Input: the spool's folder. Output: segments, streams, what is settled, and the damage that was met.
 */
import { join } from 'node:path';
import { isCoded } from '../../core/errors.ts';
import { type Files, systemFiles } from '../../core/files.ts';
import type { Damage } from '../../core/frames.ts';
import { readSegment, repairSegment } from '../../core/segment.ts';
import { readFrame, type Settled, type StreamState } from './frame.ts';

export interface SegmentFile {
  readonly number: number;
  readonly path: string;
  bytes: number;
  /** Wall time of the last write, ms. */
  writtenAt: number;
}

export interface Recovered {
  /** In order of their numbers. */
  readonly segments: SegmentFile[];
  readonly streams: Map<string, StreamState>;
  readonly settled: Settled;
  /** Last acked sequence by stream and epoch. */
  readonly acked: Map<string, Map<string, number>>;
  readonly damage: readonly { readonly path: string; readonly damage: Damage }[];
}

export const SEGMENT_NAME = /^(\d{8})\.seg$/;

export const NOTHING_SETTLED: Settled = { upTo: { segment: 0, offset: 0 }, journal: null, acked: [], kept: [] };

/** Reads the folder. A segment whose header is lost is put aside with the ending `.bad`; its blocks are found missing by their numbers. */
export const recoverSpool = async (folder: string, files: Files = systemFiles): Promise<Recovered> => {
  const segments: SegmentFile[] = [];
  const damage: { path: string; damage: Damage }[] = [];
  for (const name of (await files.list(folder)).toSorted()) {
    const match = SEGMENT_NAME.exec(name);
    if (!match) continue;
    const path = join(folder, name);
    try {
      const { cut, corrupt } = await repairSegment(path, { files });
      if (cut && cut.to > 0) damage.push({ path, damage: { kind: 'torn', offset: cut.from, end: cut.to } });
      for (const item of corrupt) damage.push({ path, damage: item });
    } catch (error) {
      if (!isCoded(error, 'SEGMENT_BAD')) throw error;
      damage.push({ path, damage: { kind: 'unreadable', offset: 0, end: (await files.stat(path)).size } });
      await files.rename(path, `${path}.bad`);
      continue;
    }
    const { size, mtimeMs } = await files.stat(path);
    segments.push({ number: Number(match[1]), path, bytes: size, writtenAt: mtimeMs });
  }
  for (let base = segments.length - 1; base >= 0; base--) {
    const state = await replay(segments.slice(base), files);
    if (state.whole || base === 0) return { segments, damage, ...state };
  }
  return { segments, damage, streams: new Map(), acked: new Map(), settled: NOTHING_SETTLED };
};

const replay = async (
  segments: readonly SegmentFile[],
  files: Files,
): Promise<Pick<Recovered, 'streams' | 'settled' | 'acked'> & { readonly whole: boolean }> => {
  const streams = new Map<string, StreamState>();
  const acked: Recovered['acked'] = new Map();
  let settled = NOTHING_SETTLED;
  let whole = false;
  for (const [index, segment] of segments.entries()) {
    for await (const item of readSegment(segment.path, undefined, undefined, files)) {
      if (item.kind !== 'frame') continue;
      const frame = readFrame(item.payload);
      if (frame === null) continue;
      if (frame.kind === 'stream') streams.set(frame.state.stream, frame.state);
      else if (frame.kind === 'settled') {
        settled = frame.settled;
        for (const [stream, epoch, seq] of settled.acked) ackedOf(acked, stream).set(epoch, seq);
        if (settled.snapshot && index === 0) whole = true;
      } else {
        const state = streams.get(frame.header.stream);
        // A block of another epoch was resealed and not yet put in force when the agent stopped (W11): it was never sent.
        if (state?.epoch === frame.header.epoch) streams.set(state.stream, stateAfter(state, frame.header, frame.resume));
      }
    }
  }
  return { streams, settled, acked, whole };
};

export const ackedOf = (acked: Recovered['acked'], stream: string): Map<string, number> => {
  let epochs = acked.get(stream);
  if (!epochs) acked.set(stream, (epochs = new Map()));
  return epochs;
};

/** The state of a stream behind one of its blocks. */
export const stateAfter = (
  state: StreamState,
  block: { readonly first: number; readonly count: number; readonly hash: string },
  resume: string,
): StreamState => {
  const { stream, epoch, told } = state;
  return { stream, epoch, ...(told ? { told } : {}), seq: block.first + block.count - 1, prev: block.hash, resume };
};
