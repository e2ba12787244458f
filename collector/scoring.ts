// SPDX-License-Identifier: Apache-2.0
/**
 * The state with its scores: whatever write touches an entity, its inputs are computed anew in the same transaction.
 * Input: the state's core. Output: the same core; alerts, verdicts, incidents, observations and facts move scores by themselves.
 */
import type { AlertId } from '../core/ids.ts';
import { type UnixMs, unixMs } from '../core/units.ts';
import { entityName } from './entity-name.ts';
import type { Alert } from './model/alert.ts';
import { type Entity, makeEntity } from './model/entity.ts';
import type { HostFact } from './model/fact.ts';
import type { IncidentWork } from './model/incident.ts';
import type { Observation } from './model/observation.ts';
import type { Page } from './model/page.ts';
import type { RuleSet } from './model/rule.ts';
import type { ScoreReader } from './model/scores.ts';
import { scoreWrites } from './score/inputs.ts';
import { confidenceOf } from './score/weights.ts';
import { openScoreReader } from './store/embedded/score-reader.ts';
import type { StateCore } from './store/embedded/state.ts';
import type { Collection, Collections } from './store/store.ts';

export interface ScoredState {
  readonly core: StateCore;
  /** Rules in force: their status says how far they are trusted. */
  rules(rules: RuleSet): void;
}

/** Facts that say how exposed a host or how privileged a user is. */
const HOST_KINDS: ReadonlySet<string> = new Set(['listener', 'interface']);

/** MUST stand over a core whose index of alerts is opened before the first write. */
export const scoredState = (bare: StateCore, now: () => UnixMs, titleOf: (check: string) => string | undefined): ScoredState => {
  let rules: RuleSet | null = null;
  let opened: ScoreReader | null = null;
  const reader = (): ScoreReader => (opened ??= openScoreReader(bare));
  let depth = 0;
  let dirty = new Set<Entity>();
  /** When what the transaction brings became known, by the journal or by the one who acts; 0 where neither says it. */
  let known = 0;

  const touch = (entities: Iterable<Entity>, at: number): void => {
    for (const entity of entities) dirty.add(entity);
    known = Math.max(known, at);
  };
  /** Who is touched by a document. Asked before the write, while the index still knows the alert's former entities. */
  const note = <C extends Collection>(collection: C, id: string, value: Collections[C]): void => {
    if (collection === 'alert') touch([...reader().entitiesOf(id as AlertId), ...(value as Alert).entities], 0);
    else if (collection === 'alertWork') touch(reader().entitiesOf(id as AlertId), now());
    else if (collection === 'asset') touch([makeEntity('host', id)], now());
    else if (collection === 'incidentWork') {
      const { added = [], removed = [] } = value as IncidentWork;
      const alerts = new Set([...(bare.get('incident', id)?.value.alerts ?? []), ...added, ...removed]);
      for (const alert of alerts) touch(reader().entitiesOf(alert), now());
    } else if (collection === 'observation') {
      // An agent's clock may be ahead; the journal's times are our own.
      const { subject, last } = value as Observation;
      const host = subject.slice(-24);
      if (host.startsWith('ast_')) touch([makeEntity('host', host)], Math.min(last, now()));
    } else if (collection === 'hostFact') {
      const { host, kind, item, observed } = value as HostFact;
      const entity = HOST_KINDS.has(kind) ? makeEntity('host', host) : kind === 'user' ? makeEntity('user', `${item}@${host}`) : null;
      if (entity !== null) touch([entity], Math.min(observed, now()));
    }
  };
  const notePage = (page: Page): void => {
    known = page.signals.reduce((latest, { ingested }) => Math.max(latest, ingested), known);
    if (known === 0) known = Object.values(page.watermarks).reduce((latest, time) => Math.max(latest, time), 0);
  };

  const settle = (): void => {
    const at: UnixMs = unixMs(known === 0 ? now() : known);
    const parts = {
      reader: reader(),
      nameOf: (entity: Entity) => entityName(bare, entity) ?? entity.slice(entity.indexOf(':') + 1),
      confidence: (rule: string) => (rules === null ? undefined : confidenceOf(rules.rules.get(rule)?.status)),
      titleOf,
    };
    for (const entity of dirty)
      for (const { collection, id, value } of scoreWrites(entity, bare.get('score', entity)?.value ?? null, at, parts))
        bare.put(collection, id, value);
  };

  const transaction: StateCore['transaction'] = (act) =>
    bare.transaction(() => {
      if (depth === 0) [dirty, known] = [new Set(), 0];
      depth += 1;
      try {
        const result = act();
        if (depth === 1 && dirty.size > 0) settle();
        return result;
      } finally {
        depth -= 1;
      }
    });

  const core: StateCore = {
    ...bare,
    transaction,
    put: (collection, id, value, options) =>
      transaction(() => {
        note(collection, id, value);
        return bare.put(collection, id, value, options);
      }),
    commit: (position, writes, page) =>
      transaction(() => {
        for (const { collection, id, value } of writes) note(collection, id, value);
        if (page !== undefined) notePage(page);
        bare.commit(position, writes, page);
      }),
  };
  return {
    core,
    rules: (set) => {
      rules = set;
    },
  };
};
