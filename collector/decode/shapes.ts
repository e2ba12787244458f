// SPDX-License-Identifier: Apache-2.0
/**
 * Lines that no decoder understood, grouped by shape: what varies in a line is taken out of it.
 * Input: failed lines, as `decode` meets them. Output: shapes with a count and one sample each, for `vigil status`.
 */

export interface FailedShape {
  /** Dataset of the source. */
  readonly dataset: string;
  /** The line with `<n>`, `<hex>`, `<ip>`, `<text>`, `<path>`, `<time>` in place of what varies. At most 200 characters. */
  readonly pattern: string;
  /** Lines since the thread began; of a shape that was pushed out by others and came again, since then. */
  readonly count: number;
  /** The first such line, at most 500 characters. */
  readonly sample: string;
}

const SHAPES_KEPT = 200;
const READ = 512;
const PATTERN_KEPT = 200;
const SAMPLE_KEPT = 500;

/** In this order: what stands inside another is taken with it. */
const VARIES: readonly (readonly [RegExp, string])[] = [
  [/"[^"]{0,256}"|'[^']{0,256}'|`[^`']{0,256}['`]/g, '<text>'],
  [/\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d{1,9})?(?:Z|[+-]\d\d:?\d\d)?/g, '<time>'],
  [/\b\d{1,3}(?:\.\d{1,3}){3}(?::\d{1,5})?\b/g, '<ip>'],
  [/\b\d\d:\d\d:\d\d(?:[.,]\d{1,9})?\b/g, '<time>'],
  [/(?<![\w:])(?:[0-9a-f]{0,4}:){2,7}[0-9a-f]{0,4}(?![\w:])/gi, '<ip>'],
  [/\b(?:https?|ftp):\/\/\S{1,256}/gi, '<url>'],
  [/(?<![\w/])\/[\w.@+-]{1,64}(?:\/[\w.@+-]{0,64}){1,16}/g, '<path>'],
  [/\b0x[0-9a-f]{1,32}\b|\b(?=[0-9a-f]{0,31}\d)[0-9a-f]{8,64}\b/gi, '<hex>'],
  [/\d+(?:[.,]\d+)*/g, '<n>'],
  [/ {2,}/g, ' '],
];

/** The shape of a line. Looks at its first 512 characters; linear in them. */
export const shapeOf = (text: string): string => {
  let shape = text.length > READ ? text.slice(0, READ) : text;
  for (const [pattern, name] of VARIES) shape = shape.replace(pattern, name);
  return shape.length > PATTERN_KEPT ? shape.slice(0, PATTERN_KEPT).toWellFormed() : shape;
};

interface Kept {
  readonly dataset: string;
  readonly pattern: string;
  readonly sample: string;
  count: number;
}

const kept = new Map<string, Kept>();
let changed = false;

/** The shape seen least often, the oldest of them. */
const leastKey = (): string => {
  let least = '';
  let count = Number.POSITIVE_INFINITY;
  for (const [key, one] of kept) {
    if (one.count < count) {
      least = key;
      count = one.count;
      if (count === 1) break;
    }
  }
  return least;
};

/** Counts a failed line. */
export const noteFailed = (dataset: string, text: string): void => {
  changed = true;
  const pattern = shapeOf(text);
  const key = `${dataset}\0${pattern}`;
  const known = kept.get(key);
  if (known !== undefined) {
    known.count += 1;
    return;
  }
  // A flood of ever new shapes pushes out others of its kind: those seen once.
  if (kept.size >= SHAPES_KEPT) kept.delete(leastKey());
  kept.set(key, { dataset, pattern, sample: text.slice(0, SAMPLE_KEPT).toWellFormed(), count: 1 });
};

/** All shapes of this thread, the most frequent first. */
export const failedShapes = (): readonly FailedShape[] => [...kept.values()].map((one) => ({ ...one })).sort((a, b) => b.count - a.count);

/** The same, or null where no line failed since the last call. */
export const takeFailedShapes = (): readonly FailedShape[] | null => {
  if (!changed) return null;
  changed = false;
  return failedShapes();
};
