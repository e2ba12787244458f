// SPDX-License-Identifier: Apache-2.0
/**
 * `vigil decode`: raw lines to ECS events without a collector; the same function as the river's.
 * Input: a file or stdin, a dataset, a zone. Output: exactly one JSON line for each line of input.
 */
import { stat } from 'node:fs/promises';
import { systemClock } from '../../core/clock.ts';
import { isCoded } from '../../core/errors.ts';
import type { AgentId, AssetId } from '../../core/ids.ts';
import { LINE_LIMIT_BYTES, RECORD_FLAGS } from '../../core/record.ts';
import { type UnixMs, unixMs } from '../../core/units.ts';
import { type Joined, makeJoin } from '../decode/auditd/join.ts';
import { declarations, isDataset } from '../decode/decode.ts';
import { isZone } from '../decode/zone.ts';
import { fault } from '../errors.ts';
import { readBytes, unreadable } from '../ingest/lines.ts';
import { type DecodeOutcome, type Event, eventToJson, type Provenance, type RecordIn } from '../model/event.ts';
import type { Terminal } from './terminal.ts';

export interface DecodeLinesOptions {
  /** `auto` picks by content. */
  readonly dataset: string;
  /** IANA zone of stamps without one; UTC by default. */
  readonly zone?: string;
  readonly year?: number;
  /** When the lines were read: decides the year of year-less stamps. Now by default. */
  readonly readAt?: UnixMs;
}

export interface DecodedLine {
  /** Counted from 1; of a joined event its first. */
  readonly line: number;
  /** All lines of the event, for datasets that join lines. */
  readonly lines?: readonly number[];
  readonly outcome: DecodeOutcome;
  readonly event: Event;
}

/** Nobody enrolled these lines: the fields that say who spoke are left out of what is printed. */
const NOBODY: Provenance = {
  collector: 'local',
  incarnation: '',
  offset: 0,
  generation: 1,
  agent: 'agt_local_decode_command' as AgentId,
  host: { id: 'ast_local_decode_command' as AssetId, name: 'local' },
  stream: 'decode',
  epoch: '',
  ingested: unixMs(0),
  replay: false,
};

const HIDDEN =
  /^(?:vigil\.dataset$|host\.|agent\.|event\.(?:id|created|ingested)$|vigil\.(?:agent|stream|epoch|seq|seq_last|journal|flags)(?:\.|$))/;

/** The decoded lines in the order they came, one for each, or one for each event that is joined of several. The zone must be known (`isZone`). */
export async function* decodeLines(lines: AsyncIterable<Uint8Array>, options: DecodeLinesOptions): AsyncGenerator<DecodedLine> {
  const readAt = options.readAt ?? systemClock.now();
  const from: Provenance = { ...NOBODY, ingested: readAt };
  const { dataset, zone = 'UTC', year } = options;
  const join = makeJoin();
  let seq = 0;
  for await (const bytes of lines) {
    seq += 1;
    const cut = bytes.length > LINE_LIMIT_BYTES;
    const record: RecordIn = {
      bytes: cut ? bytes.subarray(0, LINE_LIMIT_BYTES) : bytes,
      seq,
      flags: cut ? RECORD_FLAGS.cut : 0,
      readAt,
      dataset,
      zone,
      ...(year === undefined ? {} : { year }),
      from,
    };
    for (const joined of join.push(record)) yield lineOf(joined);
  }
  for (const joined of join.flush()) yield lineOf(joined);
}

const lineOf = ({ seqs, outcome, event }: Joined): DecodedLine => ({
  line: seqs[0] ?? 0,
  ...(seqs.length > 1 || event['event.dataset'] === 'auditd' ? { lines: seqs } : {}),
  outcome,
  event,
});

/** Lines of a byte stream without their endings; `\r` stays where it may be a byte of a field. A line keeps at most the line limit and one byte, which tells that it was cut. */
export async function* splitLines(stream: AsyncIterable<Uint8Array | string>, keepReturns = false): AsyncGenerator<Uint8Array> {
  let parts: Uint8Array[] = [];
  let held = 0;
  const join = (last: Uint8Array): Uint8Array => {
    const whole = parts.length === 0 ? last : Buffer.concat([...parts, last]);
    parts = [];
    held = 0;
    return !keepReturns && whole.at(-1) === 13 ? whole.subarray(0, -1) : whole;
  };
  for await (const piece of stream) {
    const chunk = typeof piece === 'string' ? Buffer.from(piece) : piece;
    let start = 0;
    for (let end = chunk.indexOf(10); end >= 0; end = chunk.indexOf(10, start)) {
      yield join(chunk.subarray(start, Math.min(end, start + LINE_LIMIT_BYTES + 1 - held)));
      start = end + 1;
    }
    const rest = chunk.subarray(start, Math.min(chunk.length, start + Math.max(0, LINE_LIMIT_BYTES + 1 - held)));
    if (rest.length > 0) {
      parts.push(rest);
      held += rest.length;
    }
  }
  if (held > 0) yield join(new Uint8Array(0));
}

export interface DecodeArgs {
  readonly dataset: string;
  readonly tz?: string;
  readonly year?: number;
  /** A file, plain or gzip, or `-` for stdin. */
  readonly file: string;
  readonly list?: boolean;
}

export type DecodeIo = Pick<Terminal, 'stdin' | 'out'>;

const FLUSH = 65_536;

/** @throws CodedError USAGE for an unknown dataset or zone, FILE_UNREADABLE. */
export const decodeCommand = async (args: DecodeArgs, io: DecodeIo): Promise<void> => {
  if (args.list) {
    for (const { dataset, title } of declarations()) io.out(`${dataset}\t${title}\n`);
    return;
  }
  checkLines(args.dataset, args.tz);
  const readAt = args.file === '-' ? systemClock.now() : await fileTime(args.file);
  let pending = '';
  try {
    const stream = args.file === '-' ? (io.stdin as AsyncIterable<Uint8Array>) : readBytes(args.file);
    const options = {
      dataset: args.dataset,
      readAt,
      ...(args.tz === undefined ? {} : { zone: args.tz }),
      ...(args.year === undefined ? {} : { year: args.year }),
    };
    for await (const { event, ...rest } of decodeLines(splitLines(stream, args.dataset === 'journald'), options)) {
      pending += `${JSON.stringify({ ...rest, event: said(event) })}\n`;
      if (pending.length > FLUSH) {
        io.out(pending);
        pending = '';
      }
    }
  } catch (thrown) {
    throw isCoded(thrown) ? thrown : unreadable(args.file, thrown);
  } finally {
    if (pending !== '') io.out(pending);
  }
};

/** What lines are said to be. @throws CodedError USAGE for an unknown dataset or zone. */
export const checkLines = (dataset: string, zone: string | undefined): void => {
  if (!isDataset(dataset)) throw fault('USAGE', { reason: `There is no dataset ${dataset}; \`vigil decode --list\` prints them` });
  if (zone !== undefined && !isZone(zone)) throw fault('USAGE', { reason: `${zone} is no time zone of the IANA database` });
};

/** A file's own time stands for when its lines were read. */
export const fileTime = async (file: string): Promise<UnixMs> => {
  try {
    return unixMs((await stat(file)).mtimeMs);
  } catch (thrown) {
    throw unreadable(file, thrown);
  }
};

/** The event as JSON without what only a collector knows: the fields that say who spoke. */
export const said = (event: Event): Record<string, unknown> => {
  const json = eventToJson(event);
  for (const name in json) if (HIDDEN.test(name)) delete json[name];
  return json;
};
