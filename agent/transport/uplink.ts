// SPDX-License-Identifier: Apache-2.0
/**
 * Decides what to send next and what an answer means. No I/O, no clock, no chance of its own: a model test runs it as it is.
 * Input: the state, the blocks of a request, what came back. Output: the next state, and effects for spool and sender (river.md W5, W6, W9, W11).
 */
import { type Backoff, retryDelay } from '../../core/backoff.ts';
import type { BlockAnswer, BlocksAnswer, JournalMark, StreamEnd, StreamRanges } from '../../core/protocol.ts';

/** What the decider needs to know of a block that was sent. */
export interface SentBlock {
  readonly stream: string;
  readonly epoch: string;
  readonly hash: string;
  /** Asked back or held before: it is not part of the order. */
  readonly extra?: true;
}

export interface UplinkState {
  readonly journal: JournalMark | null;
  /** Requests in a row that brought nothing forward. */
  readonly failures: number;
  /** Limits of the next request; they shrink when a request was too large, and grow back. */
  readonly maxBlocks: number;
  readonly maxBytes: number;
  /** Code of why nothing goes through now; undefined when it does. */
  readonly trouble?: string;
}

export type Outcome =
  | { readonly kind: 'answer'; readonly answer: BlocksAnswer }
  | { readonly kind: 'status'; readonly status: number; readonly retryAfterMs?: number; readonly reason?: string }
  /** No answer: unreachable, not trusted, given up. */
  | { readonly kind: 'failed'; readonly code: string; readonly reason: string };

export type Effect<B extends SentBlock> =
  /** Fsynced there. */
  | { readonly kind: 'settle'; readonly block: B }
  /** Kept on both sides, not sent again. */
  | { readonly kind: 'keep'; readonly block: B; readonly why: 'held' | 'bad'; readonly code?: string; readonly reason?: string }
  /** Signed by a key that a restored registry does not know: to be sealed anew by the key of now, or kept where that signed it. */
  | { readonly kind: 'reseal'; readonly block: B }
  | { readonly kind: 'conflict'; readonly block: B; readonly ends: readonly StreamEnd[] }
  | { readonly kind: 'resync'; readonly held: readonly StreamRanges[] }
  | { readonly kind: 'missing'; readonly ranges: NonNullable<Extract<BlocksAnswer, { kind: 'answers' }>['missing']> };

export interface Decision<B extends SentBlock> {
  readonly state: UplinkState;
  readonly effects: readonly Effect<B>[];
  /** Wait before the next request; 0 to go on at once. */
  readonly waitMs: number;
}

/** A request of this size costs little memory and is a hundred milliseconds of a slow line. */
export const REQUEST_BYTES = 1_048_576;
export const REQUEST_BLOCKS = 256;
/** A collector that comes back is found within half a minute; the jitter spreads a fleet over that. */
const AWAY_BACKOFF: Backoff = { baseMs: 250, capMs: 30_000 };
/** An identity that is refused asks again ever more slowly: a clock is set right within seconds, or a person has to act. */
const REFUSED_BACKOFF: Backoff = { baseMs: 10_000, capMs: 900_000 };

export const initialUplink = (journal: JournalMark | null): UplinkState => ({
  journal,
  failures: 0,
  maxBlocks: REQUEST_BLOCKS,
  maxBytes: REQUEST_BYTES,
});

/** What an outcome means. `random` in [0, 1) spreads the waits of a fleet. */
export const decide = <B extends SentBlock>(state: UplinkState, sent: readonly B[], outcome: Outcome, random: number): Decision<B> => {
  if (outcome.kind === 'answer') return onAnswer(state, sent, outcome.answer, random);
  if (outcome.kind === 'failed') return retry(state, outcome.code, random);
  const { status } = outcome;
  if (status === 401 || status === 403) return retry(state, 'IDENTITY_REFUSED', random, REFUSED_BACKOFF);
  if (status === 413 || status === 400) return split(state, sent, status, outcome.reason, random);
  if (status === 429 || status === 503) return retry(state, 'COLLECTOR_BUSY', random, AWAY_BACKOFF, outcome.retryAfterMs);
  return retry(state, 'COLLECTOR_FAILED', random);
};

const retry = <B extends SentBlock>(
  state: UplinkState,
  trouble: string,
  random: number,
  backoff: Backoff = AWAY_BACKOFF,
  retryAfterMs?: number,
): Decision<B> => {
  // A refusal is waited for anew: one that was away for hours and refuses once, by a clock that is wrong, is asked again soon.
  const failures = trouble === 'IDENTITY_REFUSED' && state.trouble !== trouble ? 1 : state.failures + 1;
  return { state: { ...state, failures, trouble }, effects: [], waitMs: retryDelay(failures, random, backoff, retryAfterMs) };
};

// A request too large, or in which something cannot be read, is cut in half until the block that is to blame stands alone.
const split = <B extends SentBlock>(
  state: UplinkState,
  sent: readonly B[],
  status: number,
  reason: string | undefined,
  random: number,
): Decision<B> => {
  const only = sent.length === 1 ? sent[0] : undefined;
  if (!only) return { state: { ...state, maxBlocks: Math.max(1, Math.floor(sent.length / 2)) }, effects: [], waitMs: 0 };
  const next = retry<B>(state, 'REQUEST_REFUSED', random);
  const code = status === 413 ? 'TOO_LARGE' : 'REFUSED';
  return { ...next, effects: [{ kind: 'keep', block: only, why: 'bad', code, ...(reason === undefined ? {} : { reason }) }] };
};

const onAnswer = <B extends SentBlock>(state: UplinkState, sent: readonly B[], answer: BlocksAnswer, random: number): Decision<B> => {
  const { trouble: _, ...calm } = state;
  if (answer.kind === 'resync') {
    // W6: of this incarnation nothing is acked to us yet. One that asks again and again is asked slowly.
    const next = { ...calm, journal: nothingAcked(answer.incarnation), failures: state.failures + 1 };
    return {
      state: next,
      effects: [{ kind: 'resync', held: answer.held }],
      waitMs: state.failures === 0 ? 0 : retryDelay(next.failures, random, AWAY_BACKOFF),
    };
  }
  const effects: Effect<B>[] = [];
  const inConflict = new Set<string>();
  const { incarnation } = answer;
  let journal = state.journal?.incarnation === incarnation ? state.journal : nothingAcked(incarnation);
  for (const [block, given] of pair(sent, answer.answers)) {
    const { result } = given;
    if (result === 'accepted' || result === 'have') {
      effects.push({ kind: 'settle', block });
      if (given.offset !== undefined && given.offset > journal.offset) journal = { incarnation, offset: given.offset, hash: block.hash };
    } else if (result === 'bad' && given.code === 'UNKNOWN_KEY' && !block.extra) {
      if (!inConflict.has(block.stream)) effects.push({ kind: 'reseal', block });
      inConflict.add(block.stream);
    } else if (result === 'held' || result === 'bad') {
      const { code, reason } = given;
      effects.push({
        kind: 'keep',
        block,
        why: result,
        ...(code === undefined ? {} : { code }),
        ...(reason === undefined ? {} : { reason }),
      });
    } else if (result === 'conflict' && !inConflict.has(block.stream)) {
      inConflict.add(block.stream);
      effects.push({ kind: 'conflict', block, ends: given.ends ?? [] });
      // What is told counts as acked (W6).
      const head = given.ends?.[0];
      if (head?.position !== undefined && head.position > journal.offset) journal = { incarnation, offset: head.position, hash: head.hash };
    }
    // `refused`, and what follows a conflict in its stream, is decided with the next request.
  }
  // What is settled counts before a new epoch is made of the rest.
  effects.sort((a, b) => Number(a.kind !== 'settle') - Number(b.kind !== 'settle'));
  if (answer.missing && answer.missing.length > 0) effects.push({ kind: 'missing', ranges: answer.missing });
  const forward = sent.length === 0 || effects.some(({ kind }) => kind !== 'missing');
  if (!forward) return retry({ ...state, journal }, 'NOTHING_SETTLED', random);
  const maxBlocks = Math.min(REQUEST_BLOCKS, state.maxBlocks * 2);
  return { state: { ...calm, journal, failures: 0, maxBlocks }, effects, waitMs: 0 };
};

/** A journal that is known and has acked nothing: what it told must still be there (W6). */
const nothingAcked = (incarnation: string): JournalMark => ({ incarnation, offset: 0, hash: '0'.repeat(64) });

/** Answers stand in the order of the blocks; where the numbers differ, they are found by hash, each used once. */
const pair = function* <B extends SentBlock>(sent: readonly B[], answers: readonly BlockAnswer[]): Generator<readonly [B, BlockAnswer]> {
  const left = [...answers];
  for (const [index, block] of sent.entries()) {
    const straight = answers.length === sent.length && answers[index]?.hash === block.hash ? answers[index] : undefined;
    const place = straight ? left.indexOf(straight) : left.findIndex(({ hash }) => hash === block.hash);
    const found = left[place];
    if (!found) continue;
    left.splice(place, 1);
    yield [block, found];
  }
};
