// SPDX-License-Identifier: Apache-2.0
/**
 * The page: all signals of one journal range, made once, also when empty (river.md J3, J4).
 * Input: detect. Output: correlate, on the one active node.
 */
import { constants, zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import type { UnixMs } from '../../core/units.ts';
import type { Signal } from './signal.ts';

/** A place in a journal (J1). */
export interface JournalPosition {
  readonly collector: string;
  readonly incarnation: string;
  readonly offset: number;
}

/** A journal range: from inclusive to exclusive, in offsets of one incarnation (P5). */
export interface JournalRange {
  readonly collector: string;
  readonly incarnation: string;
  readonly from: number;
  readonly to: number;
}

export interface Page extends JournalRange {
  /** Counts from 1 without holes for each incarnation. */
  readonly n: number;
  /** Event time that each live stream has reached in this range. */
  readonly watermarks: Readonly<Record<string, UnixMs>>;
  readonly signals: readonly Signal[];
  /** Each signal as JSON, and all of them packed, where they came so: they are stored as they are. */
  readonly texts?: readonly string[];
  readonly packed?: Uint8Array;
}

/** A page between two threads: bytes move at once, where objects would be copied one by one, and many pages may wait. */
export interface PackedPage extends Omit<Page, 'signals' | 'texts' | 'packed'> {
  /** Signals as JSON, one a line, as one zstd frame. */
  readonly packed: Uint8Array;
}

// The fastest level: signals repeat each other, and become a tenth at any.
const QUICKLY = { params: { [constants.ZSTD_c_compressionLevel]: 1 } };

/** Lines of JSON packed; the bytes are their own buffer's, so it may be transferred. */
export const packLines = (lines: Uint8Array): Uint8Array => {
  const packed = zstdCompressSync(lines, QUICKLY);
  // A part of a shared pool would take the pool with it.
  return packed.byteLength === packed.buffer.byteLength ? packed : Uint8Array.from(packed);
};

const textsIn = (packed: Uint8Array): readonly string[] => zstdDecompressSync(packed).toString('utf8').split('\n').slice(0, -1);

const signalsOf = (texts: readonly string[]): readonly Signal[] => JSON.parse(`[${texts.join()}]`) as Signal[];

export const unpackPage = ({ packed, ...rest }: PackedPage): Page => {
  const texts = textsIn(packed);
  return { ...rest, signals: signalsOf(texts), texts, packed };
};

/** The page as it is kept: what is not signals as JSON, and the signals packed. */
export const storedPage = ({ texts, packed, signals, ...rest }: Page): { readonly value: string; readonly packed: Uint8Array } => ({
  value: JSON.stringify(rest),
  packed: packed ?? packLines(Buffer.from((texts ?? signals.map((signal) => JSON.stringify(signal))).map((text) => `${text}\n`).join(''))),
});

/** A page from what was kept; `packed` is null in one of the first version, which has its signals in the JSON. */
export const pageOf = (value: string, packed: Uint8Array | null): Page => {
  const page = JSON.parse(value) as Page;
  return packed === null ? page : { ...page, signals: signalsOf(textsIn(packed)) };
};
