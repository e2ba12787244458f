// SPDX-License-Identifier: Apache-2.0
/**
 * A small collector for tests of the agent: real TLS with the real CA, the protocol's answers over a journal in memory, faults on demand.
 * Input: requests of an agent. Output: what it took, record by record; answers by W5, W6, W9, W10.
 */
import { X509Certificate } from 'node:crypto';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { type Ca, openCa, RENEW_AFTER_MS, readAgentCertificate } from '../../collector/fleet/ca.ts';
import { readRequest } from '../../collector/fleet/certificate.ts';
import { systemClock } from '../../core/clock.ts';
import { type AgentId, makeId, random128 } from '../../core/ids.ts';
import { AGENT_PATHS, type EnrolRequest, RENEW_DOMAIN, type RenewRequest } from '../../core/protocol.ts';
import { verifySignature } from '../../core/sign.ts';
import { type SmallJournal, smallJournal } from './small-journal.ts';

type Script = number | 'hang-up' | { readonly status: number; readonly retryAfter: number };

export interface SmallCollector extends SmallJournal {
  readonly url: string;
  readonly ca: Ca;
  readonly pin: string;
  readonly secret: string;
  /** The token as a host would get it. */
  readonly token: string;
  /** Answers the next requests with this instead of taking them. */
  answerNext(...answers: readonly Script[]): void;
  /** Keys that renewed or enrolled, newest last. */
  readonly keys: readonly string[];
  requests(): number;
  close(): Promise<void>;
}

export const startSmallCollector = async (dir: string): Promise<SmallCollector> => {
  const ca = await openCa({ dir, clock: systemClock, hosts: ['localhost', '127.0.0.1'] });
  const { key, cert } = await ca.server();
  const secret = random128();
  const agent: AgentId = makeId('agt');
  const keys: string[] = [];
  const nonces = new Set<string>();
  const journal = smallJournal();
  let scripted: Script[] = [];
  let requests = 0;

  const issue = async (rawKey: string) => {
    keys.push(rawKey);
    const issued = await ca.issueAgent(agent, rawKey);
    return { agent, certificate: issued.certificate, ca: ca.certificate, serverTime: systemClock.now(), renewAfterMs: RENEW_AFTER_MS };
  };

  const answer = async (path: string, body: Buffer, socket: TLSSocket): Promise<unknown> => {
    if (path === AGENT_PATHS.nonce) {
      const nonce = random128();
      nonces.add(nonce);
      return { nonce, serverTime: systemClock.now() };
    }
    if (path === AGENT_PATHS.enrol || path === AGENT_PATHS.renew) {
      const request = JSON.parse(body.toString()) as EnrolRequest & RenewRequest;
      const csr = await readRequest(request.csr);
      if (csr.kind === 'bad') return 400;
      if (path === AGENT_PATHS.enrol) return request.secret === secret ? issue(csr.key) : 401;
      const signed = Buffer.from(`${request.nonce}${request.csr}`);
      const holds = verifySignature(request.key, Buffer.from(request.signature, 'base64url'), RENEW_DOMAIN, signed);
      return nonces.delete(request.nonce) && holds && keys.includes(request.key) ? issue(csr.key) : 401;
    }
    const raw = socket.getPeerCertificate().raw as Buffer | undefined;
    const certified = socket.authorized && raw ? readAgentCertificate(new X509Certificate(raw)) : null;
    if (certified?.agent !== agent) return 401;
    if (path === AGENT_PATHS.heads) return journal.heads();
    return path === AGENT_PATHS.blocks ? journal.answer(body) : 404;
  };

  const server = createServer(
    {
      key,
      cert: `${cert}\n${ca.certificate}`,
      ca: ca.certificate,
      requestCert: true,
      rejectUnauthorized: false,
      minVersion: 'TLSv1.3',
    },
    (request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('error', () => undefined);
      request.on('end', async () => {
        requests += 1;
        const script = request.url === AGENT_PATHS.blocks ? scripted.shift() : undefined;
        if (script === 'hang-up') return request.socket.destroy();
        const said = script ?? (await answer(request.url ?? '', Buffer.concat(chunks), request.socket as TLSSocket));
        if (typeof said === 'number') response.writeHead(said).end(JSON.stringify({ title: `status ${said}`, status: said }));
        else if (typeof script === 'object') response.writeHead(script.status, { 'retry-after': String(script.retryAfter) }).end();
        else response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(said));
        return undefined;
      });
    },
  );
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const rest: Omit<SmallCollector, keyof SmallJournal> = {
    url,
    ca,
    pin: ca.pin,
    secret,
    token: `vgl1.${Buffer.from(JSON.stringify({ v: 1, url, pin: ca.pin, secret, group: 'default' })).toString('base64url')}`,
    answerNext: (...answers) => {
      scripted = [...answers];
    },
    keys,
    requests: () => requests,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
  return Object.assign(journal, rest);
};
