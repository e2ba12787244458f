// SPDX-License-Identifier: Apache-2.0
/**
 * The command line of `vigil`: every command, its options, its help with one example.
 * Input: the terminal. Output: a commander program; each action loads what it needs only when it runs.
 */
import { Command, CommanderError, Option } from 'commander';
import { fault } from '../errors.ts';
import { addAdminCommands } from './admin.ts';
import { addGovernCommands } from './govern.ts';
import { addHostCommands } from './host.ts';
import { addLookCommands } from './look.ts';
import { addOfflineCommands } from './offline.ts';
import { addRunCommands, addUpkeepCommands } from './run.ts';
import type { Terminal } from './terminal.ts';

export const VERSION = '0.1.0';

const silent: Terminal = {
  stdin: process.stdin,
  out: () => {},
  err: () => {},
  colour: false,
  live: false,
  here: (path) => path,
  token: undefined,
};

/**
 * The whole program. Wrong usage throws a coded USAGE error instead of ending the process.
 * Without a terminal it serves only to describe itself (docs/commands.md).
 */
export const makeProgram = (terminal: Terminal = silent): Command => {
  const program = new Command('vigil')
    .description('An information security management system that measures instead of asking.')
    .version(VERSION, '--version', 'print the version')
    .helpOption('--help', 'show help')
    .helpCommand(false)
    .showSuggestionAfterError(true)
    .configureOutput({ writeOut: terminal.out, writeErr: () => {}, getOutHelpWidth: () => 100 });
  addRunCommands(program, terminal);
  addUpkeepCommands(program, terminal);
  addLookCommands(program, terminal);
  addOfflineCommands(program, terminal);
  addGovernCommands(program, terminal);
  addHostCommands(program.command('host').description('Hosts: how they stand, what is known of them, decisions about them.'), terminal);
  addAdminCommands(program, terminal);
  return strict(program);
};

/** Every command answers wrong usage with an exception, so that main can word it as it words every other fault. */
const strict = (command: Command): Command => {
  command.exitOverride((error) => {
    throw error.exitCode === 0 ? error : fault('USAGE', { reason: sentence(error, command) }, error);
  });
  command.helpOption('--help', 'show help');
  command.configureOutput(command.parent?.configureOutput() ?? command.configureOutput());
  for (const sub of command.commands) strict(sub);
  return command;
};

const missing = (command: Command): string => `A command is missing: ${command.commands.map((one) => one.name()).join(', ')}`;

const sentence = (error: CommanderError, command: Command): string => {
  const text = error.message
    .replace(/^error: /, '')
    .split('\n')
    .join(' ')
    .replace(/\.$/, '');
  return text === '(outputHelp)' ? missing(command) : text.charAt(0).toUpperCase() + text.slice(1);
};

/** True for what commander throws when it has printed help or the version: nothing is wrong. */
export const isHelp = (error: unknown): boolean => error instanceof CommanderError && error.exitCode === 0;

/** Adds `Example:` under a command's help. */
export const example = (command: Command, ...lines: readonly string[]): Command =>
  command.addHelpText('after', `\nExample:\n${lines.map((line) => `  ${line}`).join('\n')}`);

/** `--data DIR` and `--url URL`, for commands that reach a collector. */
export const reaching = (command: Command): Command =>
  command
    .addOption(new Option('--data <dir>', 'data folder of the collector (default: .vigil, else /var/lib/vigil)'))
    .addOption(new Option('--url <url>', 'a collector elsewhere; its API token is taken from VIGIL_TOKEN'));

/** `--json`: NDJSON on stdout, nothing else there. */
export const json = (command: Command): Command => command.addOption(new Option('--json', 'print NDJSON, one result a line'));
