// SPDX-License-Identifier: Apache-2.0
/**
 * What a block of rows surely does not hold: a bloom filter of the three-letter pieces of its texts and of its event ids, in a file beside the rows.
 * Input: texts while a file is indexed; pieces of a query. Output: `.skip` files, and blocks that may be passed over.
 */
import { closeSync, openSync, readSync } from 'node:fs';

/**
 * Fields whose texts are in the filter. Case is folded for ASCII; a piece with any other character is neither kept nor asked for.
 * Fields that a query without a field looks into must all be here.
 */
export const SKIP_FIELDS = [
  'message',
  'event.original',
  'rule.name',
  'user.name',
  'host.name',
  'source.ip',
  'file.path',
  'process.command_line',
  'process.name',
  'event.dataset',
] as const;

/** A three-letter piece as a number below 2^21. */
export type Gram = number;

const GRAM_BITS = 21;
const HASHES = 3;
// Between 8 and 16 bits for each piece: at most 3 in 100 are seen where they are not.
const BITS_EACH = 8;

/** What a code unit below 128 is in a piece: upper case folded, 0 for control characters, which end a run. */
const FOLDED = Uint8Array.from({ length: 128 }, (_, code) => (code < 32 ? 0 : code >= 65 && code <= 90 ? code + 32 : code));
/** Stands between texts that are taken at once. */
export const TEXT_END = '\n';
const TEXT_END_CODE = 10;
// Their lower case is ASCII: a text with one of them can match where its pieces do not show it.
const DOTTED_I = 0x130;
const KELVIN = 0x212a;

/** The pieces every text that contains this (folded) text has too. */
export const gramsOf = (text: string): readonly Gram[] => {
  const grams = new Set<Gram>();
  eachGram(text, (gram) => grams.add(gram));
  return [...grams];
};

const eachGram = (text: string, take: (gram: Gram) => void): void => {
  let gram = 0;
  let run = 0;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    const folded = code < 128 ? (FOLDED[code] as number) : 0;
    if (folded === 0) {
      run = 0;
      continue;
    }
    gram = ((gram << 7) | folded) & 0x1fffff;
    if (++run >= 3) take(gram);
  }
};

/** Filter of one block, while it is made. One at a time is enough; `finish` empties it. */
export class SkipBuilder {
  readonly #seen = new Uint32Array(1 << (GRAM_BITS - 5));
  #ids: number[] = [];
  #open = false;

  /** Takes texts of the fields, joined by `TEXT_END`. */
  addTexts(texts: string): void {
    const seen = this.#seen;
    let gram = 0;
    let run = 0;
    for (let i = 0; i < texts.length; i++) {
      const code = texts.charCodeAt(i);
      const folded = code < 128 ? (FOLDED[code] as number) : 0;
      if (folded === 0) {
        run = 0;
        if (code === DOTTED_I || code === KELVIN) this.#open = true;
        continue;
      }
      gram = ((gram << 7) | folded) & 0x1fffff;
      if (++run >= 3) seen[gram >>> 5] = (seen[gram >>> 5] as number) | (1 << (gram & 31));
    }
  }

  /** Takes ids of events, joined by `TEXT_END`. */
  addIds(ids: string): void {
    let hash = HASH_START;
    for (let i = 0; i < ids.length; i++) {
      const code = ids.charCodeAt(i);
      if (code === TEXT_END_CODE) {
        this.#ids.push(hashEnd(hash));
        hash = HASH_START;
      } else hash = hashStep(hash, code);
    }
    this.#ids.push(hashEnd(hash));
  }

  /** The filter as bytes: a power of two of bits; empty where the block must never be passed over. */
  finish(): Uint8Array {
    const seen = this.#seen;
    const grams: Gram[] = [];
    for (let word = 0; word < seen.length; word++) {
      let bits = seen[word] as number;
      while (bits !== 0) {
        const bit = 31 - Math.clz32(bits & -bits);
        grams.push((word << 5) | bit);
        bits &= bits - 1;
      }
    }
    const filter = this.#open ? new Uint8Array(0) : bloomOf([...grams.map(hashGram), ...this.#ids]);
    seen.fill(0);
    this.#ids = [];
    this.#open = false;
    return filter;
  }
}

const bloomOf = (hashes: readonly number[]): Uint8Array => {
  let log2 = 9;
  while (1 << log2 < hashes.length * BITS_EACH) log2++;
  const filter = new Uint8Array((1 << log2) >>> 3);
  for (const hash of hashes)
    for (let i = 0; i < HASHES; i++) {
      const bit = bitOf(hash, i, filter.length);
      filter[bit >>> 3] = (filter[bit >>> 3] as number) | (1 << (bit & 7));
    }
  return filter;
};

const bitOf = (hash: number, i: number, bytes: number): number => (hash + Math.imul(i, mix(hash ^ 0x9e3779b9) | 1)) & (bytes * 8 - 1);

const mix = (n: number): number => {
  let h = Math.imul(n ^ (n >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
};
const hashGram = (gram: Gram): number => mix(gram + 1);
const HASH_START = 0x811c9dc5;
const hashStep = (hash: number, code: number): number => Math.imul(hash ^ code, 0x01000193);
const hashEnd = (hash: number): number => mix(hash ^ 0x5bd1e995);
const hashText = (text: string): number => {
  let hash = HASH_START;
  for (let i = 0; i < text.length; i++) hash = hashStep(hash, text.charCodeAt(i));
  return hashEnd(hash);
};

const MAGIC = 0x31534b56;

/** The content of a `.skip` file: number of blocks, then the end of each filter, then the filters. */
export const skipFile = (filters: readonly Uint8Array[]): Uint8Array => {
  const head = new Uint32Array(2 + filters.length);
  head[0] = MAGIC;
  head[1] = filters.length;
  let end = head.byteLength;
  filters.forEach((filter, i) => {
    end += filter.length;
    head[2 + i] = end;
  });
  return Buffer.concat([new Uint8Array(head.buffer), ...filters]);
};

/** What is asked of a block. */
export interface SkipProbe {
  /** True when the block may hold all these pieces. */
  grams(pieces: readonly Gram[]): boolean;
  /** True when the block may hold the event. */
  id(id: string): boolean;
}

/**
 * Asks each block of a file; only the bits that matter are read. A file that is missing or damaged passes nothing over.
 */
export const keepBlocks = (path: string, blocks: number, test: (probe: SkipProbe) => boolean): readonly boolean[] => {
  let fd: number;
  try {
    fd = openSync(path, 'r');
  } catch {
    // Skipping is a help only: without its file every block is read.
    return new Array<boolean>(blocks).fill(true);
  }
  try {
    const head = new Uint32Array(2 + blocks);
    const got = readSync(fd, new Uint8Array(head.buffer), 0, head.byteLength, 0);
    if (got !== head.byteLength || head[0] !== MAGIC || head[1] !== blocks) return new Array<boolean>(blocks).fill(true);
    const byte = new Uint8Array(1);
    return Array.from({ length: blocks }, (_, i) => {
      const start = i === 0 ? head.byteLength : (head[1 + i] as number);
      const length = (head[2 + i] as number) - start;
      if (length === 0) return true;
      const has = (hash: number): boolean => {
        for (let k = 0; k < HASHES; k++) {
          const bit = bitOf(hash, k, length);
          if (readSync(fd, byte, 0, 1, start + (bit >>> 3)) !== 1) return true;
          if (((byte[0] as number) & (1 << (bit & 7))) === 0) return false;
        }
        return true;
      };
      return test({
        grams: (pieces) => pieces.every((gram) => has(hashGram(gram))),
        id: (id) => id.includes(TEXT_END) || has(hashText(id)),
      });
    });
  } finally {
    closeSync(fd);
  }
};
