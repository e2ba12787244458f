// SPDX-License-Identifier: Apache-2.0
/**
 * A load of agents in a process of its own: enrols keys, seals blocks of real lines, sends them over mutual TLS in an open loop, measures acks.
 * Input: a token, a file of lines, agents, rate, seconds. Output: one JSON line with sent and acked records and ack times.
 */
import 'reflect-metadata';
import { webcrypto } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { Agent as HttpsAgent, request } from 'node:https';
import { parseArgs } from 'node:util';
import { cryptoProvider, Pkcs10CertificateRequestGenerator } from '@peculiar/x509';
import { type AgentId, random128 } from '../core/ids.ts';
import { AGENT_PATHS, type BlocksAnswer, type EnrolAnswer, type JournalMark, type TokenText } from '../core/protocol.ts';
import { type Signer, signerFromPem } from '../core/sign.ts';
import { unixMs } from '../core/units.ts';
import { encodeBlock, encodeRequest, sealBlock } from '../core/wire.ts';

const { values } = parseArgs({
  options: {
    token: { type: 'string' },
    lines: { type: 'string' },
    agents: { type: 'string', default: '20' },
    rate: { type: 'string', default: '20000' },
    seconds: { type: 'string', default: '60' },
    block: { type: 'string', default: '512' },
  },
});
const token = JSON.parse(Buffer.from(String(values.token).slice(5), 'base64url').toString('utf8')) as TokenText;
const url = new URL(token.url);
/** Lines by dataset, each a stream of its own, as on a host: `DATASET<tab>LINE` a line of the file. */
const corpora = new Map<string, Buffer[]>();
for (const row of readFileSync(String(values.lines), 'utf8').split('\n')) {
  const tab = row.indexOf('\t');
  if (tab < 0) continue;
  const list = corpora.get(row.slice(0, tab)) ?? [];
  list.push(Buffer.from(row.slice(tab + 1)));
  corpora.set(row.slice(0, tab), list);
}
/** Datasets by turn, each as often as its share of the lines. */
const turns = [...corpora].flatMap(([dataset, lines]) => Array.from({ length: Math.max(1, Math.round(lines.length / 20)) }, () => dataset));
const perBlock = Number(values.block);

interface Sender {
  readonly id: AgentId;
  readonly signer: Signer;
  readonly agent: HttpsAgent;
  readonly streams: Map<string, { readonly epoch: string; seq: number; prev: string | null; offset: number; place: number }>;
  mark: JournalMark | null;
  busy: boolean;
}

const post = <T>(agent: HttpsAgent, path: string, body: Uint8Array | string): Promise<T> =>
  new Promise((resolve, reject) => {
    const call = request(
      { method: 'POST', host: url.hostname, port: url.port, path, agent, headers: { 'content-length': Buffer.byteLength(body) } },
      (response) => {
        const pieces: Buffer[] = [];
        response.on('data', (piece: Buffer) => pieces.push(piece));
        response.on('end', () => {
          const text = Buffer.concat(pieces).toString('utf8');
          if (response.statusCode === 200) resolve(JSON.parse(text) as T);
          else reject(new Error(`${path} answered ${response.statusCode}: ${text.slice(0, 200)}`));
        });
      },
    );
    call.on('error', reject);
    call.end(body);
  });

const enrol = async (n: number): Promise<Sender> => {
  const pair = (await webcrypto.subtle.generateKey({ name: 'Ed25519' }, true, ['sign', 'verify'])) as unknown as {
    readonly privateKey: webcrypto.CryptoKey;
    readonly publicKey: webcrypto.CryptoKey;
  };
  cryptoProvider.set(webcrypto);
  const csr = await Pkcs10CertificateRequestGenerator.create({ name: 'CN=agent', keys: pair, signingAlgorithm: { name: 'Ed25519' } });
  const key = `-----BEGIN PRIVATE KEY-----\n${Buffer.from(await webcrypto.subtle.exportKey('pkcs8', pair.privateKey)).toString('base64')}\n-----END PRIVATE KEY-----\n`;
  const open = new HttpsAgent({ rejectUnauthorized: false });
  const answer = await post<EnrolAnswer>(
    open,
    AGENT_PATHS.enrol,
    JSON.stringify({
      v: 1,
      secret: token.secret,
      csr: csr.toString('pem'),
      host: `load-${n}`,
      machineId: random128(),
      zone: 'UTC',
      version: '0.1.0',
    }),
  );
  open.destroy();
  const agent = new HttpsAgent({ keepAlive: true, maxSockets: 1, key, cert: answer.certificate, ca: answer.ca, maxCachedSessions: 0 });
  return {
    id: answer.agent,
    signer: signerFromPem(key),
    agent,
    streams: new Map(),
    mark: null,
    busy: false,
  };
};

const senders: Sender[] = [];
for (let i = 0; i < Number(values.agents); i++) senders.push(await enrol(i));

let place = 0;
const acks: number[] = [];
let sent = 0;
let acked = 0;
let late = 0;

/** Cuts and sends the blocks an agent has to send now. The time of an ack counts from when they were due (open loop). */
const send = async (sender: Sender, blocks: number, due: number): Promise<void> => {
  const encoded: Uint8Array[] = [];
  for (let b = 0; b < blocks; b++) {
    const at = unixMs(Date.now());
    const dataset = turns[place++ % turns.length] as string;
    const lines = corpora.get(dataset) as Buffer[];
    let stream = sender.streams.get(dataset);
    if (!stream) sender.streams.set(dataset, (stream = { epoch: random128(), seq: 0, prev: null, offset: 0, place: 0 }));
    const own = stream;
    const from = own.offset;
    const records = Array.from({ length: perBlock }, () => {
      const bytes = lines[own.place++ % lines.length] as Buffer;
      own.offset += bytes.length + 1;
      return { bytes, readAt: at, end: own.offset, flags: 0 };
    });
    const block = sealBlock(
      {
        agent: sender.id,
        host: 'load',
        stream: `file:/var/log/${dataset}.log`,
        kind: 'lines',
        dataset,
        zone: 'UTC',
        epoch: own.epoch,
        at,
        from,
        first: own.seq + 1,
        prev: own.prev,
      },
      records,
      sender.signer,
    );
    own.seq += perBlock;
    own.prev = block.header.hash;
    encoded.push(encodeBlock(block));
  }
  sent += blocks * perBlock;
  const answer = await post<BlocksAnswer>(
    sender.agent,
    AGENT_PATHS.blocks,
    encodeRequest({ v: 1, journal: sender.mark, blocks: encoded.length }, encoded),
  );
  if (answer.kind !== 'answers') throw new Error('the collector asked to resync');
  for (const one of answer.answers) {
    if (one.result !== 'accepted') throw new Error(`a block was ${one.result}: ${one.reason ?? ''}`);
    acked += perBlock;
    sender.mark = { incarnation: answer.incarnation, offset: one.offset ?? 0, hash: one.hash };
  }
  acks.push(performance.now() - due);
};

const rate = Number(values.rate);
const intervalMs = (perBlock / rate) * 1000;
const begin = performance.now();
const until = begin + Number(values.seconds) * 1000;
const failures: string[] = [];
const running = new Set<Promise<void>>();
let next = begin;
let turn = 0;
while (performance.now() < until) {
  const now = performance.now();
  while (next <= now) {
    // Blocks that fell due while their agent was busy go out together with its next request.
    const sender = senders[turn++ % senders.length] as Sender;
    if (sender.busy) {
      late += 1;
      if (senders.every(({ busy }) => busy)) break;
      continue;
    }
    sender.busy = true;
    const due = next;
    next += intervalMs;
    const work = send(sender, 1, due)
      .catch((error: unknown) => void failures.push(String(error)))
      .finally(() => {
        sender.busy = false;
        running.delete(work);
      });
    running.add(work);
  }
  await new Promise((resolve) => setTimeout(resolve, 1));
}
await Promise.all(running);
const seconds = (performance.now() - begin) / 1000;
acks.sort((a, b) => a - b);
const quantile = (q: number): number => Math.round((acks[Math.min(acks.length - 1, Math.floor(acks.length * q))] ?? 0) * 10) / 10;
process.stdout.write(
  `${JSON.stringify({ sent, acked, seconds: Math.round(seconds * 10) / 10, perSecond: Math.round(acked / seconds), p50: quantile(0.5), p99: quantile(0.99), max: quantile(1), late, failures: failures.length, failure: failures[0], generatorCpuMs: Math.round(process.cpuUsage().user / 1000 + process.cpuUsage().system / 1000) })}\n`,
);
process.exit(0);
