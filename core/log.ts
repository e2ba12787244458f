// SPDX-License-Identifier: Apache-2.0
/**
 * The one logger of each program, JSON lines by pino: ids only, no raw lines, no secrets, nothing per event.
 * Input: sentences with a stable dotted `event`, variables in fields with units. Output: stderr, or a file where one is set.
 */
import { destination, type Logger, pino } from 'pino';

export type Log = Logger;

export const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'silent'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

export interface LogOptions {
  readonly program: 'vigil' | 'vigil-agent';
  readonly level: LogLevel;
  /** Path of a file; stderr when absent. */
  readonly file?: string;
}

/** A second net under the rule that secrets are never logged. */
const REDACT = ['secret', 'password', 'token', 'authorization', 'cookie', '*.secret', '*.password', '*.token'];

/** Words that wait for a disk that takes none. */
const WAITING_BYTES = 1_048_576;

/** Opens the root logger; each part gets `log.child({ part })`. Levels go by loss: error = data lost or someone must act, warn = unexpected but whole. */
export const openLog = ({ program, level, file }: LogOptions): Log => {
  const to = destination({ dest: file ?? 2, sync: true, mkdir: file !== undefined, maxLength: WAITING_BYTES });
  // A disk that takes no words must not end the program: what waits is written with the next word, and what is too much is dropped.
  to.on('error', () => undefined);
  return pino(
    {
      level,
      base: { program, pid: process.pid },
      messageKey: 'message',
      timestamp: () => `,"@timestamp":"${new Date().toISOString()}"`,
      formatters: { level: (label) => ({ level: label }) },
      redact: { paths: REDACT, censor: '***' },
    },
    to,
  );
};
