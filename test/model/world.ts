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
import { days, hours, minutes } from '../../core/units.ts';
import { type HandClock, handClock } from '../support/hand-clock.ts';
import { type Backup, ModelCollector, type Store } from './collector.ts';
import { Disk } from './disk.ts';
import { copyLog, Machine, type MachineCopy, ModelAgent, type OwnKey } from './machine.ts';
import { Oracle, textOf } from './oracle.ts';
import { seeded } from './random.ts';
import type { Action } from './schedule.ts';
import type { Log } from './source.ts';

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
const FAILED: Reply = { kind: 'failed', code: 'COLLECTOR_SILENT', reason: 'no answer in time' };
const BEGIN = Date.UTC(2026, 10, 23);
/** Rounds of sending and answering after which everything must be quiet. */
const ROUNDS = 60;

/** What a disk that fails makes of work: it is known by its code, not by surprise. */
const isDiskFault = (error: unknown): boolean =>
  ['EIO', 'ENOSPC'].includes(systemCode(error) ?? '') ||
  ['SEGMENT_FAILED', 'AGENT_STATE_UNUSABLE', 'JOURNAL_FAILED'].some((code) => isCoded(error, code));

export interface Stats {
  conflicts: number;
  resyncs: number;
  crashes: number;
  restores: number;
  unmatched: number;
  gaps: number;
}

export class World {
  readonly clock: HandClock = handClock(BEGIN);
  readonly oracle = new Oracle();
  readonly notices: Notice[] = [];
  readonly stats: Stats = { conflicts: 0, resyncs: 0, crashes: 0, restores: 0, unmatched: 0, gaps: 0 };
  /** Called with each request and its reply, for whoever wants to see what happens. */
  onMessage: (body: Uint8Array | 'heads', reply: Reply) => void = () => undefined;
  #net: Message[] = [];
  #machine: Machine;
  #other: Machine | null = null;
  #collector: ModelCollector | null = null;
  #collectorDisk = new Disk();
  #store: Store = EMPTY;
  #lines = 0;
  #inodes = 1;
  #keys = 0;
  #copy: MachineCopy | null = null;
  #backupStore: Store | null = null;
  #backup: Backup | null = null;
  #plain: Backup | null = null;
  #agentPutBack = false;
  #collectorPutBack = false;
  /** Keys that a person found to be a copy's. */
  readonly #discarded = new Set<string>();
  /** Requests that no process of now waits for. */
  readonly #waiting = new Map<Machine, (reply: Reply) => void>();

  constructor() {
    const key = this.#newKey();
    this.#machine = new Machine({ rotated: [], current: { inode: '1', lines: [] } }, [key]);
    // Enrolled before anything else happens, and before any backup.
    this.#store = { ...EMPTY, keys: [key.known] };
  }

  #newKey(): OwnKey {
    const signer = signerAt(this.#keys++);
    this.clock.advance(1);
    return { signer, known: { key: signer.publicKey, since: this.clock.now(), serials: [], notAfter: this.clock.now() } };
  }

  /** Waits until nothing moves any more: what is left waits for an action, or will never end. */
  async #settle(): Promise<void> {
    do await new Promise((resolve) => setImmediate(resolve));
    while (this.#collector?.busy);
    await new Promise((resolve) => setImmediate(resolve));
  }

  async #agent(machine = this.#machine): Promise<ModelAgent | null> {
    if (machine.disk.dead) await this.#agentCrash(machine, 'kill', 0);
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
            this.#waiting.delete(machine);
            resolve(reply);
          };
          this.#waiting.set(machine, answer);
          this.#net.push({ body: what === 'heads' ? 'heads' : what.body, key: machine.key.known, answer });
        }),
    );
    this.#run(
      machine,
      opening.then((agent) => {
        machine.agent = agent;
      }),
    );
    await this.#settle();
    // A start that fails, or waits for ever, is the end of that process.
    if (!machine.agent && !machine.disk.dead) await this.#agentCrash(machine, 'kill', 0);
    return machine.agent;
  }

  /** Work of an agent: a fault of it is the end of its process, as in the product. */
  #run(machine: Machine, work: Promise<unknown> | undefined): void {
    work?.catch((error: unknown) => {
      if (!isDiskFault(error)) throw error;
      machine.disk.kill();
    });
  }

  /** The same for the collector. */
  #serve(disk: Disk, work: Promise<unknown> | undefined): void {
    work?.catch((error: unknown) => {
      if (!isDiskFault(error)) throw error;
      disk.kill();
    });
  }

  async #agentCrash(machine: Machine, how: 'kill' | 'power', b: number): Promise<void> {
    this.stats.crashes++;
    this.#leave(machine);
    machine.disk = machine.disk.after(how, seeded(b));
  }

  #leave(machine: Machine): void {
    const { agent } = machine;
    if (agent) {
      this.stats.conflicts += agent.conflicts;
      this.stats.resyncs += agent.resyncs;
      this.stats.unmatched += agent.unmatched;
    }
    machine.agent = null;
    this.#waiting.delete(machine);
  }

  async #live(): Promise<ModelCollector | null> {
    if (this.#collectorDisk.dead) this.#collectorCrash('kill', 0);
    if (this.#collector) return this.#collector;
    const disk = this.#collectorDisk;
    disk.releaseSyncs();
    this.#serve(
      disk,
      ModelCollector.open(disk, this.#store, this.clock, this.notices).then((collector) => {
        this.#collector = collector;
      }),
    );
    await this.#settle();
    if (!this.#collector && !disk.dead) this.#collectorCrash('kill', 0);
    return this.#collector;
  }

  #collectorCrash(how: 'kill' | 'power', b: number): void {
    this.stats.crashes++;
    this.#store = this.#collector?.store ?? this.#store;
    this.#collector = null;
    this.#collectorDisk = this.#collectorDisk.after(how, seeded(b));
  }

  async #deliver(index: number): Promise<void> {
    const [message] = this.#net.splice(index, 1);
    if (!message) return;
    const { body, key, answer, reply } = message;
    if (reply) {
      const waits = [...this.#waiting.values()].includes(answer);
      if (waits && body !== 'heads') this.oracle.answered(body, reply);
      if (waits) answer(reply);
      return this.#settle();
    }
    const collector = await this.#live();
    if (!collector) return;
    const back = (given: Reply): void => {
      this.onMessage(body, given);
      if (body !== 'heads') this.oracle.accepted(body, given);
      this.#net.push({ ...message, reply: given });
    };
    if (body === 'heads') back(collector.heads(key));
    else this.#serve(collector.disk, collector.receive(body, key).then(back));
    await this.#settle();
  }

  async #restore({ store, disk }: Backup, kinds: 'announced' | 'silent'): Promise<void> {
    this.stats.restores++;
    this.#collector = null;
    this.#collectorDisk.kill();
    this.#collectorDisk = new Disk(disk);
    this.#store = store;
    this.#collectorPutBack = true;
    void kinds;
  }

  #putBack(machine: Machine, copy: MachineCopy, withLog: boolean): void {
    this.#leave(machine);
    machine.disk.kill();
    machine.disk = new Disk(copy.disk);
    machine.keys = copy.keys;
    if (withLog) machine.log = copyLog(copy.log);
    this.#agentPutBack = true;
  }

  async act([kind, a, b]: Action): Promise<void> {
    this.clock.advance(1_000);
    const machine = this.#machine;
    const { log } = machine;
    switch (kind) {
      case 'append':
        for (let i = 0; i <= a % 3; i++) log.current.lines.push(++this.#lines);
        return;
      case 'rotate':
        log.rotated = [...log.rotated, log.current].slice(-4);
        log.current = { inode: String(++this.#inodes), lines: [] };
        return;
      case 'copytruncate':
        log.rotated = [...log.rotated, { inode: String(++this.#inodes), lines: [...log.current.lines] }].slice(-4);
        log.current.lines = [];
        return;
      case 'truncate':
        log.current.lines = [];
        return;
      case 'seal': {
        const agent = await this.#agent();
        if (!agent) return;
        agent.source.batchLines = 1 + (b % 4);
        this.#run(machine, agent.read(1 + (a % 3)));
        return this.#settle();
      }
      case 'beat':
        this.#run(machine, (await this.#agent())?.beat());
        return this.#settle();
      case 'send':
        this.#run(machine, (await this.#agent())?.send());
        return this.#settle();
      case 'ship':
        return this.#ship();
      case 'deliver':
        return this.#net.length > 0 ? this.#deliver(a % this.#net.length) : undefined;
      case 'drop':
        if (this.#net.length > 0) this.#net.splice(a % this.#net.length, 1);
        return;
      case 'double': {
        const message = this.#net[a % Math.max(1, this.#net.length)];
        if (message) this.#net.push(message);
        return;
      }
      case 'timeout':
        this.#waiting.get(machine)?.(FAILED);
        return this.#settle();
      case 'hold-syncs':
        if (this.#collector) this.#collectorDisk.holdSyncs();
        return;
      case 'sync':
        this.#collectorDisk.releaseSyncs();
        return this.#settle();
      case 'store':
        (await this.#live())?.storeSome();
        return;
      case 'hour':
        this.clock.advance(hours(1));
        return;
      default:
        return this.#fault(kind, a, b);
    }
  }

  async #fault(kind: Action[0], a: number, b: number): Promise<void> {
    const machine = this.#machine;
    switch (kind) {
      case 'agent-kill':
      case 'agent-power':
        return this.#agentCrash(machine, kind === 'agent-kill' ? 'kill' : 'power', b);
      case 'agent-crash-in':
        machine.disk.crashAfter(a, seeded(b), () => undefined);
        return;
      case 'agent-disk-fails':
        machine.disk.failNext(1 + (a % 4));
        return;
      case 'collector-kill':
      case 'collector-power':
        return this.#collectorCrash(kind === 'collector-kill' ? 'kill' : 'power', b);
      case 'collector-crash-in':
        this.#collectorDisk.crashAfter(a, seeded(b), () => undefined);
        return;
      case 'collector-disk-fails':
        this.#collectorDisk.failNext(1 + (a % 4));
        return;
      case 'agent-release': {
        this.clock.advance(days(2));
        const agent = await this.#agent();
        this.#run(machine, agent?.spool.flush());
        return this.#settle();
      }
      case 'collector-retain': {
        const collector = await this.#live();
        if (collector) this.#serve(collector.disk, collector.retain());
        return this.#settle();
      }
      case 'agent-copy':
        this.#copy = machine.copy();
        return;
      case 'agent-put-back':
      case 'host-put-back':
        if (this.#copy) this.#putBack(machine, this.#copy, kind === 'host-put-back');
        return;
      case 'agent-lost':
        this.#putBack(machine, { disk: new Map(), keys: machine.keys, log: machine.log }, false);
        return;
      case 'backup': {
        const collector = await this.#live();
        if (!collector) return;
        // J6: the store first, the journal at some later time.
        if (this.#backupStore) {
          this.#backup = collector.backup(this.#backupStore);
          this.#backupStore = null;
        } else this.#backupStore = collector.store;
        return;
      }
      case 'restore':
        this.#backupStore = null;
        return this.#backup ? this.#restore(this.#backup, 'announced') : undefined;
      case 'plain-copy':
        // A collector that is stopped, copied as a whole and started again.
        this.#collectorDisk.releaseSyncs();
        await this.#settle();
        this.#plain = { store: this.#collector?.store ?? this.#store, disk: this.#collectorDisk.copy() };
        return;
      case 'plain-put-back':
        return this.#plain ? this.#restore(this.#plain, 'silent') : undefined;
      case 'renew': {
        const collector = await this.#live();
        // I4: only the newest key may renew.
        if (!collector || collector.store.keys.at(-1)?.key !== machine.key.known.key) return;
        const key = this.#newKey();
        collector.store = { ...collector.store, keys: [...collector.store.keys, key.known] };
        machine.keys = [...machine.keys, key];
        return;
      }
      case 'clone':
        if (this.#other) return;
        this.#other = new Machine(copyLog(machine.log), machine.keys);
        this.#other.disk = new Disk(machine.disk.copy());
        return;
      case 'swap':
        if (!this.#other) return;
        this.#machine = this.#other;
        this.#other = machine;
        return;
      default:
        return;
    }
  }

  /** Seals, sends and answers in one go: so that schedules get somewhere. */
  async #ship(): Promise<void> {
    const agent = await this.#agent();
    if (!agent) return;
    this.#waiting.get(this.#machine)?.(FAILED);
    this.#run(this.#machine, agent.read(3));
    await this.#settle();
    this.#run(this.#machine, agent.send());
    await this.#settle();
    await this.#deliver(this.#net.length - 1);
    this.#collectorDisk.releaseSyncs();
    await this.#settle();
    if (this.#net.at(-1)?.reply) await this.#deliver(this.#net.length - 1);
  }

  /** Faults end; everything is sent, answered, stored. Answers what never came to rest. */
  async #drain(): Promise<string | null> {
    for (const machine of [this.#machine, this.#other]) machine?.disk.failNext(0);
    this.#collectorDisk.failNext(0);
    let quiet = 0;
    for (let round = 0; round < ROUNDS; round++) {
      this.clock.advance(minutes(11));
      let moved = false;
      for (const machine of this.#other ? [this.#machine, this.#other] : [this.#machine]) {
        this.#waiting.get(machine)?.(FAILED);
        await this.#settle();
        const agent = await this.#agent(machine);
        if (!agent) {
          moved = true;
          continue;
        }
        const before = agent.place;
        agent.source.batchLines = 50;
        this.#run(machine, agent.read(100));
        this.#run(machine, agent.beat());
        await this.#settle();
        this.#run(machine, agent.send());
        await this.#settle();
        for (let i = 0; i < 20 && this.#net.length > 0; i++) {
          await this.#deliver(0);
          this.#collectorDisk.releaseSyncs();
          await this.#settle();
        }
        this.#run(machine, agent.read(0));
        await this.#settle();
        if (this.#collector?.refuses(machine.key.known.key)) this.#discarded.add(machine.key.known.key);
        else moved ||= agent.sending || agent.restless || agent.place !== before;
      }
      const collector = await this.#live();
      if (!collector) continue;
      for (const key of collector.heldKeys) {
        moved = true;
        // A person knows: where another machine has a newer key, the older one is a copy's; else the host was put back.
        const holders = [this.#machine, this.#other].filter((machine) => machine?.key.known.key === key);
        const copied = this.#other !== null && holders.length === 1;
        if (copied) this.#discarded.add(key);
        this.#serve(collector.disk, collector.decideHeld(key, !copied));
        await this.#settle();
      }
      while (collector.storeSome());
      quiet = moved ? 0 : quiet + 1;
      if (quiet >= 4) return null;
    }
    return 'never quiet';
  }

  /** Ends the run and judges it. */
  async finish(): Promise<readonly string[]> {
    const restless = await this.#drain();
    for (const machine of [this.#machine, this.#other]) if (machine) this.#leave(machine);
    const collector = await this.#live();
    if (!collector) return ['the collector does not start'];
    const logs = [this.#machine, this.#other].flatMap((machine) => (machine ? [machine.log] : []));
    // Lines of a machine that is a copy are not the host's: nobody promises to store them.
    const copies = [this.#machine, this.#other].filter((machine) => machine !== null && this.#discarded.has(machine.key.known.key));
    const foreign = new Set(copies.flatMap((machine) => (machine ? linesOf(machine.log) : [])));
    const broken = this.oracle.judge(collector, logs, foreign, this.#agentPutBack && this.#collectorPutBack, this.stats.unmatched > 0);
    return restless === null ? broken : [...broken, restless];
  }
}

const linesOf = ({ rotated, current }: Log): readonly string[] => [...rotated, current].flatMap(({ lines }) => lines.map(textOf));

/** Runs a schedule. An error that no promise foresees is a broken promise too. */
export const runSchedule = async (
  actions: readonly Action[],
  onMessage: World['onMessage'] = () => undefined,
): Promise<{ readonly broken: readonly string[]; readonly stats: Stats }> => {
  const world = new World();
  world.onMessage = onMessage;
  let thrown: string | null = null;
  const onError = (error: unknown): void => {
    thrown ??= error instanceof Error ? `${error.message}` : String(error);
  };
  process.on('unhandledRejection', onError);
  try {
    for (const action of actions) await world.act(action);
    const broken = await world.finish();
    return { broken: thrown === null ? broken : [...broken, `threw: ${thrown}`], stats: world.stats };
  } catch (error) {
    return { broken: [`threw: ${error instanceof Error ? error.message : String(error)}`], stats: world.stats };
  } finally {
    process.off('unhandledRejection', onError);
  }
};
