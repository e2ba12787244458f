// SPDX-License-Identifier: Apache-2.0
/**
 * A collector of the model: the real journal, quarantine and ingest on a disk in memory, and a store that takes over blocks one part at a time.
 * Input: requests as bytes with who sent them. Output: replies as an agent's client sees them; rows of the store.
 */
import type { Reply } from '../../agent/transport/client.ts';
import { Admission } from '../../collector/ingest/admit.ts';
import { openQuarantine, type Quarantine } from '../../collector/ingest/quarantine.ts';
import { heldOf, type MissingTold, receiveBlocks } from '../../collector/ingest/receive.ts';
import { releaseHeld } from '../../collector/ingest/release.ts';
import { type Journal, openJournal } from '../../collector/journal/journal.ts';
import { JournalReader } from '../../collector/journal/reader.ts';
import type { Agent, AgentDirectory, AgentKey } from '../../collector/model/agent.ts';
import type { MissingRange } from '../../collector/model/journal.ts';
import type { Notice } from '../../collector/model/notice.ts';
import type { JournalPosition } from '../../collector/model/page.ts';
import type { Clock } from '../../core/clock.ts';
import { CodedError } from '../../core/errors.ts';
import { type AgentId, hashId } from '../../core/ids.ts';
import { minutes } from '../../core/units.ts';
import { decodeBlock, readRecords } from '../../core/wire.ts';
import type { Disk, DiskCopy } from './disk.ts';

export const AGENT: AgentId = hashId('agt', 'model');
const JOURNAL_DIR = '/journal';
const SEGMENT_BYTES = 4_000;
const STORE_BYTES = 1_500;

/** A record in the store. */
export interface Row {
  readonly stream: string;
  readonly epoch: string;
  readonly seq: number;
  readonly text: string;
}

/** What a collector's engines hold besides the journal; each change of it is all or nothing. */
export interface Store {
  readonly rows: readonly Row[];
  readonly position: JournalPosition | null;
  /** Keys of the agent, oldest first. */
  readonly keys: readonly AgentKey[];
}

/** What a restore puts back. */
export interface Backup {
  readonly store: Store;
  readonly disk: DiskCopy;
}

/** Counts what is checked in other threads, so that the model knows when nothing moves any more. */
class CountedAdmission extends Admission {
  busy = 0;
  override async withRoom<T>(bytes: number, work: () => Promise<T>): Promise<T> {
    this.busy++;
    try {
      return await super.withRoom(bytes, work);
    } finally {
      this.busy--;
    }
  }
}

export class ModelCollector {
  readonly disk: Disk;
  readonly journal: Journal;
  readonly notices: Notice[];
  /** Positions of the journal that the store could not read. */
  readonly holes: { readonly offset: number; readonly end: number }[] = [];
  store: Store;
  readonly #clock: Clock;
  readonly #quarantine: Quarantine;
  readonly #admission: CountedAdmission;
  readonly #told: MissingTold = new Map();

  static async open(disk: Disk, store: Store, clock: Clock, notices: Notice[]): Promise<ModelCollector> {
    const journal = await openJournal({ dir: JOURNAL_DIR, collector: 'c', clock, files: disk, segmentBytes: SEGMENT_BYTES });
    const quarantine = await openQuarantine({ dir: '/quarantine', clock, files: disk });
    return new ModelCollector(disk, store, clock, notices, journal, quarantine);
  }

  private constructor(disk: Disk, store: Store, clock: Clock, notices: Notice[], journal: Journal, quarantine: Quarantine) {
    this.disk = disk;
    this.store = store;
    this.notices = notices;
    this.journal = journal;
    this.#clock = clock;
    this.#quarantine = quarantine;
    this.#admission = new CountedAdmission({ clock });
  }

  get busy(): boolean {
    return this.#admission.busy > 0;
  }

  /** The agent as the registry knows it. A key that is newer than all of them is taken (I6). */
  agentOf(key: AgentKey): Agent {
    const newest = this.store.keys.at(-1);
    if (!newest || (key.since > newest.since && !this.store.keys.some((one) => one.key === key.key)))
      this.store = { ...this.store, keys: [...this.store.keys, key] };
    return this.#agent();
  }

  #agent(): Agent {
    return {
      id: AGENT,
      asset: hashId('ast', 'model'),
      host: 'h',
      group: 'default',
      state: 'active',
      keys: this.store.keys,
      token: hashId('tok', 'model'),
      enrolledAt: this.#clock.now(),
      zone: 'UTC',
      version: '1',
      local: false,
    };
  }

  /** A request over a connection with that key; the reply comes after its fsync. */
  async receive(bytes: Uint8Array, key: AgentKey): Promise<Reply> {
    const agent = this.agentOf(key);
    const directory: AgentDirectory = {
      find: () => agent,
      assetOf: () => undefined,
      seen: () => undefined,
      heartbeat: () => undefined,
    };
    const known = agent.keys.find((one) => one.key === key.key);
    if (!known || known.denied) return reply(401, { code: 'IDENTITY_REFUSED' });
    const held = key.key !== agent.keys.at(-1)?.key;
    try {
      const answer = await receiveBlocks(
        bytes,
        { agent: AGENT, key: key.key, held },
        {
          journal: this.journal,
          directory,
          quarantine: this.#quarantine,
          admission: this.#admission,
          notices: { say: (notice) => this.notices.push(notice) },
          clock: this.#clock,
          told: this.#told,
          graceMs: minutes(10),
        },
      );
      return reply(200, answer);
    } catch (error) {
      if (!(error instanceof CodedError)) throw error;
      return reply(error.status, { code: error.code });
    }
  }

  heads(key: AgentKey): Reply {
    const held = this.agentOf(key).keys.at(-1)?.key !== key.key;
    return reply(200, {
      kind: 'resync',
      serverTime: this.#clock.now(),
      ...heldOf(AGENT, this.journal),
      ...(held ? { standing: 'held' } : {}),
    });
  }

  /** The store takes over the next part of the journal: a crash leaves all of it or nothing. */
  storeSome(): boolean {
    const { position } = this.store;
    const reader = new JournalReader(JOURNAL_DIR, this.disk.blocking);
    const from = position ? reader.resume(position.incarnation, position.offset) : reader.first();
    if (from >= this.journal.end) return false;
    const { items, next } = reader.read(from, this.journal.end, STORE_BYTES);
    const rows: Row[] = [];
    for (const item of items) {
      if (item.kind === 'hole') {
        this.holes.push(item);
        continue;
      }
      const decoded = decodeBlock(item.encoded);
      if (decoded.kind !== 'ok' || decoded.block.header.kind !== 'lines') continue;
      const { stream, epoch } = decoded.block.header;
      for (const { seq, bytes } of readRecords(decoded.block))
        rows.push({ stream, epoch, seq, text: Buffer.from(bytes).toString('latin1', 0, 7) });
    }
    // A range belongs to the incarnation of what was read last.
    const incarnation = items.at(-1)?.incarnation ?? this.journal.incarnation;
    this.store = { ...this.store, rows: [...this.store.rows, ...rows], position: { collector: 'c', incarnation, offset: next } };
    return next > from;
  }

  /** Whole segments that the store has are let go. */
  async retain(): Promise<void> {
    const { position } = this.store;
    if (position?.incarnation === this.journal.incarnation) await this.journal.release(position.offset);
  }

  /** J6: the journal last, what is durable of it, without the file of its incarnation. */
  backup(store: Store): Backup {
    const pinned = this.journal.pin();
    const all = this.disk.copy();
    const disk = new Map(pinned.files.map(({ path, bytes }) => [path, Buffer.from((all.get(path) ?? Buffer.alloc(0)).subarray(0, bytes))]));
    pinned.release();
    return { store, disk };
  }

  /** Ranges that nobody declared; they are told of after the grace time (W9). */
  missing(): readonly MissingRange[] {
    return this.journal.missing(AGENT, 1_000);
  }

  /** A person's word (I5): the one with the older key is the right one, and its key the newest again; or it is a copy, and refused from now on. */
  async decideHeld(key: string, release: boolean): Promise<void> {
    const one = this.store.keys.find((known) => known.key === key);
    if (!one) return;
    const others = this.store.keys.filter((known) => known.key !== key);
    const keys = release ? [...others, one] : this.store.keys.map((known) => (known === one ? { ...one, denied: true as const } : known));
    this.store = { ...this.store, keys };
    if (release) await releaseHeld(this.#agent(), key, { journal: this.journal, quarantine: this.#quarantine });
    else await this.#quarantine.discard((entry) => entry.why === 'held' && entry.key === key);
  }

  /** True for a key that is refused: a person must enrol that host again. */
  refuses(key: string): boolean {
    const known = this.store.keys.find((one) => one.key === key);
    return !known || known.denied === true;
  }

  /** Keys whose blocks are held. */
  get heldKeys(): readonly string[] {
    return [...new Set(this.#quarantine.list(AGENT, 'held').map(({ key }) => key))];
  }
}

const reply = (status: number, body: unknown): Reply => ({ kind: 'reply', status, body: Buffer.from(JSON.stringify(body)) });
