// SPDX-License-Identifier: Apache-2.0
/**
 * The world of a fault run: a collector and an agent of its own as real processes, a log that is written to and rotated, and a ledger of what was written.
 * Input: a seed. Output: levers for faults, and the count of what was lost or doubled in the end.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { appendFileSync, existsSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { callCollector } from '../../collector/cli/client.ts';
import { ROOT } from '../support/repository.ts';
import { type Collector, failedLogin, removeDir, run, startCollector, tempDir, until } from '../support/vigil.ts';

/** Rows of one answer: the most that the API gives. */
const PAGE_ROWS = 1_000;

interface Page {
  readonly items: readonly Readonly<Record<string, unknown>>[];
  readonly next: string | null;
}

export interface Verdict {
  readonly written: number;
  readonly found: number;
  readonly lost: number;
  readonly doubled: number;
}

export class World {
  readonly root = tempDir();
  readonly log = join(this.root, 'logs', 'auth.log');
  readonly #data = join(this.root, 'collector');
  readonly #state = join(this.root, 'agent');
  #collector: Collector | null = null;
  #agent: ChildProcess | null = null;
  #agents = '127.0.0.1:0';
  #written = 0;
  #rotations = 0;
  kills = 0;

  get collector(): Collector {
    if (!this.#collector) throw new Error('the collector is down');
    return this.#collector;
  }
  get written(): number {
    return this.#written;
  }

  async open(): Promise<void> {
    const { mkdirSync } = await import('node:fs');
    mkdirSync(join(this.root, 'logs'), { recursive: true });
    writeFileSync(this.log, '');
    await this.startCollector();
    // The agent keeps the address it enrolled with, so a collector that is put up again takes the same port.
    this.#agents = new URL(this.collector.agents).host;
    const token = (await this.collector.vigil(['agent', 'token', 'create', '--local'])).out.trim();
    const enrolled = await run('vigil-agent.js', ['enrol', '--state', this.#state, '--token', '-'], { input: token });
    if (enrolled.code !== 0) throw new Error(enrolled.err);
    this.startAgent();
  }

  async startCollector(): Promise<void> {
    this.#collector = await startCollector({ dir: this.#data, localAgent: false, agents: this.#agents });
  }
  async stopCollector(): Promise<void> {
    await this.#collector?.stop();
    this.#collector = null;
  }
  async killCollector(): Promise<void> {
    this.kills += 1;
    await this.#collector?.kill();
    this.#collector = null;
  }
  async killEngine(): Promise<void> {
    this.kills += 1;
    await this.collector.kill('engine');
  }

  startAgent(): void {
    const args = [join(ROOT, 'bin', 'vigil-agent.js'), 'run', '--state', this.#state, '--no-discover', '--tail', `${this.log}=syslog`];
    this.#agent = spawn(process.execPath, ['--disable-sigusr1', '--disable-proto=throw', ...args], {
      stdio: ['ignore', 'ignore', 'inherit'],
      env: { PATH: process.env['PATH'] ?? '' },
    });
  }
  async killAgent(): Promise<void> {
    this.kills += 1;
    await this.#endAgent('SIGKILL');
  }
  async stopAgent(): Promise<void> {
    await this.#endAgent('SIGTERM');
  }
  #endAgent(signal: NodeJS.Signals): Promise<void> {
    const agent = this.#agent;
    this.#agent = null;
    return new Promise((resolve) => {
      if (!agent || agent.exitCode !== null || agent.signalCode !== null) return resolve();
      agent.on('close', () => resolve());
      agent.kill(signal);
    });
  }

  /** Appends lines, each with a number of its own as process id and user. */
  write(count: number): void {
    let text = '';
    for (let i = 0; i < count; i++) {
      this.#written += 1;
      // Addresses vary, so that these lines are no brute force.
      text += failedLogin(`10.${(this.#written >> 16) & 255}.${(this.#written >> 8) & 255}.${this.#written & 255}`, `n${this.#written}`);
    }
    appendFileSync(this.log, text);
  }

  /** Renames the log away and begins a new one; keeps nine. */
  rotate(): void {
    this.#rotations += 1;
    for (let i = 19; i >= 1; i--) if (existsSync(`${this.log}.${i}`)) renameSync(`${this.log}.${i}`, `${this.log}.${i + 1}`);
    renameSync(this.log, `${this.log}.1`);
    writeFileSync(this.log, '');
  }

  raw(text: string): void {
    appendFileSync(this.log, text);
  }

  /** Waits until everything written is searchable, or nothing has moved for long; then counts. */
  async settle(timeoutMs = 60_000): Promise<Verdict> {
    await until('everything written to be searchable', async () => (await this.#count('user.name: n*')) >= this.#written, timeoutMs).catch(
      () => {},
    );
    const rows = await this.#names();
    const distinct = new Set(rows).size;
    return { written: this.#written, found: rows.length, lost: this.#written - distinct, doubled: rows.length - distinct };
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
  async #count(query: string): Promise<number> {
    return (await this.#ask<{ readonly count: number }>('count', { query })).count;
  }
  // Asked from this process: a program for each of a hundred slices would cost a minute.
  #ask<T>(what: 'search' | 'count', body: Readonly<Record<string, unknown>>): Promise<T> {
    return callCollector<T>(
      { dir: this.#data },
      { method: 'POST', path: `/api/v1/events/${what}`, body: { ...body, from: 'now-7d', to: 'now+1d' } },
    );
  }

  async close(): Promise<void> {
    await this.stopAgent();
    await this.stopCollector();
    removeDir(this.root);
    rmSync(this.root, { recursive: true, force: true });
  }
}
