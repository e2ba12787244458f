// SPDX-License-Identifier: Apache-2.0
/**
 * The agent's real parts under seeded schedules: a file that grows and rotates, a spool that crashes, is lost or put back,
 * a collector that loses answers and is put back from a copy. In the end every line stands there, once (W1 to W11).
 */
import { appendFileSync, cpSync, existsSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { openBudget } from '../../agent/budget.ts';
import { sealHeartbeat } from '../../agent/heartbeat.ts';
import { makeMending } from '../../agent/mending.ts';
import { Tail } from '../../agent/source/tail/tail.ts';
import { Spool } from '../../agent/spool/spool.ts';
import type { Client, Reply } from '../../agent/transport/client.ts';
import { openSender, type Sender } from '../../agent/transport/sender.ts';
import { makeId } from '../../core/ids.ts';
import { AGENT_PATHS } from '../../core/protocol.ts';
import { generateSigner } from '../../core/sign.ts';
import { bytes, hours } from '../../core/units.ts';
import { handClock } from '../support/hand-clock.ts';
import { type SmallJournal, smallJournal } from '../support/small-journal.ts';

const ACTS = ['write', 'write', 'write', 'read', 'read', 'send', 'send', 'send', 'rotate', 'crash', 'lose-answer', 'lose-request'] as const;
const FAULTS = ['snapshot', 'put-back', 'lose-spool', 'restore-collector'] as const;
type Act = (typeof ACTS)[number] | (typeof FAULTS)[number];

const agentId = makeId('agt');
const signer = generateSigner();

class World {
  readonly dir = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'vigil-model-'));
  readonly clock = handClock();
  readonly journal: SmallJournal = smallJournal(() => this.clock.now());
  readonly written: string[] = [];
  readonly #log = join(this.dir, 'app.log');
  readonly #spoolDir = join(this.dir, 'spool');
  #spool: Spool | undefined;
  #tail: Tail | undefined;
  #sender: Sender | undefined;
  #drop: 'answer' | 'request' | undefined;
  #rotations = 0;
  #snapshot = false;
  declared = 0;

  constructor() {
    writeFileSync(this.#log, '');
  }

  get stream(): string {
    return `file:${this.#log}`;
  }

  async start(): Promise<void> {
    const { clock } = this;
    this.#spool = await Spool.open({
      folder: this.#spoolDir,
      agent: agentId,
      host: 'h',
      zone: 'UTC',
      signer: () => signer,
      quotaBytes: bytes(64_000_000),
      keepMs: hours(24),
      clock,
      segmentBytes: 3_000,
    });
    const spool = this.#spool;
    this.#tail = new Tail({
      clock,
      from: this.dir,
      paths: [this.#log],
      exclude: [],
      usual: false,
      rules: [],
      refuse: [],
      watch: false,
      onWake: () => undefined,
    });
    const tail = this.#tail;
    await tail.open((stream) => spool.stateOf(stream)?.resume);
    const post = async (body: Uint8Array): Promise<Reply> => {
      const drop = this.#drop;
      this.#drop = undefined;
      const lost = { kind: 'failed', code: 'COLLECTOR_UNREACHABLE', reason: 'model' } as const;
      if (drop === 'request') return lost;
      const answer = this.journal.answer(body);
      if (drop === 'answer') return lost;
      return typeof answer === 'number'
        ? { kind: 'reply', status: answer, body: Buffer.alloc(0) }
        : { kind: 'reply', status: 200, body: Buffer.from(JSON.stringify(answer)) };
    };
    const client: Client = {
      post: (path, body) => (path === AGENT_PATHS.blocks ? post(body) : Promise.reject(new Error(path))),
      get: () => Promise.resolve({ kind: 'reply', status: 200, body: Buffer.from(JSON.stringify(this.journal.heads())) }),
      sentBytes: 0,
      close: () => undefined,
    };
    const mending = makeMending({
      spool,
      sources: [tail],
      signer: () => signer,
      inTurn: (work) => work(),
      onNewEpoch: () => undefined,
    });
    this.#sender = openSender({
      spool,
      clock,
      client: () => client,
      random: () => 0,
      ...mending,
      declare: async (gaps) => {
        this.declared += gaps.reduce((sum, { body }) => sum + body.count, 0);
        await mending.declare(gaps);
      },
      onOutcome: () => undefined,
    });
  }

  async crash(): Promise<void> {
    await this.#tail?.close();
    // The files stay as they are; what was not flushed is gone. Handles are closed as the system would.
    await this.#spool?.abandon();
  }

  async read(): Promise<void> {
    for (let i = 0; i < 3; i++) {
      this.clock.advance(1_000);
      this.#tail?.poll();
      for (let batch = this.#tail?.next(); batch; batch = this.#tail?.next()) {
        this.#spool?.seal(batch);
        this.#tail?.commit();
      }
      await this.#spool?.flush();
      // A search for rotated files may be under way.
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  async beat(): Promise<void> {
    const [spool, tail] = [this.#spool, this.#tail];
    if (!spool || !tail) return;
    const { clock } = this;
    const budget = openBudget(clock, 100);
    sealHeartbeat({
      version: '0',
      clock,
      startedAt: clock.monotonic(),
      spool,
      budget,
      progress: tail.progress(),
      conditions: [],
      sentBytes: 0,
      clockOffsetMs: undefined,
    });
    await spool.flush();
  }

  async send(): Promise<boolean> {
    return (await this.#sender?.step()) !== undefined;
  }

  async act(act: Act): Promise<void> {
    if (act === 'write') {
      const line = `line ${this.written.length} of the model`;
      this.written.push(line);
      appendFileSync(this.#log, `${line}\n`);
    } else if (act === 'read') await this.read();
    else if (act === 'send') await this.send();
    else if (act === 'lose-answer' || act === 'lose-request') {
      this.#drop = act === 'lose-answer' ? 'answer' : 'request';
      await this.send();
      this.#drop = undefined;
    } else if (act === 'rotate') {
      this.#rotations += 1;
      renameSync(this.#log, `${this.#log}-2026112${String(this.#rotations).padStart(4, '0')}`);
      writeFileSync(this.#log, '');
    } else if (act === 'restore-collector') this.journal.restore(Math.floor(this.journal.blocks.length / 2));
    else {
      await this.crash();
      const copy = join(this.dir, 'copy');
      if (act === 'snapshot') {
        rmSync(copy, { recursive: true, force: true });
        if (existsSync(this.#spoolDir)) cpSync(this.#spoolDir, copy, { recursive: true });
        this.#snapshot = existsSync(copy);
      } else if (act === 'put-back' && this.#snapshot) {
        rmSync(this.#spoolDir, { recursive: true, force: true });
        cpSync(copy, this.#spoolDir, { recursive: true });
      } else if (act === 'lose-spool') rmSync(this.#spoolDir, { recursive: true, force: true });
      await this.start();
    }
  }

  /** Everything that can be read is, everything that can be sent is. */
  async drain(): Promise<void> {
    for (let i = 0; i < 6; i++) {
      await this.read();
      this.clock.advance(61_000);
      // A heartbeat tells a restore that nobody announced (W6).
      await this.beat();
      let steps = 0;
      while (await this.send()) if ((steps += 1) > 300) throw new Error('it never comes to rest');
    }
  }

  async end(): Promise<void> {
    await this.crash();
    rmSync(this.dir, { recursive: true, force: true });
  }
}

const schedule = async (acts: readonly Act[]): Promise<World> => {
  const world = new World();
  await world.act('write');
  await world.start();
  for (const act of acts) await world.act(act);
  await world.drain();
  return world;
};

const counts = (world: World): { readonly lost: readonly string[]; readonly doubled: readonly string[] } => {
  const lines = world.journal.lines(world.stream);
  const seen = Map.groupBy(lines, (line) => line);
  return {
    lost: world.written.filter((line) => !seen.has(line)),
    doubled: [...seen].filter(([, all]) => all.length > 1).map(([line]) => line),
  };
};

const check = async (acts: readonly Act[], may: { readonly double: boolean }): Promise<void> => {
  const world = await schedule(acts);
  const { lost, doubled } = counts(world);
  await world.end();
  expect({ lost, doubled: may.double ? [] : doubled }, acts.join(' ')).toEqual({ lost: [], doubled: [] });
};

describe('every line stands at the collector', () => {
  it('once and in order, through crashes, rotations and lost messages', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.constantFrom(...ACTS), { maxLength: 40 }), async (acts) => {
        const world = await schedule(acts);
        const lines = world.journal.lines(world.stream);
        await world.end();
        expect(lines, acts.join(' ')).toEqual(world.written);
      }),
      { numRuns: 60 },
    );
  }, 120_000);

  it('once, when the spool is put back from a copy or lost (W11)', async () => {
    const acts = fc.array(fc.constantFrom<Act>(...ACTS.filter((act) => act !== 'rotate'), 'snapshot', 'put-back', 'lose-spool'), {
      maxLength: 40,
    });
    await fc.assert(
      fc.asyncProperty(acts, (list) => check(list, { double: false })),
      { numRuns: 60 },
    );
  }, 120_000);

  it('once, when the collector is put back from a copy (W6)', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.constantFrom<Act>(...ACTS, 'restore-collector'), { maxLength: 40 }), (list) =>
        check(list, { double: false }),
      ),
      { numRuns: 60 },
    );
  }, 120_000);
});
