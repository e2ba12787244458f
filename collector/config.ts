// SPDX-License-Identifier: Apache-2.0
/**
 * Every setting of the collector, one typed table: validation, `--print-config`, docs/config.md and the sample come from it.
 * Input: defaults, a YAML file, the environment, flags. Output: one readonly value, read once in main.ts and passed down.
 */
import { resolve } from 'node:path';
import { type ConfigOf, type Loaded, loadConfig, type SettingTable } from '../core/config.ts';
import { LOG_LEVELS } from '../core/log.ts';

/** How soon a step of an incident is wanted; what the report measures against. */
const target = <const Default extends string>(value: Default, what: string) =>
  ({ type: 'duration', unit: 'ms', default: value, doc: `How soon ${what}; 0s for no target.` }) as const;

export const COLLECTOR_SETTINGS = {
  'data.dir': {
    type: 'text',
    default: '.vigil',
    env: 'VIGIL_DATA_DIR',
    doc: 'Folder of journal, events, state, keys and logs. Made with mode 0700.',
  },
  'console.listen': {
    type: 'text',
    default: '127.0.0.1:7480',
    env: 'VIGIL_LISTEN',
    doc: 'Address of console and API. Plain HTTP on loopback only.',
  },
  'console.tls.cert': { type: 'text', default: null, doc: 'PEM file of the console’s certificate chain.' },
  'console.tls.key': { type: 'text', default: null, doc: 'PEM file of the console’s key.' },
  'agents.listen': {
    type: 'text',
    default: '127.0.0.1:7443',
    env: 'VIGIL_AGENTS',
    doc: 'Address that agents reach, always with mutual TLS.',
  },
  'agents.public_url': {
    type: 'text',
    default: null,
    env: 'VIGIL_PUBLIC_URL',
    doc: 'URL that agents use; goes into the certificate and into tokens.',
  },
  'agents.silent_after': {
    type: 'duration',
    unit: 'ms',
    default: '90s',
    min: 10_000,
    doc: 'An agent unheard for longer is reported as silent.',
  },
  'local_agent.enabled': { type: 'boolean', default: false, doc: 'Run an agent on this host too, enrolled by itself.' },
  'local_agent.tail': {
    type: 'list',
    default: [],
    doc: 'Files or globs the local agent reads besides those it finds, each PATH or PATH=DATASET.',
  },
  'local_agent.discover': { type: 'boolean', default: true, doc: 'The local agent looks for the usual logs of this host by itself.' },
  'rules.dirs': { type: 'list', default: [], doc: 'Folders of rules loaded besides those that come with Vigil.' },
  'store.engine': { type: 'text', default: 'embedded', oneOf: ['embedded'], doc: 'Where events and state are kept.' },
  'store.memory': {
    type: 'size',
    unit: 'bytes',
    default: '250MiB',
    min: 67_108_864,
    doc: 'Memory the query engine may use for itself; its process uses somewhat more.',
  },
  'store.events.keep': { type: 'duration', unit: 'ms', default: '90d', doc: 'How long events are searchable, counted from ingest.' },
  'store.events.quota': {
    type: 'size',
    unit: 'bytes',
    default: '20GB',
    doc: 'How many bytes of events are kept; the oldest files go first.',
  },
  'journal.keep': {
    type: 'duration',
    unit: 'ms',
    default: '30d',
    doc: 'How long signed blocks are kept as evidence after all sinks have passed them.',
  },
  'journal.quota': { type: 'size', unit: 'bytes', default: '10GB', doc: 'How many bytes of signed blocks are kept.' },
  'report.zone': {
    type: 'text',
    default: 'UTC',
    doc: 'Time zone whose Monday begins a week of the report, an IANA name such as Europe/Berlin.',
  },
  'report.organisation': { type: 'text', default: null, doc: 'Name that stands on reports; the collector’s host name when absent.' },
  'targets.acknowledge.critical': target('30m', 'a critical incident to be looked at by a person'),
  'targets.acknowledge.high': target('4h', 'a high incident to be looked at by a person'),
  'targets.acknowledge.medium': target('24h', 'a medium incident to be looked at by a person'),
  'targets.acknowledge.low': target('3d', 'a low incident to be looked at by a person'),
  'targets.contain.critical': target('4h', 'a critical incident to be contained'),
  'targets.contain.high': target('24h', 'a high incident to be contained'),
  'targets.contain.medium': target('0s', 'a medium incident to be contained'),
  'targets.contain.low': target('0s', 'a low incident to be contained'),
  'targets.resolve.critical': target('3d', 'a critical incident to be closed'),
  'targets.resolve.high': target('3d', 'a high incident to be closed'),
  'targets.resolve.medium': target('14d', 'a medium incident to be closed'),
  'targets.resolve.low': target('30d', 'a low incident to be closed'),
  'log.level': { type: 'text', default: 'info', oneOf: LOG_LEVELS, env: 'VIGIL_LOG_LEVEL', doc: 'Least level that is logged.' },
  'log.file': { type: 'text', default: null, doc: 'File of the program’s own log; data.dir/logs/vigil.log when absent.' },
} as const satisfies SettingTable;

export type CollectorConfig = ConfigOf<typeof COLLECTOR_SETTINGS>;

export interface CollectorFlags {
  readonly file?: string;
  readonly flags?: Readonly<Record<string, string | number | boolean | readonly string[] | undefined>>;
}

/** Reads the configuration; relative paths in flags are taken from where the person stands. */
export const loadCollectorConfig = ({ file, flags }: CollectorFlags): Loaded<typeof COLLECTOR_SETTINGS> =>
  loadConfig(COLLECTOR_SETTINGS, {
    ...(file === undefined ? {} : { file: fromHere(file) }),
    env: process.env,
    ...(flags ? { flags } : {}),
  });

/** A path as the person who typed it means it: npm runs scripts in the package's folder and says in INIT_CWD where it was called. */
export const fromHere = (path: string): string => resolve(process.env['INIT_CWD'] ?? process.cwd(), path);

/** True when escape codes are wanted on this stream. */
export const wantsColour = (stream: { readonly isTTY?: boolean }): boolean => stream.isTTY === true && !process.env['NO_COLOR'];

/** The API token for `--url`, from VIGIL_TOKEN. */
export const remoteToken = (): string | undefined => process.env['VIGIL_TOKEN'];
