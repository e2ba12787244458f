// SPDX-License-Identifier: Apache-2.0
/**
 * Entry of `vigil-agent`: reads the command line, runs one command, words its faults, sets the exit status.
 * Input: argv, environment. Output: exit 0 done, 1 the answer is no, 2 usage or bad input, 3 a fault.
 */
import { readFileSync } from 'node:fs';
import { printConfig } from '../core/config.ts';
import { isCoded, toError } from '../core/errors.ts';
import type { Command, Terminal } from './cli/terminal.ts';
import { readInput, visible } from './cli/terminal.ts';
import { AGENT_SETTINGS, startFolder } from './config.ts';
import { fault } from './errors.ts';
import { keepSmall } from './memory.ts';

// Each command is loaded when it is the one asked for: `run` carries nothing of the others.
const COMMANDS: Readonly<Record<string, { readonly summary: string; readonly load: () => Promise<Command> }>> = {
  enrol: {
    summary: 'give this host an identity, by a token of the collector',
    load: async () => (await import('./cli/enrol.ts')).enrolCommand,
  },
  run: { summary: 'read, seal and send, until a signal', load: async () => (await import('./cli/run.ts')).runCommand },
  status: {
    summary: 'what the running agent reads, has sent, and complains of',
    load: async () => (await import('./cli/status.ts')).statusCommand,
  },
  plan: {
    summary: 'what it would read here, what it may not, and what that costs',
    load: async () => (await import('./cli/plan.ts')).planCommand,
  },
  explain: {
    summary: 'whether and why a path is read or watched, and how far',
    load: async () => (await import('./cli/status.ts')).explainCommand,
  },
  posture: {
    summary: 'check the settings of this host, or of any file tree',
    load: async () => (await import('./cli/posture.ts')).postureCommand,
  },
  check: {
    summary: 'whether configuration and identity are in order',
    load: async () => (await import('./cli/plan.ts')).checkCommand,
  },
};

const usage = (): string =>
  `vigil-agent COMMAND [flags]

${Object.entries(COMMANDS)
  .map(([name, { summary }]) => `  ${name.padEnd(9)} ${summary}`)
  .join('\n')}

  vigil-agent COMMAND --help shows its flags and an example; --print-config every setting; --version the version.

Example:
  vigil-agent plan
`;

const readStdin = async (): Promise<string> => {
  let text = '';
  process.stdin.setEncoding('utf8');
  for await (const chunk of process.stdin) {
    text += String(chunk);
    if (text.length > 65_536) break;
  }
  return text;
};

const versionOf = (): string => {
  const manifest: unknown = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
  return String((manifest as { readonly version?: unknown }).version ?? '0.0.0');
};

const terminal: Terminal = {
  out: (text) => void process.stdout.write(text),
  err: (text) => void process.stderr.write(text),
  env: process.env,
  readStdin,
  from: startFolder(process.env),
  version: versionOf(),
};

keepSmall();

const main = async (argv: readonly string[]): Promise<number> => {
  const [name, ...rest] = argv;
  if (name === undefined || name === '--help' || name === '-h' || name === 'help') {
    (name === undefined ? terminal.err : terminal.out)(usage());
    return name === undefined ? 2 : 0;
  }
  if (name === '--version') {
    terminal.out(`${terminal.version}\n`);
    return 0;
  }
  const bare = name === '--print-config' || name.startsWith('-');
  const entry = COMMANDS[bare ? 'check' : name];
  if (!entry || (bare && !argv.includes('--print-config'))) throw fault('AGENT_USAGE', { reason: `there is no command "${name}"` });
  const command = await entry.load();
  const input = readInput(command, bare ? argv : rest, terminal);
  if (input.flags['help'] === true) terminal.out(`${command.help}\n`);
  else if (input.flags['print-config'] === true) terminal.out(`${printConfig(AGENT_SETTINGS, input.loaded)}\n`);
  else return command.run(input, terminal);
  return 0;
};

// A reader such as `head` that closes early is no fault.
for (const stream of [process.stdout, process.stderr])
  stream.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 3));

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (thrown) {
  if (isCoded(thrown)) {
    terminal.err(`vigil-agent: ${thrown.code}: ${visible(thrown.message)}\n  ${visible(thrown.hint)}\n`);
    process.exitCode = thrown.exit;
  } else {
    const error = toError(thrown);
    terminal.err(`vigil-agent: INTERNAL: ${visible(error.message)}\n${(error.stack ?? '').split('\n').slice(1, 6).join('\n')}\n`);
    process.exitCode = 3;
  }
}
