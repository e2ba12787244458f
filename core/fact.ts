// SPDX-License-Identifier: Apache-2.0
/**
 * The fact: one item of a host as found at one time, a file, a package, an account, a listener, the answer of a check.
 * Input: fim, inventory and posture make facts, one JSON text a record, in blocks of kind `facts`. Output: decode makes events of them, the facts sink the latest state.
 */
import { createHash, hash } from 'node:crypto';
import { LAST_TIME_MS, type UnixMs, unixMs } from './units.ts';

export const FACT_VERSION = 1;

/** Dataset and stream of each source of facts. */
export const FACT_DATASETS = ['fim', 'inventory', 'posture'] as const;
export type FactDataset = (typeof FACT_DATASETS)[number];

/**
 * Every kind of item: its dataset, how `item` names it on its host, and the fields it may have.
 * Times end in `_at` and are milliseconds since 1970; sizes are bytes; modes are four octal digits. A field that is not known is absent.
 */
export const FACT_KINDS = {
  os: { dataset: 'inventory', item: '`os`', fields: 'name id version codename kernel arch hostname machine_id boot_at virtual' },
  hardware: { dataset: 'inventory', item: '`hardware`', fields: 'model cores memory swap' },
  package: {
    dataset: 'inventory',
    item: 'manager:name:arch',
    fields: 'manager name version arch source source_version state installed_at vendor origin',
  },
  user: {
    dataset: 'inventory',
    item: 'name',
    fields: 'name uid gid home shell comment password password_changed_at expires_at last_login_at last_login_from admin groups',
  },
  group: { dataset: 'inventory', item: 'name', fields: 'name gid members' },
  'sudo-rule': { dataset: 'inventory', item: 'file:hash of the rule', fields: 'file who runas commands nopasswd' },
  'ssh-key': { dataset: 'inventory', item: 'user:fingerprint', fields: 'user path type bits fingerprint comment options' },
  service: { dataset: 'inventory', item: 'unit', fields: 'name start active exec path user' },
  timer: { dataset: 'inventory', item: 'unit, or path#print of the entry', fields: 'name form schedule command user path' },
  listener: { dataset: 'inventory', item: 'transport/address:port', fields: 'transport address port pid process executable user package' },
  disk: { dataset: 'inventory', item: 'name', fields: 'name size model encrypted removable' },
  mount: { dataset: 'inventory', item: 'target', fields: 'source target type options size used encrypted' },
  interface: { dataset: 'inventory', item: 'name', fields: 'name mac addresses up' },
  certificate: {
    dataset: 'inventory',
    item: 'path#fingerprint',
    fields: 'path subject issuer names not_before_at not_after_at key signature fingerprint self_signed authority',
  },
  module: { dataset: 'inventory', item: 'name', fields: 'name size used_by' },
  file: {
    dataset: 'fim',
    item: 'path',
    fields: 'path type size mode uid gid owner group inode device mtime_at ctime_at links sha256 target reason',
  },
  /** Files that one package transaction changed: one benign event. */
  upgrade: { dataset: 'fim', item: 'package and version', fields: 'manager packages from to files sample' },
  observation: {
    dataset: 'posture',
    item: 'check, or check#subject',
    fields: 'check subject title result actual expected severity fix reason policy fresh_ms waiver_reason waiver_owner waiver_until_at',
  },
  /** Closes one scan of one kind: how many items stand now, and the checksum over them. It stands on the stream of that kind: of `file` on `fim`. */
  scan: { dataset: 'inventory', item: 'kind that was scanned', fields: 'of full count checksum took_ms errors' },
} as const satisfies Readonly<Record<string, { readonly dataset: FactDataset; readonly item: string; readonly fields: string }>>;
export type FactKind = keyof typeof FACT_KINDS;

/**
 * `baseline`: at first sight, alarms nobody. `seen`: still so, said again in a full restatement or because answers grow stale.
 * `removed` carries the last known fields.
 */
export const FACT_CHANGES = ['baseline', 'added', 'changed', 'removed', 'seen'] as const;
export type FactChange = (typeof FACT_CHANGES)[number];

export type FactValue = string | number | boolean | readonly string[];
export type FactFields = Readonly<Record<string, FactValue>>;

export interface Fact {
  readonly kind: FactKind;
  /** Names the item among its kind on its host, at most 1,024 characters. */
  readonly item: string;
  readonly change: FactChange;
  /** When it was observed. */
  readonly at: UnixMs;
  readonly fields: FactFields;
  /** Values before, of the fields that changed; a field that is new is absent here. */
  readonly was?: FactFields;
}

/** Longest text of one fact, in bytes; what is longer is no fact. */
export const FACT_LIMIT_BYTES = 65_536;
const ITEM_LIMIT = 1_024;
const LIST_LIMIT = 512;

/** The fact as the text of one record; keys in a fixed order. */
export const factText = ({ kind, item, change, at, fields, was }: Fact): string =>
  JSON.stringify({ v: FACT_VERSION, kind, item, change, at, fields, ...(was === undefined ? {} : { was }) });

const isValue = (value: unknown): value is FactValue =>
  typeof value === 'string' ||
  (typeof value === 'number' && Number.isFinite(value)) ||
  typeof value === 'boolean' ||
  (Array.isArray(value) && value.length <= LIST_LIMIT && value.every((one) => typeof one === 'string'));

/** Only fields of the kind are taken: a later version's more are passed over. */
const readFields = (kind: FactKind, value: unknown): FactFields | null => {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return null;
  const known = FIELD_NAMES[kind];
  const fields: Record<string, FactValue> = Object.create(null) as Record<string, FactValue>;
  for (const [name, one] of Object.entries(value)) {
    if (!known.has(name)) continue;
    if (!isValue(one)) return null;
    fields[name] = one;
  }
  return fields;
};

const FIELD_NAMES = Object.fromEntries(
  Object.entries(FACT_KINDS).map(([kind, { fields }]) => [kind, new Set(fields.split(' '))]),
) as unknown as Readonly<Record<FactKind, ReadonlySet<string>>>;

/** The fact of one record's text; null where it is none. Never throws. */
export const parseFact = (text: string): Fact | null => {
  if (text.length > FACT_LIMIT_BYTES) return null;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return null;
  }
  if (typeof value !== 'object' || value === null) return null;
  const { v, kind, item, change, at, fields, was } = value as Record<string, unknown>;
  if (v !== FACT_VERSION || typeof kind !== 'string' || !Object.hasOwn(FACT_KINDS, kind)) return null;
  if (typeof item !== 'string' || item === '' || item.length > ITEM_LIMIT) return null;
  if (!(FACT_CHANGES as readonly unknown[]).includes(change)) return null;
  if (typeof at !== 'number' || !(at >= 0 && at <= LAST_TIME_MS)) return null;
  const known = kind as FactKind;
  const now = readFields(known, fields);
  const before = was === undefined ? undefined : readFields(known, was);
  if (now === null || before === null) return null;
  return { kind: known, item, change: change as FactChange, at: unixMs(at), fields: now, ...(before === undefined ? {} : { was: before }) };
};

/** One item's share of the checksum: SHA-256 over its name and its fields in the order of their names, as JSON: `["item",[["name",value],…]]`. */
export const factPrint = (item: string, fields: FactFields): string => {
  let text = `[${JSON.stringify(item)},[`;
  for (const { name, begin } of orderOf(Object.keys(fields))) text += `${begin}${valueText(fields[name] as FactValue)}]`;
  return hash('sha256', `${text}]]`, 'hex');
};

const valueText = (value: FactValue): string => (typeof value === 'number' ? String(value) : JSON.stringify(value));

interface NameOrder {
  readonly names: readonly string[];
  readonly sorted: readonly { readonly name: string; readonly begin: string }[];
}

// One item follows another of its kind: the order of the last one serves most.
let last: NameOrder = { names: [], sorted: [] };
const orderOf = (names: readonly string[]): NameOrder['sorted'] => {
  if (names.length !== last.names.length || names.some((name, i) => name !== last.names[i]))
    last = { names, sorted: [...names].sort().map((name, i) => ({ name, begin: `${i === 0 ? '' : ','}[${JSON.stringify(name)},` })) };
  return last.sorted;
};

/** Checksum over all items of a kind, in any order: both sides take it, and where they differ the next full restatement mends it. */
export const factChecksum = (items: Iterable<readonly [item: string, fields: FactFields]>): string =>
  printsChecksum([...items].map(([item, fields]) => factPrint(item, fields)).sort());

/** The same from prints that were kept, in their order. */
export const printsChecksum = (sorted: readonly string[]): string => {
  const running = createHash('sha256');
  for (let from = 0; from < sorted.length; from += PRINTS_AT_ONCE)
    running.update((from === 0 ? '' : '\n') + sorted.slice(from, from + PRINTS_AT_ONCE).join('\n'));
  return running.digest('hex').slice(0, 32);
};

const PRINTS_AT_ONCE = 1_000;
