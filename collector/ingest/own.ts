// SPDX-License-Identifier: Apache-2.0
/**
 * The collector's own stream: what it notices becomes JSON lines of dataset `vigil`, signed by its key (model/notice.ts).
 * Input: notices of every part. Output: records in the journal within a second. The same notice many times in a second is one with a count.
 */
import type { Clock } from '../../core/clock.ts';
import type { AgentId } from '../../core/ids.ts';
import type { Signer } from '../../core/sign.ts';
import { isoTime, ms, type UnixMs } from '../../core/units.ts';
import { type BlockJournal, FRAME_FLAGS } from '../model/journal.ts';
import type { Notice, Notices } from '../model/notice.ts';
import { LineStream } from './line-stream.ts';
import { OWN_DATASET } from './verify.ts';

export interface OwnOptions {
  readonly journal: BlockJournal;
  readonly clock: Clock;
  readonly signer: Signer;
  /** Id that the collector signs as, and the name of its host. */
  readonly agent: AgentId;
  readonly host: string;
  /** Hears of each notice when it is said. */
  readonly onSaid?: (notice: Notice) => void;
}

export interface OwnStream extends Notices {
  /** Notices that found no room while the journal failed. */
  readonly dropped: number;
  /** Journals what waits. */
  close(): Promise<void>;
}

const OWN_STREAM = 'vigil';
const GATHER_MS = 250;
const KINDS = 1_000;

interface Gathered {
  notice: Notice;
  times: number;
  /** When it was said first. */
  readonly at: UnixMs;
}

/** Opens the stream; it begins a new epoch with each start. */
export const openOwnStream = ({ journal, clock, signer, agent, host, onSaid }: OwnOptions): OwnStream => {
  const lines = new LineStream({
    journal,
    clock,
    signer,
    agent,
    host,
    stream: OWN_STREAM,
    dataset: OWN_DATASET,
    zone: 'UTC',
    flags: FRAME_FLAGS.own,
    waitMs: ms(GATHER_MS),
  });
  const stop = new AbortController();
  let gathered = new Map<string, Gathered>();
  let gathering: Promise<void> | null = null;

  const flush = (): void => {
    const all = gathered;
    gathered = new Map();
    for (const { notice, times, at } of all.values()) lines.add(Buffer.from(noticeLine(notice, times, isoTime(at))));
  };
  const gather = async (): Promise<void> => {
    await clock.sleep(ms(GATHER_MS), stop.signal);
    gathering = null;
    flush();
  };

  return {
    get dropped() {
      return lines.dropped;
    },
    say: (notice) => {
      const { action, agent: about, stream, rule, check, host, user, sourceIp, from, to, reason } = notice;
      const key = JSON.stringify([action, about, stream, rule, check, host?.id, user, sourceIp, from, to, reason]);
      const same = gathered.get(key);
      if (same) same.times++;
      else gathered.set(key, { notice, times: 1, at: clock.now() });
      if (gathered.size >= KINDS) flush();
      gathering ??= gather();
      onSaid?.(notice);
    },
    close: async () => {
      stop.abort();
      await gathering;
      flush();
      await lines.close();
    },
  };
};

/** A notice as its line: `action` first, then the time; `count` is how often it happened where the notice has none of its own. */
const noticeLine = (notice: Notice, times: number, time: string): string => {
  const { action, ...rest } = notice;
  return JSON.stringify({ action, '@timestamp': time, ...rest, ...(times > 1 && rest.count === undefined ? { count: times } : {}) });
};
