// SPDX-License-Identifier: Apache-2.0
/**
 * State that lives in another thread: its methods over a message port. What arrives together is one transaction, so that one fsync serves all.
 * Input: calls of the port. Output: results, or the same coded errors.
 */
import type { MessagePort } from 'node:worker_threads';
import { type Clock, systemClock } from '../../../core/clock.ts';
import { CORE_ERRORS, CodedError, coreFault, type ErrorDetails, toError } from '../../../core/errors.ts';
import type { UnixMs } from '../../../core/units.ts';
import { COLLECTOR_ERRORS, type CollectorErrorCode, fault } from '../../errors.ts';
import type { StateStore } from '../store.ts';
import type { StateCore } from './state.ts';

type Method = Exclude<keyof StateStore, 'close'>;

interface Call {
  readonly id: number;
  readonly method: Method;
  readonly args: readonly unknown[];
  /** The caller's time. */
  readonly at: UnixMs;
}

interface Failure {
  readonly code?: string;
  readonly details?: ErrorDetails;
  readonly message: string;
}

type Reply = { readonly id: number; readonly result: unknown } | { readonly id: number; readonly failure: Failure };

const READS: ReadonlySet<Method> = new Set(['get', 'list', 'position', 'page']);

/** Answers calls on the port from the core, each after `heard` was told its caller's time. The core is not closed with the port. */
export const serveState = (port: MessagePort, core: StateCore, heard?: (at: UnixMs) => void): void => {
  let waiting: Call[] = [];
  const run = ({ id, method, args, at }: Call): Reply => {
    try {
      heard?.(at);
      return { id, result: (core[method] as (...args: readonly unknown[]) => unknown)(...args) };
    } catch (error) {
      return { id, failure: failureOf(error) };
    }
  };
  const drain = (): void => {
    const calls = waiting;
    waiting = [];
    let replies: readonly Reply[];
    try {
      const alone = calls.length === 1 || calls.every((call) => READS.has(call.method));
      replies = alone ? calls.map(run) : core.transaction(() => calls.map(run));
    } catch (error) {
      // The common transaction could not be ended: nothing of it was written.
      replies = calls.map(({ id }) => ({ id, failure: failureOf(error) }));
    }
    for (const reply of replies) port.postMessage(reply);
  };
  port.on('message', (call: Call) => {
    if (waiting.push(call) === 1) setImmediate(drain);
  });
};

/** The state behind a port. After `close` every call fails with STORE_CLOSED. */
export const connectState = (port: MessagePort, clock: Clock = systemClock): StateStore => {
  const calls = new Map<number, { readonly resolve: (result: never) => void; readonly reject: (error: Error) => void }>();
  let closed = false;
  let n = 0;
  const end = (): void => {
    closed = true;
    for (const { reject } of calls.values()) reject(fault('STORE_CLOSED'));
    calls.clear();
  };
  port.on('message', (reply: Reply) => {
    const call = calls.get(reply.id);
    calls.delete(reply.id);
    if ('failure' in reply) call?.reject(errorOf(reply.failure));
    else call?.resolve(reply.result as never);
  });
  port.on('close', end);
  const call = <T>(method: Method, ...args: readonly unknown[]): Promise<T> =>
    new Promise<T>((resolve, reject) => {
      if (closed) return reject(fault('STORE_CLOSED'));
      const id = ++n;
      calls.set(id, { resolve, reject });
      port.postMessage({ id, method, args, at: clock.now() } satisfies Call);
    });
  return {
    get: (...args) => call('get', ...args),
    put: (...args) => call('put', ...args),
    remove: (...args) => call('remove', ...args),
    list: (...args) => call('list', ...args),
    commit: (...args) => call('commit', ...args),
    position: (...args) => call('position', ...args),
    page: (...args) => call('page', ...args),
    nextNumber: (...args) => call('nextNumber', ...args),
    close: async () => {
      end();
      port.close();
    },
  };
};

const failureOf = (error: unknown): Failure =>
  error instanceof CodedError ? { code: error.code, details: error.details, message: error.message } : { message: toError(error).message };

const errorOf = ({ code, details, message }: Failure): Error => {
  if (code !== undefined && Object.hasOwn(COLLECTOR_ERRORS, code)) return fault(code as CollectorErrorCode, details);
  if (code !== undefined && Object.hasOwn(CORE_ERRORS, code)) return coreFault(code as keyof typeof CORE_ERRORS, details);
  return new Error(message);
};
