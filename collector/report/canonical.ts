// SPDX-License-Identifier: Apache-2.0
/**
 * JSON with one spelling: keys in order, no spaces, so that equal values have equal bytes and a hash means the value.
 * Input: plain JSON values. Output: text; the first place where two values differ. Pure.
 */

/** Depth of the deepest value that is written or compared. */
const DEEPEST = 64;

export const canonical = (value: unknown, depth = 0): string => {
  if (depth > DEEPEST) throw new RangeError('the value is nested too deeply');
  if (Array.isArray(value)) return `[${value.map((one) => canonical(one ?? null, depth + 1)).join(',')}]`;
  if (value !== null && typeof value === 'object')
    return `{${Object.keys(value)
      .filter((key) => (value as Record<string, unknown>)[key] !== undefined)
      .sort()
      .map((key) => `${JSON.stringify(key)}:${canonical((value as Record<string, unknown>)[key], depth + 1)}`)
      .join(',')}}`;
  return JSON.stringify(value) ?? 'null';
};

/** Path of the first place where two values differ, such as `incidents.open`; null where they are equal. */
export const firstDifference = (a: unknown, b: unknown, path = ''): string | null => {
  if (canonical(a ?? null) === canonical(b ?? null)) return null;
  const parts = (value: unknown): Readonly<Record<string, unknown>> | null =>
    value !== null && typeof value === 'object' ? (value as Record<string, unknown>) : null;
  const [left, right] = [parts(a), parts(b)];
  if (left === null || right === null || Array.isArray(a) !== Array.isArray(b)) return path;
  for (const key of [...new Set([...Object.keys(left), ...Object.keys(right)])].sort()) {
    const inner = firstDifference(left[key], right[key], path === '' ? key : `${path}.${key}`);
    if (inner !== null) return inner;
  }
  return path;
};
