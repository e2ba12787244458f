// SPDX-License-Identifier: Apache-2.0
/**
 * Gathers what a report is made from: the week and the one before it from the stores, hosts and rules as they stand.
 * Input: the stores' ports, the fleet, the rules. Output: `ReportInputs`, whole or a coded error.
 */
import type { EcsField } from '../../core/ecs.ts';
import type { AlertId, AssetId } from '../../core/ids.ts';
import { type UnixMs, unixMs } from '../../core/units.ts';
import { fault } from '../errors.ts';
import type { Framework } from '../isms/ground.ts';
import { staysOf } from '../isms/population.ts';
import { ENTITY_KINDS, type EntityKind, parseEntity } from '../model/entity.ts';
import type { HostStanding } from '../model/host.ts';
import type { Observation } from '../model/observation.ts';
import type { ScoreInputs } from '../model/score.ts';
import type { Literal, Node } from '../query/ast.ts';
import { parseOrThrow } from '../query/parse.ts';
import { rankScores } from '../score/figures.ts';
import type { Collection, Collections, EventStore, StateStore } from '../store/store.ts';
import type {
  AlertInput,
  ControlInput,
  FileInput,
  IncidentInput,
  MomentInput,
  NoticeInput,
  Records,
  ReportInputs,
  RiskIncident,
  RiskInput,
  RuleInput,
  ScoreInput,
  Targets,
  WindowInput,
} from './inputs.ts';
import { METHOD } from './inputs.ts';
import { type Week, weekAfter } from './week.ts';

export interface GatherPorts {
  readonly state: Pick<StateStore, 'list' | 'get'>;
  readonly events: Pick<EventStore, 'search' | 'count' | 'top' | 'histogram'>;
  readonly now: () => UnixMs;
  readonly organisation: string;
  readonly targets: Targets;
  readonly hosts: () => Promise<readonly HostStanding[]>;
  /** Names that only others' logs have. */
  readonly unmanaged: () => Promise<readonly { readonly name: string }[]>;
  /** Name of any host that was ever heard of, with or without an agent. */
  readonly nameOf: (host: string) => string | undefined;
  readonly sources: () => MomentInput['sources'];
  readonly unreadable: () => MomentInput['unreadable'];
  readonly rules: () => Pick<MomentInput['rules'], 'loaded' | 'refused'>;
  /** Scores of all entities as they stood at a time. */
  readonly scores: (at: UnixMs) => Promise<readonly ScoreInputs[]>;
  /** What controls there are and which checks speak for them. */
  readonly framework: () => Promise<Framework>;
  /** The host that checks which are asked once are asked of. */
  readonly self: AssetId;
  /** Whether each rule can fire on these datasets; null while rules are being read. */
  readonly coverage: (heard: readonly string[]) => Promise<readonly RuleInput[] | null>;
}

const PAGE = 1_000;
/** More documents of a kind than this are no weekly report any more. */
const MOST = 200_000;
const NOTICES = 500;
const UNMANAGED = 100;
/** Hosts whose hours are counted one by one. */
const HOURLY = 200;
/** Weeks of the posture line. */
const LINE_WEEKS = 13;
const YEAR = 366 * 86_400_000;

const literal = (text: string): Literal => ({ text, quoted: false, at: 0 });
const range = (field: string, op: 'gte' | 'lt', at: number): Node => ({
  kind: 'range',
  field: literal(field),
  op,
  value: literal(String(at)),
});
const both = (...of: readonly Node[]): Node => ({ kind: 'and', of });

/** Everything about a week. `kept`: what was taken when the report was first made, so that a revision differs by facts alone. */
export const gatherInputs = async (ports: GatherPorts, week: Week, kept: MomentInput | null): Promise<ReportInputs> => {
  const before = weekAfter(week, -1);
  const hosts = kept?.hosts ?? (await ports.hosts());
  const [now, then] = [await windowOf(ports, week, hosts, true), await windowOf(ports, before, hosts, false)];
  const moment = kept ?? (await momentOf(ports, hosts, now.records));
  return {
    method: METHOD,
    week: week.name,
    zone: week.zone,
    organisation: ports.organisation,
    targets: ports.targets,
    now,
    before: then,
    moment,
    observations: await spansOf(ports, week),
    scores: await scoresOf(ports, week),
    controls: await controlsOf(ports),
    risks: await risksOf(ports, week),
  };
};

const momentOf = async (ports: GatherPorts, hosts: readonly HostStanding[], records: Records): Promise<MomentInput> => ({
  at: ports.now(),
  hosts,
  sources: ports.sources(),
  unreadable: ports.unreadable(),
  rules: { ...ports.rules(), coverage: await ports.coverage(records.byDataset.map(({ name }) => name)) },
  unmanaged: (await ports.unmanaged()).map(({ name }) => name).slice(0, UNMANAGED),
  inventory: await inventoryOf(ports),
});

const windowOf = async (ports: GatherPorts, week: Week, hosts: readonly HostStanding[], hourly: boolean): Promise<WindowInput> => {
  const { from, to, days } = week;
  const incidents = await incidentsOf(ports, week, hosts);
  const alerts = await alertsOf(ports, week);
  const records = await recordsOf(ports, week, hourly);
  const noticed = await noticesOf(ports, week);
  return { week: week.name, from, to, days, alerts, incidents, records, ...noticed, files: await filesOf(ports, week) };
};

/** All documents that match, page by page. @throws CodedError REPORT_TOO_LARGE. */
const all = async <C extends Collection>(
  state: GatherPorts['state'],
  collection: C,
  where: Node,
): Promise<readonly { readonly id: string; readonly value: Collections[C] }[]> => {
  const found: { readonly id: string; readonly value: Collections[C] }[] = [];
  for (let after: string | null | undefined; after !== null; ) {
    const page: Awaited<ReturnType<typeof state.list<C>>> = await state.list(collection, {
      where,
      limit: PAGE,
      ...(after === undefined ? {} : { after }),
    });
    if (page.total > MOST) throw fault('REPORT_TOO_LARGE', { what: collection, count: page.total, most: MOST });
    found.push(...page.items);
    after = page.next;
  }
  return found;
};

const alertsOf = async ({ state }: GatherPorts, { from, to }: Week): Promise<readonly AlertInput[]> => {
  const found = await all(state, 'alert', both(range('first', 'gte', from), range('first', 'lt', to)));
  const live = found.filter(({ value }) => value.status === 'live');
  const inputs = await Promise.all(
    live.map(async ({ id, value }): Promise<AlertInput> => {
      const work = (await state.get('alertWork', id))?.value;
      const { rule, title, level, entity, entityName, first, detected, techniques, replay, incident } = value;
      return {
        ...{ id: value.id, rule, title, level, entity, entityName, first, detected, techniques, replay },
        ...(incident === undefined ? {} : { incident }),
        ...(work?.acknowledgedAt === undefined ? {} : { acknowledgedAt: work.acknowledgedAt }),
        ...(work?.closedAt === undefined ? {} : { closedAt: work.closedAt }),
        ...(work?.verdict === undefined ? {} : { verdict: work.verdict }),
      };
    }),
  );
  return inputs.sort((a, b) => a.first - b.first || (a.id < b.id ? -1 : 1));
};

const incidentsOf = async (
  { state, nameOf, self }: GatherPorts,
  { from, to }: Week,
  hosts: readonly HostStanding[],
): Promise<readonly IncidentInput[]> => {
  const found = await all(state, 'incident', range('first', 'lt', to));
  // What the collector says of itself is about a host only where that host is watched.
  const selfWatched = hosts.some(({ host, standing }) => host === self && standing !== 'unmanaged');
  const inputs = await Promise.all(
    found.map(async ({ id, value }): Promise<IncidentInput | null> => {
      const work = (await state.get('incidentWork', id))?.value;
      const moves = work?.moves ?? [];
      const ended = moves.at(-1);
      // What was over before the week began is no part of it.
      if (value.mergedInto !== undefined) return null;
      if (
        value.last < from &&
        ended !== undefined &&
        ended.at < from &&
        (ended.to === 'closed' || ended.to === 'dismissed' || ended.to === 'merged')
      )
        return null;
      const owner = work?.owner === undefined ? null : ((await state.get('user', work.owner))?.value.name ?? work.owner);
      const { number, title, severity, first, detected, entities, techniques, backlog, replay } = value;
      const alerts = await begunBefore(state, value.alerts, to);
      return {
        ...{ id: value.id, number, title, severity, first, detected, alerts, entities, techniques, backlog, replay, owner },
        moves: moves.filter(({ at }) => at < to),
        verdict: work?.verdict ?? null,
        hosts: entities.flatMap((entity) => {
          const parsed = parseEntity(entity);
          return parsed?.kind === 'host' && !(parsed.id === self && !selfWatched) ? [nameOf(parsed.id) ?? parsed.id] : [];
        }),
      };
    }),
  );
  return inputs.filter((one) => one !== null).sort((a, b) => a.number - b.number);
};

/** What joined it after the week is not this week's. */
const begunBefore = async (state: GatherPorts['state'], ids: readonly AlertId[], to: UnixMs): Promise<readonly AlertId[]> => {
  const found = await Promise.all(ids.map((id) => state.get('alert', id)));
  return ids.filter((_, i) => (found[i]?.value.first ?? 0) < to);
};

const OTHERS = parseOrThrow('not event.dataset: vigil');
const FAILED = parseOrThrow('not event.dataset: vigil and vigil.decode: failed');
const OWN = parseOrThrow(
  'event.dataset: vigil and event.action: (agent-silent or agent-returned or agent-clock-skew or identity-refused or identity-held or block-conflict or block-bad or records-missing or records-lost or rule-refused or rule-quarantined or collector-restored or audit-broken)',
);

const recordsOf = async ({ events, nameOf }: GatherPorts, week: Week, hourly: boolean): Promise<Records> => {
  const { from, to, days } = week;
  const question = { where: OTHERS, from, to };
  const [{ count: total }, { count: failed }] = [await events.count(question), await events.count({ where: FAILED, from, to })];
  if (total === 0) return { total, failed, byDay: days.slice(1).map(() => 0), byHost: [], byDataset: [] };
  const byDay: number[] = [];
  for (let i = 0; i < 7; i++) byDay.push((await events.count({ where: OTHERS, from: days[i] as UnixMs, to: days[i + 1] as UnixMs })).count);
  const byHost = await events.top(question, 'host.id' as EcsField, 1_000);
  const counted: Records['byHost'][number][] = [];
  for (const [i, { key, count }] of byHost.entries())
    counted.push({
      host: key,
      name: nameOf(key) ?? key,
      count,
      hours: hourly && i < HOURLY ? await hoursOf(events, key, week) : 0,
    });
  const byDataset = await events.top(question, 'event.dataset' as EcsField, 1_000);
  return { total, failed, byDay, byHost: counted, byDataset: byDataset.map(({ key, count }) => ({ name: key, count })) };
};

const hoursOf = async (events: GatherPorts['events'], host: string, { from, to }: Week): Promise<number> => {
  const where: Node = { kind: 'and', of: [OTHERS, { kind: 'is', field: literal('host.id'), value: { text: host, quoted: true, at: 0 } }] };
  const buckets = await events.histogram({ where, from, to }, Math.round((to - from) / 3_600_000));
  return buckets.filter(({ count }) => count > 0).length;
};

const noticesOf = async ({ events }: GatherPorts, { from, to }: Week): Promise<Pick<WindowInput, 'notices' | 'noticesMore'>> => {
  const question = { where: OWN, from, to };
  const { count } = await events.count(question);
  const page = count === 0 ? { events: [] } : await events.search(question, { limit: NOTICES, order: 'oldest' });
  const notices = page.events.map(
    (event): NoticeInput => ({
      event: event['event.id'] ?? '',
      at: event['@timestamp'] ?? from,
      action: event['event.action'] ?? '',
      host: event['vigil.extra']?.['notice.host.name'] ?? null,
      message: event.message ?? '',
      count: event['vigil.count'] ?? 0,
    }),
  );
  return { notices, noticesMore: Math.max(0, count - notices.length) };
};

/** Spans of the weeks of the line, and back to the oldest assessment of a risk, at most a year. */
const spansOf = async ({ state }: GatherPorts, week: Week): Promise<readonly Observation[]> => {
  const risks = await all(state, 'risk', EVERYTHING);
  const assessed = Math.min(...risks.map(({ value }) => value.assessed.at), week.to);
  const since = Math.min(weekAfter(week, 1 - LINE_WEEKS).from, Math.max(assessed, week.to - YEAR));
  const found = await all(state, 'observation', both(range('expires', 'gte', since), range('first', 'lt', week.to)));
  return (
    found
      .map(({ value }) => value)
      // A span that goes on after the week says the same of it whenever it is read.
      .map((span) =>
        span.expires > week.to
          ? { ...span, last: unixMs(Math.min(span.last, week.to - 1)), expires: unixMs(week.to + 1), open: true }
          : span,
      )
      .sort((a, b) => a.first - b.first || (a.id < b.id ? -1 : 1))
  );
};

/** Incidents with what people had said of them by the end of the week. */
const risksOf = async ({ state }: GatherPorts, { to }: Week): Promise<RiskInput> => {
  const [risks, incidents] = [await all(state, 'risk', EVERYTHING), await all(state, 'incident', range('first', 'lt', to))];
  const judged = await Promise.all(
    incidents
      .filter(({ value }) => value.mergedInto === undefined && !value.replay)
      .map(async ({ id, value }): Promise<RiskIncident> => {
        const { number, title, techniques, detected, replay } = value;
        const work = (await state.get('incidentWork', id))?.value;
        const moves = (work?.moves ?? []).filter(({ at }) => at < to);
        const last = moves.at(-1);
        const said =
          work === undefined || (last === undefined && work.moves !== undefined) ? null : { state: last?.to ?? work.state, moves };
        const ended = said !== null && ['closed', 'dismissed'].includes(said.state);
        return {
          incident: { id: value.id, number, title, techniques, detected, replay },
          work: said === null ? null : { ...said, ...(ended && work?.verdict !== undefined ? { verdict: work.verdict } : {}) },
        };
      }),
  );
  return {
    risks: risks.map(({ value }) => value).sort((a, b) => a.number - b.number),
    incidents: judged.sort((a, b) => a.incident.number - b.incident.number),
  };
};

/** Highest entities of a kind that are kept, by each of the two scores. */
const KEPT: Readonly<Record<EntityKind, number>> = { host: 60, user: 20, ip: 20, service: 20 };

const scoresOf = async (ports: GatherPorts, { from, to }: Week): Promise<ScoreInput> => {
  const all = await ports.scores(to);
  const highest = ENTITY_KINDS.flatMap((kind) =>
    (['threat', 'exposure'] as const).flatMap((order) => rankScores(all, to, { order, kind }).slice(0, KEPT[kind])),
  );
  const kept = [...new Map(highest.map(({ inputs }) => [inputs.entity, inputs])).values()].sort((a, b) => (a.entity < b.entity ? -1 : 1));
  const names = new Set(kept.map(({ entity }) => entity));
  const scored: Record<string, number> = {};
  for (const { entity } of all) {
    const kind = parseEntity(entity)?.kind ?? 'service';
    scored[kind] = (scored[kind] ?? 0) + 1;
  }
  return { scored, now: kept, before: (await ports.scores(from)).filter(({ entity }) => names.has(entity)) };
};

const controlsOf = async ({ state, framework, self }: GatherPorts): Promise<ControlInput> => {
  const { catalogue, map, checks } = await framework();
  const [assets, decisions] = await Promise.all([all(state, 'asset', EVERYTHING), all(state, 'hostDecision', EVERYTHING)]);
  const stays = staysOf(
    assets.map(({ value }) => value),
    decisions.map(({ value }) => value),
  );
  return {
    catalogue: catalogue.id,
    title: catalogue.title,
    controls: catalogue.controls.map(({ ref, id, kind, parent, title }) => ({ ref, id, kind, parent, title })),
    mappings: map.mappings.map(({ check, control, relationship }) => ({ check, control, relationship })),
    once: [...map.once],
    self,
    stays,
    titles: Object.fromEntries([...checks].map(([id, { title }]) => [id, title])),
  };
};

const EVERYTHING: Node = { kind: 'all' };
const PACKAGES = parseOrThrow('kind: package and not removed: *');
const CHANGES = parseOrThrow('event.dataset: fim and vigil.fact: file and event.action: (file-added or file-changed or file-removed)');
const UPGRADES = parseOrThrow('event.dataset: fim and event.action: packages-upgraded');
const SCANS = parseOrThrow('event.dataset: fim and event.action: scan-done');
const SAMPLE = 50;

const inventoryOf = async ({ state }: GatherPorts): Promise<MomentInput['inventory']> => {
  const packages = (await state.list('hostFact', { where: PACKAGES, limit: 1 })).total;
  const tables = await all(state, 'factTable', { kind: 'is', field: literal('kind'), value: literal('package') });
  return { packages, hosts: new Set(tables.map(({ value }) => value.host)).size };
};

const filesOf = async ({ events }: GatherPorts, { from, to }: Week): Promise<FileInput> => {
  const hosts = (await events.top({ where: SCANS, from, to }, 'host.id' as EcsField, 1_000)).length;
  const { count: changes } = await events.count({ where: CHANGES, from, to });
  const found = changes === 0 ? { events: [] } : await events.search({ where: CHANGES, from, to }, { limit: SAMPLE, order: 'oldest' });
  const upgrades = await events.search({ where: UPGRADES, from, to }, { limit: 1_000, order: 'oldest' });
  return {
    hosts,
    changes,
    sample: found.events.map((event) => ({
      event: event['event.id'] ?? '',
      host: event['host.name'] ?? '',
      path: event['file.path'] ?? '',
      action: event['event.action'] ?? '',
      at: event['@timestamp'] ?? from,
    })),
    upgrades: upgrades.events.map((event) => ({
      event: event['event.id'] ?? '',
      files: Number(event['vigil.extra']?.['fact.files'] ?? 0) || 0,
    })),
  };
};
