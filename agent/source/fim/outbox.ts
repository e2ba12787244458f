// SPDX-License-Identifier: Apache-2.0
/**
 * Facts on their way out of the worker: cut in chunks, each with the rows that move when it is sealed, never more than a few under way.
 * Input: facts with their moves. Output: chunks for the source; the baseline moved when told so, never earlier (A1).
 */
import { type MessagePort, receiveMessageOnPort } from 'node:worker_threads';
import type { UnixMs } from '../../../core/units.ts';
import type { Baseline, Move } from './baseline.ts';
import { type FromFimWorker, GATE, type Job, type ToFimWorker } from './protocol.ts';

const CHUNK_BYTES = 262_144;
const CHUNK_RECORDS = 1_000;
const UNDER_WAY = 8;

/** Thrown through a job when the agent stops: what was not sealed is found again. */
export class Stopped extends Error {}

export interface Outbox {
  put(text: string, flags: number, move: Move | undefined): void;
  /** Sends what was put. */
  flush(): void;
  /** Waits until everything is sealed. @throws Stopped */
  settle(): void;
  /** Takes what came, without waiting. @throws Stopped */
  check(): void;
  /** The next job; undefined at the end. */
  nextJob(): Job | undefined;
  sleep(spanMs: number): void;
}

export interface OutboxOptions {
  readonly port: MessagePort;
  readonly gate: Int32Array<SharedArrayBuffer>;
  readonly baseline: () => Baseline;
  readonly now: () => UnixMs;
}

export const makeOutbox = ({ port, gate, baseline, now }: OutboxOptions): Outbox => {
  const buffer = Buffer.allocUnsafeSlow(CHUNK_BYTES + 65_536);
  let used = 0;
  let ends: number[] = [];
  let flags: number[] = [];
  let moves: Move[] = [];
  let nextId = 1;
  const waiting = new Map<number, readonly Move[]>();
  const jobs: Job[] = [];
  let ended = false;

  const take = (): void => {
    for (let got = receiveMessageOnPort(port); got; got = receiveMessageOnPort(port)) {
      const message = got.message as ToFimWorker;
      if (message.kind === 'job') jobs.push(message.job);
      else if (message.kind === 'end') ended = true;
      else
        for (const id of message.chunks) {
          const moved = waiting.get(id);
          waiting.delete(id);
          if (moved && moved.length > 0) baseline().move(moved);
        }
    }
  };
  const isStopped = (): boolean => Atomics.load(gate, GATE.stop) !== 0;
  const waitUntil = (test: () => boolean): void => {
    for (;;) {
      const seen = Atomics.load(gate, GATE.messages);
      // What was sealed counts, also when the agent stops.
      take();
      if (test()) return;
      if (ended || isStopped()) throw new Stopped();
      Atomics.wait(gate, GATE.messages, seen);
    }
  };
  const flush = (): void => {
    if (ends.length === 0) return;
    const bytes = new Uint8Array(buffer.subarray(0, used));
    const chunk = { id: nextId++, at: now(), bytes, ends: Uint32Array.from(ends), flags: Uint8Array.from(flags) };
    waiting.set(chunk.id, moves);
    [used, ends, flags, moves] = [0, [], [], []];
    port.postMessage({ kind: 'chunk', chunk } satisfies FromFimWorker, [bytes.buffer, chunk.ends.buffer, chunk.flags.buffer]);
    waitUntil(() => waiting.size < UNDER_WAY);
  };
  return {
    put: (text, flag, move) => {
      if (ends.length >= CHUNK_RECORDS || used >= CHUNK_BYTES) flush();
      used += buffer.write(text, used, 'utf8');
      ends.push(used);
      flags.push(flag);
      if (move) moves.push(move);
    },
    flush,
    settle: () => {
      flush();
      waitUntil(() => waiting.size === 0);
    },
    check: () => {
      if (isStopped()) {
        take();
        throw new Stopped();
      }
    },
    nextJob: () => {
      waitUntil(() => jobs.length > 0 || ended || isStopped());
      return ended || isStopped() ? undefined : jobs.shift();
    },
    sleep: (spanMs) => {
      const until = performance.now() + spanMs;
      for (let left = spanMs; left > 0 && !isStopped(); left = until - performance.now()) {
        const seen = Atomics.load(gate, GATE.messages);
        take();
        Atomics.wait(gate, GATE.messages, seen, left);
      }
    },
  };
};
