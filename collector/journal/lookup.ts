// SPDX-License-Identifier: Apache-2.0
/**
 * Blocks looked for on disk: by stream and sequence, by position, by what an agent was told (river.md W5, W6).
 * Input: segments, newest first. Output: blocks, or null; whether a mark is of this journal.
 */
import type { Files } from '../../core/files.ts';
import type { Block, BlockHeader, JournalMark } from '../../core/protocol.ts';
import { decodeBlock } from '../../core/wire.ts';
import type { HeldBlock } from '../model/journal.ts';
import { fingerprint, type Places } from './places.ts';
import { readBlockAt } from './segments.ts';

export interface Searched {
  readonly path: string;
  readonly start: number;
  readonly places: Places;
}

const blockAt = async (path: string, offset: number, files: Files): Promise<{ readonly block: Block; readonly end: number } | null> => {
  const found = await readBlockAt(path, offset, files);
  const decoded = found ? decodeBlock(found.frame.encoded) : null;
  return found && decoded?.kind === 'ok' ? { block: decoded.block, end: found.end } : null;
};

/** The held block that begins where this one does. */
export const findBlock = async (
  segments: Iterable<Searched>,
  header: Pick<BlockHeader, 'agent' | 'stream' | 'epoch' | 'first'>,
  files: Files,
): Promise<HeldBlock | null> => {
  const print = fingerprint(header);
  for (const { path, start, places } of segments) {
    for (const offset of places.candidates(print)) {
      const found = await blockAt(path, offset, files);
      if (!found) continue;
      const { agent, stream, epoch, first, count, hash } = found.block.header;
      if (agent !== header.agent || stream !== header.stream || epoch !== header.epoch || first !== header.first) continue;
      return { first, count, hash, offset: start + offset, end: start + found.end };
    }
  }
  return null;
};

/** The block whose frame begins at a position. */
export const readBlock = async (segments: Iterable<Searched>, position: number, files: Files): Promise<Block | null> => {
  for (const { path, start } of segments) if (start <= position) return (await blockAt(path, position - start, files))?.block ?? null;
  return null;
};

/** Whether the block that ends where a mark says is the mark's. A mark whose segment is gone by retention holds: the incarnation says so. */
export const holdsMark = async (segments: Iterable<Searched>, mark: JournalMark, files: Files): Promise<boolean> => {
  for (const { path, start, places } of segments) {
    if (start >= mark.offset) continue;
    const found = await blockAt(path, places.before(mark.offset - start), files);
    return found !== null && start + found.end === mark.offset && found.block.header.hash === mark.hash;
  }
  return true;
};
