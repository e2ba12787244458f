// SPDX-License-Identifier: Apache-2.0
/**
 * A host of the model: its log, its disk, and the real spool, sender and mending of an agent over them.
 * Input: steps of a schedule. Output: requests for the network; what it came to know of losses.
 */
import { type Mending, makeMending } from '../../agent/mending.ts';
import { Spool } from '../../agent/spool/spool.ts';
import type { Client, Reply } from '../../agent/transport/client.ts';
import { openSender, type Sender } from '../../agent/transport/sender.ts';
import type { AgentKey } from '../../collector/model/agent.ts';
import type { Clock } from '../../core/clock.ts';
import type { HeartbeatBody } from '../../core/protocol.ts';
import type { Signer } from '../../core/sign.ts';
import { bytes, hours } from '../../core/units.ts';
import { AGENT } from './collector.ts';
import { Disk } from './disk.ts';
import { type Log, type LogSource, openLogSource, STREAM } from './source.ts';

/** A key with the private half. */
export interface OwnKey {
  readonly known: AgentKey;
  readonly signer: Signer;
}

export type Post = (what: { readonly body: Uint8Array; readonly key: AgentKey } | 'heads') => Promise<Reply>;

const HEARTBEAT: Omit<HeartbeatBody, 'uptimeMs'> = {
  version: '1',
  cost: { cpuMs: 0, rssBytes: 0, spoolBytes: 0, sentBytes: 0 },
  streams: [],
  conditions: [],
};

/** A running agent. */
export class ModelAgent {
  readonly spool: Spool;
  readonly source: LogSource;
  readonly sender: Sender;
  readonly mending: Mending;
  /** Streams in which nothing that the collector holds was recognised. */
  unmatched = 0;
  conflicts = 0;
  resyncs = 0;
  sending = false;
  #turn: Promise<unknown> = Promise.resolve();
  #beats = 0;

  static async open(disk: Disk, log: Log, key: () => OwnKey, clock: Clock, post: Post): Promise<ModelAgent> {
    const spool = await Spool.open({
      folder: '/spool',
      agent: AGENT,
      host: 'h',
      zone: 'UTC',
      signer: () => key().signer,
      quotaBytes: bytes(64_000_000),
      keepMs: hours(24),
      segmentBytes: 3_000,
      clock,
      files: disk,
    });
    const source = openLogSource(log, clock);
    await source.open((stream) => spool.stateOf(stream)?.resume);
    return new ModelAgent(spool, source, key, clock, post);
  }

  private constructor(spool: Spool, source: LogSource, key: () => OwnKey, clock: Clock, post: Post) {
    this.spool = spool;
    this.source = source;
    this.mending = makeMending({
      spool,
      sources: [source],
      signer: () => key().signer,
      inTurn: (work) => this.#inTurn(work),
      onNewEpoch: (stream, matched) => {
        if (stream !== STREAM) return;
        this.conflicts++;
        if (!matched) this.unmatched++;
      },
    });
    const client: Client = {
      post: (_path, body) => post({ body, key: key().known }),
      get: () => post('heads'),
      sentBytes: 0,
      close: () => undefined,
    };
    this.sender = openSender({
      spool,
      clock,
      client: () => client,
      random: () => 0.5,
      ...this.mending,
      onResync: (held) => {
        this.resyncs++;
        return this.mending.onResync(held);
      },
      onOutcome: () => undefined,
    });
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#turn.then(work);
    this.#turn = done.catch(() => undefined);
    return done;
  }

  /** Reads and seals up to so many batches, as `agent.ts` does. */
  read(batches: number): Promise<void> {
    return this.#inTurn(async () => {
      this.source.poll();
      for (let i = 0; i < batches; i++) {
        const batch = this.spool.room ? this.source.next() : undefined;
        if (!batch) break;
        this.spool.seal(batch);
        this.source.commit();
      }
      await this.spool.flush();
    });
  }

  beat(): Promise<void> {
    return this.#inTurn(async () => {
      const last = this.spool.stateOf('heartbeat');
      if (last && this.spool.ackedSeq('heartbeat', last.epoch) < last.seq) return;
      this.spool.sealJson('heartbeat', 'heartbeat', 'heartbeat', { ...HEARTBEAT, uptimeMs: this.#beats++ });
      await this.spool.flush();
    });
  }

  /** One request, unless one is under way. A fault is tried again later, as in the product. */
  async send(isFault: (error: unknown) => boolean): Promise<void> {
    if (this.sending) return;
    this.sending = true;
    await this.sender.step().catch((error: unknown) => {
      if (!isFault(error)) throw error;
    });
    this.sending = false;
  }

  /** Epoch, last sealed and last acknowledged sequence of the log's stream. */
  get place(): string {
    const { epoch = '', seq = 0 } = this.spool.stateOf(STREAM) ?? {};
    return `${epoch} ${seq} ${this.spool.ackedSeq(STREAM, epoch)}`;
  }

  get restless(): boolean {
    const { epoch = '', seq = 0 } = this.spool.stateOf(STREAM) ?? {};
    return this.spool.ackedSeq(STREAM, epoch) < seq;
  }
}

/** What of a host can be copied and put back. */
export interface MachineCopy {
  readonly disk: ReturnType<Disk['copy']>;
  readonly keys: readonly OwnKey[];
  readonly log: Log;
}

export class Machine {
  disk = new Disk();
  log: Log;
  keys: readonly OwnKey[];
  agent: ModelAgent | null = null;

  constructor(log: Log, keys: readonly OwnKey[]) {
    this.log = log;
    this.keys = keys;
  }

  get key(): OwnKey {
    return this.keys.at(-1) as OwnKey;
  }

  copy(): MachineCopy {
    return { disk: this.disk.copy(), keys: this.keys, log: copyLog(this.log) };
  }
}

export const copyLog = ({ rotated, current }: Log): Log => {
  const one = ({ inode, lines }: Log['current']): Log['current'] => ({ inode, lines: [...lines] });
  return { rotated: rotated.map(one), current: one(current) };
};
