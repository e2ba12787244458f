// SPDX-License-Identifier: Apache-2.0
/**
 * `vigil-agent enrol`: turns a token into an identity in the state folder.
 * Input: a token by flag, file or stdin. Output: one line with the agent's id.
 */
import { existsSync, readFileSync, renameSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { systemClock } from '../../core/clock.ts';
import { systemCode } from '../../core/errors.ts';
import { zoneOf } from '../config.ts';
import { enrol, hostName, machineId } from '../enrol/enrol.ts';
import { readIdentity, writeIdentity } from '../enrol/identity.ts';
import { lockState, openStateFolder } from '../enrol/state.ts';
import { readToken } from '../enrol/token.ts';
import { fault } from '../errors.ts';
import { COMMON_HELP, type Command, type Flags, type Terminal, text } from './terminal.ts';

const MAX_TOKEN_CHARACTERS = 16_384;

export const enrolCommand: Command = {
  name: 'enrol',
  summary: 'give this host an identity, by a token of the collector',
  help: `vigil-agent enrol --token TOKEN|- | --token-file FILE [--replace]

Makes a key on this host, checks that the collector is the one that made the token, and only then sends the token's secret.
A token on the command line can be seen by other users of this host for as long as the command runs; stdin cannot.

  --token TOKEN      the token; - reads it from stdin
  --token-file FILE  a file that holds it
  --replace          put the new identity in the place of one that is there
  --host NAME        name of this host
${COMMON_HELP}

Example:
  echo "$TOKEN" | vigil-agent enrol --token - --state /var/lib/vigil-agent`,
  options: {
    token: { type: 'string' },
    'token-file': { type: 'string' },
    replace: { type: 'boolean' },
    host: { type: 'string' },
    zone: { type: 'string' },
  },
  positionals: { name: 'TOKEN', required: false },
  run: async ({ flags, positional, config }, terminal) => {
    const dir = config.state;
    openStateFolder(dir);
    const lock = lockState(dir);
    try {
      const known = readIdentity(dir);
      if (known && flags['replace'] !== true) throw fault('AGENT_ALREADY_ENROLLED', { dir, agent: known.agent });
      const token = readToken(await tokenText(flags, positional, terminal));
      const facts = { host: config.host ?? hostName(), machineId: machineId(), zone: zoneOf(config), version: terminal.version };
      const identity = await enrol(token, facts, systemClock);
      // Blocks of another identity would be refused: they stay, apart.
      if (known && known.agent !== identity.agent) setAside(join(dir, 'spool'), known.agent);
      writeIdentity(dir, identity);
      const { agent, url, group } = identity;
      terminal.out(
        flags['json'] === true
          ? `${JSON.stringify({ agent, url, group, state: dir })}\n`
          : `Enrolled as ${agent} at ${url}. Start it with: vigil-agent run --state ${dir}\n`,
      );
      return 0;
    } finally {
      lock.release();
    }
  },
};

const tokenText = async (flags: Flags, positional: string | undefined, terminal: Terminal): Promise<string> => {
  const file = text(flags, 'token-file');
  const given = text(flags, 'token') ?? positional;
  if (file !== undefined) {
    try {
      return readFileSync(resolve(terminal.from, file), 'utf8').slice(0, MAX_TOKEN_CHARACTERS);
    } catch (error) {
      throw fault('AGENT_USAGE', { reason: `the token file ${file} cannot be read (${systemCode(error) ?? 'unknown'})` }, error);
    }
  }
  if (given === undefined) throw fault('AGENT_USAGE', { reason: 'enrol needs --token or --token-file' });
  return given === '-' ? (await terminal.readStdin()).slice(0, MAX_TOKEN_CHARACTERS) : given;
};

const setAside = (folder: string, agent: string): void => {
  if (existsSync(folder)) renameSync(folder, `${folder}.${agent}`);
};
