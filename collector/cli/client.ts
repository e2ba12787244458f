// SPDX-License-Identifier: Apache-2.0
/**
 * How a command reaches a running collector: its control socket in the data folder, or `--url` with a token.
 * Input: method, path, JSON. Output: the API's JSON answer, or its coded problem as the same coded error.
 */
import { existsSync } from 'node:fs';
import { request as httpRequest, type IncomingMessage, type RequestOptions } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { join, relative } from 'node:path';
import type { Readable } from 'node:stream';
import { CodedError, systemCode } from '../../core/errors.ts';
import { fault } from '../errors.ts';

export interface Target {
  /** Data folder of the collector on this host. */
  readonly dir: string;
  /** Base URL of one elsewhere; goes before `dir`. */
  readonly url?: string;
  readonly token?: string;
}

export interface Call {
  readonly method?: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly path: string;
  readonly query?: Readonly<Record<string, string | number | boolean | undefined>>;
  readonly body?: unknown;
  /** A body that is sent as it comes, e.g. a log file. */
  readonly stream?: Readable;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Longest path of a Unix socket, in bytes. */
const SOCKET_PATH_LIMIT = 107;

/**
 * Calls the API.
 * @throws CodedError NOT_RUNNING, or the code that the collector answered with.
 */
export const callCollector = async <T>(target: Target, call: Call): Promise<T> => {
  const response = await send(target, call);
  const text = await readText(response);
  const value: unknown = text === '' ? null : JSON.parse(text);
  if ((response.statusCode ?? 500) >= 400) throw problem(value, response.statusCode ?? 500);
  return value as T;
};

const send = (target: Target, call: Call): Promise<IncomingMessage> =>
  new Promise((resolve, reject) => {
    const payload = call.body === undefined ? undefined : JSON.stringify(call.body);
    const options: RequestOptions = {
      method: call.method ?? 'GET',
      path: call.path + queryText(call.query),
      headers: {
        accept: 'application/json',
        ...(payload === undefined ? {} : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(payload) }),
        ...(target.token === undefined || target.url === undefined ? {} : { authorization: `Bearer ${target.token}` }),
        ...call.headers,
      },
    };
    const request =
      target.url === undefined
        ? httpRequest({ ...options, socketPath: socketPath(target.dir) }, resolve)
        : remote(target.url, options, resolve);
    request.on('error', (error) => {
      const gone = ['ENOENT', 'ECONNREFUSED', 'ENOTSOCK', 'EACCES'].includes(systemCode(error) ?? '');
      reject(gone ? fault('NOT_RUNNING', { dir: target.url ?? target.dir }, error) : error);
    });
    if (call.stream) call.stream.pipe(request);
    else request.end(payload);
  });

const remote = (url: string, options: RequestOptions, resolve: (response: IncomingMessage) => void): ReturnType<typeof httpRequest> => {
  const base = new URL(url);
  const all = { ...options, host: base.hostname, port: base.port };
  return base.protocol === 'https:' ? httpsRequest(all, resolve) : httpRequest(all, resolve);
};

/** The control socket, by a relative path where the absolute one is too long. */
export const socketPath = (dir: string): string => {
  const path = join(dir, 'control.sock');
  const short = relative(process.cwd(), path);
  const chosen = Buffer.byteLength(path) <= SOCKET_PATH_LIMIT ? path : short;
  if (!existsSync(path) || Buffer.byteLength(chosen) > SOCKET_PATH_LIMIT) throw fault('NOT_RUNNING', { dir });
  return chosen;
};

const queryText = (query: Call['query']): string => {
  const pairs = Object.entries(query ?? {}).filter(([, value]) => value !== undefined);
  return pairs.length === 0 ? '' : `?${new URLSearchParams(pairs.map(([k, v]) => [k, String(v)])).toString()}`;
};

const readText = async (response: IncomingMessage): Promise<string> => {
  const pieces: Buffer[] = [];
  for await (const piece of response) pieces.push(piece as Buffer);
  return Buffer.concat(pieces).toString('utf8');
};

const problem = (value: unknown, status: number): CodedError => {
  const p = (value ?? {}) as { code?: string; detail?: string; title?: string; hint?: string };
  const text = p.detail ?? p.title ?? `The collector answered ${status}.`;
  return new CodedError(
    p.code ?? 'COLLECTOR_FAULT',
    { text, hint: p.hint ?? 'See the collector’s log.', status, exit: status < 500 ? 2 : 3 },
    {},
  );
};
