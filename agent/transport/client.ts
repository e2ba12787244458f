// SPDX-License-Identifier: Apache-2.0
/**
 * HTTPS towards the collector: the pinned CA and nobody else, the agent's own key as client certificate, keep-alive, no session resumption.
 * Input: a path and a body. Output: status and bounded bytes, or why there was no answer. Never throws for a peer's doing.
 */
import { X509Certificate } from 'node:crypto';
import { Agent, type RequestOptions, request } from 'node:https';
import { checkServerIdentity, type PeerCertificate } from 'node:tls';
import { systemCode, toError } from '../../core/errors.ts';
import { sha256 } from '../../core/hash.ts';

export interface ClientIdentity {
  /** PEM of the CA that signs collector and agents. */
  readonly ca: string;
  /** SHA-256 of that CA's public key (SPKI), hexadecimal, from the token. */
  readonly pin: string;
  readonly certificate?: string;
  readonly privatePem?: string;
}

export interface ClientOptions {
  /** Base URL of the agents' listener; https only. */
  readonly url: string;
  readonly identity: ClientIdentity;
  /** The whole exchange, measured by a clock that never jumps. */
  readonly timeoutMs: number;
  readonly maxAnswerBytes?: number;
}

export type Reply =
  | { readonly kind: 'reply'; readonly status: number; readonly body: Buffer; readonly retryAfterMs?: number }
  | { readonly kind: 'failed'; readonly code: string; readonly reason: string };

export interface Client {
  post(path: string, body: Uint8Array, type: string): Promise<Reply>;
  get(path: string): Promise<Reply>;
  /** Bytes sent since the start, bodies only. */
  readonly sentBytes: number;
  /** Closes kept connections; a request under way is given up. */
  close(): void;
}

const MAX_ANSWER_BYTES = 16_777_216;

/** The hexadecimal SHA-256 of a certificate's public key. */
export const pinOf = (certificate: X509Certificate): string => sha256(certificate.publicKey.export({ type: 'spki', format: 'der' }));

export const openClient = (options: ClientOptions): Client => {
  const { url, identity, timeoutMs } = options;
  const base = new URL(url);
  const maxAnswerBytes = options.maxAnswerBytes ?? MAX_ANSWER_BYTES;
  const caHolds = pinOf(new X509Certificate(identity.ca)) === identity.pin;
  const agent = new Agent({
    keepAlive: true,
    maxSockets: 2,
    // I7: a session that resumes would pass by a revocation.
    maxCachedSessions: 0,
    ca: identity.ca,
    minVersion: 'TLSv1.3',
    rejectUnauthorized: true,
    checkServerIdentity: (host: string, peer: PeerCertificate) =>
      caHolds ? checkServerIdentity(host, peer) : Object.assign(new Error('the CA is not the one of the token'), { code: 'PIN_MISMATCH' }),
    ...(identity.certificate === undefined ? {} : { cert: identity.certificate }),
    ...(identity.privatePem === undefined ? {} : { key: identity.privatePem }),
  });
  let sentBytes = 0;
  const send = (method: string, path: string, body: Uint8Array | undefined, type: string): Promise<Reply> => {
    const target: RequestOptions = {
      agent,
      method,
      host: base.hostname.replace(/^\[|\]$/g, ''),
      port: base.port === '' ? 443 : base.port,
      path: base.pathname.replace(/\/$/, '') + path,
      headers: { accept: 'application/json', ...(body ? { 'content-type': type, 'content-length': body.length } : {}) },
    };
    sentBytes += body?.length ?? 0;
    return exchange(target, body, timeoutMs, maxAnswerBytes);
  };
  return {
    post: (path, body, type) => send('POST', path, body, type),
    get: (path) => send('GET', path, undefined, ''),
    get sentBytes() {
      return sentBytes;
    },
    close: () => agent.destroy(),
  };
};

/** One request and its answer. */
export const exchange = (target: RequestOptions, body: Uint8Array | undefined, timeoutMs: number, maxBytes: number): Promise<Reply> =>
  new Promise((resolve) => {
    const fail = (error: Error): void => {
      clearTimeout(timer);
      resolve({ kind: 'failed', ...explainFailure(error) });
    };
    const call = request(target, (response) => {
      const chunks: Buffer[] = [];
      let size = 0;
      response.on('data', (chunk: Buffer) => {
        size += chunk.length;
        if (size > maxBytes) call.destroy(Object.assign(new Error('the answer is too long'), { code: 'ANSWER_TOO_LONG' }));
        else chunks.push(chunk);
      });
      response.on('error', fail);
      response.on('end', () => {
        clearTimeout(timer);
        const retryAfterMs = readRetryAfter(response.headers['retry-after']);
        const base = { kind: 'reply' as const, status: response.statusCode ?? 0, body: Buffer.concat(chunks) };
        resolve(retryAfterMs === undefined ? base : { ...base, retryAfterMs });
      });
    });
    const timer = setTimeout(() => call.destroy(Object.assign(new Error('no answer in time'), { code: 'TIMED_OUT' })), timeoutMs);
    call.on('error', fail);
    call.end(body);
  });

/** `Retry-After` in seconds; a date is not followed, as the clocks may differ. */
const readRetryAfter = (value: string | undefined): number | undefined =>
  value !== undefined && /^\d{1,9}$/.test(value) ? Number(value) * 1000 : undefined;

const NOT_TRUSTED =
  /^(PIN_MISMATCH|ERR_TLS_CERT_ALTNAME_INVALID|UNABLE_TO_|SELF_SIGNED|DEPTH_ZERO|CERT_SIGNATURE|CERT_UNTRUSTED|INVALID_CA|CERT_REJECTED)/;

/** A stable code and a sentence for whatever went wrong on the way. */
export const explainFailure = (error: unknown): { readonly code: string; readonly reason: string } => {
  const code = systemCode(error) ?? '';
  const { message } = toError(error);
  if (code === 'CERT_NOT_YET_VALID' || code === 'CERT_HAS_EXPIRED')
    return { code: 'CLOCK_WRONG', reason: 'by this host’s clock the collector’s certificate is not valid now' };
  if (NOT_TRUSTED.test(code)) return { code: 'COLLECTOR_NOT_TRUSTED', reason: message };
  if (code === 'TIMED_OUT') return { code: 'COLLECTOR_SILENT', reason: message };
  return { code: 'COLLECTOR_UNREACHABLE', reason: code === '' ? message : code };
};
