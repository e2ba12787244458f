// SPDX-License-Identifier: Apache-2.0
/**
 * Start of a journal: cuts the torn tail, reads the newest opening and what follows it, and says what was damaged (river.md W7, A4).
 * Input: a folder as a crash left it. Output: the index in memory, the segments, the one to go on with.
 */
import { isCoded } from '../../core/errors.ts';
import type { Files } from '../../core/files.ts';
import type { Damage } from '../../core/frames.ts';
import { openSegment, readSegment, type Segment } from '../../core/segment.ts';
import { decodeBlock, readJsonBody } from '../../core/wire.ts';
import { readFrame } from './frame.ts';
import { ClosedPlaces, fingerprint, OpenPlaces } from './places.ts';
import { listSegments, OpeningReader, placesPath, readOpening, type SegmentFile } from './segments.ts';
import { Streams } from './streams.ts';

export interface ClosedSegment extends SegmentFile {
  /** Position behind its last byte that counts: the next segment begins there. */
  readonly end: number;
  readonly places: ClosedPlaces;
}

export interface ActiveSegment {
  readonly segment: Segment;
  readonly start: number;
  readonly places: OpenPlaces;
  readonly incarnation: string;
}

export interface JournalDamage extends Omit<Damage, 'kind'> {
  readonly kind: Damage['kind'] | 'bad-frame';
  readonly segment: string;
}

export interface Recovery {
  readonly streams: Streams;
  readonly closed: ClosedSegment[];
  /** Null where a new segment must be opened, at `end`. */
  readonly active: ActiveSegment | null;
  /** Position behind everything that is held. */
  readonly end: number;
  /** Bytes of a torn tail that were cut. */
  readonly cutBytes: number;
  readonly damage: readonly JournalDamage[];
}

/** Reads a journal folder back. Blocks that cannot be read are listed and left where they are. */
export const recover = async (dir: string, disk: Files): Promise<Recovery> => {
  const files = await listSegments(dir, disk);
  const damage: JournalDamage[] = [];
  let cutBytes = 0;
  let segment: Segment | null = null;
  for (let last = files.at(-1); last && !segment; last = files.at(-1)) {
    try {
      segment = await openSegment(last.path, { files: disk });
    } catch (error) {
      if (!isCoded(error, 'SEGMENT_BAD')) throw error;
      // Left as it is; a new segment follows it.
      break;
    }
    cutBytes += segment.repaired.cut ? segment.repaired.cut.to - segment.repaired.cut.from : 0;
    const opening = await readOpening(last.path, disk);
    if (opening || segment.repaired.frames > 1 || files.length === 1) break;
    // The crash came while it was opened: no block can be in it.
    await segment.close();
    segment = null;
    await disk.unlink(last.path);
    files.pop();
  }
  const lastFile = files.at(-1);
  const end = lastFile ? lastFile.start + (segment ? segment.size : lastFile.bytes) : 0;
  const ends = files.map((_, i) => files[i + 1]?.start ?? end);

  const streams = new Streams();
  let newest = -1;
  for (let i = files.length - 1; i >= 0; i--) {
    const opening = await readOpening(files[i]!.path, disk);
    if (!opening) continue;
    for (const epoch of opening.epochs) streams.restore(epoch);
    newest = i;
    break;
  }
  const closed: ClosedSegment[] = [];
  const places = new OpenPlaces();
  let incarnation = '';
  for (const [i, file] of files.entries()) {
    const isActive = segment !== null && file === lastFile;
    const saved = isActive || i >= newest ? null : await ClosedPlaces.load(placesPath(file.path), disk);
    if (saved) {
      closed.push({ ...file, end: ends[i]!, places: saved });
      continue;
    }
    const found = isActive ? places : new OpenPlaces();
    incarnation = (await scanSegment(disk, file, ends[i]! - file.start, i >= newest ? streams : null, found, damage)) ?? incarnation;
    if (!isActive) closed.push({ ...file, end: ends[i]!, places: found.close() });
  }
  const first = files[0] ? await readOpening(files[0].path, disk) : null;
  for (const epoch of first?.epochs ?? []) streams.forget(epoch);
  const active = segment && lastFile ? { segment, start: lastFile.start, places, incarnation } : null;
  return { streams, closed, active, end, cutBytes, damage };
};

const scanSegment = async (
  disk: Files,
  file: SegmentFile,
  size: number,
  streams: Streams | null,
  places: OpenPlaces,
  damage: JournalDamage[],
): Promise<string | null> => {
  const opening = new OpeningReader();
  for await (const item of readSegment(file.path, undefined, size, disk)) {
    if (item.kind !== 'frame') {
      damage.push({ ...item, segment: file.path });
      continue;
    }
    const frame = readFrame(item.payload);
    if (frame?.kind === 'opening') {
      opening.take(frame.json, frame.last);
      continue;
    }
    const decoded = frame ? decodeBlock(frame.encoded) : null;
    if (!frame || decoded?.kind !== 'ok') {
      damage.push({ kind: 'bad-frame', offset: item.offset, end: item.end, segment: file.path });
      continue;
    }
    const { block } = decoded;
    places.add(fingerprint(block.header), item.offset);
    if (!streams) continue;
    const json = block.header.kind === 'gap' ? readJsonBody(block) : null;
    const gap = json?.kind === 'gap' ? { gap: json.body } : {};
    const place = { offset: file.start + item.offset, end: file.start + item.end, at: frame.at };
    streams.apply(block.header, { endOffset: frame.endOffset, ...gap }, place);
  }
  return opening.opening?.incarnation ?? null;
};
