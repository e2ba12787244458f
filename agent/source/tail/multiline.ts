// SPDX-License-Identifier: Apache-2.0
/**
 * Joins lines that belong together (stack traces, wrapped statements) into one record, bytes as they stand in the file.
 * Input: rules of the configuration, records of `lines.ts`. Output: fewer records, flagged, and the group that is still open.
 */
import { RECORD_FLAGS, type SourceRecord } from '../../../core/record.ts';
import { fault } from '../../errors.ts';
import { globPattern } from './glob.ts';
import { PART_BYTES } from './lines.ts';

export interface MultilineRule {
  readonly paths: RegExp;
  /** Lines that match continue the record before; with `negate` the lines that do not match. */
  readonly pattern: RegExp;
  readonly negate: boolean;
  readonly maxLines: number;
  /** An open group is closed when nothing came for so long, ms. */
  readonly timeoutMs: number;
}

/** Only the beginning of a line is tested, so that neither a long line nor a slow pattern holds the reader up. */
const TESTED_BYTES = 256;

// A quantifier on a group that holds one: takes time in proportion to a power of the length.
const NESTED = /\([^()]*[+*}][^()]*\)\s*[+*{]/;

/**
 * Reads a rule as it is written in the configuration: `GLOB pattern=REGEX [negate=true] [lines=500] [timeout=5s]`.
 * @throws CodedError AGENT_BAD_RULE.
 */
export const parseMultiline = (text: string): MultilineRule => {
  const bad = (reason: string): Error => fault('AGENT_BAD_RULE', { rule: text, reason });
  const match = /^(\S+)\s+pattern=(.+?)((?:\s+(?:negate|lines|timeout)=\S+)*)$/.exec(text.trim());
  if (!match) throw bad('it is not written `GLOB pattern=REGEX [negate=true] [lines=500] [timeout=5s]`');
  const options = new Map(
    (match[3] ?? '')
      .trim()
      .split(/\s+/)
      .filter(Boolean)
      .map((pair) => pair.split('=', 2) as [string, string]),
  );
  const lines = Number(options.get('lines') ?? 500);
  if (!Number.isInteger(lines) || lines < 2 || lines > 10_000) throw bad('lines is a whole number from 2 to 10000');
  const timeout = /^(\d+)(ms|s)$/.exec(options.get('timeout') ?? '5s');
  if (!timeout) throw bad('timeout is a time such as 5s or 500ms');
  const negate = options.get('negate') ?? 'false';
  if (negate !== 'true' && negate !== 'false') throw bad('negate is true or false');
  if (NESTED.test(match[2]!)) throw bad('its pattern repeats a group that repeats inside, which can take for ever');
  let pattern: RegExp;
  try {
    pattern = new RegExp(match[2]!, 'u');
  } catch (error) {
    throw bad(error instanceof Error ? error.message : 'its pattern is no regular expression');
  }
  return {
    paths: globPattern(match[1]!),
    pattern,
    negate: negate === 'true',
    maxLines: lines,
    timeoutMs: Number(timeout[1]) * (timeout[2] === 's' ? 1000 : 1),
  };
};

export interface Joined {
  readonly records: readonly SourceRecord[];
  /** End offset behind the last record given; the open group begins there. */
  readonly end: number;
  /** True when a group was left open. */
  readonly open: boolean;
}

/**
 * Joins records that are views into `bytes`, whose first byte stands at `offset` in the file.
 * The last group stays open, as its next line may still come, unless `final`.
 */
export const joinLines = (rule: MultilineRule, bytes: Buffer, offset: number, lines: readonly SourceRecord[], final: boolean): Joined => {
  const records: SourceRecord[] = [];
  let group: SourceRecord[] = [];
  let begin = offset;
  let end = offset;
  const close = (): void => {
    const last = group.at(-1);
    if (!last) return;
    const first = group[0]!;
    if (group.length === 1) records.push(last);
    else {
      // From the first line's first byte to the last line's last: what lies between, line ends included, is part of the record.
      const tail = last.bytes.byteOffset - bytes.byteOffset + last.bytes.length;
      records.push({
        bytes: bytes.subarray(begin - offset, tail),
        readAt: first.readAt,
        end: last.end,
        flags: first.flags | last.flags | RECORD_FLAGS.multiline,
      });
    }
    begin = last.end;
    end = last.end;
    group = [];
  };
  for (const line of lines) {
    const whole = (line.flags & (RECORD_FLAGS.cut | RECORD_FLAGS.continued)) === 0;
    const text = Buffer.from(line.bytes.buffer, line.bytes.byteOffset, Math.min(line.bytes.length, TESTED_BYTES)).toString('latin1');
    const continues = whole && rule.pattern.test(text) !== rule.negate;
    if (!continues || group.length >= rule.maxLines || line.end - begin > PART_BYTES) close();
    group.push(line);
    if (!whole) close();
  }
  if (final) close();
  return { records, end, open: group.length > 0 };
};
