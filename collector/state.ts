// SPDX-License-Identifier: Apache-2.0
/**
 * The state worker: SQLite in a thread of its own, and everything that judges pages beside it, so that a page is judged and committed without leaving it.
 * Input: pages of the river worker, calls of the main thread. Output: commits; what was opened or changed, told to the main thread.
 */
import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import { systemClock } from '../core/clock.ts';
import { toError } from '../core/errors.ts';
import { days, unixMs } from '../core/units.ts';
import { parseEntity } from './model/entity.ts';
import type { Page } from './model/page.ts';
import type { RuleSet } from './model/rule.ts';
import { type Changed, type Judge, makeJudge } from './pipeline.ts';
import type { FromState, ToState } from './river.ts';
import { openAlerts } from './store/embedded/alerts.ts';
import { openSignals } from './store/embedded/signals.ts';
import { openState } from './store/embedded/state.ts';
import { serveState } from './store/embedded/state-port.ts';

export interface StateData {
  readonly file: string;
  /** Calls of the main thread on the StateStore port. */
  readonly calls: MessagePort;
}

export type ToStateWorker = { readonly kind: 'river'; readonly port: MessagePort } | { readonly kind: 'tidy' } | { readonly kind: 'stop' };

export type FromStateWorker =
  /** Opened; the newest page that was committed, where there is one. */
  | { readonly kind: 'ready'; readonly lastPage: { readonly incarnation: string; readonly n: number } | null }
  | { readonly kind: 'judged'; readonly to: number; readonly changed: Changed }
  | { readonly kind: 'refused'; readonly rule: string; readonly reason: string }
  | { readonly kind: 'failed'; readonly n: number; readonly reason: string }
  | { readonly kind: 'stopped' };

const main = parentPort as MessagePort;
const data = workerData as StateData;

/** Signals are kept 30 days from their arrival (S2). */
const SIGNALS_KEPT = days(30);

const core = openState(data.file);
const table = openSignals(core.db);
const index = openAlerts(core.db, (collection, id) => core.get(collection, id)?.value ?? null);
serveState(data.calls, core);

const newest = core.db.prepare(`SELECT incarnation, json_extract(value, '$.n') AS n FROM page ORDER BY rowid DESC LIMIT 1`).get();
main.postMessage({
  kind: 'ready',
  lastPage: newest ? { incarnation: String(newest['incarnation']), n: Number(newest['n']) } : null,
} satisfies FromStateWorker);

/** `root@bastion` for `user:root@ast_…`; null for what has no other name. */
const nameOf = (entity: string): string | null => {
  const parsed = parseEntity(entity);
  const asset = parsed?.kind === 'host' ? parsed.id : parsed?.kind === 'user' ? parsed.id.slice(parsed.id.lastIndexOf('@') + 1) : undefined;
  const host = asset === undefined ? undefined : core.get('asset', asset)?.value.name;
  if (!parsed || host === undefined) return null;
  return parsed.kind === 'host' ? host : `${parsed.id.slice(0, parsed.id.lastIndexOf('@'))}@${host}`;
};

const open = (rules: RuleSet): Judge =>
  makeJudge({
    rules,
    table,
    reader: index,
    nameOf,
    nextNumber: () => core.nextNumber('incident'),
    write: (writes) => {
      for (const { collection, id, value } of writes) {
        core.put(collection, id, value);
        index.note(collection, id, value);
      }
    },
  });

const NOTHING: Changed = { alerts: [], incidents: [], news: [] };

/** One page, one transaction: signals, alerts, incidents, the page itself and detect's position (C1, J4). */
const commit = (judge: Judge, page: Page): Changed =>
  core.transaction(() => {
    const before = core.position('detect');
    if (before && before.incarnation === page.incarnation && page.to <= before.offset) return NOTHING;
    const changed = judge.page(page);
    core.commit({ sink: 'detect', collector: page.collector, incarnation: page.incarnation, offset: page.to }, [], page);
    return changed;
  });

const serveRiver = (river: MessagePort): void => {
  let judge: Judge | null = null;
  river.on('message', (message: ToState) => {
    try {
      if (message.kind === 'rules') {
        judge = open(message.rules);
        for (const { rule, message: reason } of judge.refused)
          main.postMessage({ kind: 'refused', rule, reason } satisfies FromStateWorker);
      } else {
        const changed = commit(judge as Judge, message.page);
        main.postMessage({ kind: 'judged', to: message.page.to, changed } satisfies FromStateWorker);
        river.postMessage({ kind: 'judged', n: message.page.n } satisfies FromState);
      }
    } catch (error) {
      // Nothing after this page may be judged before it: the collector stops and says why.
      main.postMessage({
        kind: 'failed',
        n: message.kind === 'page' ? message.page.n : 0,
        reason: toError(error).message,
      } satisfies FromStateWorker);
    }
  });
};

main.on('message', (message: ToStateWorker) => {
  if (message.kind === 'river') serveRiver(message.port);
  else if (message.kind === 'tidy') {
    const now = systemClock.now();
    core.tidy(now);
    table.expire(unixMs(now - SIGNALS_KEPT));
  } else {
    core.close();
    main.postMessage({ kind: 'stopped' } satisfies FromStateWorker);
    data.calls.close();
    main.close();
  }
});
