// SPDX-License-Identifier: Apache-2.0
/**
 * An agent of the story: enrolled with a real key over the real door, it seals what its host says into signed blocks and sends them.
 * Input: records of one host, step by step. Output: requests at the agents' listener; what could not be sent waits for the next.
 */
import { enrol } from '../agent/enrol/enrol.ts';
import type { Identity } from '../agent/enrol/identity.ts';
import { readToken } from '../agent/enrol/token.ts';
import { openClient } from '../agent/transport/client.ts';
import { systemClock } from '../core/clock.ts';
import { random128 } from '../core/ids.ts';
import { AGENT_PATHS, type Block, type BlocksAnswer, type HeartbeatBody, type JournalMark, PROTOCOL_VERSION } from '../core/protocol.ts';
import { type Signer, signerFromPem } from '../core/sign.ts';
import type { UnixMs } from '../core/units.ts';
import { encodeBlock, encodeRequest, sealBlock, sealJson } from '../core/wire.ts';
import type { HostName, Said } from './said.ts';

/** Longest time one request may take. */
const TIMEOUT_MS = 30_000;
/** Blocks of one request, so that a host that was away comes back in several. */
const BLOCKS_A_REQUEST = 128;

interface Stream {
  readonly epoch: string;
  readonly dataset: string;
  next: number;
  end: number;
  prev: string | null;
  readUpTo: UnixMs;
}

export interface StoryAgent {
  readonly host: HostName;
  /** Seals what was said since; nothing is sent yet. */
  seal(said: readonly Said[]): void;
  /** Seals records that take their numbers and never arrive. */
  lose(said: readonly Said[]): void;
  beat(now: UnixMs, version: string): void;
  /** Sends everything that waits. @throws Error when the collector does not take it. */
  send(): Promise<void>;
  close(): void;
}

/** Enrols by a token. @throws CodedError of enrolment. */
export const openStoryAgent = async (host: HostName, token: string, version: string): Promise<StoryAgent> => {
  const machineId = Buffer.from(host.padEnd(16, '-')).toString('hex').slice(0, 32);
  const identity = await enrol(readToken(token), { host, machineId, zone: 'UTC', version }, systemClock);
  return agentOf(host, identity, signerFromPem(identity.privatePem));
};

const agentOf = (host: HostName, identity: Identity, signer: Signer): StoryAgent => {
  const client = openClient({ url: identity.url, identity, timeoutMs: TIMEOUT_MS });
  const streams = new Map<string, Stream>();
  let waiting: Block[] = [];
  let mark: JournalMark | null = null;
  let beats = 0;

  const streamOf = (name: string, dataset: string): Stream => {
    let stream = streams.get(name);
    if (!stream) {
      stream = { epoch: random128(), dataset, next: 1, end: 0, prev: null, readUpTo: 0 as UnixMs };
      streams.set(name, stream);
    }
    return stream;
  };
  const sealOne = (name: string, said: readonly Said[]): Block => {
    const { dataset, kind } = said[0] as Said;
    const stream = streamOf(name, dataset);
    const from = stream.end;
    const records = said.map(({ at, text }) => {
      const bytes = Buffer.from(text);
      if (kind === 'lines') stream.end += bytes.length + 1;
      return { bytes, readAt: at, end: stream.end, flags: 0 };
    });
    const block = sealBlock(
      {
        agent: identity.agent,
        host,
        stream: name,
        kind,
        dataset,
        zone: 'UTC',
        epoch: stream.epoch,
        from,
        first: stream.next,
        prev: stream.prev,
      },
      records,
      signer,
    );
    stream.next += records.length;
    stream.prev = block.header.hash;
    stream.readUpTo = (said.at(-1) as Said).at;
    return block;
  };
  const sealAll = (said: readonly Said[]): readonly Block[] =>
    [...Map.groupBy(said, ({ stream }) => stream)].map(([name, own]) => sealOne(name, own));

  return {
    host,
    seal: (said) => void waiting.push(...sealAll(said)),
    lose: (said) => void sealAll(said),
    beat: (now, version) => {
      const stream = streamOf('heartbeat', 'heartbeat');
      const body: HeartbeatBody = {
        version,
        uptimeMs: ++beats * 60_000,
        cost: { cpuMs: 40, rssBytes: 71_000_000, spoolBytes: 400_000, sentBytes: 9_000 },
        streams: [...streams]
          .filter(([name]) => name !== 'heartbeat')
          .map(([name, { epoch, dataset, next }]) => ({
            stream: name,
            dataset,
            epoch,
            seq: next - 1,
            readUpTo: now,
            behindBytes: 0,
            counts: {},
          })),
        conditions: [],
      };
      const block = sealJson(
        {
          agent: identity.agent,
          host,
          stream: 'heartbeat',
          kind: 'heartbeat',
          dataset: 'heartbeat',
          zone: 'UTC',
          epoch: stream.epoch,
          from: 0,
          first: stream.next,
          prev: stream.prev,
          at: now,
        },
        body,
        signer,
      );
      stream.next += 1;
      stream.prev = block.header.hash;
      waiting.push(block);
    },
    send: async () => {
      while (waiting.length > 0) {
        const some = waiting.slice(0, BLOCKS_A_REQUEST);
        const reply = await client.post(
          AGENT_PATHS.blocks,
          encodeRequest({ v: PROTOCOL_VERSION, journal: mark, blocks: some.length }, some.map(encodeBlock)),
          'application/vnd.vigil.blocks',
        );
        if (reply.kind === 'failed') throw new Error(`${host} cannot send: ${reply.reason}`);
        const answer = JSON.parse(reply.body.toString('utf8')) as BlocksAnswer;
        if (reply.status !== 200 || answer.kind !== 'answers')
          throw new Error(`${host} is answered ${reply.status}: ${reply.body.toString('utf8').slice(0, 300)}`);
        for (const one of answer.answers) {
          if (one.result !== 'accepted' && one.result !== 'have') throw new Error(`${host}: a block is ${one.result}: ${one.reason ?? ''}`);
          if (one.offset !== undefined && one.offset > (mark?.offset ?? -1))
            mark = { incarnation: answer.incarnation, offset: one.offset, hash: one.hash };
        }
        waiting = waiting.slice(some.length);
      }
    },
    close: () => client.close(),
  };
};
