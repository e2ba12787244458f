// SPDX-License-Identifier: Apache-2.0
/**
 * The registry of agents, in memory and in the store: who is speaking, when it was heard, and who is denied from now on.
 * Input: enrolment, renewal, every verified request, people's commands. Output: the AgentDirectory port; denials told at once to the listener.
 */
import type { Clock } from '../../core/clock.ts';
import type { AgentId } from '../../core/ids.ts';
import type { Log } from '../../core/log.ts';
import type { HeartbeatBody } from '../../core/protocol.ts';
import { type Ms, ms, type UnixMs } from '../../core/units.ts';
import { fault } from '../errors.ts';
import type { Agent, AgentDirectory, AgentKey, AgentPresence, Asset } from '../model/agent.ts';
import type { StateStore, Stored } from '../store/store.ts';
import type { Assets } from './asset.ts';
import { allOf } from './lookup.ts';
import { newestKey, type Standing, standingOf } from './standing.ts';

export interface Registry extends AgentDirectory {
  readonly all: () => readonly Agent[];
  readonly presenceOf: (id: AgentId) => AgentPresence | undefined;
  /** Monotonic time when it was last heard in this life of the collector; undefined when it was not. */
  readonly heardAt: (id: AgentId) => Ms | undefined;
  standing(id: AgentId, key: string, connectedAt: UnixMs): Standing | { readonly kind: 'unknown-agent' };
  /** The agent that holds or held a key. */
  readonly ownerOf: (key: string) => Agent | undefined;
  /** True when an agent reports this host now. */
  readonly isLive: (asset: Asset) => boolean;
  add(agent: Agent): Promise<void>;
  /** Changes an agent, one change of it at a time; memory first where it denies. @throws CodedError NOT_FOUND. */
  change(id: AgentId, edit: (agent: Agent) => Agent): Promise<Agent>;
  setSilent(id: AgentId, since: UnixMs | null): void;
  /** Called when an agent, or one of its keys, is denied: live connections must go. */
  onDenied(listener: (id: AgentId, key: string | null) => void): void;
  /** Writes what changed since; called by its own timer every `flushMs`, and by `close`. */
  flush(): Promise<void>;
  close(): Promise<void>;
}

export interface RegistryOptions {
  readonly state: StateStore;
  readonly clock: Clock;
  readonly assets: Assets;
  readonly log: Log;
  /** Presences are written in one batch so often. */
  readonly flushMs?: Ms;
  /** An agent heard within this is live. */
  readonly liveMs?: Ms;
}

/** Opens the registry from the store and starts its writer. */
export const openRegistry = async (options: RegistryOptions): Promise<Registry> => {
  const [agents, presences] = [await allOf(options.state, 'agent'), await allOf(options.state, 'presence')];
  const registry = new MemoryRegistry(
    options,
    agents,
    presences.map(({ value }) => value),
  );
  registry.start();
  return registry;
};

const WRITE_TOGETHER = 200;

class MemoryRegistry implements Registry {
  readonly #options: RegistryOptions;
  readonly #agents = new Map<AgentId, { value: Agent; version: number }>();
  readonly #owners = new Map<string, AgentId>();
  readonly #presences = new Map<AgentId, AgentPresence>();
  readonly #heard = new Map<AgentId, Ms>();
  readonly #dirty = new Set<AgentId>();
  readonly #turns = new Map<AgentId, Promise<unknown>>();
  readonly #listeners: ((id: AgentId, key: string | null) => void)[] = [];
  readonly #stop = new AbortController();
  #running: Promise<void> = Promise.resolve();
  #flushing: Promise<void> = Promise.resolve();

  constructor(options: RegistryOptions, agents: readonly Stored<Agent>[], presences: readonly AgentPresence[]) {
    this.#options = options;
    for (const { value, version } of agents) this.#keep(value, version);
    for (const presence of presences) this.#presences.set(presence.agent, presence);
  }

  start(): void {
    this.#running = this.#write();
  }

  find(id: AgentId): Agent | undefined {
    return this.#agents.get(id)?.value;
  }

  assetOf(id: AgentId): Asset | undefined {
    const agent = this.find(id);
    return agent && this.#options.assets.find(agent.asset);
  }

  all = (): readonly Agent[] => [...this.#agents.values()].map(({ value }) => value);

  presenceOf = (id: AgentId): AgentPresence | undefined => this.#presences.get(id);

  heardAt = (id: AgentId): Ms | undefined => this.#heard.get(id);

  ownerOf = (key: string): Agent | undefined => {
    const id = this.#owners.get(key);
    return id && this.find(id);
  };

  isLive = (asset: Asset): boolean => {
    const { clock, liveMs = 90_000 } = this.#options;
    const now = clock.monotonic();
    return this.all().some(({ id, asset: of, state }) => {
      const heard = this.#heard.get(id);
      return of === asset.id && state !== 'retired' && state !== 'revoked' && heard !== undefined && now - heard < liveMs;
    });
  };

  standing(id: AgentId, key: string, connectedAt: UnixMs): Standing | { readonly kind: 'unknown-agent' } {
    const agent = this.find(id);
    return agent ? standingOf(agent, key, connectedAt, this.#options.clock.now()) : { kind: 'unknown-agent' };
  }

  seen(id: AgentId, key: string, at: UnixMs): void {
    const agent = this.find(id);
    if (!agent) return;
    this.#heard.set(id, this.#options.clock.monotonic());
    const before = this.#presences.get(id);
    this.#presences.set(id, { clockOffsetMs: null, ...before, agent: id, lastSeen: at });
    this.#dirty.add(id);
    const newest = newestKey(agent);
    if (newest?.key === key && newest.firstUsed === undefined) this.#firstUse(id, key, at);
  }

  heartbeat(id: AgentId, body: HeartbeatBody, at: UnixMs): void {
    const agent = this.find(id);
    if (!agent) return;
    const before = this.#presences.get(id);
    const clockOffsetMs = body.clockOffsetMs === undefined ? (before?.clockOffsetMs ?? null) : 0 - body.clockOffsetMs;
    this.#presences.set(id, { ...before, agent: id, lastSeen: at, clockOffsetMs, heartbeat: body });
    this.#dirty.add(id);
    if (agent.version !== body.version)
      this.#later(
        this.change(id, (now) => ({ ...now, version: body.version })),
        'fleet.version',
      );
  }

  setSilent(id: AgentId, since: UnixMs | null): void {
    const before = this.#presences.get(id);
    const { silentSince: _, ...rest } = before ?? {
      agent: id,
      lastSeen: this.find(id)?.enrolledAt ?? this.#options.clock.now(),
      clockOffsetMs: null,
    };
    this.#presences.set(id, since === null ? rest : { ...rest, silentSince: since });
    this.#dirty.add(id);
  }

  async add(agent: Agent): Promise<void> {
    const version = await this.#options.state.put('agent', agent.id, agent, { ifVersion: 0 });
    this.#keep(agent, version);
  }

  change(id: AgentId, edit: (agent: Agent) => Agent): Promise<Agent> {
    const done = (this.#turns.get(id) ?? Promise.resolve()).then(async () => {
      const held = this.#agents.get(id);
      if (!held) throw fault('NOT_FOUND', { what: 'agent', id });
      const next = edit(held.value);
      if (next === held.value) return next;
      // A denial counts from here, also if the disk then fails; a grant only once it is kept.
      const denies = isDenied(next) && !isDenied(held.value);
      if (denies) this.#agents.set(id, { ...held, value: next });
      const deniedKeys = newlyDenied(held.value.keys, next.keys);
      if (denies) this.#tell(id, null);
      const version = await this.#options.state.put('agent', id, next, { ifVersion: held.version });
      this.#keep(next, version);
      for (const key of deniedKeys) this.#tell(id, key);
      return next;
    });
    const turn = done.catch(() => undefined); // the caller hears of it; the next change only waits
    this.#turns.set(id, turn);
    void turn.finally(() => this.#turns.get(id) === turn && this.#turns.delete(id));
    return done;
  }

  onDenied(listener: (id: AgentId, key: string | null) => void): void {
    this.#listeners.push(listener);
  }

  flush(): Promise<void> {
    this.#flushing = this.#flushing.then(() => this.#flushNow());
    return this.#flushing;
  }

  async close(): Promise<void> {
    this.#stop.abort();
    await this.#running;
    await Promise.all(this.#turns.values());
    await this.flush();
  }

  #keep(agent: Agent, version: number): void {
    for (const { key } of this.#agents.get(agent.id)?.value.keys ?? []) this.#owners.delete(key);
    for (const { key } of agent.keys) this.#owners.set(key, agent.id);
    this.#agents.set(agent.id, { value: agent, version });
  }

  async #write(): Promise<void> {
    const { clock, flushMs = ms(15_000) } = this.#options;
    while (!this.#stop.signal.aborted) {
      await clock.sleep(flushMs, this.#stop.signal);
      await this.flush();
    }
  }

  async #flushNow(): Promise<void> {
    const ids = [...this.#dirty];
    this.#dirty.clear();
    for (let i = 0; i < ids.length; i += WRITE_TOGETHER) {
      const batch = ids.slice(i, i + WRITE_TOGETHER);
      // The store's worker commits what arrives together in one transaction.
      const results = await Promise.allSettled(
        batch.map((id) => {
          const presence = this.#presences.get(id);
          return presence ? this.#options.state.put('presence', id, presence) : 0;
        }),
      );
      results.forEach((result, n) => {
        if (result.status === 'fulfilled') return;
        this.#dirty.add(batch[n]!);
        this.#options.log.warn(
          { event: 'fleet.presence.unwritten', agent: batch[n], err: result.reason },
          'a presence could not be written',
        );
      });
    }
  }

  #firstUse(id: AgentId, key: string, at: UnixMs): void {
    const used = (agent: Agent): Agent => ({
      ...agent,
      keys: agent.keys.map((one) => (one.key === key && one.firstUsed === undefined ? { ...one, firstUsed: at } : one)),
    });
    const held = this.#agents.get(id);
    // Memory at once: from now on the predecessor may not renew, whatever the disk does.
    if (held) held.value = used(held.value);
    this.#later(
      this.change(id, (agent) => ({ ...used(agent) })),
      'fleet.first-use',
    );
  }

  #later(work: Promise<unknown>, event: string): void {
    work.catch((error: unknown) => this.#options.log.warn({ event, err: error }, 'an agent could not be written'));
  }

  #tell(id: AgentId, key: string | null): void {
    for (const listener of this.#listeners) listener(id, key);
  }
}

const isDenied = (agent: Agent): boolean => agent.state === 'revoked' || agent.state === 'retired';

const newlyDenied = (before: readonly AgentKey[], after: readonly AgentKey[]): readonly string[] =>
  after.filter(({ key, denied }) => denied && !before.find((one) => one.key === key)?.denied).map(({ key }) => key);
