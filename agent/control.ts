// SPDX-License-Identifier: Apache-2.0
/**
 * A Unix socket in the state folder, through which `status` and `explain` ask the running agent. It answers questions and takes no orders.
 * Input: one JSON line a connection. Output: one JSON line.
 */
import { unlinkSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { join, relative } from 'node:path';
import { asObject, parseJson } from '../core/bytes.ts';
import { systemCode } from '../core/errors.ts';
import { fault } from './errors.ts';

export type Question = { readonly ask: 'status' } | { readonly ask: 'explain'; readonly path: string };

const MAX_QUESTION_BYTES = 8_192;
const MAX_ANSWER_BYTES = 8_388_608;
const TIMEOUT_MS = 5_000;
/** What a Unix address can hold. */
const MAX_ADDRESS_BYTES = 107;

const socketPath = (dir: string): string => join(dir, 'agent.sock');

// The address is short or it is refused, so the shorter of two spellings is taken; where both are long, from inside the folder.
const withAddress = <T>(dir: string, use: (address: string) => T): T => {
  const path = socketPath(dir);
  const near = relative(process.cwd(), path);
  const address = near.length < path.length ? near : path;
  if (Buffer.byteLength(address) <= MAX_ADDRESS_BYTES) return use(address);
  const here = process.cwd();
  process.chdir(dir);
  try {
    return use('agent.sock');
  } finally {
    process.chdir(here);
  }
};

export interface Control {
  close(): Promise<void>;
}

/** Opens the socket, mode 0600. The caller holds the folder's lock, so what lies there is left over. */
export const openControl = async (dir: string, answer: (question: Question) => unknown): Promise<Control> => {
  try {
    unlinkSync(socketPath(dir));
  } catch (error) {
    if (systemCode(error) !== 'ENOENT')
      throw fault('AGENT_STATE_UNUSABLE', { dir, reason: systemCode(error) ?? 'agent.sock stands in the way' }, error);
  }
  const server = createServer((socket) => {
    let text = '';
    socket.setTimeout(TIMEOUT_MS, () => socket.destroy());
    socket.on('error', () => socket.destroy());
    socket.setEncoding('utf8');
    socket.on('data', (chunk: string) => {
      text += chunk;
      if (text.length > MAX_QUESTION_BYTES) socket.destroy();
      else if (text.endsWith('\n')) {
        const question = readQuestion(text);
        socket.end(`${JSON.stringify(question ? answer(question) : { error: 'not a question' })}\n`);
      }
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    const mask = process.umask(0o177);
    try {
      withAddress(dir, (address) => server.listen(address, resolve));
    } finally {
      process.umask(mask);
    }
  });
  // A question must not keep an agent alive that has nothing else to do.
  server.unref();
  return { close: () => new Promise((resolve) => server.close(() => resolve())) };
};

const readQuestion = (text: string): Question | undefined => {
  let value: Readonly<Record<string, unknown>> | null;
  try {
    value = asObject(parseJson(Buffer.from(text), 3));
  } catch {
    // Whatever it was, it is answered as no question.
    return undefined;
  }
  const path = value?.['path'];
  if (value?.['ask'] === 'status') return { ask: 'status' };
  return value?.['ask'] === 'explain' && typeof path === 'string' ? { ask: 'explain', path } : undefined;
};

/** Asks the agent that runs on a state folder. @throws CodedError AGENT_NOT_RUNNING. */
export const askAgent = (dir: string, question: Question): Promise<unknown> =>
  new Promise((resolve, reject) => {
    let text = '';
    const socket = withAddress(dir, (address) => connect(address));
    const fail = (cause?: unknown): void => {
      socket.destroy();
      reject(fault('AGENT_NOT_RUNNING', { dir }, cause));
    };
    socket.setTimeout(TIMEOUT_MS, fail);
    socket.on('error', fail);
    socket.setEncoding('utf8');
    socket.on('connect', () => socket.write(`${JSON.stringify(question)}\n`));
    socket.on('data', (chunk: string) => {
      text += chunk;
      if (text.length > MAX_ANSWER_BYTES) fail();
    });
    socket.on('end', () => {
      try {
        resolve(JSON.parse(text));
      } catch (error) {
        fail(error);
      }
    });
  });
