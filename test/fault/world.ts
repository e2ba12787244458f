// SPDX-License-Identifier: Apache-2.0
/**
 * The world of a fault: a collector and an agent of its own as real processes, a log that is written to and rotated, and a ledger of what was written.
 * Input: which of the two has a disk or a clock of its own. Output: levers for faults, and the count of what was lost or doubled in the end.
 */
import { appendFileSync, existsSync, mkdirSync, renameSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { AgentStatus } from '../../agent/status.ts';
import { callCollector } from '../../collector/cli/client.ts';
import type { StatusView } from '../../collector/http/status.ts';
import { type Agent, startAgent } from '../support/agent.ts';
import { type Answer, type Collector, failedLogin, removeDir, run, startCollector, tempDir, until } from '../support/vigil.ts';
import { type FakeClock, openFakeClock } from './fake-clock.ts';
import { pause } from './pause.ts';
import { openPlace, type Place } from './place.ts';

/** Rows of one answer: the most that the API gives. */
const PAGE_ROWS = 1_000;
/** Every line that this world writes; accounts of the host begin with an n too. */
const LINES = 'user.name: n* and source.ip: *';
/** Wide enough for clocks that are wrong by a year. */
const SPAN = { from: '2020-01-01T00:00:00Z', to: '2034-01-01T00:00:00Z' };

type Event = Readonly<Record<string, unknown>>;
interface Page {
  readonly items: readonly Event[];
  readonly next: string | null;
}

export interface Verdict {
  readonly written: number;
  readonly found: number;
  /** Neither found nor said to be gone. */
  readonly lost: number;
  readonly doubled: number;
  /** Not found, and said with stream and sequence. */
  readonly said: number;
}

type Side = 'agent' | 'collector';

export interface WorldOptions {
  /** Who has a disk of its own. */
  readonly disk?: Side;
  /** Whose wall clock can be stepped; both have the same one. */
  readonly clock?: Side | 'both';
  /** More words of the agent's command. */
  readonly agentConfig?: string;
}

export class World {
  readonly root = tempDir();
  readonly logs = join(this.root, 'logs');
  readonly log = join(this.logs, 'auth.log');
  readonly data = join(this.root, 'collector');
  readonly state = join(this.root, 'agent');
  readonly #options: WorldOptions;
  #place: Place | null = null;
  #clock: FakeClock | null = null;
  #collector: Collector | null = null;
  #agent: Agent | null = null;
  #others: Agent[] = [];
  #agents = '127.0.0.1:0';
  #written = 0;
  /** What earlier processes of either side said. */
  #past = '';
  kills = 0;

  constructor(options: WorldOptions = {}) {
    this.#options = options;
  }

  get collector(): Collector {
    if (!this.#collector) throw new Error('the collector is down');
    return this.#collector;
  }
  get agent(): Agent {
    if (!this.#agent) throw new Error('the agent is down');
    return this.#agent;
  }
  get place(): Place {
    if (!this.#place) throw new Error('this world has no disk of its own');
    return this.#place;
  }
  get written(): number {
    return this.#written;
  }
  /** Everything that either side said on stderr. */
  get said(): string {
    return this.#past + (this.#collector?.said() ?? '') + (this.#agent?.said() ?? '');
  }

  async open(): Promise<void> {
    for (const dir of [this.logs, this.data, this.state]) mkdirSync(dir, { recursive: true, mode: 0o700 });
    writeFileSync(this.log, '');
    if (this.#options.disk) this.#place = await openPlace(this.#options.disk === 'agent' ? this.state : this.data);
    if (this.#options.clock) this.#clock = openFakeClock(join(this.root, 'clock'));
    await this.startCollector();
    // The agent keeps the address it enrolled with, so a collector that is put up again takes the same port.
    this.#agents = new URL(this.collector.agents).host;
    await this.enrol();
    this.startAgent();
  }

  // The collector.

  async startCollector(): Promise<void> {
    const before = this.#before('collector');
    const env = this.#env('collector');
    this.#collector = await startCollector({
      dir: this.data,
      localAgent: false,
      agents: this.#agents,
      ...(before ? { before } : {}),
      ...(env ? { env } : {}),
    });
  }
  async stopCollector(): Promise<void> {
    await this.#collector?.stop();
    this.#left();
  }
  async killCollector(): Promise<void> {
    this.kills += 1;
    await this.#collector?.kill();
    this.#left();
  }
  #left(): void {
    this.#past += this.#collector?.said() ?? '';
    this.#collector = null;
  }
  async collectorStatus(): Promise<StatusView> {
    const answer = await this.collector.vigil(['status', '--json']);
    if (answer.code !== 0) throw new Error(answer.err);
    return JSON.parse(answer.out) as StatusView;
  }
  async killEngine(): Promise<void> {
    this.kills += 1;
    await this.collector.kill('engine');
  }

  // The agent.

  /** Gives the state folder an identity; `replace` asks for the place of an agent that is known. */
  async enrol(replace?: string): Promise<void> {
    const words = ['agent', 'token', 'create', '--local', ...(replace === undefined ? [] : ['--replace', replace])];
    const token = await this.collector.vigil(words);
    if (token.code !== 0) throw new Error(token.err);
    const enrolled = await this.vigilAgent(['enrol', '--state', this.state, '--token', '-'], token.out.trim());
    if (enrolled.code !== 0) throw new Error(enrolled.err);
  }
  async agentId(): Promise<string> {
    const [one] = (await this.collector.vigil(['agent', 'list', '--json'])).out.trim().split('\n');
    return String((JSON.parse(one as string) as { readonly id: string }).id);
  }
  vigilAgent(args: readonly string[], input?: string): Promise<Answer> {
    const before = this.#before('agent');
    return run('vigil-agent.js', args, { ...(before ? { before } : {}), ...(input === undefined ? {} : { input }) });
  }
  startAgent(): void {
    const before = this.#before('agent');
    const env = this.#env('agent');
    const config = join(this.root, 'agent.yml');
    if (this.#options.agentConfig !== undefined) writeFileSync(config, this.#options.agentConfig);
    this.#agent = startAgent({
      state: this.state,
      tail: [`${this.log}=syslog`],
      ...(before ? { before } : {}),
      ...(env ? { env } : {}),
      ...(this.#options.agentConfig === undefined ? {} : { args: ['--config', config] }),
    });
  }
  /** Another machine with the same paths: its logs stand in the place of the host's. */
  startCopy(state: string, logs: string): Agent {
    const copy = startAgent({ state, tail: [`${this.log}=syslog`], mount: { from: logs, at: this.logs } });
    this.#others.push(copy);
    return copy;
  }
  async killAgent(): Promise<void> {
    this.kills += 1;
    await this.#agent?.kill();
    this.#goneAgent();
  }
  async stopAgent(): Promise<void> {
    await this.#agent?.stop();
    this.#goneAgent();
  }
  #goneAgent(): void {
    this.#past += this.#agent?.said() ?? '';
    this.#agent = null;
  }
  async agentStatus(): Promise<AgentStatus> {
    const answer = await this.vigilAgent(['status', '--json', '--state', this.state]);
    if (answer.code !== 0) throw new Error(answer.err);
    return JSON.parse(answer.out) as AgentStatus;
  }

  #before(side: Side): readonly string[] | undefined {
    return this.#options.disk === side ? this.place.before : undefined;
  }
  #env(side: Side): Readonly<Record<string, string>> | undefined {
    return this.#hasClock(side) ? this.#clock?.env : undefined;
  }

  #hasClock(side: Side): boolean {
    return this.#options.clock === side || this.#options.clock === 'both';
  }

  // The host.

  /** Steps the clock of the side that has one of its own. */
  step(offsetMs: number): void {
    this.#clock?.set(offsetMs);
  }

  /** Appends lines, each with a number of its own as user, stamped by the host's clock. */
  write(count: number): void {
    const at = new Date(Date.now() + (this.#hasClock('agent') ? (this.#clock?.offsetMs ?? 0) : 0));
    let text = '';
    for (let i = 0; i < count; i++) {
      this.#written += 1;
      const n = this.#written;
      // Addresses vary, so that these lines are no brute force.
      text += failedLogin(`10.${(n >> 16) & 255}.${(n >> 8) & 255}.${n & 255}`, `n${n}`, at);
    }
    appendFileSync(this.log, text);
    if (this.#hasClock('agent')) utimesSync(this.log, at, at);
  }

  /** Renames the log away and begins a new one; keeps twenty. */
  rotate(): void {
    for (let i = 19; i >= 1; i--) if (existsSync(`${this.log}.${i}`)) renameSync(`${this.log}.${i}`, `${this.log}.${i + 1}`);
    renameSync(this.log, `${this.log}.1`);
    writeFileSync(this.log, '');
  }

  raw(text: string): void {
    appendFileSync(this.log, text);
  }

  // The count.

  /** Waits until everything written is searchable. */
  async shipped(timeoutMs = 60_000): Promise<void> {
    await until(`${this.#written} lines to be searchable`, async () => (await this.count(LINES)) >= this.#written, timeoutMs);
  }

  /** Waits until everything written is searchable or said to be gone, and nothing is on its way; or nothing has moved for long. Then counts. */
  async settle(idleMs = 120_000): Promise<Verdict> {
    let best = -1;
    let end = 0;
    for (let there = 0; there < this.#written; await pause(500)) {
      there = await this.#there().catch(() => best);
      if (there > best) [best, end] = [there, performance.now() + idleMs];
      if (performance.now() > end) break;
    }
    await until('nothing to be on its way', async () => (await this.agentStatus()).spool.waitingBytes === 0, idleMs).catch(() => undefined);
    const rows = await this.#names();
    const distinct = new Set(rows).size;
    const missing = this.#written - distinct;
    const said = Math.min(missing, await this.#saidGone());
    return { written: this.#written, found: rows.length, lost: missing - said, doubled: rows.length - distinct, said };
  }

  async #there(): Promise<number> {
    return (await this.count(LINES)) + (await this.#saidGone());
  }

  /** Records of the log that the collector said are lost or missing: by stream and sequence, each range once. */
  async #saidGone(): Promise<number> {
    const { items } = await this.#ask<Page>('search', { query: 'event.action: (records-lost or records-missing)', limit: PAGE_ROWS });
    const ranges = new Set(items.filter((one) => JSON.stringify(one).includes(`file:${this.log}`)).map(rangeOf));
    return [...ranges].reduce((sum, range) => {
      const [from = 0, to = 0] = range.split('..').map(Number);
      return sum + to - from + 1;
    }, 0);
  }
  async #names(): Promise<readonly string[]> {
    const rows: string[] = [];
    const take = async (query: string): Promise<void> => {
      let after: string | null = null;
      do {
        const page: Page = await this.#ask('search', { query, limit: PAGE_ROWS, ...(after === null ? {} : { after }) });
        for (const event of page.items) rows.push(String(event['user.name']));
        after = page.next;
      } while (after !== null);
    };
    // In slices, `n` and two digits, so that no answer depends on many pages of another.
    for (const first of '123456789') {
      await take(`user.name: n${first}`);
      for (const second of '0123456789') await take(`user.name: n${first}${second}*`);
    }
    return rows;
  }
  async count(query: string): Promise<number> {
    return (await this.#ask<{ readonly count: number }>('count', { query })).count;
  }
  // Asked from this process: a program for each of a hundred slices would cost a minute.
  #ask<T>(what: 'search' | 'count', body: Readonly<Record<string, unknown>>): Promise<T> {
    const dir = this.#options.disk === 'collector' ? this.place.seen(this.data) : this.data;
    return callCollector<T>({ dir }, { method: 'POST', path: `/api/v1/events/${what}`, body: { ...body, ...SPAN } });
  }

  async close(): Promise<void> {
    for (const other of this.#others) await other.kill();
    await this.stopAgent();
    await this.stopCollector();
    await this.#place?.close();
    removeDir(this.root);
  }
}

const rangeOf = (event: Event): string => `${String(event['vigil.from'])}..${String(event['vigil.to'])}`;
