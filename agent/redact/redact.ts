// SPDX-License-Identifier: Apache-2.0
/**
 * Redaction before sealing (A3): what a rule takes for a secret never reaches the spool. Lines without a trigger cost one look over the batch.
 * Input: batches of the sources. Output: the same batches with markers, flagged; what was taken out by stream and rule.
 */
import { RECORD_FLAGS, type SourceRecord } from '../../core/record.ts';
import type { Batch } from '../source/source.ts';
import { AUDIT_HINT, type AuditMemory, auditSecrets } from './auditd.ts';
import { growthOf, replaced, type Secret, secretsIn, united } from './line.ts';
import { anyOf, listFor, type RedactRule, type RuleList } from './rules.ts';

export interface Redactor {
  /** The batch itself where nothing was found. */
  apply(batch: Batch): Batch;
  /** One text of a source that takes secrets out itself; the same text counts once. */
  clean(stream: string, dataset: string, text: string): string;
  /** `redacted`: records; `redacted.<rule>`: secrets. Since the start; empty where there were none. */
  counts(stream: string): Readonly<Record<string, number>>;
}

/** What a stream's last lines leave open for its next ones. */
interface Memory {
  audit: AuditMemory | undefined;
  /** Lines in which the rest of a private key may still come. */
  keyLines: number;
}

interface Ready {
  readonly list: RuleList;
  /** Finds the lines worth a look among many. */
  readonly trigger: RegExp;
}

/** Bytes that markers may add to a batch; beyond that one marker stands for all secrets of a line. A block holds 4 MiB, a batch at most 1. */
const GROWTH_BYTES = 524_288;
/** Bytes between records, at most, that are looked at with them. */
const GAP_BYTES = 64;
const KEY_LINES = 128;
const CLEANED = 4_096;
const KEY_OPEN = /-----BEGIN [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----/;
const KEY_TEXT = /(?:^|[\s"'])([A-Za-z0-9+/=]+)\s*$/;

export const openRedactor = (rules: readonly RedactRule[]): Redactor => {
  const byDataset = new Map<string, Ready>();
  const memories = new Map<string, Memory>();
  const counts = new Map<string, Record<string, number>>();
  /** Texts without their secrets that were counted: a scan meets them again each hour. */
  const cleanedOnce = new Set<string>();

  const readyFor = (dataset: string): Ready => {
    let ready = byDataset.get(dataset);
    if (!ready) {
      const list = listFor(rules, dataset);
      byDataset.set(dataset, (ready = { list, trigger: anyOf([...list.rules.map(({ hint }) => hint), AUDIT_HINT]) }));
    }
    return ready;
  };
  const note = (stream: string, secrets: readonly Secret[]): void => {
    let own = counts.get(stream);
    if (!own) counts.set(stream, (own = {}));
    own['redacted'] = (own['redacted'] ?? 0) + 1;
    for (const { rule } of secrets) own[`redacted.${rule}`] = (own[`redacted.${rule}`] ?? 0) + 1;
  };

  return {
    apply: (batch) => {
      const { list, trigger } = readyFor(batch.dataset);
      const memory = memories.get(batch.stream) ?? { audit: undefined, keyLines: 0 };
      const changed = new Map<number, SourceRecord>();
      let room = GROWTH_BYTES;
      const look = (index: number, text: string): void => {
        let secrets = secretsOf(text, list, memory);
        if (secrets.length === 0) return;
        note(batch.stream, secrets);
        const growth = growthOf(secrets);
        if (growth > room && secrets.length > 1) secrets = [{ rule: secrets[0]!.rule, from: secrets[0]!.from, to: secrets.at(-1)!.to }];
        room -= Math.min(growth, room);
        const record = batch.records[index]!;
        changed.set(index, { ...record, bytes: replaced(record.bytes, secrets), flags: record.flags | RECORD_FLAGS.redacted });
      };
      for (const region of regionsOf(batch.records)) scan(batch.records, region, trigger, memory, look);
      if (memory.audit !== undefined || memory.keyLines > 0) memories.set(batch.stream, memory);
      else memories.delete(batch.stream);
      return changed.size === 0 ? batch : { ...batch, records: batch.records.map((record, i) => changed.get(i) ?? record) };
    },
    clean: (stream, dataset, text) => {
      const bytes = Buffer.from(text);
      const secrets = secretsIn(bytes.toString('latin1'), readyFor(dataset).list.rules);
      if (secrets.length === 0) return text;
      const cleaned = Buffer.from(replaced(bytes, secrets)).toString('utf8');
      if (!cleanedOnce.has(`${stream} ${cleaned}`)) {
        if (cleanedOnce.size < CLEANED) cleanedOnce.add(`${stream} ${cleaned}`);
        note(stream, secrets);
      }
      return cleaned;
    },
    counts: (stream) => counts.get(stream) ?? {},
  };
};

/** Neighbours in one buffer, `last` inclusive. */
interface Region {
  readonly first: number;
  readonly last: number;
}

function* regionsOf(records: readonly SourceRecord[]): Iterable<Region> {
  for (let first = 0; first < records.length; ) {
    let last = first;
    for (let next = records[last + 1]; next; next = records[last + 1]) {
      const { buffer, byteOffset, length } = records[last]!.bytes;
      const gap = next.bytes.byteOffset - byteOffset - length;
      if (next.bytes.buffer !== buffer || gap < 0 || gap > GAP_BYTES) break;
      last++;
    }
    yield { first, last };
    first = last + 1;
  }
}

/** Looks at the lines in which the trigger stands, and at those that an open private key may reach. */
const scan = (
  records: readonly SourceRecord[],
  { first, last }: Region,
  trigger: RegExp,
  memory: Memory,
  look: (index: number, text: string) => void,
): void => {
  const { buffer, byteOffset: start } = records[first]!.bytes;
  const end = records[last]!.bytes.byteOffset + records[last]!.bytes.length;
  const text = Buffer.from(buffer, start, end - start).toString('latin1');
  const from = (i: number): number => records[i]!.bytes.byteOffset - start;
  const to = (i: number): number => from(i) + records[i]!.bytes.length;
  trigger.lastIndex = 0;
  for (let i = first; i <= last; i++) {
    if (memory.keyLines === 0) {
      const match = trigger.exec(text);
      if (!match) return;
      while (i < last && to(i) <= match.index) i++;
    }
    look(i, text.slice(from(i), to(i)));
    trigger.lastIndex = to(i);
  }
};

const secretsOf = (text: string, list: RuleList, memory: Memory): readonly Secret[] => {
  const audit = auditSecrets(text, list, memory.audit);
  if (audit) memory.audit = audit.memory;
  const own = audit?.whole
    ? audit.secrets
    : audit
      ? united([...audit.secrets, ...secretsIn(text, list.rules)])
      : secretsIn(text, list.rules);
  const key = keyLine(text, memory);
  return key ? united([...own, key]) : own;
};

/** Lines of a private key that came one by one, each perhaps behind the head of a log line. */
const keyLine = (text: string, memory: Memory): Secret | null => {
  const open = KEY_OPEN.exec(text);
  const isOpen = memory.keyLines > 0;
  if (text.includes('-----END ')) memory.keyLines = 0;
  else if (open) memory.keyLines = KEY_LINES;
  else if (isOpen) memory.keyLines--;
  if (!isOpen || open) return null;
  const match = KEY_TEXT.exec(text.length > 1024 ? '' : text);
  const body = match?.[1] ?? '';
  // A short last line is taken only where nothing else stands: other programs' lines end in words.
  if (!match || (body.length < 32 && body.length !== text.trimEnd().length)) return null;
  const end = match.index + match[0].trimEnd().length;
  return { rule: 'private-key', from: end - body.length, to: end };
};
