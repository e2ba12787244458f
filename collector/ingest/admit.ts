// SPDX-License-Identifier: Apache-2.0
/**
 * How much may be under way: bytes of all requests together, and a rate for each agent, so that one host cannot crowd out the others.
 * Input: the size of a request before it is read. Output: a place, given back when it is answered; or 413, 429, 503 as coded errors (river.md W5).
 */
import type { Clock } from '../../core/clock.ts';
import type { AgentId } from '../../core/ids.ts';
import { LIMITS } from '../../core/protocol.ts';
import { fault } from '../errors.ts';

export interface AdmitOptions {
  readonly clock: Clock;
  /** Bytes of requests that may be under way together; default 128 MiB. */
  readonly bytesUnderWay?: number;
  /** Rate of each agent, and what it may send at once after a rest; default 16 MiB/s and 128 MiB. */
  readonly bytesPerSecond?: number;
  readonly burstBytes?: number;
}

interface Bucket {
  level: number;
  at: number;
}

const AGENTS = 100_000;
/** Unpacked bodies that are checked at once, in bytes. */
const UNPACKED_BYTES = 33_554_432;

export class Admission {
  readonly #clock: Clock;
  readonly #bytesUnderWay: number;
  readonly #bytesPerSecond: number;
  readonly #burstBytes: number;
  readonly #buckets = new Map<AgentId, Bucket>();
  readonly #unpacking: { readonly bytes: number; readonly go: () => void }[] = [];
  #underWay = 0;
  #unpacked = 0;

  constructor({ clock, bytesUnderWay = 134_217_728, bytesPerSecond = 16_777_216, burstBytes = 134_217_728 }: AdmitOptions) {
    this.#clock = clock;
    this.#bytesUnderWay = bytesUnderWay;
    this.#bytesPerSecond = bytesPerSecond;
    this.#burstBytes = burstBytes;
  }

  get underWayBytes(): number {
    return this.#underWay;
  }

  /**
   * Takes a place for a request; the answer gives it back.
   * @throws CodedError INGEST_TOO_LARGE, INGEST_BUSY, INGEST_QUOTA; the last two with `retryAfterMs` in their details.
   */
  enter(agent: AgentId, bytes: number): () => void {
    if (bytes > LIMITS.requestBytes) throw fault('INGEST_TOO_LARGE', { limit: LIMITS.requestBytes });
    if (this.#underWay > 0 && this.#underWay + bytes > this.#bytesUnderWay) {
      throw fault('INGEST_BUSY', { bytes: this.#underWay, retryAfterMs: 1_000 });
    }
    const now = this.#clock.monotonic();
    const bucket = this.#buckets.get(agent) ?? { level: 0, at: now };
    const level = Math.max(0, bucket.level - ((now - bucket.at) * this.#bytesPerSecond) / 1_000);
    const over = level + bytes - this.#burstBytes;
    // A level of 0 always lets one request pass, however small the burst is set.
    if (level > 0 && over > 0) {
      const retryAfterMs = Math.ceil((over * 1_000) / this.#bytesPerSecond);
      throw fault('INGEST_QUOTA', { agent, bytesPerSecond: this.#bytesPerSecond, retryAfterMs });
    }
    this.#buckets.delete(agent);
    this.#buckets.set(agent, { level: level + bytes, at: now });
    if (this.#buckets.size > AGENTS) this.#buckets.delete(this.#buckets.keys().next().value as AgentId);
    this.#underWay += bytes;
    let open = true;
    return () => {
      if (open) this.#underWay -= bytes;
      open = false;
    };
  }

  /** Runs work that holds so many unpacked bytes in memory, when there is room; in order of asking. A small request may unpack to a gigabyte. */
  async withRoom<T>(bytes: number, work: () => Promise<T>): Promise<T> {
    if (this.#unpacking.length > 0 || (this.#unpacked > 0 && this.#unpacked + bytes > UNPACKED_BYTES)) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#unpacking.push({ bytes, go: resolve });
      await promise;
    } else this.#unpacked += bytes;
    try {
      return await work();
    } finally {
      this.#unpacked -= bytes;
      for (
        let next = this.#unpacking[0];
        next && (this.#unpacked === 0 || this.#unpacked + next.bytes <= UNPACKED_BYTES);
        next = this.#unpacking[0]
      ) {
        this.#unpacking.shift();
        this.#unpacked += next.bytes;
        next.go();
      }
    }
  }
}
