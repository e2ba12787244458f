// SPDX-License-Identifier: Apache-2.0
/**
 * The end of a scan: whether what is known of a kind is all that stands, and what a full restatement did not name. Pure.
 * Input: the scan's fact, the items of its kind. Output: the kind's table; items that are gone.
 */
import { FACT_KINDS, type FactKind, factChecksum } from '../../core/fact.ts';
import type { UnixMs } from '../../core/units.ts';
import type { FactAt, FactTable, HostFact } from '../model/fact.ts';
import { observedAt } from './answer.ts';

export interface Scan {
  readonly of: FactKind;
  readonly at: UnixMs;
  /** Everything that stands was said again since then; undefined where only changes were said. */
  readonly restatedSince?: UnixMs;
  readonly count: number;
  readonly checksum: string;
}

export const scanOf = (one: FactAt): Scan | null => {
  const { of, full, count, checksum, took_ms: took } = one.fact.fields;
  if (typeof of !== 'string' || !Object.hasOwn(FACT_KINDS, of) || of === 'scan') return null;
  if (typeof count !== 'number' || typeof checksum !== 'string') return null;
  const at = observedAt(one);
  const since = at - (typeof took === 'number' && took > 0 ? took : 0);
  return { of: of as FactKind, at, count, checksum, ...(full === true ? { restatedSince: since as UnixMs } : {}) };
};

const standing = (items: readonly HostFact[]): readonly HostFact[] => items.filter(({ removed }) => removed === undefined);
const checksumOf = (items: readonly HostFact[]): string => factChecksum(items.map(({ item, fields }) => [item, fields] as const));

export interface ScanResult {
  readonly table: FactTable;
  /** Gone: a full restatement did not name them. */
  readonly gone: readonly HostFact[];
}

/** Nothing is taken away while the checksums agree. */
export const closeScan = (one: FactAt, scan: Scan, items: readonly HostFact[]): ScanResult => {
  const now = standing(items);
  const table = { host: one.host, kind: scan.of, scanned: scan.at, count: scan.count };
  if (checksumOf(now) === scan.checksum) return { table: { ...table, doubtful: false }, gone: [] };
  const { restatedSince } = scan;
  if (restatedSince === undefined) return { table: { ...table, doubtful: true }, gone: [] };
  const gone = now.filter(({ observed }) => observed < restatedSince);
  const rest = now.filter(({ observed }) => observed >= restatedSince);
  return {
    table: { ...table, doubtful: checksumOf(rest) !== scan.checksum },
    gone: gone.map((item) => ({ ...item, removed: scan.at, event: one.event })),
  };
};
