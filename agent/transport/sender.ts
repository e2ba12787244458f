// SPDX-License-Identifier: Apache-2.0
/**
 * The loop that empties the spool: one request in flight, its outcome decided by `uplink.ts`, its effects applied to spool and sources.
 * Input: blocks of the spool. Output: blocks acknowledged; what stands in the way, for status and heartbeat.
 */
import type { Clock } from '../../core/clock.ts';
import { AGENT_PATHS, type BlocksAnswer, PROTOCOL_VERSION, type StreamEnd } from '../../core/protocol.ts';
import { ms } from '../../core/units.ts';
import { encodeRequest } from '../../core/wire.ts';
import type { Gap } from '../spool/mend.ts';
import type { Spool } from '../spool/spool.ts';
import type { Pending } from '../spool/window.ts';
import { readAnswer } from './answer.ts';
import type { Client, Reply } from './client.ts';
import { decide, type Effect, initialUplink, type Outcome, type UplinkState } from './uplink.ts';

export interface SenderOptions {
  readonly spool: Spool;
  readonly clock: Clock;
  /** The connection of now; another one after a renewal. */
  readonly client: () => Client;
  /** Number in [0, 1) that spreads waits. */
  readonly random: () => number;
  /** W11; nothing is sealed while it runs. */
  readonly onConflict: (conflict: {
    readonly stream: string;
    readonly epoch: string;
    readonly ends: readonly StreamEnd[];
    readonly block: Pending;
  }) => Promise<void>;
  /** The collector does not know the key of a block: it is sealed anew. False where it was signed by the key of now. */
  readonly onOldKey: (block: Pending) => Promise<boolean>;
  /** I5: held blocks are to be sent again. */
  readonly onReleased: () => Promise<void>;
  /** W6 and W9: each answers with the gaps to declare. */
  readonly onResync: (held: Extract<BlocksAnswer, { kind: 'resync' }>['held']) => Promise<readonly Gap[]>;
  readonly onMissing: (ranges: NonNullable<Extract<BlocksAnswer, { kind: 'answers' }>['missing']>) => Promise<readonly Gap[]>;
  readonly declare: (gaps: readonly Gap[]) => Promise<void>;
  /** A fault of this side; the sender goes on after a while. Without it a fault ends the sender. */
  readonly onFault?: (error: unknown) => void;
  /** After each answer, for conditions and log. */
  readonly onOutcome: (outcome: Outcome, state: UplinkState, effects: readonly Effect<Pending>[]) => void;
}

export interface Sender {
  /** There is something new to send. */
  wake(): void;
  /** Ends a wait after a failure: what it waited for has changed, so the next failure is a first one. */
  tryNow(): void;
  /** Runs until the signal; resolves when nothing is in flight. */
  run(signal: AbortSignal): Promise<void>;
  /** One request, if there is anything to send; the wait before the next, or undefined when there was nothing. */
  step(): Promise<number | undefined>;
  readonly state: UplinkState;
  /** Collector's clock minus ours at the last answer, ms; undefined before. */
  readonly clockOffsetMs: number | undefined;
}

const BLOCKS_TYPE = 'application/vnd.vigil.blocks';
/** Blocks held there are asked about so often. */
const HELD_MS = 600_000;
const MISSING_MS = 60_000;
/** Wait after a fault of this side, such as a spool that cannot be read. */
const FAULT_MS = 5_000;

export const openSender = (options: SenderOptions): Sender => {
  const { spool, clock } = options;
  let state = initialUplink(spool.journal);
  let clockOffsetMs: number | undefined;
  let heldAskedAt = Number.NEGATIVE_INFINITY;
  let missingAt = Number.NEGATIVE_INFINITY;
  let wakeUp = Promise.withResolvers<void>();
  let again = Promise.withResolvers<void>();

  const apply = async (effects: readonly Effect<Pending>[]): Promise<void> => {
    for (const effect of effects) {
      if (effect.kind === 'settle') spool.settle(effect.block);
      else if (effect.kind === 'keep') spool.keep(effect.block, effect.why);
      else if (effect.kind === 'reseal') {
        if (!(await options.onOldKey(effect.block))) spool.keep(effect.block, 'bad');
      } else if (effect.kind === 'resync') await options.declare(await options.onResync(effect.held));
      else if (effect.kind === 'conflict') {
        const { block, ends } = effect;
        const { stream, epoch } = block;
        const current = spool.stateOf(stream)?.epoch ?? epoch;
        // W11: for another epoch than the current one it is ignored; the block is of no use any more. One that was asked back or held still counts.
        if (current === epoch || block.extra) await options.onConflict({ stream, epoch: current, ends, block });
        else spool.settle(block);
      } else if (clock.monotonic() - missingAt >= MISSING_MS) {
        missingAt = clock.monotonic();
        await options.declare(await options.onMissing(effect.ranges));
      }
    }
  };

  const step = async (): Promise<number | undefined> => {
    await askHeld();
    const sent = await spool.window(state.maxBlocks, state.maxBytes);
    const holes = spool.takeHoles();
    if (holes.length > 0)
      await options.declare(
        holes.map(({ stream, epoch, from, to }) => ({ stream, epoch, body: { from, to, cause: 'spool-corrupt', count: to - from + 1 } })),
      );
    if (sent.length === 0) return undefined;
    const body = encodeRequest(
      { v: PROTOCOL_VERSION, journal: state.journal, blocks: sent.length },
      sent.map(({ bytes }) => bytes),
    );
    const outcome = outcomeOf(await options.client().post(AGENT_PATHS.blocks, body, BLOCKS_TYPE));
    if (outcome.kind === 'answer') clockOffsetMs = outcome.answer.serverTime - clock.now();
    const decision = decide(state, sent, outcome, options.random());
    state = decision.state;
    // What a conflict tells rests on this journal; what a resync asks for must be done before the new one counts as known (W6).
    const isResync = decision.effects.some(({ kind }) => kind === 'resync');
    if (!isResync) spool.setJournal(state.journal);
    try {
      await apply(decision.effects);
    } catch (error) {
      // What a new journal asked for is not done: it counts as unknown, and asks again.
      if (isResync) state = { ...state, journal: spool.journal };
      throw error;
    }
    spool.setJournal(state.journal);
    // Something is taken again: perhaps a person decided about what is held.
    if (decision.effects.some(({ kind }) => kind === 'settle')) heldAskedAt = Number.NEGATIVE_INFINITY;
    options.onOutcome(outcome, state, decision.effects);
    return decision.waitMs;
  };

  // W5: what is held there waits for a person; whether they decided shows in how the connection stands.
  const askHeld = async (): Promise<void> => {
    if (!spool.kept.some(({ why }) => why === 'held') || clock.monotonic() - heldAskedAt < HELD_MS) return;
    heldAskedAt = clock.monotonic();
    const outcome = outcomeOf(await options.client().get(AGENT_PATHS.heads));
    if (outcome.kind !== 'answer' || outcome.answer.kind !== 'resync') return;
    // Ranges tell no content: whether a held block stands there is answered when it is sent again, once a person has decided.
    // A person said that this identity is the right one: what was held goes the usual way, conflicts and all.
    if (outcome.answer.standing !== 'held') await options.onReleased();
  };

  // The sleep ends with the wake-up, so that no timers pile up.
  const sleepOr = async (woken: Promise<void>, waitMs: number, signal: AbortSignal): Promise<void> => {
    const waiting = new AbortController();
    const stop = (): void => waiting.abort();
    signal.addEventListener('abort', stop, { once: true });
    await Promise.race([woken, clock.sleep(ms(waitMs), waiting.signal)]);
    stop();
    signal.removeEventListener('abort', stop);
  };

  return {
    step,
    get state() {
      return state;
    },
    get clockOffsetMs() {
      return clockOffsetMs;
    },
    wake: () => wakeUp.resolve(),
    tryNow: () => {
      const { trouble: _, ...calm } = state;
      state = { ...calm, failures: 0 };
      again.resolve();
    },
    run: async (signal) => {
      while (!signal.aborted) {
        wakeUp = Promise.withResolvers<void>();
        again = Promise.withResolvers<void>();
        const waitMs = await step().catch((error: unknown) => {
          if (!options.onFault) throw error;
          options.onFault(error);
          return FAULT_MS;
        });
        if (waitMs === undefined) await sleepOr(wakeUp.promise, HELD_MS, signal);
        else if (waitMs > 0) await sleepOr(again.promise, waitMs, signal);
      }
    },
  };
};

const outcomeOf = (reply: Reply): Outcome => {
  if (reply.kind === 'failed') return reply;
  const { status, body, retryAfterMs } = reply;
  if (status !== 200) {
    const base = { kind: 'status' as const, status, reason: body.toString('utf8', 0, 300) };
    return retryAfterMs === undefined ? base : { ...base, retryAfterMs };
  }
  const answer = readAnswer(body);
  return answer ? { kind: 'answer', answer } : { kind: 'failed', code: 'BAD_ANSWER', reason: 'the answer cannot be understood' };
};
