// SPDX-License-Identifier: Apache-2.0
/**
 * One request of blocks, from bytes to the answer: admit, read, verify, decide, journal, answer after the fsync (river.md W5, W6, W9, I5).
 * Input: the request's bytes and who the connection is. Output: one result per block, or `resync`; coded errors speak of the whole request.
 */
import type { Clock } from '../../core/clock.ts';
import { isCoded } from '../../core/errors.ts';
import type { AgentId } from '../../core/ids.ts';
import type { BlockAnswer, BlocksAnswer, BlocksPreamble, StreamRanges } from '../../core/protocol.ts';
import { minutes } from '../../core/units.ts';
import { type DecodedBlock, decodeRequest } from '../../core/wire.ts';
import { fault } from '../errors.ts';
import type { Agent, AgentDirectory } from '../model/agent.ts';
import type { BlockJournal } from '../model/journal.ts';
import type { Notices } from '../model/notice.ts';
import type { Admission } from './admit.ts';
import { describeEnds } from './ends.ts';
import type { Quarantine, QuarantineEntry } from './quarantine.ts';
import { decideBlock, decideMark, decideMissing } from './verdict.ts';
import { type Verified, verifyBlock } from './verify.ts';

/** Who a connection is, as its door found out. */
export interface Identity {
  readonly agent: AgentId;
  /** Key of the connection's certificate. */
  readonly key: string;
  /** The key is an older one: nothing is accepted, all is kept (I5). */
  readonly held?: boolean;
  /** Remote address. */
  readonly from?: string;
}

export interface ReceiveParts {
  readonly journal: BlockJournal;
  readonly directory: AgentDirectory;
  readonly quarantine: Quarantine;
  readonly admission: Admission;
  readonly notices: Notices;
  readonly clock: Clock;
  /** Remembers which holes were told of. */
  readonly told: MissingTold;
  /** Bytes of the journal that the slowest sink has not read, and how many there may be before agents must wait. */
  readonly backlog?: { readonly bytes: () => number; readonly limitBytes: number };
  /** How long a hole is asked back for before it is told of; default 10 min. */
  readonly graceMs?: number;
}

/** Holes that notices were made of, by agent. */
export type MissingTold = Map<AgentId, ReadonlySet<string>>;

/** How many holes an answer asks back. */
const ASKED = 64;
const RETRY_MS = 2_000;
const BEHIND_MS = 30_000;

/**
 * Takes one request.
 * @throws CodedError IDENTITY_REFUSED (401), INGEST_MALFORMED (400), INGEST_TOO_LARGE (413), INGEST_QUOTA (429), INGEST_BUSY, INGEST_BEHIND, JOURNAL_BUSY, JOURNAL_FAILED, JOURNAL_CLOSED (503).
 */
export const receiveBlocks = async (bytes: Uint8Array, identity: Identity, parts: ReceiveParts): Promise<BlocksAnswer> => {
  const agent = parts.directory.find(identity.agent);
  if (!agent || agent.state === 'revoked' || agent.state === 'retired') {
    throw fault('IDENTITY_REFUSED', { reason: agent ? `the agent was ${agent.state}` : 'the agent is unknown' });
  }
  const backlogBytes = parts.backlog?.bytes() ?? 0;
  if (parts.backlog && backlogBytes > parts.backlog.limitBytes)
    throw fault('INGEST_BEHIND', { bytes: backlogBytes, retryAfterMs: BEHIND_MS });
  const leave = parts.admission.enter(identity.agent, bytes.length);
  try {
    const request = decodeRequest(bytes);
    if (request.kind === 'bad') throw fault('INGEST_MALFORMED', { reason: request.reason });
    const resync = await checkPreamble(request.preamble, identity, parts);
    if (resync) return resync;
    const keys = new Set(agent.keys.map(({ key }) => key));
    const check = (block: DecodedBlock) =>
      parts.admission.withRoom(block.kind === 'ok' ? block.block.header.plain : 0, () => verifyBlock(block, identity.agent, keys));
    const verified = await Promise.all(request.blocks.map(check));
    const answers = await new Round(agent, identity, parts).run(verified);
    const missing = askMissing(identity.agent, agent, parts);
    return {
      kind: 'answers',
      incarnation: parts.journal.incarnation,
      serverTime: parts.clock.now(),
      answers,
      ...(missing.length > 0 ? { missing } : {}),
    };
  } finally {
    leave();
  }
};

/** What the journal holds of an agent's streams, for the door `heads` (W7). */
export const heldOf = (
  agent: AgentId,
  journal: BlockJournal,
): { readonly incarnation: string; readonly held: readonly StreamRanges[] } => ({
  incarnation: journal.incarnation,
  held: journal.heads(agent),
});

const checkPreamble = async (
  { journal: mark }: BlocksPreamble,
  { agent }: Identity,
  { journal, notices, clock }: ReceiveParts,
): Promise<BlocksAnswer | null> => {
  const next = decideMark(mark, mark === null ? 'ok' : await journal.checkMark(agent, mark));
  if (next === 'go-on') return null;
  // An incarnation that this process made is not renewed: whoever names a position behind its end is told to resync, no more.
  if (next === 'renew' && (await journal.renew())) {
    const message =
      'The journal was put back from a copy: an agent was acknowledged more than it holds. Agents send again what is missing.';
    notices.say({ action: 'collector-restored', message, agent });
  }
  return { kind: 'resync', serverTime: clock.now(), ...heldOf(agent, journal) };
};

const askMissing = (id: AgentId, agent: Agent, { journal, notices, clock, told, graceMs }: ReceiveParts) => {
  const holes = journal.missing(id, ASKED);
  const before = told.get(id);
  if (holes.length === 0 && !before) return [];
  const decided = decideMissing(holes, before ?? new Set(), clock.now(), graceMs ?? minutes(10));
  if (decided.told.size > 0) told.set(id, decided.told);
  else told.delete(id);
  for (const { stream, from, to } of decided.tell) {
    notices.say({
      action: 'records-missing',
      message: `Records ${from} to ${to} of ${stream} on ${agent.host} are missing.`,
      ...spokenOf(agent),
      stream,
      from,
      to,
      count: to - from + 1,
    });
  }
  return holes.map(({ stream, epoch, from, to }) => ({ stream, epoch, from, to }));
};

const spokenOf = (agent: Agent) => ({ agent: agent.id, host: { id: agent.asset, name: agent.host } });

type Refused = { readonly entry: Omit<QuarantineEntry, 'at'>; readonly block: Uint8Array };

/** The blocks of one request. */
class Round {
  readonly #agent: Agent;
  readonly #identity: Identity;
  readonly #parts: ReceiveParts;
  readonly #answers: BlockAnswer[] = [];
  readonly #refused: Refused[] = [];
  /** Streams in which a block conflicts: what follows it in the request is not looked at. */
  readonly #stopped = new Set<string>();
  readonly #durable: Promise<unknown>[] = [];

  constructor(agent: Agent, identity: Identity, parts: ReceiveParts) {
    this.#agent = agent;
    this.#identity = identity;
    this.#parts = parts;
  }

  async run(blocks: readonly Verified[]): Promise<readonly BlockAnswer[]> {
    for (const [i, block] of blocks.entries()) await this.#take(i, block);
    if (this.#refused.length > 0) this.#durable.push(this.#parts.quarantine.put(this.#refused));
    const settled = await Promise.allSettled(this.#durable);
    const failed = settled.find((one) => one.status === 'rejected');
    if (failed) throw retryLater(failed.reason);
    return this.#answers;
  }

  async #take(i: number, verified: Verified): Promise<void> {
    if (verified.kind === 'bad') {
      const { code, reason, hash, stream } = verified;
      // Its agent seals it anew, and what follows must not come before it (I5, I6).
      if (code === 'UNKNOWN_KEY' && stream !== undefined) this.#stopped.add(stream);
      this.#quarantine('bad', code, reason, hash, verified.encoded);
      this.#answers[i] = { hash, result: 'bad', code, reason };
      this.#say('block-bad', `A block of ${this.#agent.host} is bad: ${reason}.`, reason);
      return;
    }
    const { header } = verified.block;
    const { hash, stream } = header;
    if (this.#identity.held === true) {
      const reason = 'the connection uses an older key of the agent';
      this.#quarantine('held', 'OLDER_KEY', reason, hash, verified.encoded);
      this.#answers[i] = { hash, result: 'held', code: 'OLDER_KEY', reason };
      this.#say('identity-held', `Blocks of ${this.#agent.host} are held: ${reason}.`, reason, stream);
      return;
    }
    if (this.#stopped.has(stream)) {
      this.#answers[i] = { hash, result: 'refused', code: 'AFTER_CONFLICT', reason: 'a block before it conflicts' };
      return;
    }
    const { journal } = this.#parts;
    let verdict = decideBlock(header, journal.view(header));
    if (verdict.kind === 'look') {
      const found = await journal.find(header);
      // The index may have moved on meanwhile.
      verdict = decideBlock(header, journal.view(header), found);
    }
    if (verdict.kind === 'conflict') {
      const { code, reason } = verdict;
      this.#stopped.add(stream);
      this.#quarantine('conflict', code, reason, hash, verified.encoded);
      this.#answers[i] = { hash, result: 'conflict', code, reason, ends: await describeEnds(journal, header) };
      this.#say('block-conflict', `A block of ${stream} on ${this.#agent.host} conflicts: ${reason}.`, reason, stream);
      return;
    }
    if (verdict.kind === 'refuse') {
      const { code, reason } = verdict;
      this.#stopped.add(stream);
      this.#answers[i] = { hash, result: 'refused', code, reason };
      this.#say('block-bad', `Blocks of ${this.#agent.host} are refused: ${reason}.`, reason);
      return;
    }
    if (verdict.kind === 'accept') return this.#accept(i, verified);
    if (verdict.kind === 'have') {
      this.#answers[i] = { hash, result: 'have', ...(verdict.block && verdict.block.end >= 0 ? { offset: verdict.block.end } : {}) };
      const { waiting } = journal.view(header);
      if (waiting) this.#durable.push(waiting.then((place) => this.#have(i, hash, place)));
    }
  }

  #have(i: number, hash: string, place: unknown): void {
    const { end } = place as { readonly end: number };
    this.#answers[i] = { hash, result: 'have', offset: end };
  }

  #accept(i: number, { block, encoded, endOffset, gap, heartbeat }: Verified & { readonly kind: 'ok' }): void {
    const { journal, directory } = this.#parts;
    const { hash, stream } = block.header;
    const meta = { agent: this.#identity.agent, flags: 0, endOffset, ...(gap ? { gap } : {}) };
    const done = journal.append(block, encoded, meta).then(({ end, at }) => {
      this.#answers[i] = { hash, result: 'accepted', offset: end };
      if (heartbeat) directory.heartbeat(this.#identity.agent, heartbeat, at);
      if (gap) {
        this.#parts.notices.say({
          action: 'records-lost',
          message: `${gap.count} records of ${stream} on ${this.#agent.host} are lost: ${gap.cause}.`,
          ...spokenOf(this.#agent),
          stream,
          from: gap.from,
          to: gap.to,
          count: gap.count,
          reason: gap.cause,
        });
      }
    });
    // Looked at together with the others; a failure before that is not unhandled.
    done.catch(() => undefined);
    this.#durable.push(done);
  }

  #quarantine(why: QuarantineEntry['why'], code: string, reason: string, hash: string, block: Uint8Array): void {
    const { agent, key } = this.#identity;
    this.#refused.push({ entry: { agent, key, why, code, reason, hash }, block });
  }

  #say(action: 'block-bad' | 'block-conflict' | 'identity-held', message: string, reason: string, stream?: string): void {
    const { from } = this.#identity;
    this.#parts.notices.say({
      action,
      message,
      ...spokenOf(this.#agent),
      reason,
      ...(stream === undefined ? {} : { stream }),
      ...(from === undefined ? {} : { sourceIp: from }),
    });
  }
}

const retryLater = (error: unknown): unknown => {
  if (isCoded(error, 'JOURNAL_BUSY')) return fault('JOURNAL_BUSY', { ...error.details, retryAfterMs: RETRY_MS }, error);
  if (isCoded(error, 'JOURNAL_FAILED')) return fault('JOURNAL_FAILED', { ...error.details, retryAfterMs: RETRY_MS }, error);
  return error;
};
