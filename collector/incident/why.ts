// SPDX-License-Identifier: Apache-2.0
/**
 * Why these alerts stand together, in sentences people can check (S7).
 * Input: the incident's alerts. Output: `same address, 2 rules in 4 min: brute force, success after failures`, strongest first, at most five.
 */
import type { AlertLink } from '../model/alerts.ts';
import type { Entity, EntityKind } from '../model/entity.ts';
import { kindOf } from './link.ts';

const MOST = 5;
const NOUN: Readonly<Record<EntityKind, string>> = { ip: 'address', user: 'account', host: 'host', service: 'service' };
const RANK: Readonly<Record<EntityKind, number>> = { ip: 3, user: 2, service: 1, host: 0 };

/** Alerts come sorted by first, then id. Entities that hold together the same alerts share a sentence. */
export const reasonsTogether = (alerts: readonly AlertLink[]): readonly string[] => {
  const holders = new Map<Entity, AlertLink[]>();
  for (const alert of alerts)
    for (const entity of alert.entities) {
      const list = holders.get(entity);
      if (list) list.push(alert);
      else holders.set(entity, [alert]);
    }
  const sets = new Map<string, { alerts: AlertLink[]; kinds: Set<EntityKind> }>();
  for (const [entity, held] of holders) {
    const kind = kindOf(entity);
    if (held.length < 2 || kind === null) continue;
    const key = held.map(({ id }) => id).join();
    const known = sets.get(key);
    if (known) known.kinds.add(kind);
    else sets.set(key, { alerts: held, kinds: new Set([kind]) });
  }
  const best = (kinds: ReadonlySet<EntityKind>): number => Math.max(...[...kinds].map((kind) => RANK[kind]));
  const sentences = [...sets.values()]
    .sort((a, b) => b.alerts.length - a.alerts.length || best(b.kinds) - best(a.kinds) || a.alerts[0]!.first - b.alerts[0]!.first)
    .map(({ alerts: held, kinds }) => {
      const nouns = [...kinds].sort((a, b) => RANK[b] - RANK[a]).map((kind) => NOUN[kind]);
      return `same ${listed(nouns)}, ${rulesIn(held)}`;
    });
  const distinct = [...new Set(sentences)];
  if (distinct.length === 0 && alerts[0]) return [`opened by an alert of level ${alerts[0].level}: ${alerts[0].title}`];
  return distinct.slice(0, MOST);
};

/** `2 rules in 4 min: brute force, success after failures`. */
const rulesIn = (alerts: readonly AlertLink[]): string => {
  const titles = [...new Map(alerts.map(({ rule, title }) => [rule, title])).values()];
  const first = Math.min(...alerts.map((alert) => alert.first));
  const last = Math.max(...alerts.map((alert) => alert.last));
  const what = titles.length > 1 ? `${titles.length} rules` : `${alerts.length} alerts`;
  const shown = titles.slice(0, 6).join(', ');
  return `${what} in ${spanText(last - first)}: ${shown}${titles.length > 6 ? ` and ${titles.length - 6} more` : ''}`;
};

const listed = (words: readonly string[]): string =>
  words.length < 2 ? (words[0] ?? '') : `${words.slice(0, -1).join(', ')} and ${words.at(-1)}`;

const UNITS: readonly (readonly [ms: number, name: string])[] = [
  [86_400_000, 'd'],
  [3_600_000, 'h'],
  [60_000, 'min'],
];

/** The largest unit, rounded down: `4 min`, `7 h`, `3 d`; seconds below a minute. */
const spanText = (ms: number): string => {
  const unit = UNITS.find(([size]) => ms >= size);
  return unit ? `${Math.floor(ms / unit[0])} ${unit[1]}` : `${Math.round(ms / 1000)} s`;
};
