// SPDX-License-Identifier: Apache-2.0
/**
 * Finds secrets in a line and puts markers in their place; every other byte stays as it is.
 * Input: a line as characters 0 to 255, one a byte, and rules. Output: cuts, and the new bytes. Pure.
 */
import type { RedactRule } from './rules.ts';

/** A secret in a line: offsets in bytes, `to` exclusive. */
export interface Secret {
  readonly rule: string;
  readonly from: number;
  readonly to: number;
  /** It stands there in hexadecimal digits, two for a byte, and so does its marker. */
  readonly hex?: true;
}

/** Patterns look at so much of a line at once; longer lines are looked at in parts that overlap. */
const WINDOW = 65_536;
const OVERLAP = 4_096;

/** Every secret of the text, oldest place first, none overlapping: where two rules meet, the first names their union. */
export const secretsIn = (text: string, rules: readonly RedactRule[]): readonly Secret[] => {
  const found: Secret[] = [];
  for (let at = 0; ; at += WINDOW - OVERLAP) {
    const part = at === 0 && text.length <= WINDOW ? text : text.slice(at, at + WINDOW);
    for (const rule of rules) searchPart(part, at, rule, found);
    if (at + WINDOW >= text.length) break;
  }
  return found.length === 0 ? found : united(found.map((one) => trimmed(text, one)));
};

const searchPart = (part: string, at: number, rule: RedactRule, found: Secret[]): void => {
  const { name, pattern, tailBytes, minBytes } = rule;
  pattern.lastIndex = 0;
  for (let match = next(part, rule); match; match = next(part, rule)) {
    const whole = match[0];
    if (whole === '') pattern.lastIndex++;
    const group = match.find((value, i) => i > 0 && value !== undefined);
    const end = whole.length - tailBytes;
    // A group that does not end the match says nothing of where it stands: then all of it goes.
    const inside = group !== undefined && whole.endsWith(group, end);
    const from = at + match.index + (inside ? end - group.length : 0);
    const to = at + match.index + (inside ? end : whole.length);
    if (to - from >= minBytes && to > from) found.push({ rule: name, from, to });
  }
};

const next = (part: string, { pattern, after }: RedactRule): RegExpExecArray | null => {
  if (after) {
    after.lastIndex = pattern.lastIndex;
    if (!after.exec(part)) return null;
    pattern.lastIndex = after.lastIndex - 1;
  }
  return pattern.exec(part);
};

// What belongs to the line around: the bracket that closes cron's CMD ( … ), the backslash of an escaped quote.
const trimmed = (text: string, { rule, from, to }: Secret): Secret => {
  let end = to;
  if (text[end] === '"') while (end - 1 > from && text[end - 1] === '\\') end--;
  if (end === text.length && end - 1 > from && text[end - 1] === ')' && /CMD \(/.test(text.slice(0, 1024))) end--;
  return { rule, from, to: end };
};

/** Sorted, overlapping ones made one. Neighbours stay apart. */
export const united = (secrets: readonly Secret[]): readonly Secret[] => {
  const out: Secret[] = [];
  for (const one of [...secrets].sort((a, b) => a.from - b.from)) {
    const last = out.at(-1);
    if (last && one.from < last.to) out[out.length - 1] = { ...last, to: Math.max(last.to, one.to) };
    else out.push(one);
  }
  return out;
};

/** What stands in a secret's place: the rule's name and how many bytes were there. */
export const markerOf = ({ rule, from, to, hex }: Secret): string => {
  const marker = `[${rule}:${hex ? (to - from) / 2 : to - from}]`;
  return hex ? Buffer.from(marker, 'latin1').toString('hex').toUpperCase() : marker;
};

/** Bytes that the markers take more than what they replace. */
export const growthOf = (secrets: readonly Secret[]): number =>
  secrets.reduce((sum, one) => sum + Math.max(0, markerOf(one).length - (one.to - one.from)), 0);

/** The line with markers. `secrets` are sorted and do not overlap. */
export const replaced = (bytes: Uint8Array, secrets: readonly Secret[]): Uint8Array => {
  const parts: Uint8Array[] = [];
  let at = 0;
  for (const one of secrets) {
    parts.push(bytes.subarray(at, one.from), Buffer.from(markerOf(one), 'latin1'));
    at = one.to;
  }
  parts.push(bytes.subarray(at));
  return Buffer.concat(parts);
};
