// SPDX-License-Identifier: Apache-2.0
/**
 * The state of joins beside each position that the pass has sent, so that a restart there loses and doubles nothing (river.md J2).
 * Input: a position and what is open there. Output: the same after a restart; nothing for a position where nothing was open.
 */
import { closeSync, fdatasyncSync, fsyncSync, openSync, readFileSync, readSync, renameSync, writeSync } from 'node:fs';
import { systemCode } from '../../../core/errors.ts';
import type { Provenance } from '../../model/event.ts';
import type { JoinState, SavedRecord } from './join.ts';

interface Place {
  readonly incarnation: string;
  readonly offset: number;
}

/** Sinks that commit positions of their own. */
export type Sink = 'store' | 'detect' | 'facts';

/** One line of the file. Records of a block share where they come from: it stands once. */
interface Line extends Place {
  readonly sink: Sink;
  readonly v: 1;
  readonly froms: readonly Provenance[];
  readonly open: readonly (readonly (Omit<SavedRecord, 'from'> & { readonly from: number })[])[];
}

export interface SavedJoins {
  at(place: Place): JoinState | null;
  /** Durable when it returns. MUST be called before a sink can commit that position. */
  save(sink: Sink, place: Place, joins: JoinState | null): void;
}

/** More positions of a sink than can be under way. */
const KEPT = 8;
/** The file is written anew when it is this large and more than half of it is of positions that are not kept. */
const LARGE_BYTES = 4_194_304;

/** Where the line of a position stands in the file. */
interface Entry extends Place {
  readonly sink: Sink;
  readonly at: number;
  readonly bytes: number;
}

const LINE_END = 10;

const isLine = (value: unknown): value is Line =>
  typeof value === 'object' && value !== null && ['sink', 'incarnation', 'offset', 'froms', 'open'].every((name) => name in value);

const parse = (text: string): Line | null => {
  try {
    const value: unknown = JSON.parse(text);
    return isLine(value) ? value : null;
  } catch {
    // Half a line of a write that was cut off, or what someone else broke: it costs at most the few events that were open.
    return null;
  }
};

const contentOf = (file: string): Buffer => {
  try {
    return readFileSync(file);
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') throw error;
    return Buffer.alloc(0);
  }
};

const toLine = (sink: Sink, place: Place, { v, open }: JoinState): Buffer => {
  const froms = new Map<Provenance, number>();
  const numberOf = (from: Provenance): number => {
    const known = froms.get(from) ?? froms.size;
    froms.set(from, known);
    return known;
  };
  const records = open.map((one) => one.map(({ from, ...rest }) => ({ ...rest, from: numberOf(from) })));
  const line: Line = { sink, incarnation: place.incarnation, offset: place.offset, v, froms: [...froms.keys()], open: records };
  return Buffer.from(`${JSON.stringify(line)}\n`);
};

const stateOf = ({ v, froms, open }: Line): JoinState => ({
  v,
  open: open.map((one) => one.map(({ from, ...rest }) => ({ ...rest, from: froms[from] as Provenance }))),
});

/** Adds an entry in the place of an older one of its position; of each sink at most so many are kept. */
const withEntry = (entries: readonly Entry[], fresh: Entry, most: number): readonly Entry[] => {
  const own = entries.filter(
    (entry) => entry.sink === fresh.sink && !(entry.incarnation === fresh.incarnation && entry.offset === fresh.offset),
  );
  return [...entries.filter((entry) => entry.sink !== fresh.sink), ...own.slice(-(most - 1)), fresh];
};

/** Opens the file; it is made with the first state that is not empty. Positions are added at its end, so that each costs its own bytes only. */
export const openSavedJoins = (file: string): SavedJoins => {
  let entries: readonly Entry[] = [];
  let size = 0;
  let handle: number | null = null;

  const lineAt = ({ at, bytes }: Entry): Buffer => {
    const line = Buffer.alloc(bytes);
    readSync(handle as number, line, 0, bytes, at);
    return line;
  };
  /** Puts a file of these lines alone in the place of the old one. */
  const rewrite = (lines: readonly { readonly entry: Omit<Entry, 'at' | 'bytes'>; readonly line: Buffer }[]): void => {
    const temp = `${file}.tmp`;
    const fresh = openSync(temp, 'w+', 0o600);
    let end = 0;
    entries = lines.map(({ entry, line }) => {
      writeSync(fresh, line, 0, line.length, end);
      end += line.length;
      return { ...entry, at: end - line.length, bytes: line.length };
    });
    fsyncSync(fresh);
    renameSync(temp, file);
    if (handle !== null) closeSync(handle);
    handle = fresh;
    size = end;
  };

  const content = contentOf(file);
  // A backup joins what stood here before and after it was taken: all of that is kept until the next save.
  for (let from = 0, end = content.indexOf(LINE_END); end >= 0; from = end + 1, end = content.indexOf(LINE_END, from)) {
    const line = parse(content.toString('utf8', from, end));
    if (line === null) continue;
    const { sink, incarnation, offset } = line;
    entries = withEntry(entries, { sink, incarnation, offset, at: from, bytes: end + 1 - from }, Number.POSITIVE_INFINITY);
  }
  if (entries.length > 0)
    rewrite(entries.map((entry) => ({ entry, line: Buffer.from(content.subarray(entry.at, entry.at + entry.bytes)) })));

  return {
    at: (place) => {
      const found = entries.find(({ incarnation, offset }) => incarnation === place.incarnation && offset === place.offset);
      const line = found === undefined ? null : parse(lineAt(found).toString('utf8'));
      return line === null ? null : stateOf(line);
    },
    save: (sink, place, joins) => {
      // A position without open joins needs no entry: what is not found is nothing.
      if (joins === null) return;
      const line = toLine(sink, place, joins);
      if (handle === null) return rewrite([{ entry: { sink, ...place }, line }]);
      // A disk that is nearly full takes a part and says no word of it.
      for (let done = 0; done < line.length; ) done += writeSync(handle, line, done, line.length - done, size + done);
      fdatasyncSync(handle);
      entries = withEntry(entries, { sink, incarnation: place.incarnation, offset: place.offset, at: size, bytes: line.length }, KEPT);
      size += line.length;
      const kept = entries.reduce((sum, { bytes }) => sum + bytes, 0);
      if (size > LARGE_BYTES && size > 2 * kept) rewrite(entries.map((entry) => ({ entry, line: lineAt(entry) })));
    },
  };
};
