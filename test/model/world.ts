// SPDX-License-Identifier: Apache-2.0
/**
 * The model of W and J: one collector, a host and perhaps its copy, a network that loses, delays and doubles, and every fault of a schedule.
 * Input: actions. Output: what broke of the promises: lost, doubled, two records under one id (river.md, W and J).
 */
import type { Reply } from '../../agent/transport/client.ts';
import type { AgentKey } from '../../collector/model/agent.ts';
import type { Notice } from '../../collector/model/notice.ts';
import { isCoded, systemCode } from '../../core/errors.ts';
import { generateSigner, type Signer } from '../../core/sign.ts';
import { type HandClock, handClock } from '../support/hand-clock.ts';
import { type Backup, ModelCollector, type Store } from './collector.ts';
import { BEGIN, Disk } from './disk.ts';
import { copyLog, Machine, type MachineCopy, ModelAgent, type OwnKey } from './machine.ts';
import { Oracle } from './oracle.ts';
import { seeded } from './random.ts';

interface Message {
  /** A question on its way to the collector, or its reply on the way back. */
  readonly body: Uint8Array | 'heads';
  readonly key: AgentKey;
  readonly reply?: Reply;
  readonly answer: (reply: Reply) => void;
}

// Keys cost a millisecond each and their values decide nothing: all runs share a few.
const SIGNERS: Signer[] = [];
const signerAt = (n: number): Signer => (SIGNERS[n] ??= generateSigner());

const EMPTY: Store = { rows: [], position: null, keys: [] };
export const FAILED: Reply = { kind: 'failed', code: 'COLLECTOR_SILENT', reason: 'no answer in time' };
/** What a disk that fails makes of work: it is known by its code, not by surprise. */
export const isDiskFault = (error: unknown): boolean =>
  ['EIO', 'ENOSPC'].includes(systemCode(error) ?? '') ||
  ['SEGMENT_FAILED', 'AGENT_STATE_UNUSABLE', 'AGENT_SPOOL_FAILED', 'JOURNAL_FAILED'].some((code) => isCoded(error, code));

export interface Stats {
  /** Lines that agents were told are safe. */
  acked: number;
  conflicts: number;
  resyncs: number;
  crashes: number;
  restores: number;
  unmatched: number;
  /** Runs in which lines stand twice and the agent said so (W11). */
  said: number;
}

export class World {
  readonly clock: HandClock = handClock(BEGIN);
  readonly oracle = new Oracle();
  readonly notices: Notice[] = [];
  readonly stats: Stats = { acked: 0, conflicts: 0, resyncs: 0, crashes: 0, restores: 0, unmatched: 0, said: 0 };
  /** Called with each request and its reply, for whoever wants to see what happens. */
  onMessage: (body: Uint8Array | 'heads', reply: Reply) => void = () => undefined;
  net: Message[] = [];
  machine: Machine;
  other: Machine | null = null;
  collector: ModelCollector | null = null;
  collectorDisk = new Disk();
  store: Store = EMPTY;
  lines = 0;
  inodes = 1;
  keys = 0;
  /** A copy, and the machine it is of: state is put back where it came from. */
  copy: { readonly of: Machine; readonly copy: MachineCopy } | null = null;
  /** A backup under way: the store as it was, the journal's segments kept since. */
  backupBegun: { readonly store: Store; readonly release: () => void } | null = null;
  backup: Backup | null = null;
  plain: Backup | null = null;
  agentPutBack = false;
  collectorPutBack = false;
  /** Keys that a person found to be a copy's. */
  readonly discarded = new Set<string>();
  /** Requests that no process of now waits for. */
  readonly waiting = new Map<Machine, (reply: Reply) => void>();

  constructor() {
    const key = this.newKey();
    this.machine = new Machine({ rotated: [], current: { inode: '1', lines: [] } }, [key]);
    // Enrolled before anything else happens, and before any backup.
    this.store = { ...EMPTY, keys: [key.known] };
  }

  newKey(): OwnKey {
    const signer = signerAt(this.keys++);
    this.clock.advance(1);
    return { signer, known: { key: signer.publicKey, since: this.clock.now(), serials: [], notAfter: this.clock.now() } };
  }

  /** Waits until nothing moves any more: what is left waits for an action, or will never end. */
  async settle(): Promise<void> {
    do await new Promise((resolve) => setImmediate(resolve));
    while (this.collector?.busy);
    await new Promise((resolve) => setImmediate(resolve));
  }

  async agent(machine = this.machine): Promise<ModelAgent | null> {
    if (machine.disk.dead) await this.agentCrash(machine, 'kill', 0);
    if (machine.agent) return machine.agent;
    const opening = ModelAgent.open(
      machine.disk,
      machine.log,
      () => machine.key,
      this.clock,
      (what) =>
        new Promise((resolve) => {
          if (what !== 'heads') this.oracle.sent(what.body);
          const answer = (reply: Reply): void => {
            this.waiting.delete(machine);
            resolve(reply);
          };
          this.waiting.set(machine, answer);
          this.net.push({ body: what === 'heads' ? 'heads' : what.body, key: machine.key.known, answer });
        }),
    );
    this.run(
      machine,
      opening.then((agent) => {
        machine.agent = agent;
      }),
    );
    await this.settle();
    // A start that fails, or waits for ever, is the end of that process.
    if (!machine.agent && !machine.disk.dead) await this.agentCrash(machine, 'kill', 0);
    return machine.agent;
  }

  /** Work of an agent: a fault of it is the end of its process, as in the product. */
  run(machine: Machine, work: Promise<unknown> | undefined): void {
    work?.catch((error: unknown) => {
      if (!isDiskFault(error)) throw error;
      machine.disk.kill();
    });
  }

  /** The same for the collector. */
  serve(disk: Disk, work: Promise<unknown> | undefined): void {
    work?.catch((error: unknown) => {
      if (!isDiskFault(error)) throw error;
      disk.kill();
    });
  }

  async agentCrash(machine: Machine, how: 'kill' | 'power', b: number): Promise<void> {
    this.stats.crashes++;
    this.leave(machine);
    machine.disk = machine.disk.after(how, seeded(b));
  }

  leave(machine: Machine): void {
    const { agent } = machine;
    if (agent) {
      this.stats.conflicts += agent.conflicts;
      this.stats.resyncs += agent.resyncs;
      this.stats.unmatched += agent.unmatched;
    }
    machine.agent = null;
    this.waiting.delete(machine);
  }

  async live(): Promise<ModelCollector | null> {
    if (this.collectorDisk.dead) this.collectorCrash('kill', 0);
    if (this.collector) return this.collector;
    const disk = this.collectorDisk;
    disk.releaseSyncs();
    this.serve(
      disk,
      ModelCollector.open(disk, this.store, this.clock, this.notices).then((collector) => {
        this.collector = collector;
      }),
    );
    await this.settle();
    if (!this.collector && !disk.dead) this.collectorCrash('kill', 0);
    return this.collector;
  }

  collectorCrash(how: 'kill' | 'power', b: number): void {
    this.stats.crashes++;
    this.store = this.collector?.store ?? this.store;
    this.collector = null;
    this.backupBegun = null;
    this.collectorDisk = this.collectorDisk.after(how, seeded(b));
  }

  async deliver(index: number): Promise<void> {
    const [message] = this.net.splice(index, 1);
    if (!message) return;
    const { body, key, answer, reply } = message;
    if (reply) {
      const machine = [...this.waiting].find(([, waiting]) => waiting === answer)?.[0];
      const waits = machine !== undefined;
      // Reading keeps up with sending: lines that nobody read when a conflict is mended are the one thing it cannot compare (docs/decisions).
      if (machine?.agent && reply.kind === 'reply' && reply.body.includes('"conflict"')) {
        this.run(machine, machine.agent.read(100));
        await this.settle();
      }
      if (waits && body !== 'heads') this.oracle.answered(body, reply);
      if (waits) answer(reply);
      return this.settle();
    }
    const collector = await this.live();
    if (!collector) return;
    const back = (given: Reply): void => {
      this.onMessage(body, given);
      if (body !== 'heads') this.oracle.accepted(body, given);
      this.net.push({ ...message, reply: given });
    };
    if (body === 'heads') back(collector.heads(key));
    else this.serve(collector.disk, collector.receive(body, key).then(back));
    await this.settle();
  }

  restore({ store, disk }: Backup): void {
    this.stats.restores++;
    this.collector = null;
    this.backupBegun = null;
    this.collectorDisk.kill();
    this.collectorDisk = new Disk(disk);
    this.store = store;
    this.collectorPutBack = true;
  }

  putBack(machine: Machine, copy: MachineCopy, withLog: boolean): void {
    this.leave(machine);
    machine.disk.kill();
    machine.disk = new Disk(copy.disk);
    machine.keys = copy.keys;
    if (withLog) machine.log = copyLog(copy.log);
    this.agentPutBack = true;
  }
}
