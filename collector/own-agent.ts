// SPDX-License-Identifier: Apache-2.0
/**
 * The agent on the collector's own host: a child process with its state in the data folder, enrolled without a person.
 * Input: configuration, who enrols it. Output: the running agent.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Clock } from '../core/clock.ts';
import type { Log } from '../core/log.ts';
import type { CollectorConfig } from './config.ts';
import { type LocalAgent, openLocalEnrolment, startLocalAgent } from './fleet/local.ts';

/** Folder of its state, in the data folder. */
const STATE = 'agent';

export interface OwnAgentParts {
  readonly config: CollectorConfig;
  readonly dir: string;
  /** The project's folder. */
  readonly root: string;
  readonly enrolment: Parameters<typeof openLocalEnrolment>[1];
  readonly clock: Clock;
  readonly log: Log;
}

export const startOwnAgent = ({ config, dir, root, enrolment, clock, log }: OwnAgentParts): LocalAgent => {
  const stateDir = join(dir, STATE);
  mkdirSync(stateDir, { recursive: true, mode: 0o700 });
  return startLocalAgent({
    program: [process.execPath, '--disable-sigusr1', '--disable-proto=throw', join(root, 'bin', 'vigil-agent.js')],
    stateDir,
    tails: config['local_agent.tail'],
    args: config['local_agent.discover'] ? [] : ['--no-discover'],
    enrolment: openLocalEnrolment(stateDir, enrolment),
    clock,
    log: log.child({ part: 'local-agent' }),
  });
};
