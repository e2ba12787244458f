// SPDX-License-Identifier: Apache-2.0
/**
 * The state worker: SQLite in a thread of its own, and everything that judges pages beside it, so that a page is judged and committed without leaving it.
 * Input: pages of the river worker, calls of the main thread. Output: commits; what was opened or changed, told to the main thread.
 */
import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import { systemClock } from '../core/clock.ts';
import { isDiskFault, toError } from '../core/errors.ts';
import { standBack } from '../core/priority.ts';
import { days, type UnixMs, unixMs } from '../core/units.ts';
import { type Committer, openCommitParts, openCommitter, openFactCommitter } from './commit.ts';
import type { FactsChanged } from './facts/apply.ts';
import { unpackPage } from './model/page.ts';
import type { Changed } from './pipeline.ts';
import { regroupingState } from './regroup.ts';
import type { FromState, PageMessage, ToState } from './river.ts';
import { scoredState } from './scoring.ts';
import { expireFacts } from './store/embedded/facts.ts';
import { openState } from './store/embedded/state.ts';
import { serveState } from './store/embedded/state-port.ts';

export interface StateData {
  readonly file: string;
  /** Calls of the main thread on the StateStore port. */
  readonly calls: MessagePort;
}

export type ToStateWorker =
  | { readonly kind: 'river'; readonly port: MessagePort }
  | { readonly kind: 'tidy' }
  | { readonly kind: 'titles'; readonly titles: Readonly<Record<string, string>> }
  | { readonly kind: 'stop' };

export type FromStateWorker =
  /** Opened; the newest page that was committed, where there is one. */
  | { readonly kind: 'ready'; readonly lastPage: { readonly incarnation: string; readonly n: number } | null }
  /** `planted`: time of the newest planted record that its rule found. */
  | { readonly kind: 'judged'; readonly to: number; readonly changed: Changed; readonly planted: UnixMs | null }
  | { readonly kind: 'known'; readonly to: number; readonly changed: FactsChanged }
  | { readonly kind: 'refused'; readonly rule: string; readonly reason: string }
  /** The disk refuses a page, which is tried again; null when it was taken. */
  | { readonly kind: 'waiting'; readonly reason: string | null }
  | { readonly kind: 'failed'; readonly n: number; readonly reason: string }
  | { readonly kind: 'stopped' };

/** Behind the pass and the query engine: see `river.ts`. */
const STAND_BACK = 8;

const main = parentPort as MessagePort;
const data = workerData as StateData;
standBack(STAND_BACK);

/** Signals are kept 30 days from their arrival (S2). */
const SIGNALS_KEPT = days(30);
const RETRY_MS = 2_000;

/** Time of the main thread, whose clock may be another than the system's. */
let mainTime: UnixMs | null = null;
/** Titles of checks, once the main thread has read them. */
let titles: Readonly<Record<string, string>> = {};
const scored = scoredState(
  openState(data.file),
  () => mainTime ?? systemClock.now(),
  (check) => titles[check],
);
const { core } = scored;
const parts = openCommitParts(core);
const facts = openFactCommitter(core);
serveState(data.calls, regroupingState(core, parts.index), (at) => {
  mainTime = at;
});

const newest = core.db.prepare(`SELECT incarnation, json_extract(value, '$.n') AS n FROM page ORDER BY rowid DESC LIMIT 1`).get();
main.postMessage({
  kind: 'ready',
  lastPage: newest ? { incarnation: String(newest['incarnation']), n: Number(newest['n']) } : null,
} satisfies FromStateWorker);

/** Finds planted records (rules/sigma/vigil/self_test.yml). */
const SELF_TEST = 'vigil-self-test';

/** One transaction, one fsync; facts first, so that judging knows the host as it is. */
const commitBoth = (committer: Committer, { page, facts: factPage }: PageMessage): readonly FromStateWorker[] =>
  core.transaction((): readonly FromStateWorker[] => {
    const known = factPage && facts.commit(factPage);
    const unpacked = page && unpackPage(page);
    const changed = unpacked && committer.commit(unpacked);
    return [
      ...(factPage ? [{ kind: 'known', to: factPage.to, changed: known ?? { hosts: {}, subjects: [] } } as const] : []),
      ...(unpacked && changed
        ? [
            {
              kind: 'judged',
              to: unpacked.to,
              changed,
              planted: unpacked.signals.findLast(({ rule }) => rule === SELF_TEST)?.time ?? null,
            } as const,
          ]
        : []),
    ];
  });

let retry: NodeJS.Timeout | undefined;

const serveRiver = (river: MessagePort): void => {
  let committer: Committer | null = null;
  let waits = false;
  const wait = (reason: string | null): void => {
    if (reason !== null || waits) main.postMessage({ kind: 'waiting', reason } satisfies FromStateWorker);
    waits = reason !== null;
  };
  const take = (message: ToState): void => {
    try {
      if (message.kind === 'rules') {
        scored.rules(message.rules);
        committer = openCommitter(parts, message.rules);
        for (const { rule, message: reason } of committer.refused)
          main.postMessage({ kind: 'refused', rule, reason } satisfies FromStateWorker);
      } else {
        const done = commitBoth(committer as Committer, message);
        wait(null);
        // Not needed again, and large in a storm.
        if (message.page) (message.page.packed.buffer as ArrayBuffer).transfer(0);
        for (const one of done) main.postMessage(one);
        river.postMessage({ kind: 'judged' } satisfies FromState);
      }
    } catch (error) {
      facts.forget();
      parts.index.forget();
      if (isDiskFault(error)) {
        wait(toError(error).message);
        retry = setTimeout(() => take(message), RETRY_MS);
        return;
      }
      // Nothing after this page may be judged before it: the collector stops and says why.
      main.postMessage({
        kind: 'failed',
        n: message.kind === 'page' ? (message.page?.n ?? 0) : 0,
        reason: toError(error).message,
      } satisfies FromStateWorker);
    }
  };
  river.on('message', take);
};

/** Housekeeping: what a full disk puts off now is done with the next hour. */
const tidy = (): void => {
  const now = systemClock.now();
  try {
    core.tidy(now);
    expireFacts(core, now);
    facts.forget();
    parts.index.forget();
    parts.table.expire(unixMs(now - SIGNALS_KEPT));
  } catch (error) {
    if (!isDiskFault(error)) throw error;
  }
};

main.on('message', (message: ToStateWorker) => {
  if (message.kind === 'river') serveRiver(message.port);
  else if (message.kind === 'titles') titles = message.titles;
  else if (message.kind === 'tidy') tidy();
  else {
    clearTimeout(retry);
    core.close();
    main.postMessage({ kind: 'stopped' } satisfies FromStateWorker);
    data.calls.close();
    main.close();
  }
});
