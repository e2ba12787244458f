// SPDX-License-Identifier: Apache-2.0
/**
 * Cases of rules: `<name>.cases.yml` beside each rule, with lines or events that must match and near misses that must not.
 * Input: the text of a cases file. Output: cases; anything malformed is a sentence, never silence.
 */
import { isCoded } from '../../core/errors.ts';
import { parseYaml, type YamlMap, type YamlValue } from '../../core/yaml.ts';
import { flatten } from './adapt.ts';
import type { FlatEvent } from './fields.ts';
import { isMap } from './sigma/detection.ts';

export interface RuleCase {
  readonly name: string;
  /** Id or name of the rule; the only rule of the file where it is left out. */
  readonly rule?: string;
  /** `match`: the rule matches (a correlation: is satisfied) at least once. `none`: never. */
  readonly expect: 'match' | 'none';
  /** For correlations: the entity that the alert is about, e.g. `ip:203.0.113.77`. */
  readonly entity?: string;
  readonly input:
    | { readonly kind: 'lines'; readonly dataset: string; readonly lines: readonly string[] }
    | { readonly kind: 'events'; readonly events: readonly FlatEvent[] };
}

export type CasesResult = { readonly ok: true; readonly cases: readonly RuleCase[] } | { readonly ok: false; readonly reason: string };

const KEYS = ['name', 'rule', 'expect', 'entity', 'dataset', 'lines', 'events', 'repeat'];
const MAX_REPEAT = 10_000;

/** Reads a cases file: a map with `cases`, a list. */
export const parseCases = (text: string, file: string): CasesResult => {
  try {
    const value = parseYaml(text, file)[0]?.value;
    const list = isMap(value) ? value['cases'] : undefined;
    if (!Array.isArray(list) || list.length === 0) return { ok: false, reason: 'it has no list of cases' };
    const cases = list.map((one, i) => caseOf(one, i));
    const bad = cases.find((c): c is string => typeof c === 'string');
    return bad === undefined ? { ok: true, cases: cases as readonly RuleCase[] } : { ok: false, reason: bad };
  } catch (thrown) {
    if (!isCoded(thrown)) throw thrown;
    return { ok: false, reason: thrown.message };
  }
};

const caseOf = (value: YamlValue, index: number): RuleCase | string => {
  const at = `case ${index + 1}`;
  if (!isMap(value)) return `${at} is not a map`;
  const unknown = Object.keys(value).find((key) => !KEYS.includes(key));
  if (unknown !== undefined) return `${at} has the unknown key "${unknown}"`;
  const { name, rule, expect, entity } = value;
  if (typeof name !== 'string' || name === '') return `${at} has no name`;
  if (expect !== 'match' && expect !== 'none') return `${at} ("${name}"): expect is match or none`;
  const input = inputOf(value);
  if (typeof input === 'string') return `${at} ("${name}"): ${input}`;
  return { name, expect, input, ...(typeof rule === 'string' ? { rule } : {}), ...(typeof entity === 'string' ? { entity } : {}) };
};

const inputOf = (value: YamlMap): RuleCase['input'] | string => {
  const { lines, events, dataset, repeat } = value;
  if ((lines === undefined) === (events === undefined)) return 'it has either lines or events';
  if (lines !== undefined) {
    if (!Array.isArray(lines) || lines.length === 0 || !lines.every((l) => typeof l === 'string')) return 'lines is a list of texts';
    if (typeof dataset !== 'string') return 'lines need a dataset';
    return { kind: 'lines', dataset, lines: lines as readonly string[] };
  }
  if (!Array.isArray(events) || events.length === 0) return 'events is a list of maps';
  const flat = events.map((event) => flatten(event));
  if (flat.some((event) => event === null)) return 'events is a list of maps';
  const times = repeat === undefined ? 1 : repeat;
  if (typeof times !== 'number' || !Number.isInteger(times) || times < 1 || times > MAX_REPEAT)
    return `repeat is a number up to ${MAX_REPEAT}`;
  return { kind: 'events', events: Array.from({ length: times }, () => flat as readonly FlatEvent[]).flat() };
};
