// SPDX-License-Identifier: Apache-2.0
/**
 * The detection section: search identifiers and the condition over them.
 * Input: the YAML map of `detection` (or of `filter`). Output: one tree.
 */
import type { YamlMap, YamlValue } from '../../../core/yaml.ts';
import { type Notes, type Path, Refusal } from '../problem.ts';
import { and, type Node, or, sizeOf } from './ast.ts';
import { parseCondition } from './condition.ts';
import type { Placeholders } from './encode.ts';
import { itemOf } from './modifier.ts';

const MAX_TESTS = 50_000;

export const isMap = (value: YamlValue | undefined): value is YamlMap =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/**
 * Reads a detection. Names in `except` are no search identifiers (`rules` of a filter).
 * @throws Refusal with the path of what is wrong.
 */
export const parseDetection = (
  map: YamlMap,
  path: Path,
  placeholders: Placeholders,
  notes: Notes,
  except: readonly string[] = [],
): Node => {
  const identifiers = new Map<string, Node>();
  for (const name of Object.keys(map)) {
    if (name === 'condition' || except.includes(name)) continue;
    if (name === 'timeframe') throw new Refusal('CONDITION_AGGREGATION', [...path, name], 'timeframe');
    identifiers.set(name, identifierOf(map[name] as YamlValue, [...path, name], placeholders, notes));
  }
  const conditions = Array.isArray(map['condition']) ? (map['condition'] as readonly YamlValue[]) : [map['condition'] as YamlValue];
  const used = new Set<string>();
  const nodes = conditions.map((condition, i) => {
    const at = Array.isArray(map['condition']) ? [...path, 'condition', i] : [...path, 'condition'];
    if (typeof condition !== 'string') throw new Refusal('CONDITION_SYNTAX', at, 'it is not a text');
    const tree = parseCondition(condition, identifiers, at);
    for (const name of tree.used) used.add(name);
    return tree.node;
  });
  if (nodes.length === 0) throw new Refusal('CONDITION_SYNTAX', [...path, 'condition'], 'the list is empty');
  for (const name of identifiers.keys())
    if (!used.has(name) && !name.startsWith('_')) notes.warn('CONDITION_UNUSED', [...path, name], `"${name}"`);
  const node = or(nodes);
  if (sizeOf(node) > MAX_TESTS) throw new Refusal('DETECTION_TOO_LARGE', path, `over ${MAX_TESTS}`);
  return node;
};

/** A map is AND, a list of maps OR, a list of values or a single value keywords. */
const identifierOf = (value: YamlValue, path: Path, placeholders: Placeholders, notes: Notes): Node => {
  if (isMap(value)) {
    const keys = Object.keys(value);
    if (keys.length === 0) throw new Refusal('DETECTION_SHAPE', path, 'the map is empty');
    return and(keys.map((key) => itemOf(key, value[key] as YamlValue, [...path, key], placeholders, notes)));
  }
  if (Array.isArray(value)) {
    const list = value as readonly YamlValue[];
    if (list.length === 0) throw new Refusal('DETECTION_SHAPE', path, 'the list is empty');
    const words = list.filter((v) => v === null || typeof v !== 'object');
    const rest = list.flatMap((v, i) => (v !== null && typeof v === 'object' ? [identifierOf(v, [...path, i], placeholders, notes)] : []));
    return or(words.length > 0 ? [itemOf('', words, path, placeholders, notes), ...rest] : rest);
  }
  if (value === null) throw new Refusal('DETECTION_SHAPE', path, 'the search identifier is empty');
  return itemOf('', value, path, placeholders, notes);
};
