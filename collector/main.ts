// SPDX-License-Identifier: Apache-2.0
/**
 * Entry of `vigil`: reads the command line, runs one command, words its faults, sets the exit status.
 * Input: argv, environment. Output: exit 0 done, 1 the answer is no, 2 usage or bad input, 3 a fault.
 */
import { type CodedError, isCoded, toError } from '../core/errors.ts';
import { isHelp, makeProgram } from './cli/program.ts';
import { styled, type Terminal, visible } from './cli/terminal.ts';
import { fromHere, remoteToken, wantsColour } from './config.ts';

const terminal: Terminal = {
  stdin: process.stdin,
  out: (text) => void process.stdout.write(text),
  err: (text) => void process.stderr.write(text),
  colour: wantsColour(process.stdout),
  live: process.stderr.isTTY === true,
  here: fromHere,
  token: remoteToken(),
};

// A reader such as `head` that closes early is no fault.
for (const stream of [process.stdout, process.stderr])
  stream.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 3));

const say = (error: CodedError): void =>
  terminal.err(`vigil: ${styled(terminal, 'bold', error.code)}: ${visible(error.message)}\n  ${visible(error.hint)}\n`);

try {
  await makeProgram(terminal).parseAsync(process.argv);
} catch (thrown) {
  if (isCoded(thrown)) {
    say(thrown);
    process.exitCode = thrown.exit;
  } else if (!isHelp(thrown)) {
    const error = toError(thrown);
    terminal.err(`vigil: INTERNAL: ${visible(error.message)}\n${(error.stack ?? '').split('\n').slice(1, 6).join('\n')}\n`);
    process.exitCode = 3;
  }
}
