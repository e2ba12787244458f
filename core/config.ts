// SPDX-License-Identifier: Apache-2.0
/**
 * One typed table of settings per program: validation, `--print-config`, docs and sample come from it.
 * Input: the table, a YAML file, the environment, flags; later ones win. Output: a plain readonly value, read once in `main.ts`.
 */
import { readFileSync } from 'node:fs';
import { coreFault, systemCode } from './errors.ts';
import { parseYaml, type YamlValue } from './yaml.ts';

export type SettingType = 'text' | 'integer' | 'boolean' | 'duration' | 'size' | 'list';

/** `duration` is kept in ms and written `90s`, `8h`; `size` in bytes and written `64MiB`; `list` is a list of text. */
export interface Setting {
  readonly type: SettingType;
  readonly unit?: string;
  readonly default: string | number | boolean | readonly string[] | null;
  /** Environment variable that sets it. */
  readonly env?: string;
  readonly secret?: true;
  /** Closed set of values, for `text`. */
  readonly oneOf?: readonly string[];
  readonly min?: number;
  readonly max?: number;
  readonly doc: string;
}

export type SettingTable = Readonly<Record<string, Setting>>;

type ValueOf<S extends Setting> =
  | (S['type'] extends 'text' ? string : S['type'] extends 'boolean' ? boolean : S['type'] extends 'list' ? readonly string[] : number)
  | (S['default'] extends null ? null : never);

export type ConfigOf<T extends SettingTable> = { readonly [K in keyof T]: ValueOf<T[K]> };

export type Origin = 'default' | 'file' | 'environment' | 'flag';

export interface Loaded<T extends SettingTable> {
  readonly config: ConfigOf<T>;
  /** Where each value came from. */
  readonly origins: Readonly<Record<keyof T & string, Origin>>;
}

export interface ConfigSources {
  /** Path of a YAML file; keys may be dotted or nested. */
  readonly file?: string;
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly flags?: Readonly<Record<string, string | number | boolean | readonly string[] | undefined>>;
}

/**
 * Puts the sources together and checks every value.
 * @throws CodedError CONFIG_UNKNOWN_KEY, CONFIG_BAD_VALUE, CONFIG_UNREADABLE, YAML_BAD.
 */
export const loadConfig = <const T extends SettingTable>(table: T, sources: ConfigSources): Loaded<T> => {
  const config: Record<string, unknown> = {};
  const origins: Record<string, Origin> = {};
  const set = (key: string, raw: unknown, origin: Origin, file: string): void => {
    const setting = table[key];
    if (!setting) throw coreFault('CONFIG_UNKNOWN_KEY', { file, key, nearest: nearest(key, Object.keys(table)) });
    config[key] = readValue(key, setting, raw, file);
    origins[key] = origin;
  };
  for (const [key, setting] of Object.entries(table)) {
    config[key] = setting.default === null ? null : readValue(key, setting, setting.default, 'the table');
    origins[key] = 'default';
  }
  if (sources.file !== undefined) for (const [key, raw] of readFile(sources.file, table)) set(key, raw, 'file', sources.file);
  for (const [key, setting] of Object.entries(table)) {
    const raw = setting.env === undefined ? undefined : sources.env?.[setting.env];
    if (raw !== undefined && raw !== '') set(key, raw, 'environment', `the variable ${setting.env}`);
  }
  for (const [key, raw] of Object.entries(sources.flags ?? {})) if (raw !== undefined) set(key, raw, 'flag', 'the command line');
  return { config: config as ConfigOf<T>, origins: origins as Loaded<T>['origins'] };
};

/** One line a setting: `key = value  # origin`, secrets as ***. */
export const printConfig = <T extends SettingTable>(table: T, loaded: Loaded<T>): string =>
  Object.keys(table)
    .map((key) => {
      const value = (loaded.config as Record<string, unknown>)[key];
      const shown = table[key]?.secret && value !== null ? '***' : JSON.stringify(value);
      return `${key}: ${shown}  # ${loaded.origins[key]}`;
    })
    .join('\n');

const readFile = (file: string, table: SettingTable): [string, unknown][] => {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    throw coreFault('CONFIG_UNREADABLE', { file, reason: systemCode(error) ?? 'it cannot be opened' }, error);
  }
  const pairs: [string, unknown][] = [];
  const walk = (prefix: string, value: YamlValue): void => {
    if (prefix !== '' && table[prefix]) pairs.push([prefix, value]);
    else if (value !== null && typeof value === 'object' && !Array.isArray(value))
      for (const [key, inner] of Object.entries(value)) walk(prefix === '' ? key : `${prefix}.${key}`, inner);
    else if (prefix !== '') pairs.push([prefix, value]);
  };
  for (const document of parseYaml(text, file)) walk('', document.value);
  return pairs;
};

/** Where the runtime finds its libraries on a system that lacks one (bin/launch.js): for a child that gets an environment of its own. */
export const runtimeLibraries = (): Readonly<Record<string, string>> => {
  const folders = process.env['LD_LIBRARY_PATH'];
  return folders === undefined ? {} : { LD_LIBRARY_PATH: folders };
};

const DURATION: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, min: 60_000, h: 3_600_000, d: 86_400_000 };
const SIZE: Readonly<Record<string, number>> = { b: 1, kb: 1e3, mb: 1e6, gb: 1e9, kib: 1024, mib: 1_048_576, gib: 1_073_741_824 };

const EXPECTED: Readonly<Record<SettingType, string>> = {
  text: 'a text',
  integer: 'a whole number',
  boolean: 'true or false',
  duration: 'a time such as 90s, 15m, 8h or 7d',
  size: 'a size such as 64MiB or 2GB',
  list: 'a list of texts',
};

const readValue = (key: string, setting: Setting, raw: unknown, file: string): unknown => {
  const bad = (expected = EXPECTED[setting.type]): Error =>
    coreFault('CONFIG_BAD_VALUE', { key, value: setting.secret ? 'a value' : JSON.stringify(raw), expected, file });
  const value = coerce(setting.type, raw);
  if (value === undefined) throw bad();
  if (setting.oneOf && !setting.oneOf.includes(String(value))) throw bad(`one of ${setting.oneOf.join(', ')}`);
  if (typeof value === 'number' && setting.min !== undefined && value < setting.min) throw bad(`at least ${setting.min}`);
  if (typeof value === 'number' && setting.max !== undefined && value > setting.max) throw bad(`at most ${setting.max}`);
  return value;
};

const coerce = (type: SettingType, raw: unknown): unknown => {
  if (type === 'text') return typeof raw === 'string' ? raw : typeof raw === 'number' ? String(raw) : undefined;
  if (type === 'boolean') return typeof raw === 'boolean' ? raw : raw === 'true' ? true : raw === 'false' ? false : undefined;
  if (type === 'list') {
    if (typeof raw === 'string') return raw === '' ? [] : raw.split(',').map((part) => part.trim());
    return Array.isArray(raw) && raw.every((item) => typeof item === 'string') ? raw : undefined;
  }
  if (typeof raw === 'number') return Number.isFinite(raw) && (type !== 'integer' || Number.isInteger(raw)) && raw >= 0 ? raw : undefined;
  if (typeof raw !== 'string') return undefined;
  const match = /^\s*(\d+(?:\.\d+)?)\s*([a-z]*)\s*$/i.exec(raw);
  if (!match) return undefined;
  const amount = Number(match[1]);
  const suffix = (match[2] ?? '').toLowerCase();
  if (type === 'integer') return suffix === '' && Number.isInteger(amount) ? amount : undefined;
  const factor = suffix === '' ? 1 : (type === 'duration' ? DURATION : SIZE)[suffix];
  return factor === undefined ? undefined : Math.round(amount * factor);
};

/** The known name that is nearest to a misspelt one, by edit distance; also by its last words, which are often all that is written. */
export const nearest = (name: string, known: readonly string[]): string => {
  let best = '';
  let least = Number.POSITIVE_INFINITY;
  for (const candidate of known) {
    const d = Math.min(...endsOf(candidate.toLowerCase()).map((end, i) => distance(name.toLowerCase(), end) + (i === 0 ? 0 : 0.5)));
    if (d < least) [best, least] = [candidate, d];
  }
  return best;
};

/** `a.b.c`, `b.c`, `c`. */
const endsOf = (dotted: string): readonly string[] => dotted.split('.').map((_, i, words) => words.slice(i).join('.'));

const distance = (a: string, b: string): number => {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) next.push(Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)));
    row = next;
  }
  return row[b.length]!;
};
