// SPDX-License-Identifier: Apache-2.0
/**
 * Brings the records of one audit event together: by node, time and serial within one stream, closed by position and size (river.md J2).
 * Input: records of any dataset, in journal order. Output: events; what is still open as plain data, to be saved with a position.
 */
import type { UnixMs } from '../../../core/units.ts';
import type { Decoded, EventDraft, RecordIn } from '../../model/event.ts';
import { auditHead, decode, decodeJoined } from '../decode.ts';
import { beginsEntry, type EntryScan, isCursor, makeEntryScan } from '../host/entry.ts';
import { makeLineage } from './lineage.ts';
import { numberOfType } from './names.ts';
import type { Head } from './parse.ts';

/** An event, and the sequences of the records it was made of, in order. */
export interface Joined extends Decoded {
  readonly seqs: readonly number[];
}

/** A record that waits for others, as plain data. */
export type SavedRecord = Omit<RecordIn, 'bytes'> & { readonly base64: string };

/** Everything that is open: what a pass saves with its position and begins with again. */
export interface JoinState {
  readonly v: 1;
  readonly open: readonly (readonly SavedRecord[])[];
}

export interface Join {
  /** Events that this record completes: itself, where it joins nothing. */
  push(record: RecordIn): readonly Joined[];
  /** The end of a block of the stream last pushed to: what is complete closes; everything, where the source has ended. */
  settle(ended?: boolean): readonly Joined[];
  /** The journal has reached a frame of that time: what was last added to five seconds earlier closes. */
  passed(at: UnixMs): readonly Joined[];
  /** Closes everything. */
  flush(): readonly Joined[];
  /** Null when nothing is open. */
  state(): JoinState | null;
}

/** Open events of one stream: more processors than these do not write into one another's records. */
const OPEN_LIMIT = 16;
const RECORDS_LIMIT = 512;
const BYTES_LIMIT = 1_048_576;
/** Records of one call are written at once: by a later event, and by the clock of the journal, they are told to be all. */
const EVENT_AGE_MS = 2_000;
const JOURNAL_AGE_MS = 5_000;

interface Open {
  readonly key: string;
  /** Of a journal entry that comes line by line: where its lines end. */
  readonly scan?: EntryScan;
  readonly time: number;
  readonly records: RecordIn[];
  bytes: number;
  /** The last record of a call was seen; only its end-of-event record may follow. */
  complete: boolean;
}

interface Stream {
  readonly open: Open[];
  /** Ingest time of the newest record held. */
  ingested: number;
}

/** Whether other records of the same serial may stand beside it. Those of trusted programs and of the daemon stand alone. */
const isCompound = (number: number): boolean => number === 1006 || (number >= 1300 && number < 2000);

const PROCTITLE = 1327;
const EOE = 1320;

/** Datasets whose lines may be audit records, or lines of journal entries. */
const MAY_HOLD: ReadonlySet<string> = new Set(['auditd', 'auto', 'syslog', 'kernel', 'journald']);
const NOTHING: readonly Joined[] = [];
const copyOf = (bytes: Uint8Array): Uint8Array => Uint8Array.prototype.slice.call(bytes);

/** So much of a line tells whether it is an audit record. */
const HEAD_BYTES = 768;

/** The head of an audit record, where decoding would find one. */
const headOf = (record: RecordIn): Head | undefined => {
  const { bytes } = record;
  const at = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, HEAD_BYTES)).indexOf('audit(');
  return at < 0 ? undefined : auditHead(record);
};

/** A join of all streams of one pass. `state`: what was open at the position where the pass begins. */
export const makeJoin = (state?: JoinState | null): Join => {
  const streams = new Map<string, Stream>();
  const lineage = makeLineage();
  let lastFrom: RecordIn['from'] | undefined;
  let lastName = '';

  const nameOf = (from: RecordIn['from']): string => {
    if (from !== lastFrom) {
      lastFrom = from;
      lastName = `${from.agent} ${from.epoch} ${from.stream}`;
    }
    return lastName;
  };
  const made = (decoded: Decoded, seqs: readonly number[]): Joined => {
    if (decoded.event['event.dataset'] === 'auditd') lineage.follow(decoded.event as EventDraft);
    return { ...decoded, seqs };
  };
  const alone = (record: RecordIn): Joined => made(decode(record), [record.seq]);
  const closed = ({ records }: Open): Joined =>
    made(
      decodeJoined(records),
      records.map(({ seq }) => seq),
    );
  /** Takes out and closes what the test names, in the order in which they were opened. */
  const close = (name: string, stream: Stream, test: (open: Open) => boolean): Joined[] => {
    const out: Joined[] = [];
    let kept = 0;
    for (const open of stream.open) {
      if (test(open)) out.push(closed(open));
      else stream.open[kept++] = open;
    }
    stream.open.length = kept;
    if (kept === 0) streams.delete(name);
    return out;
  };
  const add = (open: Open, record: RecordIn, number: number): void => {
    // The block's buffer is not held for the sake of one line.
    open.records.push({ ...record, bytes: copyOf(record.bytes) });
    open.bytes += record.bytes.length;
    if (number === PROCTITLE) open.complete = true;
  };

  /** Sets a stream anew, so that the one heard of longest ago stands first. */
  const open = (name: string, made: Open, record: RecordIn): Stream => {
    const stream = streams.get(name) ?? { open: [], ingested: 0 };
    stream.open.push(made);
    stream.ingested = record.from.ingested;
    streams.delete(name);
    streams.set(name, stream);
    return stream;
  };
  /** A line of a journal entry; null when it is none. */
  const pushEntry = (record: RecordIn): readonly Joined[] | null => {
    const name = nameOf(record.from);
    const stream = streams.get(name);
    const entry = stream?.open.find(({ scan }) => scan !== undefined);
    const out: Joined[] = [];
    if (entry?.scan !== undefined && stream !== undefined) {
      const place = entry.scan.take(record.bytes);
      if (place !== 'next') {
        add(entry, record, 0);
        stream.ingested = Math.max(stream.ingested, record.from.ingested);
        return place === 'end' || isFull(entry) ? close(name, stream, (o) => o === entry) : NOTHING;
      }
      out.push(...close(name, stream, (o) => o === entry));
    }
    const begins = record.dataset === 'journald' ? beginsEntry(record.bytes) : isCursor(record.bytes);
    // A source that reads the journal sends whole entries.
    if (!begins || record.bytes.includes(10)) return out.length > 0 ? [...out, alone(record)] : null;
    const made: Open = { key: '', scan: makeEntryScan(), time: Number.POSITIVE_INFINITY, records: [], bytes: 0, complete: false };
    add(made, record, 0);
    open(name, made, record);
    return out;
  };

  const push = (record: RecordIn, head: Head | undefined): readonly Joined[] => {
    const name = nameOf(record.from);
    const stream = streams.get(name);
    if (head === undefined) return stream === undefined ? [alone(record)] : [...close(name, stream, (o) => o.complete), alone(record)];
    const number = numberOfType(head.type);
    const found = stream?.open.findLast(({ key }) => key === head.key);
    if (found !== undefined && stream !== undefined) {
      add(found, record, number);
      stream.ingested = Math.max(stream.ingested, record.from.ingested);
      return number === EOE || isFull(found) ? close(name, stream, (o) => o === found) : NOTHING;
    }
    const out = stream === undefined ? [] : close(name, stream, (o) => o.complete || head.time - o.time >= EVENT_AGE_MS);
    if (!isCompound(number) || number === EOE) {
      out.push(alone(record));
      return out;
    }
    const made: Open = { key: head.key, time: head.time, records: [], bytes: 0, complete: false };
    add(made, record, number);
    const into = open(name, made, record);
    if (into.open.length > OPEN_LIMIT) out.push(...close(name, into, (o) => o === into.open[0]));
    return out;
  };

  const isFull = ({ records, bytes }: Open): boolean => records.length >= RECORDS_LIMIT || bytes >= BYTES_LIMIT;

  for (const saved of state?.open ?? []) {
    const records = saved.map(({ base64, ...rest }): RecordIn => ({ ...rest, bytes: Buffer.from(base64, 'base64') }));
    const [first] = records;
    if (first === undefined) continue;
    const head = headOf(first);
    const scan = head === undefined ? makeEntryScan() : undefined;
    for (const { bytes } of scan === undefined ? [] : records.slice(1)) scan?.take(bytes);
    const name = nameOf(first.from);
    const stream = streams.get(name) ?? { open: [], ingested: 0 };
    const bytes = records.reduce((sum, record) => sum + record.bytes.length, 0);
    const complete = numberOfType(headOf(records.at(-1) as RecordIn)?.type ?? '') === PROCTITLE;
    const key = head?.key ?? '';
    const time = head?.time ?? Number.POSITIVE_INFINITY;
    stream.open.push({ key, time, records, bytes, complete, ...(scan === undefined ? {} : { scan }) });
    stream.ingested = Math.max(stream.ingested, ...records.map(({ from }) => from.ingested));
    streams.set(name, stream);
  }
  return {
    push: (record) => {
      if (!MAY_HOLD.has(record.dataset)) return [alone(record)];
      const lines = record.dataset === 'journald' || record.dataset === 'auto' ? pushEntry(record) : null;
      return lines ?? push(record, headOf(record));
    },
    settle: (ended = false) => {
      const stream = streams.get(lastName);
      return stream === undefined ? NOTHING : close(lastName, stream, ({ complete }) => ended || complete);
    },
    passed: (at) => {
      if (streams.size === 0) return NOTHING;
      const out: Joined[] = [];
      for (const [name, stream] of streams) {
        if (stream.ingested + JOURNAL_AGE_MS > at) break;
        out.push(...close(name, stream, () => true));
      }
      return out;
    },
    flush: () => [...streams].flatMap(([name, stream]) => close(name, stream, () => true)),
    state: () =>
      streams.size === 0
        ? null
        : {
            v: 1,
            open: [...streams.values()].flatMap(({ open }) =>
              open.map(({ records }) => records.map(({ bytes, ...rest }) => ({ ...rest, base64: Buffer.from(bytes).toString('base64') }))),
            ),
          },
  };
};

/** Whether records of a dataset need to pass through a join at all. */
export const mayJoin = (dataset: string): boolean => MAY_HOLD.has(dataset);
