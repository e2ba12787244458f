// SPDX-License-Identifier: Apache-2.0
/**
 * The agents' listener: mutual TLS with the doors agent, enrol and renew (river.md I1), and the statuses of W5.
 * Input: connections of agents. Output: blocks to ingest with a verified sender; answers, or coded errors as JSON.
 */
import { constants } from 'node:crypto';
import { createReadStream } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { pipeline } from 'node:stream/promises';
import type { TLSSocket } from 'node:tls';
import { parseJson } from '../../core/bytes.ts';
import { type CodedError, isCoded, systemCode, toError } from '../../core/errors.ts';
import { type AgentId, random128 } from '../../core/ids.ts';
import { AGENT_PATHS, type BlocksAnswer, LIMITS, type StreamRanges } from '../../core/protocol.ts';
import { fault } from '../errors.ts';
import type { ServerCredentials } from '../fleet/ca.ts';
import type { IdentityOutcome } from '../fleet/enrol.ts';
import type { Installer, InstallFile } from '../fleet/package/install.ts';
import type { Nonces } from '../fleet/renew.ts';
import { type BlockSender, type IdentityDoorParts, openIdentityDoor, remoteOf } from './agent-identity.ts';
import { openBodies } from './body.ts';
import { PROBLEM_TYPE, problemOf } from './errors.ts';
import { portOwner } from './port-owner.ts';

export interface AgentsListenerParts extends IdentityDoorParts {
  readonly enrol: (body: unknown, from: string) => Promise<IdentityOutcome>;
  readonly renew: (body: unknown, from: string) => Promise<IdentityOutcome>;
  readonly nonces: Nonces;
  /** What a host without an agent fetches; open to everybody, as it is checked against the hash in the line that was pasted. */
  readonly installer: Pick<Installer, 'find'>;
  /** May throw coded errors of status 413, 429 or 503; `retryAfterMs` in their details is passed on. */
  readonly receiveBlocks: (bytes: Uint8Array, sender: BlockSender) => Promise<BlocksAnswer>;
  /** What the journal holds of an agent's streams (W7). */
  readonly heads: (agent: AgentId) => Promise<{ readonly incarnation: string; readonly held: readonly StreamRanges[] }>;
}

export interface AgentsListenerOptions {
  readonly host: string;
  /** 0 picks a free one. */
  readonly port: number;
  /** Bytes of all bodies under way together. */
  readonly bodiesBytes?: number;
  readonly maxConnections?: number;
  /** Requests of one agent at the same time; one more is answered 429. */
  readonly perAgent?: number;
}

export interface AgentsListener {
  readonly host: string;
  readonly port: number;
  /** Puts a renewed certificate in place, without a restart. Called daily. */
  refresh(): Promise<void>;
  readonly connections: () => number;
  /** Takes no more requests, lets those under way end (at most 5 s), closes. */
  close(): Promise<void>;
}

const INSTALL_PATH = '/install/';
const HEADER_BYTES = 8_192;
const SMALL_BODY_BYTES = 16_384;
const CLOSE_MS = 5_000;
const RETRY_SECONDS = 2;

/** Opens the listener. @throws CodedError PORT_TAKEN, LISTENER_FAILED, KEY_FILE_BAD. */
export const openAgentsListener = async (parts: AgentsListenerParts, options: AgentsListenerOptions): Promise<AgentsListener> => {
  const door = openIdentityDoor(parts);
  const bodies = openBodies(options.bodiesBytes ?? 268_435_456);
  const busy = new Map<AgentId, number>();
  const context = (server: ServerCredentials) => ({
    key: server.key,
    // The authority goes along, so that an enrolling host can hold it against the pin of its token.
    cert: server.cert + parts.ca.certificate,
    ca: parts.ca.certificate,
    minVersion: 'TLSv1.3' as const,
    // A resumed session would outlive a revocation (I7).
    secureOptions: constants.SSL_OP_NO_TICKET,
  });

  const agentDoor = async (request: IncomingMessage, response: ServerResponse, socket: TLSSocket): Promise<void> => {
    const judged = await door.judge(socket);
    if (judged.kind === 'refused') return sendError(response, fault('IDENTITY_REFUSED', { reason: judged.reason }), true);
    const { sender } = judged;
    const { id } = sender.agent;
    const running = busy.get(id) ?? 0;
    if (running >= (options.perAgent ?? 8)) return sendError(response, fault('TOO_MANY_REQUESTS', { address: sender.from }), true);
    busy.set(id, running + 1);
    try {
      const now = parts.clock.now();
      if (!sender.held) parts.registry.seen(id, sender.key, now);
      if (pathOf(request) === AGENT_PATHS.heads)
        return send(response, 200, {
          kind: 'resync',
          serverTime: now,
          ...(await parts.heads(id)),
          ...(sender.held ? { standing: 'held' } : {}),
        } satisfies BlocksAnswer);
      const body = await bodies.read(request, LIMITS.requestBytes);
      if (body.kind !== 'ok') return sendUnread(response, body.kind, LIMITS.requestBytes);
      try {
        send(response, 200, await parts.receiveBlocks(body.bytes, sender));
      } finally {
        body.done();
      }
    } finally {
      const left = (busy.get(id) ?? 1) - 1;
      if (left > 0) busy.set(id, left);
      else busy.delete(id);
    }
  };

  const identityDoor = async (
    request: IncomingMessage,
    response: ServerResponse,
    from: string,
    take: AgentsListenerParts['enrol'],
  ): Promise<void> => {
    const body = await bodies.read(request, SMALL_BODY_BYTES);
    if (body.kind !== 'ok') return sendUnread(response, body.kind, SMALL_BODY_BYTES);
    try {
      const outcome = await take(parseJson(body.bytes, 4), from);
      if (outcome.kind === 'given') send(response, 200, outcome.answer);
      else sendError(response, outcome.error, false, outcome.retryAfterMs);
    } finally {
      body.done();
    }
  };

  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const socket = request.socket as TLSSocket;
    const from = remoteOf(socket);
    const path = pathOf(request);
    const post = request.method === 'POST';
    if (path === AGENT_PATHS.blocks && post) return agentDoor(request, response, socket);
    if (path === AGENT_PATHS.heads && (post || request.method === 'GET')) return agentDoor(request, response, socket);
    if (path === AGENT_PATHS.enrol && post) return identityDoor(request, response, from, parts.enrol);
    if (path === AGENT_PATHS.renew && post) return identityDoor(request, response, from, parts.renew);
    if (path === AGENT_PATHS.nonce && (post || request.method === 'GET')) return send(response, 200, parts.nonces.give());
    if (path.startsWith(INSTALL_PATH) && request.method === 'GET')
      return sendInstall(response, await parts.installer.find(path.slice(INSTALL_PATH.length)), path);
    sendError(response, fault('NO_SUCH_DOOR', { path: path.slice(0, 100) }), true);
  };

  const server = createServer(
    {
      ...context(await parts.ca.server()),
      requestCert: true,
      rejectUnauthorized: false,
      handshakeTimeout: 10_000,
      maxHeaderSize: HEADER_BYTES,
      headersTimeout: 10_000,
      requestTimeout: 60_000,
      keepAliveTimeout: 90_000,
      noDelay: true,
    },
    (request, response) => {
      answer(request, response).catch((error: unknown) => {
        if (!isCoded(error) || error.status >= 500)
          parts.log.error({ event: 'agents.request.failed', path: pathOf(request), err: error }, 'a request of an agent failed');
        sendError(response, isCoded(error) ? error : fault('AGENT_DOOR_BUSY', {}, error), true);
      });
    },
  );
  server.maxConnections = options.maxConnections ?? 20_000;
  server.on('secureConnection', (socket: TLSSocket) => {
    door.arrived(socket);
    // A reset by the peer is its own business; the request that it cut off hears of it.
    socket.on('error', () => socket.destroy());
  });
  server.on('clientError', (error, socket) => {
    if (systemCode(error) === 'HPE_HEADER_OVERFLOW' && socket.writable) socket.end(headersTooLarge());
    else socket.destroy();
  });
  await listen(server, options);
  const { port } = server.address() as AddressInfo;
  return {
    host: options.host,
    port,
    refresh: async () => server.setSecureContext(context(await parts.ca.server())),
    connections: door.connections,
    close: () => closeServer(server),
  };
};

/** A file for a new host. Bounded by what lies there: one script, one archive. */
const sendInstall = async (response: ServerResponse, found: InstallFile | null, path: string): Promise<void> => {
  if (found === null) return sendError(response, fault('NO_SUCH_DOOR', { path: path.slice(0, 100) }), true);
  const { type, content } = found;
  const length = 'text' in content ? Buffer.byteLength(content.text) : content.bytes;
  response.writeHead(200, { 'content-type': type, 'content-length': length, 'cache-control': 'no-store' });
  if ('text' in content) response.end(content.text);
  else await pipeline(createReadStream(content.file), response);
};

const pathOf = (request: IncomingMessage): string => (request.url ?? '').split('?', 1)[0] ?? '';

const listen = (server: Server, { host, port }: AgentsListenerOptions): Promise<void> =>
  new Promise((resolve, reject) => {
    const address = `${host}:${port}`;
    server.once('error', (error) =>
      reject(
        systemCode(error) === 'EADDRINUSE'
          ? fault('PORT_TAKEN', { address, owner: portOwner(port), flag: '--agents' }, error)
          : fault('LISTENER_FAILED', { address, reason: systemCode(error) ?? toError(error).message }, error),
      ),
    );
    server.listen(port, host, resolve);
  });

const closeServer = (server: Server): Promise<void> =>
  new Promise((resolve) => {
    const force = setTimeout(() => server.closeAllConnections(), CLOSE_MS);
    server.close(() => {
      clearTimeout(force);
      resolve();
    });
    server.closeIdleConnections();
  });

const send = (response: ServerResponse, status: number, value: unknown, headers: Readonly<Record<string, string>> = {}): void => {
  if (response.headersSent || response.destroyed) return;
  const bytes = Buffer.from(JSON.stringify(value));
  response.writeHead(status, {
    'content-type': 'application/json',
    'content-length': bytes.length,
    'cache-control': 'no-store',
    ...headers,
  });
  response.end(bytes);
};

/** `close` ends the connection after the answer: the rest of a body that is not read must not be taken for a request. */
const sendError = (response: ServerResponse, error: CodedError, close: boolean, retryAfterMs?: number): void => {
  const told = retryAfterMs ?? Number(error.details['retryAfterMs'] ?? RETRY_SECONDS * 1_000);
  const wait: Record<string, string> =
    error.status === 429 || error.status === 503 ? { 'retry-after': String(Math.max(1, Math.ceil(told / 1_000))) } : {};
  const headers = { ...wait, ...(close ? { connection: 'close' } : {}), 'content-type': PROBLEM_TYPE };
  send(response, error.status, problemOf(error, random128()), headers);
};

/** The answer as bytes: the parser gave up, so there is no response to write it with. */
const headersTooLarge = (): string => {
  const problem = problemOf(fault('REQUEST_TOO_LARGE', { limit: HEADER_BYTES }), random128());
  const body = JSON.stringify({ ...problem, status: 431 });
  return `HTTP/1.1 431 Request Header Fields Too Large\r\ncontent-type: ${PROBLEM_TYPE}\r\ncontent-length: ${body.length}\r\nconnection: close\r\n\r\n${body}`;
};

const sendUnread = (response: ServerResponse, kind: 'too-large' | 'busy' | 'aborted', limit: number): void => {
  if (kind === 'too-large') sendError(response, fault('REQUEST_TOO_LARGE', { limit }), true);
  else if (kind === 'busy') sendError(response, fault('AGENT_DOOR_BUSY'), true);
  else response.destroy();
};
