// SPDX-License-Identifier: Apache-2.0
/**
 * Whom an alert is about: the entity of a group of a correlation, or of one signal of a plain rule (S5).
 * Input: rules, signals, values of a group. Output: entities; the same group always gives the same one, so every order of arrival agrees (S6).
 */
import { type Entity, type EntityKind, makeEntity, parseEntity } from '../model/entity.ts';
import type { CorrelationRule, EventRule } from '../model/rule.ts';
import { GROUP_SEPARATOR } from '../model/satisfied.ts';
import type { Signal } from '../model/signal.ts';

const SERVICES = new Set([
  'sshd',
  'auth',
  'authentication',
  'pam',
  'login',
  'vsftpd',
  'proftpd',
  'dovecot',
  'postfix',
  'exim',
  'nginx',
  'apache',
]);
const CATEGORIES = new Set(['authentication', 'webserver', 'web', 'proxy', 'waf']);

/** What a field's value names, by ECS or Sigma name; null when it is no entity. */
export const kindOfField = (field: string): EntityKind | null => {
  const name = field.toLowerCase().replace(/[^a-z0-9.]/g, '');
  const flat = name.replaceAll('.', '');
  if (/(ip|ipaddr|ipaddress)$/.test(flat) || /^(src|source|client|remote)(addr|address)$/.test(flat)) return 'ip';
  if (/^(notice\.)?host\.(id|name|hostname)$/.test(name) || /^(computer|computername|hostname|host)$/.test(flat)) return 'host';
  if (flat.includes('user') && !flat.includes('agent') && /(user|name|id)$/.test(flat)) return 'user';
  return flat === 'servicename' ? 'service' : null;
};

/** The id of the signal's first entity of a kind. */
export const entityIdOf = (signal: Signal, kind: EntityKind): string | undefined => {
  const prefix = `${kind}:`;
  return signal.entities.find((entity) => entity.startsWith(prefix))?.slice(prefix.length);
};

/**
 * The entity of a correlation's group. The field named by `vigil.entity` comes first where it is grouped by, then the fields as written.
 * A group that names no entity is a thing of its own: `service:` with its values, or with the rule's name.
 */
export const entityOfGroup = (rule: CorrelationRule, values: readonly string[]): Entity => {
  const kinds = rule.groupBy.map((field) => kindOfGrouped(rule, field));
  const named = rule.entity === undefined ? -1 : rule.groupBy.indexOf(rule.entity);
  const at = named >= 0 && kinds[named] !== null ? named : kinds.findIndex((kind) => kind !== null);
  const kind = kinds[at];
  if (!kind) return makeEntity('service', values.join(',') || rule.name || rule.id);
  const value = values[at] ?? '';
  const host = kind === 'user' && !value.includes('@') ? values[kinds.indexOf('host')] : undefined;
  return makeEntity(kind, host === undefined ? value : `${value}@${host}`);
};

// An alias may have any name; then the field it stands for tells.
const kindOfGrouped = (rule: CorrelationRule, field: string): EntityKind | null =>
  kindOfField(field) ??
  Object.values(rule.aliases[field] ?? {})
    .map(kindOfField)
    .find((kind) => kind !== null) ??
  null;

/** The entity of a plain rule's alert: `vigil.entity`, else the source address where the rule is about authentication or the web, else the host. */
export const entityOfSignal = (rule: EventRule, signal: Signal): Entity => {
  const named = rule.entity === undefined ? undefined : namedEntity(rule.entity, signal);
  if (named !== undefined) return named;
  const address = entityIdOf(signal, 'ip');
  const { category = '', service = '' } = rule.logsource;
  if (address !== undefined && (CATEGORIES.has(category) || SERVICES.has(service))) return makeEntity('ip', address);
  const host = entityIdOf(signal, 'host');
  if (host !== undefined) return makeEntity('host', host);
  return signal.entities[0] ?? makeEntity('service', rule.name || rule.id);
};

const namedEntity = (field: string, signal: Signal): Entity | undefined => {
  const kind = kindOfField(field);
  const value = signal.fields[field];
  if (kind === null) return value === undefined ? undefined : makeEntity('service', value);
  if (value === undefined || /^(source\.ip|user\.name|host\.)/.test(field)) {
    const id = entityIdOf(signal, kind);
    if (id !== undefined) return makeEntity(kind, id);
  }
  if (value === undefined) return undefined;
  const host = kind === 'user' ? entityIdOf(signal, 'host') : undefined;
  return makeEntity(kind, host === undefined ? value : `${value}@${host}`);
};

/** The values of a group, without the mark of a replay. */
export const valuesOfGroup = (group: string): readonly string[] => {
  const plain = group.startsWith('\u001e') ? group.slice(1) : group;
  return plain === '' ? [] : plain.split(GROUP_SEPARATOR);
};

/** The value a signal has for a field of a group: hosts by their asset, so that two hosts of one name stay apart. */
export const groupValue = (signal: Signal, field: string): string | undefined => {
  if (/^host\.(id|name|hostname)$/.test(field)) return entityIdOf(signal, 'host') ?? signal.fields[field];
  const value = signal.fields[field];
  if (value !== undefined) return value;
  if (field === 'source.ip') return entityIdOf(signal, 'ip');
  return field === 'user.name' ? userName(signal) : undefined;
};

const userName = (signal: Signal): string | undefined => {
  const user = signal.entities.map(parseEntity).find((parsed) => parsed?.kind === 'user');
  const cut = user?.id.lastIndexOf('@') ?? -1;
  return user && cut > 0 ? user.id.slice(0, cut) : undefined;
};
