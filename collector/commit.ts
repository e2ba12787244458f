// SPDX-License-Identifier: Apache-2.0
/**
 * One page, one transaction: signals, alerts, incidents, the page itself and detect's position, all or nothing (river.md C1, C3, J4).
 * Input: the state's database, rules, pages of signals. Output: commits; what each opened or changed.
 */
import { parseEntity } from './model/entity.ts';
import type { Page } from './model/page.ts';
import type { RuleSet } from './model/rule.ts';
import { type Changed, type Judge, makeJudge } from './pipeline.ts';
import { type AlertIndex, openAlerts } from './store/embedded/alerts.ts';
import { openSignals } from './store/embedded/signals.ts';
import type { StateCore } from './store/embedded/state.ts';

export interface Committer {
  readonly refused: Judge['refused'];
  /** Judges and commits a page; of one that was committed before, nothing. Throws what the database threw: then nothing of the page is in it. */
  commit(page: Page): Changed;
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

export const openCommitter = ({ core, table, index }: CommitParts, rules: RuleSet): Committer => {
  /** `root@bastion` for `user:root@ast_…`; null for what has no other name. */
  const nameOf = (entity: string): string | null => {
    const parsed = parseEntity(entity);
    const asset =
      parsed?.kind === 'host' ? parsed.id : parsed?.kind === 'user' ? parsed.id.slice(parsed.id.lastIndexOf('@') + 1) : undefined;
    const host = asset === undefined ? undefined : core.get('asset', asset)?.value.name;
    if (!parsed || host === undefined) return null;
    return parsed.kind === 'host' ? host : `${parsed.id.slice(0, parsed.id.lastIndexOf('@'))}@${host}`;
  };
  const judge = makeJudge({
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
