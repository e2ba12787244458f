// SPDX-License-Identifier: Apache-2.0
/**
 * One page, one transaction: signals, alerts, incidents, the page itself and detect's position, all or nothing (river.md C1, C3, J4).
 * Input: the state's database, rules, pages of signals. Output: commits; what each opened or changed.
 */
import { entityName } from './entity-name.ts';
import { type FactsChanged, makeFactSink } from './facts/apply.ts';
import type { FactPage } from './model/fact.ts';
import type { Page } from './model/page.ts';
import type { RuleSet } from './model/rule.ts';
import { type Changed, type Judge, makeJudge } from './pipeline.ts';
import { type AlertIndex, openAlerts } from './store/embedded/alerts.ts';
import { openFacts } from './store/embedded/facts.ts';
import { openSignals } from './store/embedded/signals.ts';
import type { StateCore } from './store/embedded/state.ts';

export interface Committer {
  readonly refused: Judge['refused'];
  /** Judges and commits a page; of one that was committed before, nothing. Throws what the database threw: then nothing of the page is in it. */
  commit(page: Page): Changed;
}

/** Commits a page of facts the same way, with the position of their own sink; null for one that was committed before. */
export interface FactCommitter {
  /** MUST be called when the transaction around a commit was not ended. */
  forget(): void;
  commit(page: FactPage): FactsChanged | null;
}

export interface CommitParts {
  readonly core: StateCore;
  readonly table: ReturnType<typeof openSignals>;
  readonly index: AlertIndex;
}

const NOTHING: Changed = { alerts: [], incidents: [], news: [] };

/** What judging keeps beside the documents, over the same database. */
export const openCommitParts = (core: StateCore): CommitParts => ({
  core,
  table: openSignals(core.db),
  index: openAlerts(core.db, (collection, id) => core.get(collection, id)?.value ?? null),
});

export const openFactCommitter = (core: StateCore): FactCommitter => {
  const sink = makeFactSink({
    reader: openFacts(core),
    write: ({ collection, id, value }) => void core.put(collection, id, value),
    remove: (id) => void core.remove('observation', id),
  });
  return {
    forget: sink.forget,
    commit: (page) =>
      core.transaction(() => {
        const before = core.position('facts');
        if (before && before.incarnation === page.incarnation && page.to <= before.offset) return null;
        const changed = sink.apply(page);
        core.commit({ sink: 'facts', collector: page.collector, incarnation: page.incarnation, offset: page.to }, []);
        return changed;
      }),
  };
};

export const openCommitter = ({ core, table, index }: CommitParts, rules: RuleSet): Committer => {
  const judge = makeJudge({
    rules,
    table,
    reader: index,
    nameOf: (entity) => entityName(core, entity),
    nextNumber: () => core.nextNumber('incident'),
    write: (writes) => {
      for (const { collection, id, value } of writes) {
        core.put(collection, id, value);
        index.note(collection, id, value);
      }
    },
  });
  return {
    refused: judge.refused,
    commit: (page) =>
      core.transaction(() => {
        const before = core.position('detect');
        if (before && before.incarnation === page.incarnation && page.to <= before.offset) return NOTHING;
        const changed = judge.page(page);
        core.commit({ sink: 'detect', collector: page.collector, incarnation: page.incarnation, offset: page.to }, [], page);
        return changed;
      }),
  };
};
