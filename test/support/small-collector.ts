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
import {
  AGENT_PATHS,
  type Block,
  type BlockAnswer,
  type BlocksAnswer,
  type EnrolRequest,
  RENEW_DOMAIN,
  type RenewRequest,
  type StreamEnd,
  type StreamRanges,
} from '../../core/protocol.ts';
import { verifySignature } from '../../core/sign.ts';
import { checkBlock, decodeRequest, readRecords } from '../../core/wire.ts';

export interface SmallCollector {
  readonly url: string;
  readonly ca: Ca;
  readonly pin: string;
  readonly secret: string;
  /** The token as a host would get it. */
  readonly token: string;
  readonly blocks: readonly Block[];
  /** Lines of a stream in the order of arrival. */
  lines(stream: string): readonly string[];
  /** Answers the next requests with this instead of taking them. */
  answerNext(...answers: readonly (number | 'hang-up' | { readonly status: number; readonly retryAfter: number })[]): void;
  /** Judges a block by hand; undefined leaves it to the rules. */
  judge: ((block: Block) => BlockAnswer | undefined) | undefined;
  /** Ranges to ask back with the next answer (W9). */
  missing: { readonly stream: string; readonly epoch: string; readonly from: number; readonly to: number }[];
  /** Puts the journal back to its first blocks, as a new incarnation (W6). */
  restore(count: number): void;
  /** Keys that renewed or enrolled, newest last. */
  readonly keys: readonly string[];
  readonly requests: number;
  close(): Promise<void>;
}

export const startSmallCollector = async (dir: string): Promise<SmallCollector> => {
  const ca = await openCa({ dir, clock: systemClock, hosts: ['localhost', '127.0.0.1'] });
  const { key, cert } = await ca.server();
  const secret = random128();
  const agent: AgentId = makeId('agt');
  const keys: string[] = [];
  const nonces = new Set<string>();
  let blocks: Block[] = [];
  let incarnation = random128();
  let scripted: (number | 'hang-up' | { readonly status: number; readonly retryAfter: number })[] = [];
  let requests = 0;

  const rangesOf = (): StreamRanges[] => {
    const byEpoch = Map.groupBy(blocks, ({ header }) => `${header.stream}\0${header.epoch}`);
    return [...byEpoch.values()].map((list) => {
      const ranges: [number, number][] = [];
      for (const { header } of list.toSorted((a, b) => a.header.first - b.header.first)) {
        const last = ranges.at(-1);
        const end = header.first + header.count - 1;
        if (last && last[1] + 1 >= header.first) last[1] = Math.max(last[1], end);
        else ranges.push([header.first, end]);
      }
      const { stream, epoch } = list[0]!.header;
      return { stream, epoch, ranges, last: endOf(list.at(-1)!) };
    });
  };

  const endOf = (block: Block): StreamEnd => {
    const { epoch, first, count, hash, file, kind } = block.header;
    const end = kind === 'lines' ? (readRecords(block).at(-1)?.end ?? 0) : 0;
    return { epoch, seq: first + count - 1, hash, end, ...(file ? { file } : {}) };
  };

  const endsOf = (stream: string): StreamEnd[] =>
    blocks
      .filter(({ header }) => header.stream === stream)
      .map(endOf)
      .reverse();

  const take = (block: Block): BlockAnswer => {
    const { header } = block;
    const problem = checkBlock(block);
    if (problem !== null) return { hash: header.hash, result: 'bad', code: 'BAD', reason: problem };
    const own = blocks.filter((other) => other.header.stream === header.stream);
    const same = own.filter((other) => other.header.epoch === header.epoch);
    const last = header.first + header.count - 1;
    const place = same.findIndex((other) => other.header.hash === header.hash && other.header.first === header.first);
    if (place >= 0) return { hash: header.hash, result: 'have', offset: blocks.indexOf(same[place]!) + 1 };
    const overlaps = same.some((other) => other.header.first <= last && header.first <= other.header.first + other.header.count - 1);
    // W10: an epoch that is not known follows the head, or nothing.
    const head = own.at(-1)?.header;
    const isNew = same.length === 0 && head !== undefined;
    const follows = head && header.after?.epoch === head.epoch && header.after.seq === head.first + head.count - 1;
    const closed = own.some((other) => other.header.after?.epoch === header.epoch && last > other.header.after.seq);
    if (overlaps || closed || (isNew && !follows)) return { hash: header.hash, result: 'conflict', ends: endsOf(header.stream) };
    blocks.push(block);
    return { hash: header.hash, result: 'accepted', offset: blocks.length };
  };

  const answerBlocks = (body: Buffer): BlocksAnswer | number => {
    const request = decodeRequest(body);
    if (request.kind === 'bad') return 400;
    const { journal } = request.preamble;
    const serverTime = systemClock.now();
    const known = journal === null || (journal.incarnation === incarnation && journal.offset <= blocks.length);
    if (!known) return { kind: 'resync', incarnation, serverTime, held: rangesOf() };
    const stopped = new Set<string>();
    const answers = request.blocks.map((decoded): BlockAnswer => {
      if (decoded.kind === 'bad') return { hash: decoded.hash, result: 'bad', code: 'BAD', reason: decoded.reason };
      const { stream, hash } = decoded.block.header;
      if (stopped.has(stream)) return { hash, result: 'refused' };
      const answer = small.judge?.(decoded.block) ?? take(decoded.block);
      if (answer.result === 'conflict') stopped.add(stream);
      return answer;
    });
    const missing = small.missing;
    small.missing = [];
    return { kind: 'answers', incarnation, serverTime, answers, ...(missing.length > 0 ? { missing } : {}) };
  };

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
    if (path === AGENT_PATHS.heads) return { kind: 'resync', incarnation, serverTime: systemClock.now(), held: rangesOf() };
    return path === AGENT_PATHS.blocks ? answerBlocks(body) : 404;
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
  const small: SmallCollector = {
    url,
    ca,
    pin: ca.pin,
    secret,
    token: `vgl1.${Buffer.from(JSON.stringify({ v: 1, url, pin: ca.pin, secret, group: 'default' })).toString('base64url')}`,
    get blocks() {
      return blocks;
    },
    lines: (stream) =>
      blocks
        .filter(({ header }) => header.stream === stream && header.kind === 'lines')
        .flatMap((block) => readRecords(block).map(({ bytes }) => Buffer.from(bytes).toString())),
    answerNext: (...answers) => {
      scripted = [...answers];
    },
    judge: undefined,
    missing: [],
    restore: (count) => {
      blocks = blocks.slice(0, count);
      incarnation = random128();
    },
    keys,
    get requests() {
      return requests;
    },
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
  return small;
};
