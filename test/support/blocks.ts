// SPDX-License-Identifier: Apache-2.0
/**
 * Blocks, journals and an agents' directory for tests of the river's first half.
 * Input: what a test cares about. Output: the real things, with the rest filled in.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Agent, AgentDirectory } from '../../collector/model/agent.ts';
import type { Notice, Notices } from '../../collector/model/notice.ts';
import { type Clock, systemClock } from '../../core/clock.ts';
import { type AgentId, makeId, random128 } from '../../core/ids.ts';
import type { Block, HeartbeatBody } from '../../core/protocol.ts';
import { generateSigner, type Signer } from '../../core/sign.ts';
import { type UnixMs, unixMs } from '../../core/units.ts';
import { type BlockDraft, encodeBlock, encodeRequest, sealBlock } from '../../core/wire.ts';

export const temporaryFolder = async (): Promise<{ readonly dir: string; readonly remove: () => Promise<void> }> => {
  const dir = await mkdtemp(join(tmpdir(), 'vigil-'));
  return { dir, remove: () => rm(dir, { recursive: true, force: true }) };
};

export interface TestAgent {
  readonly id: AgentId;
  readonly signer: Signer;
  readonly record: Agent;
}

export const testAgent = (over: Partial<Agent> = {}): TestAgent => {
  const signer = generateSigner();
  const id = makeId('agt');
  const key = { key: signer.publicKey, since: unixMs(0), serials: [], notAfter: unixMs(1e14) };
  const record: Agent = {
    id,
    asset: makeId('ast'),
    host: 'bastion',
    group: 'default',
    state: 'active',
    keys: [key],
    token: makeId('tok'),
    enrolledAt: unixMs(0),
    zone: 'UTC',
    version: '0.1.0',
    local: false,
    ...over,
  };
  return { id, signer, record };
};

/** A directory of these agents; remembers heartbeats. */
export const testDirectory = (...agents: readonly TestAgent[]): AgentDirectory & { readonly beats: HeartbeatBody[] } => {
  const beats: HeartbeatBody[] = [];
  return {
    beats,
    find: (id) => agents.find((agent) => agent.id === id)?.record,
    assetOf: () => undefined,
    seen: () => undefined,
    heartbeat: (_id, body) => void beats.push(body),
  };
};

export const testNotices = (): Notices & { readonly said: Notice[] } => {
  const said: Notice[] = [];
  return { said, say: (notice) => void said.push(notice) };
};

/** Chains blocks of one stream of an agent. */
export const blockChain = (agent: TestAgent, over: Partial<BlockDraft> = {}) => {
  const epoch = over.epoch ?? random128();
  let first = over.first ?? 1;
  let prev: string | null = over.prev ?? null;
  return (records = 1, more: Partial<BlockDraft> = {}): Block => {
    const block = sealBlock(
      {
        agent: agent.id,
        host: 'bastion',
        stream: 'file:/var/log/auth.log',
        kind: 'lines',
        dataset: 'syslog',
        zone: 'UTC',
        from: (first - 1) * 10,
        ...over,
        ...more,
        epoch,
        first,
        prev,
      },
      Array.from({ length: records }, (_, i) => ({
        bytes: Buffer.from(`line ${first + i}`),
        readAt: unixMs(1_700_000_000_000),
        end: (first + i) * 10,
        flags: 0,
      })),
      agent.signer,
    );
    first += records;
    prev = block.header.hash;
    return block;
  };
};

export const requestOf = (blocks: readonly Block[], journal: Parameters<typeof encodeRequest>[0]['journal'] = null): Uint8Array =>
  encodeRequest({ v: 1, journal, blocks: blocks.length }, blocks.map(encodeBlock));

/** A clock that a test moves; sleeps end when time has come, or at once when their signal aborts. */
export const handClock = (start = 1_700_000_000_000): Clock & { advance(ms: number): void } => {
  let now = start;
  let sleepers: { readonly at: number; readonly wake: () => void }[] = [];
  return {
    now: () => unixMs(now) as UnixMs,
    monotonic: () => now as ReturnType<Clock['monotonic']>,
    sleep: (span, signal) =>
      new Promise((resolve) => {
        if (signal?.aborted) return resolve();
        sleepers.push({ at: now + span, wake: resolve });
        signal?.addEventListener('abort', () => resolve());
      }),
    advance: (ms) => {
      now += ms;
      const due = sleepers.filter(({ at }) => at <= now);
      sleepers = sleepers.filter(({ at }) => at > now);
      for (const { wake } of due) wake();
    },
  };
};

export const realClock = systemClock;

/** Waits for a condition, turn by turn of the loop. */
export const until = async (condition: () => boolean | Promise<boolean>, what = 'the condition'): Promise<void> => {
  const end = performance.now() + 10_000;
  while (!(await condition())) {
    if (performance.now() > end) throw new Error(`${what} did not come true`);
    await new Promise((resolve) => setImmediate(resolve));
  }
};
