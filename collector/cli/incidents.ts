// SPDX-License-Identifier: Apache-2.0
/**
 * `vigil incidents`: the product's grouping over alerts of any origin, in any order.
 * Input: NDJSON alerts. Output: one JSON line for each incident, best first.
 */
import { createReadStream } from 'node:fs';
import { systemCode } from '../../core/errors.ts';
import type { AlertId } from '../../core/ids.ts';
import { unixMs } from '../../core/units.ts';
import { REARM_MS } from '../alert/episode.ts';
import { groupIncidents } from '../incident/group.ts';
import { scoreOf } from '../incident/severity.ts';
import { unreadable } from '../ingest/lines.ts';
import { type Alert, alertId } from '../model/alert.ts';
import { type AlertLink, type AlertReader, type IncidentReader, linkOf } from '../model/alerts.ts';
import { type Entity, parseEntity } from '../model/entity.ts';
import type { Incident } from '../model/incident.ts';
import { LEVELS, type Level, levelRank } from '../model/rule.ts';
import { incidentLine } from './alerts.ts';
import type { Terminal } from './terminal.ts';

/** An alert as other programs tell it. */
export interface ForeignAlert {
  readonly id: string;
  readonly rule: string;
  readonly level: Level;
  /** Event time in ms. */
  readonly time: number;
  readonly entities: readonly Entity[];
  readonly tactics: readonly string[];
  readonly techniques: readonly string[];
  readonly count: number;
}

export interface ForeignIncident {
  readonly incident: Incident;
  readonly score: number;
  /** Ids as they were given, by time. */
  readonly alerts: readonly string[];
}

/** Groups the alerts; repeats of a rule about an entity are one episode, as in the river; the same id again is the same alert. Best first. */
export const groupForeign = (alerts: readonly ForeignAlert[]): readonly ForeignIncident[] => {
  const episodes = episodesOf([...new Map(alerts.map((alert) => [alert.id, alert])).values()]);
  let number = 0;
  const step = groupIncidents(
    episodes.map(({ alert }) => alert),
    { reader: readerOver(episodes.map(({ alert }) => alert)), nameOf: () => null, nextNumber: () => ++number },
  );
  const byId = new Map(episodes.map((episode) => [episode.alert.id, episode]));
  return step.opened
    .map((incident) => {
      const members = incident.alerts.flatMap((id) => byId.get(id) ?? []);
      const given = members.flatMap(({ of }) => of).sort((a, b) => a.time - b.time || (a.id < b.id ? -1 : 1));
      return { incident, score: scoreOf(members.map(({ alert }) => alert)), alerts: given.map(({ id }) => id) };
    })
    .sort((a, b) => b.score - a.score || a.incident.first - b.incident.first || (a.incident.id < b.incident.id ? -1 : 1));
};

interface ForeignEpisode {
  readonly alert: Alert;
  readonly of: readonly ForeignAlert[];
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

const episodesOf = (alerts: readonly ForeignAlert[]): readonly ForeignEpisode[] => {
  const pairs = new Map<string, ForeignAlert[]>();
  for (const alert of alerts) {
    const key = `${alert.rule}\0${subjectOf(alert)}`;
    const list = pairs.get(key);
    if (list) list.push(alert);
    else pairs.set(key, [alert]);
  }
  const out: ForeignEpisode[] = [];
  for (const list of pairs.values()) {
    list.sort((a, b) => a.time - b.time || compare(a.id, b.id));
    let open: ForeignAlert[] = [];
    let n = 0;
    for (const alert of [...list, null]) {
      if (alert && (open.length === 0 || alert.time - open.at(-1)!.time <= REARM_MS)) {
        open.push(alert);
        continue;
      }
      out.push({ alert: alertOf(open, ++n), of: open });
      open = alert ? [alert] : [];
    }
  }
  return out;
};

// The address first: what came from one belongs to whoever used it.
const subjectOf = ({ entities, rule }: ForeignAlert): Entity =>
  (['ip', 'user', 'host'] as const).flatMap((kind) => entities.find((entity) => entity.startsWith(`${kind}:`)) ?? [])[0] ??
  entities[0] ??
  (`service:${rule}` as Entity);

const alertOf = (of: readonly ForeignAlert[], n: number): Alert => {
  const head = of[0]!;
  const entity = subjectOf(head);
  const level = of.reduce((most, alert) => (levelRank(alert.level) > levelRank(most) ? alert.level : most), head.level);
  const union = <T>(lists: readonly (readonly T[])[]): readonly T[] => [...new Set(lists.flat())].sort();
  const first = unixMs(head.time);
  return {
    id: alertId(head.rule, entity, n, false),
    rule: head.rule,
    title: head.rule,
    level,
    entity,
    entityName: parseEntity(entity)?.id ?? entity,
    entities: union(of.map(({ entities }) => entities)).slice(0, 100),
    n,
    count: of.reduce((sum, { count }) => sum + count, 0),
    first,
    last: unixMs(of.at(-1)!.time),
    detected: first,
    sample: [],
    members: [],
    tactics: union(of.map(({ tactics }) => tactics)),
    techniques: union(of.map(({ techniques }) => techniques)),
    why: [],
    late: false,
    backlog: false,
    replay: false,
    ...(levelRank(level) >= levelRank('high') ? { opens: true } : {}),
    status: 'live',
  };
};

/** The questions of grouping over alerts in memory that nobody has grouped before. */
const readerOver = (alerts: readonly Alert[]): IncidentReader & AlertReader => {
  const links = new Map<AlertId, AlertLink>(alerts.map((alert) => [alert.id, linkOf(alert)]));
  const pairs = new Map<string, AlertLink[]>();
  for (const link of links.values()) {
    const own = pairs.get(`${link.rule}\0${link.entity}`);
    if (own) own.push(link);
    else pairs.set(`${link.rule}\0${link.entity}`, [link]);
  }
  const places = new Map<string, { links: AlertLink[]; longest: number }>();
  const key = (entity: Entity, opens: boolean): string => `${opens} ${entity}`;
  for (const link of [...links.values()].sort((a, b) => a.first - b.first || compare(a.id, b.id)))
    for (const entity of link.entities) {
      const place = places.get(key(entity, link.opens === true)) ?? { links: [], longest: 0 };
      place.links.push(link);
      place.longest = Math.max(place.longest, link.last - link.first);
      places.set(key(entity, link.opens === true), place);
    }
  return {
    linked: ({ entities, opens, from, to, limit }) => {
      const found = new Set<AlertLink>();
      for (const entity of entities) {
        const place = places.get(key(entity, opens));
        if (!place) continue;
        let taken = 0;
        for (
          let i = firstAt(place.links, from - place.longest);
          i < place.links.length && place.links[i]!.first <= to && taken < limit;
          i++
        )
          if (place.links[i]!.last >= from && ++taken) found.add(place.links[i]!);
      }
      return [...found].sort((a, b) => a.first - b.first || compare(a.id, b.id)).slice(0, limit);
    },
    ofPair: (pair, from, to, limit) =>
      (pairs.get(`${pair.rule}\0${pair.entity}`) ?? []).filter(({ first, last }) => last >= from && first <= to).slice(0, limit),
    links: (ids) => ids.flatMap((id) => links.get(id) ?? []),
    pins: () => ({ added: null, removed: false }),
    incident: () => null,
    incidentWork: () => null,
    touching: () => [],
    lastNumber: () => 0,
    alert: () => null,
  };
};

const firstAt = (links: readonly AlertLink[], time: number): number => {
  let low = 0;
  let high = links.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (links[middle]!.first < time) low = middle + 1;
    else high = middle;
  }
  return low;
};

/** Reads one line; a sentence where it is no alert. */
export const parseForeign = (line: string): ForeignAlert | string => {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    // Said by the caller, with the number of the line.
    return 'it is no JSON';
  }
  if (value === null || typeof value !== 'object' || Array.isArray(value)) return 'it is no JSON object';
  const get = (name: string): unknown => (Object.hasOwn(value, name) ? Reflect.get(value, name) : undefined);
  const [id, rule, level, time] = [get('id'), get('rule'), get('level'), get('time')];
  if (typeof id !== 'string' && typeof id !== 'number') return 'id is missing';
  if (typeof rule !== 'string' && typeof rule !== 'number') return 'rule is missing';
  const known = LEVELS.find((one) => one === String(level).toLowerCase());
  if (!known) return `level is none of ${LEVELS.join(', ')}`;
  const at = typeof time === 'number' ? time : typeof time === 'string' ? Date.parse(time) : Number.NaN;
  if (!Number.isFinite(at)) return 'time is neither ISO 8601 nor milliseconds';
  const texts = (name: string): readonly string[] => {
    const list = get(name);
    return Array.isArray(list) ? list.filter((one): one is string => typeof one === 'string') : [];
  };
  const entities = texts('entities').filter((text): text is Entity => parseEntity(text) !== null);
  const count = get('count');
  return {
    id: String(id),
    rule: String(rule),
    level: known,
    time: at,
    entities: [...new Set(entities)].slice(0, 100),
    tactics: texts('tactics'),
    techniques: texts('techniques'),
    count: typeof count === 'number' && count >= 1 ? Math.trunc(count) : 1,
  };
};

const MAX_COMPLAINTS = 5;

/**
 * `vigil incidents --alerts FILE`; `-` reads stdin.
 * @throws CodedError FILE_UNREADABLE.
 */
export const runIncidents = async (file: string, io: Pick<Terminal, 'stdin' | 'out' | 'err'>): Promise<void> => {
  const stream = file === '-' ? io.stdin : createReadStream(file);
  try {
    await printIncidents(linesOf(stream), io);
  } catch (thrown) {
    throw systemCode(thrown) === undefined ? thrown : unreadable(file, thrown);
  }
};

async function* linesOf(stream: NodeJS.ReadableStream): AsyncGenerator<string> {
  stream.setEncoding('utf8');
  let rest = '';
  for await (const chunk of stream) {
    const lines = `${rest}${chunk}`.split('\n');
    rest = lines.pop() ?? '';
    yield* lines;
  }
  yield rest;
}

/** Reads alerts line by line, prints incidents. Lines that are no alert are passed over and said on stderr. */
export const printIncidents = async (lines: AsyncIterable<string> | Iterable<string>, io: Pick<Terminal, 'out' | 'err'>): Promise<void> => {
  const alerts: ForeignAlert[] = [];
  let n = 0;
  let bad = 0;
  for await (const line of lines) {
    n++;
    if (line.trim() === '') continue;
    const alert = parseForeign(line);
    if (typeof alert !== 'string') alerts.push(alert);
    else if (bad++ < MAX_COMPLAINTS) io.err(`line ${n} is no alert and was passed over: ${alert}\n`);
  }
  if (bad > MAX_COMPLAINTS) io.err(`${bad} lines were passed over\n`);
  for (const { incident, score, alerts: ids } of groupForeign(alerts))
    io.out(`${JSON.stringify(incidentLine({ ...incident, alerts: ids }, score))}\n`);
};
