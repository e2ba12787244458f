// SPDX-License-Identifier: Apache-2.0
/**
 * The entity: a host, user, address or service that alerts and scores are about, written `kind:id` everywhere.
 * Input: events, people. Output: signals, alerts, incidents, scores.
 */
import type { Event } from './event.ts';

export const ENTITY_KINDS = ['host', 'user', 'ip', 'service'] as const;
export type EntityKind = (typeof ENTITY_KINDS)[number];

declare const brand: unique symbol;
/** `host:ast_7k…`, `ip:203.0.113.77`, `user:root@ast_7k…`. */
export type Entity = string & { readonly [brand]: 'entity' };

export const makeEntity = (kind: EntityKind, id: string): Entity => `${kind}:${id}` as Entity;

/** Kind and id of an entity; null when the text is none. */
export const parseEntity = (text: string): { readonly kind: EntityKind; readonly id: string } | null => {
  const colon = text.indexOf(':');
  const kind = text.slice(0, colon) as EntityKind;
  return colon > 0 && colon < text.length - 1 && ENTITY_KINDS.includes(kind) ? { kind, id: text.slice(colon + 1) } : null;
};

/** The entities an event speaks of, host first. A user is one on its host; an address is its text as decoded. */
export const entitiesOf = (event: Event): readonly Entity[] => {
  const found: Entity[] = [];
  // What the collector notices is about the host it speaks of, not about its own.
  const host = event['event.dataset'] === 'vigil' ? (event['vigil.extra']?.['notice.host.id'] ?? event['host.id']) : event['host.id'];
  if (host !== undefined) found.push(makeEntity('host', host));
  if (event['source.ip'] !== undefined) found.push(makeEntity('ip', event['source.ip']));
  if (event['user.name'] !== undefined && host !== undefined) found.push(makeEntity('user', `${event['user.name']}@${host}`));
  return found;
};
