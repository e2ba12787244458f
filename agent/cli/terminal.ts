// SPDX-License-Identifier: Apache-2.0
/**
 * How the agent's commands speak: plain tables, NDJSON, words that cannot steer a terminal; and how they read their flags.
 * Input: argv, values. Output: text for stdout and stderr; flags, or a usage error.
 */
import { type ParseArgsOptionsConfig, parseArgs } from 'node:util';
import { toError } from '../../core/errors.ts';
import { AGENT_SETTINGS, type AgentConfig, type LoadedConfig, readConfig } from '../config.ts';
import { fault } from '../errors.ts';

export interface Terminal {
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly readStdin: () => Promise<string>;
  /** Folder that relative paths start from. */
  readonly from: string;
  readonly version: string;
}

export interface Command {
  readonly name: string;
  /** One line for the list of commands. */
  readonly summary: string;
  /** The whole help, with an example. */
  readonly help: string;
  readonly options: ParseArgsOptionsConfig;
  readonly positionals?: { readonly name: string; readonly required: boolean };
  /** Exit status. */
  run(input: Input, terminal: Terminal): Promise<0 | 1>;
}

export type Flags = Readonly<Record<string, string | boolean | (string | boolean)[] | undefined>>;

export interface Input {
  readonly flags: Flags;
  readonly positional: string | undefined;
  readonly loaded: LoadedConfig;
  readonly config: AgentConfig;
}

/** Flags that every command takes. */
const COMMON = {
  help: { type: 'boolean', short: 'h' },
  json: { type: 'boolean' },
  state: { type: 'string' },
  config: { type: 'string' },
  'print-config': { type: 'boolean' },
} as const satisfies ParseArgsOptionsConfig;

/** Flags that stand for settings, where a command takes them. */
export const READING = {
  tail: { type: 'string', multiple: true },
  exclude: { type: 'string', multiple: true },
  refuse: { type: 'string', multiple: true },
  multiline: { type: 'string', multiple: true },
  fim: { type: 'string', multiple: true },
  'no-discover': { type: 'boolean' },
  zone: { type: 'string' },
  host: { type: 'string' },
} as const satisfies ParseArgsOptionsConfig;

export const COMMON_HELP = `  --state DIR        folder of identity and spool (default ${AGENT_SETTINGS.state.default})
  --config FILE      settings in YAML
  --print-config     show every setting and where it came from
  --json             NDJSON on stdout
  -h, --help`;

export const READING_HELP = `  --tail PATH[=DATASET]   a file or glob to read; may be repeated
  --exclude PATH     a file or glob that is not read; may be repeated
  --refuse DIR       a folder that is never read; may be repeated
  --multiline RULE   lines that belong together: 'GLOB pattern=REGEX [negate=true] [lines=500] [timeout=5s]'
  --fim PATH         a file, folder or glob whose integrity is watched; may be repeated
  --no-discover      do not look for the usual logs, nor watch the usual files
  --zone ZONE        time zone of this host's logs
  --host NAME        name of this host`;

/** Reads a command's flags. @throws CodedError AGENT_USAGE, and those of the configuration. */
export const readInput = (command: Command, argv: readonly string[], terminal: Terminal): Input => {
  let flags: Flags;
  let positionals: readonly string[];
  try {
    ({ values: flags, positionals } = parseArgs({
      args: [...argv],
      options: { ...COMMON, ...command.options },
      allowPositionals: command.positionals !== undefined,
      strict: true,
    }) as { values: Flags; positionals: string[] });
  } catch (error) {
    throw fault('AGENT_USAGE', { reason: toError(error).message.split('\n')[0]!.replace(/\.$/, '') }, error);
  }
  const positional = positionals[0];
  if (positionals.length > 1) throw fault('AGENT_USAGE', { reason: `"${positionals[1]}" is one argument too many` });
  if (command.positionals?.required && positional === undefined && !flags['help'] && !flags['print-config'])
    throw fault('AGENT_USAGE', { reason: `${command.name} needs ${command.positionals.name}` });
  const loaded = readConfig({ file: text(flags, 'config'), env: terminal.env, flags: settingsOf(flags) });
  return { flags, positional, loaded, config: loaded.config };
};

const settingsOf = (flags: Flags): Record<string, string | boolean | readonly string[] | undefined> => ({
  state: text(flags, 'state'),
  'tail.paths': list(flags, 'tail'),
  'tail.exclude': list(flags, 'exclude'),
  'tail.refuse': list(flags, 'refuse'),
  'tail.multiline': list(flags, 'multiline'),
  'tail.discover': flags['no-discover'] === true ? false : undefined,
  'fim.discover': flags['no-discover'] === true ? false : undefined,
  'fim.paths': list(flags, 'fim'),
  zone: text(flags, 'zone'),
  host: text(flags, 'host'),
});

export const text = (flags: Flags, name: string): string | undefined => {
  const value = flags[name];
  return typeof value === 'string' ? value : undefined;
};

const list = (flags: Flags, name: string): readonly string[] | undefined => {
  const value = flags[name];
  return Array.isArray(value) ? value.map(String) : undefined;
};

const UNSAFE = /[\u0000-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g;

/** Data for people: control characters, escapes and direction marks stand as `\u{..}`. */
export const visible = (value: string): string => value.replace(UNSAFE, (c) => `\\u{${c.charCodeAt(0).toString(16)}}`);

/** A table with a head; columns as wide as their widest cell. */
export const table = (head: readonly string[], rows: readonly (readonly string[])[]): string => {
  const all = [head, ...rows.map((row) => row.map(visible))];
  const widths = head.map((_, i) => Math.max(...all.map((row) => row[i]?.length ?? 0)));
  return all
    .map((row) =>
      row
        .map((cell, i) => cell.padEnd(widths[i]!))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
};

/** Bytes in units of 1000, one decimal under 10. */
export const sizeText = (n: number): string => {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  let value = n;
  let i = 0;
  for (; value >= 1000 && i < units.length - 1; i++) value /= 1000;
  return `${i === 0 || value >= 10 ? Math.round(value) : value.toFixed(1)} ${units[i]}`;
};
