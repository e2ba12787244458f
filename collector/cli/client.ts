// SPDX-License-Identifier: Apache-2.0
/**
 * How a command reaches a running collector: its control socket in the data folder, or `--url` with a token.
 * Input: method, path, JSON. Output: the API's JSON answer, or its coded problem as the same coded error.
 */
import { lstatSync } from 'node:fs';
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
 * @throws CodedError NOT_RUNNING, UNREACHABLE, CONTROL_DENIED, USAGE for a bad URL, or the code that the collector answered with.
 */
export const callCollector = async <T>(target: Target, call: Call): Promise<T> => {
  const response = await send(target, call);
  const value = parseAnswer(await readText(response), target);
  if ((response.statusCode ?? 500) >= 400) throw problem(value, response.statusCode ?? 500, target);
  return value as T;
};

/** Calls the API for what is not to be read as JSON here. @throws the same. */
export const callText = async (target: Target, call: Call): Promise<string> => {
  const response = await send(target, call);
  const text = await readText(response);
  if ((response.statusCode ?? 500) >= 400) throw problem(parseAnswer(text, target), response.statusCode ?? 500, target);
  return text;
};

const parseAnswer = (text: string, target: Target): unknown => {
  if (text === '') return null;
  try {
    return JSON.parse(text);
  } catch (error) {
    throw fault('UNREACHABLE', { url: target.url ?? target.dir, reason: 'what answers there is no collector' }, error);
  }
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
      const code = systemCode(error) ?? error.message;
      const gone = ['ENOENT', 'ECONNREFUSED', 'ENOTSOCK'].includes(code);
      if (target.url !== undefined) reject(fault('UNREACHABLE', { url: target.url, reason: code }, error));
      else if (code === 'EACCES') reject(fault('CONTROL_DENIED', { dir: target.dir }, error));
      else reject(gone ? fault('NOT_RUNNING', { dir: target.dir }, error) : error);
    });
    if (call.stream) call.stream.pipe(request);
    else request.end(payload);
  });

const remote = (url: string, options: RequestOptions, resolve: (response: IncomingMessage) => void): ReturnType<typeof httpRequest> => {
  const base = URL.canParse(url) ? new URL(url) : null;
  if (base?.protocol !== 'https:' && base?.protocol !== 'http:')
    throw fault('USAGE', { reason: `--url ${url} is no address such as https://vigil.example:7480` });
  const all = { ...options, host: base.hostname, port: base.port };
  return base.protocol === 'https:' ? httpsRequest(all, resolve) : httpRequest(all, resolve);
};

/** The control socket, by a relative path where the absolute one is too long. */
export const socketPath = (dir: string): string => {
  const path = join(dir, 'control.sock');
  const short = relative(process.cwd(), path);
  const chosen = Buffer.byteLength(path) <= SOCKET_PATH_LIMIT ? path : short;
  try {
    lstatSync(path);
  } catch (error) {
    throw fault(systemCode(error) === 'EACCES' ? 'CONTROL_DENIED' : 'NOT_RUNNING', { dir }, error);
  }
  if (Buffer.byteLength(chosen) > SOCKET_PATH_LIMIT) throw fault('NOT_RUNNING', { dir });
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

const problem = (value: unknown, status: number, target: Target): CodedError => {
  const p = (value ?? {}) as { code?: string; detail?: string; title?: string; hint?: string };
  const text = (p.detail ?? p.title ?? `The collector answered ${status}.`).replace(/(?<=: )(?:body|query)\.(?=\w)/, '');
  const hint = hintOf(p.code, target) ?? p.hint ?? 'See the collector’s log.';
  return new CodedError(p.code ?? 'COLLECTOR_FAULT', { text, hint, status, exit: status < 500 ? 2 : 3 }, {});
};

/** What helps somebody who typed a command, where that is not what helps a program that calls the API. */
const hintOf = (code: string | undefined, target: Target): string | undefined => {
  if (code === 'REQUEST_BAD') return 'Add --help to see the command with an example.';
  if (code === 'NOT_SIGNED_IN' && target.url !== undefined)
    return `${target.token === undefined ? 'Put an API token into the variable VIGIL_TOKEN' : 'The token in VIGIL_TOKEN is not known, revoked or expired'}; on the collector’s host \`vigil token create --role auditor\` makes one.`;
  return undefined;
};
