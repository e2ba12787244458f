// SPDX-License-Identifier: Apache-2.0
/**
 * Every setting of the agent, one typed table: validation, `--print-config`, docs/config.md and the sample come from it.
 * Input: defaults, a YAML file, the environment, flags. Output: one readonly value, read once in main.ts and passed down.
 */
import { existsSync, readFileSync, readlinkSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { type ConfigOf, type ConfigSources, type Loaded, loadConfig, type SettingTable } from '../core/config.ts';
import { coreFault } from '../core/errors.ts';
import { LOG_LEVELS } from '../core/log.ts';

export const AGENT_SETTINGS = {
  state: {
    type: 'text',
    default: '/var/lib/vigil-agent',
    env: 'VIGIL_AGENT_STATE',
    doc: 'Folder of identity and spool, mode 0700, for this agent alone.',
  },
  'spool.quota': {
    type: 'size',
    unit: 'bytes',
    default: '1GiB',
    min: 16_777_216,
    doc: 'Disk the spool may use. When it is full of unsent records, files are not read further until there is room.',
  },
  'spool.keep': {
    type: 'duration',
    unit: 'ms',
    default: '24h',
    doc: 'How long acknowledged blocks stay, in case the collector asks again; at most a quarter of the quota.',
  },
  'tail.paths': { type: 'list', default: [], doc: 'Files or globs to read besides the usual ones, each PATH or PATH=DATASET.' },
  'tail.exclude': { type: 'list', default: [], doc: 'Files or globs that are not read.' },
  'tail.discover': { type: 'boolean', default: true, doc: 'Look for the usual logs of this host.' },
  'tail.refuse': {
    type: 'list',
    default: [],
    doc: 'Folders that are never read, whatever tail.paths says. A collector’s data and keys are refused anyway.',
  },
  'tail.multiline': {
    type: 'list',
    default: [],
    doc: 'Lines that belong together: `GLOB pattern=REGEX [negate=true] [lines=500] [timeout=5s]`. Lines that match continue the one before.',
  },
  'tail.watch': {
    type: 'boolean',
    default: true,
    doc: 'Be woken up by the system when a folder of logs changes. Files are looked at each second anyway.',
  },
  'inventory.enabled': {
    type: 'boolean',
    default: true,
    doc: 'Take inventory: system, packages, accounts, keys, services, timers, listeners, disks, interfaces, certificates, modules.',
  },
  'inventory.interval': {
    type: 'duration',
    unit: 'ms',
    default: '1h',
    min: 60_000,
    doc: 'How often everything is looked at. Accounts, keys, packages, timers and listeners are seen within a minute when they change.',
  },
  'inventory.root': { type: 'text', default: '/', doc: 'File tree that inventory is taken of, e.g. a host’s own as a container sees it.' },
  'redact.enabled': {
    type: 'boolean',
    default: true,
    doc: 'Take passwords, tokens and private keys out of lines before they are sealed. What was sealed before stays as it is.',
  },
  'redact.rules': { type: 'text', default: null, doc: 'YAML file with more rules: a list of name, pattern and perhaps dataset.' },
  'posture.enabled': { type: 'boolean', default: true, doc: 'Check the settings of this host.' },
  'posture.interval': { type: 'duration', unit: 'ms', default: '1h', min: 60_000, doc: 'Time from one run of the checks to the next.' },
  'posture.policies': {
    type: 'list',
    default: [],
    doc: 'Files or folders of posture policies. Default: those that come along, `rules/posture`; `rules/posture/strict` holds more.',
  },
  'posture.values': { type: 'list', default: [], doc: 'Values of policies, each NAME=VALUE, e.g. `password-length=16`.' },
  'posture.waivers': {
    type: 'text',
    default: null,
    doc: 'YAML file of waivers: a list of check, reason, owner and until (a day). Read anew for each run; one that has ended waives nothing.',
  },
  'fim.enabled': { type: 'boolean', default: true, doc: 'Watch the integrity of files.' },
  'fim.discover': { type: 'boolean', default: true, doc: 'Watch the usual critical paths of this distribution.' },
  'fim.paths': {
    type: 'list',
    default: [],
    doc: 'Files, folders or globs to watch besides the usual ones. A folder is watched with all below it.',
  },
  'fim.exclude': { type: 'list', default: [], doc: 'Files, folders or globs that are not watched.' },
  'fim.interval': {
    type: 'duration',
    unit: 'ms',
    default: '1h',
    min: 10_000,
    doc: 'Time between two scans. What the system tells meanwhile is looked at within seconds; scans find what it did not tell.',
  },
  'fim.full': {
    type: 'duration',
    unit: 'ms',
    default: '24h',
    min: 60_000,
    doc: 'After so long a scan hashes every file again, and tells all of them anew. Others pass over files whose inode and times did not move.',
  },
  'fim.watch': { type: 'boolean', default: true, doc: 'Be woken up by the system when something changes in a watched folder.' },
  'fim.watches': { type: 'integer', unit: 'folders', default: 8_192, doc: 'Folders that are watched for wake-ups; more are only scanned.' },
  'fim.files': { type: 'integer', unit: 'files', default: 200_000, min: 1, doc: 'Files and folders that are watched at most.' },
  'fim.limit': { type: 'size', unit: 'bytes', default: '256MiB', doc: 'Larger files are watched by their attributes and not hashed.' },
  'fim.rate': {
    type: 'integer',
    unit: 'facts a minute',
    default: 1_200,
    min: 1,
    doc: 'Changes told in a minute at most. The rest is counted and told by the next scans.',
  },
  'fim.cpu': {
    type: 'integer',
    unit: 'percent of one core',
    default: 25,
    min: 1,
    max: 100,
    doc: 'Share of one core that a scan may use, within budget.cpu.',
  },
  zone: { type: 'text', default: null, doc: 'IANA time zone of this host’s logs, e.g. Europe/Berlin. Default: the system’s.' },
  host: { type: 'text', default: null, doc: 'Name of this host for people. Default: the system’s.' },
  'budget.cpu': {
    type: 'integer',
    unit: 'percent of one core',
    default: 100,
    min: 1,
    max: 100,
    doc: 'Share of one core that reading may use while it catches up.',
  },
  'log.level': { type: 'text', default: 'info', oneOf: LOG_LEVELS, env: 'VIGIL_AGENT_LOG', doc: 'What the agent says of itself.' },
  'log.file': { type: 'text', default: null, doc: 'File of its own log; stderr when empty.' },
} as const satisfies SettingTable;

export type AgentConfig = ConfigOf<typeof AGENT_SETTINGS>;
export type LoadedConfig = Loaded<typeof AGENT_SETTINGS>;

/** Read when no --config is given and it is there. */
export const DEFAULT_CONFIG_FILE = '/etc/vigil-agent.yml';

/**
 * Reads everything once. Relative folders are taken from where the person stands (`INIT_CWD` under npm).
 * @throws CodedError CONFIG_UNKNOWN_KEY, CONFIG_BAD_VALUE, CONFIG_UNREADABLE, YAML_BAD.
 */
export const readConfig = (options: {
  readonly file?: string | undefined;
  readonly flags: NonNullable<ConfigSources['flags']>;
  readonly env: NonNullable<ConfigSources['env']>;
}): LoadedConfig => {
  const from = startFolder(options.env);
  const file =
    options.file === undefined ? (existsSync(DEFAULT_CONFIG_FILE) ? DEFAULT_CONFIG_FILE : undefined) : resolve(from, options.file);
  const loaded = loadConfig(AGENT_SETTINGS, { env: options.env, flags: options.flags, ...(file === undefined ? {} : { file }) });
  const config = { ...loaded.config, state: resolve(from, loaded.config.state) };
  if (config.zone !== null && !isKnownZone(config.zone))
    throw coreFault('CONFIG_BAD_VALUE', {
      key: 'zone',
      value: JSON.stringify(config.zone),
      expected: 'an IANA time zone such as Europe/Berlin',
      file: loaded.origins.zone === 'file' ? file : 'the command line',
    });
  return { ...loaded, config };
};

/** Where the person who typed the command stands. */
export const startFolder = (env: Readonly<Record<string, string | undefined>>): string => env['INIT_CWD'] ?? process.cwd();

/** The host's own time zone, or the one configured. Read from files: asking the runtime loads nine megabytes of tables. */
export const zoneOf = (config: AgentConfig, localtime = '/etc/localtime', timezone = '/etc/timezone'): string =>
  config.zone ?? linkedZone(localtime) ?? writtenZone(timezone) ?? 'UTC';

const ZONE = /^[A-Za-z0-9+_/-]{1,64}$/;
const ZONES = '/usr/share/zoneinfo';

/** A host without the tables cannot tell; then the collector decides. */
const isKnownZone = (zone: string): boolean => ZONE.test(zone) && (!existsSync(ZONES) || zone === 'UTC' || existsSync(join(ZONES, zone)));

const linkedZone = (path: string): string | undefined => {
  try {
    const zone = readlinkSync(path).split('/zoneinfo/')[1];
    return zone !== undefined && ZONE.test(zone) ? zone : undefined;
  } catch {
    // No link: some systems have a copy, and say the name in another file.
    return undefined;
  }
};

const writtenZone = (path: string): string | undefined => {
  try {
    const zone = readFileSync(path, 'utf8').trim();
    return ZONE.test(zone) ? zone : undefined;
  } catch {
    // Absent on most systems; UTC is what they then mean.
    return undefined;
  }
};
