// SPDX-License-Identifier: Apache-2.0
/**
 * The envelope of a Sigma document: title, id, level, tags, log source and our own key `vigil`, checked key by key.
 * Input: the YAML map of a document. Output: what rule, correlation and filter share.
 */
import { type Ms, minutes } from '../../../core/units.ts';
import type { YamlMap, YamlValue } from '../../../core/yaml.ts';
import { type EventRule, LEVELS, type Level, type LogSource, type RuleOrigin } from '../../model/rule.ts';
import { type Notes, Refusal } from '../problem.ts';
import { isMap } from './detection.ts';

/** What rule, correlation and filter share. */
export type Envelope = Omit<EventRule, 'kind' | 'logsource' | 'alerts'> & {
  readonly buildingBlock: boolean;
  readonly incident: boolean;
};

const STATUSES = ['stable', 'test', 'experimental', 'deprecated', 'unsupported'];
const TAXONOMIES = ['sigma', 'ecs'];

/** The three dimensions of a log source in lower case; null where none is given. Other keys are prose. */
export const logsourceOf = (value: YamlValue | undefined): LogSource | null => {
  if (!isMap(value)) return null;
  const out: { -readonly [K in keyof LogSource]: LogSource[K] } = {};
  for (const key of ['category', 'product', 'service'] as const) {
    const text = value[key];
    if (text === undefined || text === null) continue;
    if (typeof text !== 'string' || text === '') throw new Refusal('RULE_LOGSOURCE', ['logsource', key], `${key} is not a text`);
    out[key] = text.toLowerCase();
  }
  return Object.keys(out).length > 0 ? out : null;
};

/** Everything but log source and detection. @throws Refusal RULE_TITLE, RULE_ID, RULE_LEVEL, RULE_TAXONOMY, RULE_FIELD_TYPE, RULE_VIGIL_KEY. */
export const envelopeOf = (map: YamlMap, origin: RuleOrigin, notes: Notes): Envelope => {
  const title = map['title'];
  if (typeof title !== 'string' || title.trim() === '') throw new Refusal('RULE_TITLE', ['title'], '');
  if (title.length > 256) notes.warn('RULE_TITLE', ['title']);
  const id = map['id'];
  if (id !== undefined && (typeof id !== 'string' || id.length === 0 || id.length > 256)) throw new Refusal('RULE_ID', ['id'], '');
  const level = map['level'] ?? 'medium';
  if (typeof level !== 'string' || !(LEVELS as readonly string[]).includes(level)) throw new Refusal('RULE_LEVEL', ['level'], `"${level}"`);
  const status = optionalText(map, 'status');
  if (status !== undefined && !STATUSES.includes(status)) notes.warn('RULE_STATUS', ['status'], `"${status}"`);
  for (const key of ['date', 'modified']) {
    const date = map[key];
    if (date !== undefined && !(typeof date === 'string' && /^\d{4}-\d{2}-\d{2}$/.test(date))) notes.warn('RULE_DATE', [key], `"${date}"`);
  }
  const taxonomy = optionalText(map, 'taxonomy') ?? 'sigma';
  if (!TAXONOMIES.includes(taxonomy)) throw new Refusal('RULE_TAXONOMY', ['taxonomy'], `"${taxonomy}"`);
  const tags = texts(map, 'tags', notes);
  for (const [i, tag] of tags.entries()) if (!/^[^.\s]+\.\S+$/.test(tag)) notes.warn('RULE_TAG', ['tags', i], `"${tag}"`);
  const name = optionalText(map, 'name');
  const description = optionalText(map, 'description');
  const author = optionalText(map, 'author');
  return {
    id: id ?? name ?? slug(title),
    ...(name === undefined ? {} : { name }),
    title: title.trim(),
    level: level as Level,
    ...(description === undefined ? {} : { description }),
    ...(author === undefined ? {} : { author }),
    ...(status === undefined ? {} : { status }),
    tags,
    falsepositives: texts(map, 'falsepositives', notes),
    references: texts(map, 'references', notes),
    origin,
    ...vigilOf(map['vigil']),
  };
};

/** Our own key: entity, building_block, incident, rearm. */
const vigilOf = (value: YamlValue | undefined): Pick<Envelope, 'buildingBlock' | 'incident' | 'entity' | 'rearmMs'> => {
  if (value === undefined) return { buildingBlock: false, incident: false };
  if (!isMap(value)) throw new Refusal('RULE_VIGIL_KEY', ['vigil'], 'it is not a map');
  const bad = (key: string, wanted: string): Refusal => new Refusal('RULE_VIGIL_KEY', ['vigil', key], `${key} is ${wanted}`);
  for (const key of Object.keys(value)) {
    if (!['entity', 'building_block', 'incident', 'rearm'].includes(key))
      throw new Refusal('RULE_VIGIL_KEY', ['vigil', key], `"${key}" is not known`);
  }
  const flag = (key: string): boolean => {
    const v = value[key] ?? false;
    if (typeof v !== 'boolean') throw bad(key, 'true or false');
    return v;
  };
  const entity = value['entity'];
  if (entity !== undefined && (typeof entity !== 'string' || entity === '')) throw bad('entity', 'the name of a field');
  const rearm = value['rearm'];
  const rearmMs = rearm === undefined ? undefined : typeof rearm === 'string' ? timespanOf(rearm) : null;
  if (rearmMs === null) throw bad('rearm', 'a number with s, m, h or d');
  return {
    buildingBlock: flag('building_block'),
    incident: flag('incident'),
    ...(entity === undefined ? {} : { entity }),
    ...(rearmMs === undefined ? {} : { rearmMs }),
  };
};

const UNIT_MS = { s: 1000, m: minutes(1), h: minutes(60), d: minutes(1440) } as const;

/** `90s`, `5m`, `1h`, `7d` as milliseconds; null for anything else and above 366 days. */
export const timespanOf = (text: string): Ms | null => {
  const match = /^(\d{1,9})([smhd])$/.exec(text.trim());
  if (!match) return null;
  const span = Number(match[1]) * UNIT_MS[match[2] as keyof typeof UNIT_MS];
  return span > 0 && span <= minutes(1440 * 366) ? (span as Ms) : null;
};

const optionalText = (map: YamlMap, key: string): string | undefined => {
  const value = map[key];
  if (value === undefined || value === null) return undefined;
  if (typeof value === 'object') throw new Refusal('RULE_FIELD_TYPE', [key], `${key} is a text`);
  return String(value).trim();
};

const texts = (map: YamlMap, key: string, notes: Notes): readonly string[] => {
  const value = map[key];
  if (value === undefined || value === null) return [];
  if (typeof value === 'string') return [value];
  if (Array.isArray(value) && value.every((v) => v !== null && typeof v !== 'object')) return value.map(String);
  notes.warn('RULE_FIELD_TYPE', [key], `${key} is a list of texts`);
  return [];
};

const slug = (title: string): string =>
  title
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '')
    .slice(0, 128) || 'untitled';
