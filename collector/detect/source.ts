// SPDX-License-Identifier: Apache-2.0
/**
 * Log sources: what an event is, in Sigma's three dimensions, and which rules it is shown to (those that do not conflict).
 * Input: dataset and category of our events; Windows channel, provider and event id, or `product`/`category`/`service` of others'.
 * Output: known values by dimension; an unknown dimension keeps every rule.
 */
import type { LogSource } from '../model/rule.ts';
import type { FlatEvent } from './fields.ts';
import { windowsSource } from './windows.ts';

/** Undefined: not known. Empty: known to be none. */
export interface EventSource {
  readonly category?: readonly string[] | undefined;
  readonly product?: readonly string[] | undefined;
  readonly service?: readonly string[] | undefined;
}

/** What a decoder says of its dataset; `collector/decode` declares it. */
export interface SourceDeclaration {
  readonly dataset: string;
  readonly logsource: readonly LogSource[];
}

export const UNKNOWN_SOURCE: EventSource = {};

const linux = (...service: string[]): EventSource => ({ product: ['linux'], service, category: [] });
const web = (name: string): EventSource => ({ product: [name], service: [name], category: ['webserver'] });
const AUTH = ['sshd', 'dropbear', 'sudo', 'doas', 'pkexec', 'su', 'pam', 'login', 'logind', 'account', 'auth'];
const MAIL = ['postfix', 'dovecot', 'exim'];
const FIREWALLS = ['kernel', 'iptables', 'nftables', 'ufw', 'filterlog'];
const SYSLOG = ['cron', 'systemd', 'vsftpd', 'proftpd', 'pureftpd', 'clamav', 'guacamole'];

// What is true whatever a decoder declares: text logs of a host are its syslog, and logins are in its auth log.
const DATASETS: ReadonlyMap<string, EventSource> = new Map<string, EventSource>([
  ...AUTH.map((name) => [name, linux(name, 'auth', 'syslog')] as const),
  ...SYSLOG.map((name) => [name, linux(name, 'syslog')] as const),
  ...MAIL.map((name) => [name, { product: ['linux'], service: [name, 'syslog'], category: ['mail'] }] as const),
  ...FIREWALLS.map((name) => [name, { product: ['linux'], service: [name, 'syslog'], category: ['firewall'] }] as const),
  ...['nginx', 'apache', 'caddy', 'traefik', 'haproxy', 'aws.alb', 'iis'].map((name) => [name, web(name)] as const),
  ['modsecurity', { product: ['modsecurity'], service: ['modsecurity'], category: ['webserver', 'waf'] }],
  ['named', { product: ['linux'], service: ['named', 'syslog'], category: ['dns'] }],
  // Any program may stand in syslog, and any application in free text or JSON.
  ['syslog', { product: ['linux'], category: [] }],
  ['text', UNKNOWN_SOURCE],
  ['json', UNKNOWN_SOURCE],
  ['auditd', linux('auditd')],
  // A file event by its category, where a file was added or changed: a baseline is none.
  ['fim', linux('fim')],
  ['inventory', linux('inventory')],
  ['posture', linux('posture')],
  ['vigil', { product: ['vigil'], service: ['vigil'], category: [] }],
]);

const joined = (a: readonly string[] | undefined, b: readonly string[] | undefined): readonly string[] | undefined =>
  a === undefined ? b : b === undefined ? a : [...new Set([...a, ...b])];

/** Every value that any of the declared sources names; a dimension that none names is known to be none. */
const declared = (sources: readonly LogSource[]): EventSource => {
  const of = (key: keyof LogSource): readonly string[] => sources.flatMap((s) => (s[key] === undefined ? [] : [s[key].toLowerCase()]));
  return { category: of('category'), product: of('product'), service: of('service') };
};

/** Sources by dataset: ours joined with what decoders declare. `nginx.access` falls back on `nginx`. */
export const datasetSources = (declarations: readonly SourceDeclaration[]): ((dataset: string) => EventSource) => {
  const byDataset = new Map(declarations.map((d) => [d.dataset, declared(d.logsource)]));
  return (dataset) => {
    const own = DATASETS.get(dataset) ?? DATASETS.get(dataset.split('.')[0] as string);
    const theirs = byDataset.get(dataset);
    if (!own || !theirs || own === UNKNOWN_SOURCE) return own ?? theirs ?? UNKNOWN_SOURCE;
    // Where ours leaves a dimension open (any program may stand in syslog) it stays open.
    const open = (key: keyof EventSource) => (own[key] === undefined ? undefined : joined(own[key], theirs[key]));
    return { category: open('category'), product: open('product'), service: open('service') };
  };
};

const KINDS = ['process', 'file', 'network', 'authentication', 'web'] as const;
const CATEGORIES: Readonly<Record<(typeof KINDS)[number], string>> = {
  process: 'process_creation',
  file: 'file_event',
  network: 'network_connection',
  authentication: 'authentication',
  web: 'webserver',
};

/** ECS categories of an event as bits, so that a dataset's partitions are found without strings. */
export const kindOf = (event: FlatEvent): number => {
  const categories = event['event.category'];
  if (categories === undefined) return 0;
  let bits = 0;
  const list = Array.isArray(categories) ? categories : [categories];
  for (let i = 0; i < list.length; i++) {
    const bit = KINDS.indexOf(list[i]);
    if (bit >= 0 && isOfKind(bit, event['event.type'])) bits |= 1 << bit;
  }
  return bits;
};

// Only the start of a process is its creation, only a change makes a file event, only a connection one of the network.
const isOfKind = (bit: number, type: unknown): boolean => {
  if (bit === 0) return includes(type, 'start');
  if (bit === 1) return includes(type, 'creation') || includes(type, 'change');
  return bit !== 2 || includes(type, 'connection') || includes(type, 'start');
};

const includes = (value: unknown, member: string): boolean => value === member || (Array.isArray(value) && value.includes(member));

/** The source with the Sigma categories that an event's ECS categories mean. */
export const withKind = (source: EventSource, kind: number): EventSource => {
  if (kind === 0 || source.category === undefined) return source;
  const more = KINDS.filter((_, bit) => kind & (1 << bit)).map((name) => CATEGORIES[name]);
  return { ...source, category: joined(source.category, more) };
};

const EMITTED: readonly (readonly string[])[] = [
  ['process.command_line', 'process.executable'],
  ['file.path'],
  ['destination.ip', 'destination.port'],
  ['user.name'],
  ['http.request.method', 'url.original'],
];

/** What is found on a host names programs, files and users, but no event of theirs. */
const FOUND: ReadonlySet<string> = new Set(['inventory', 'posture']);

/** The source with every category that its events may turn out to have, by the fields that are emitted: what coverage asks about. */
export const withPossibleKinds = (source: EventSource, emits: readonly string[]): EventSource =>
  source.service?.some((name) => FOUND.has(name))
    ? source
    : withKind(
        source,
        EMITTED.reduce((bits, names, bit) => (names.some((name) => emits.includes(name)) ? bits | (1 << bit) : bits), 0),
      );

const text = (value: unknown): readonly string[] | undefined =>
  typeof value === 'string' && value !== '' ? [value.toLowerCase()] : undefined;

/** The source of a flat event from elsewhere. */
export const sourceOf = (event: FlatEvent, byDataset: (dataset: string) => EventSource): EventSource => {
  const product = text(event['product']);
  const category = text(event['category']);
  const service = text(event['service']);
  if (product || category || service) return { product, category, service };
  const dataset = event['event.dataset'];
  if (typeof dataset === 'string') {
    const known = byDataset(dataset.toLowerCase());
    if (known !== UNKNOWN_SOURCE) return withKind(known, kindOf(event));
  }
  return windowsSource(event) ?? UNKNOWN_SOURCE;
};

/** Whether a rule of this log source may see events of that source. */
export const admits = (rule: LogSource, source: EventSource): boolean => {
  for (const key of ['category', 'product', 'service'] as const) {
    const known = source[key];
    const wanted = rule[key];
    if (wanted !== undefined && known !== undefined && !known.includes(wanted)) return false;
  }
  return true;
};
