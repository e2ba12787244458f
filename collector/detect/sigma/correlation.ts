// SPDX-License-Identifier: Apache-2.0
/**
 * Correlation documents: all types of Sigma 2.1, `value_median` of common tools, and our `absence`.
 * Input: the YAML map of `correlation`. Output: a draft whose references the rule set resolves; the engine is `correlate`.
 */

import type { Ms } from '../../../core/units.ts';
import type { YamlDocument, YamlMap, YamlValue } from '../../../core/yaml.ts';
import { CORRELATION_TYPES, type ComparisonOperator, type CorrelationRule, type CorrelationType } from '../../model/rule.ts';
import { type Notes, Refusal } from '../problem.ts';
import { isMap } from './detection.ts';
import { type Envelope, timespanOf } from './envelope.ts';

export interface CorrelationDraft {
  readonly kind: 'correlation';
  readonly envelope: Envelope;
  /** `rules` and `aliases` as written, by id or name. */
  readonly body: Omit<CorrelationRule, keyof Envelope | 'kind' | 'alerts' | 'incident'>;
  readonly document: YamlDocument;
}

const OPERATORS: readonly ComparisonOperator[] = ['gt', 'gte', 'lt', 'lte', 'eq', 'neq'];
const KEYS = ['type', 'rules', 'group-by', 'timespan', 'condition', 'aliases', 'generate'];

/** @throws Refusal CORRELATION_SHAPE, CORRELATION_TYPE, CORRELATION_CONDITION, CORRELATION_TIMESPAN, CORRELATION_ALIAS. */
export const parseCorrelation = (
  document: YamlDocument,
  map: YamlMap,
  body: YamlMap,
  envelope: Envelope,
  notes: Notes,
): CorrelationDraft => {
  const at = (...path: (string | number)[]) => ['correlation', ...path];
  const refuse = (key: string, detail: string): Refusal => new Refusal('CORRELATION_SHAPE', at(key), detail);
  if (map['detection'] !== undefined) throw refuse('type', 'detection and correlation stand in one document');
  for (const key of Object.keys(body)) if (!KEYS.includes(key)) notes.warn('CORRELATION_SHAPE', at(key), `"${key}" is not known`);
  const written = body['type'];
  const median = written === 'value_median';
  const type = median ? 'value_percentile' : written;
  if (typeof type !== 'string' || !(CORRELATION_TYPES as readonly string[]).includes(type))
    throw new Refusal('CORRELATION_TYPE', at('type'), `"${String(written)}"`);
  const rules = list(body['rules']);
  if (!rules || rules.length === 0 || rules.length > 100) throw refuse('rules', 'rules is a list of 1 to 100 ids or names');
  if (type === 'absence' && rules.length !== 2)
    throw refuse('rules', 'absence reads two rules: the one that comes, and the one that does not follow');
  const groupBy = body['group-by'] === undefined ? [] : list(body['group-by']);
  if (!groupBy) throw refuse('group-by', 'group-by is a list of fields');
  const span = typeof body['timespan'] === 'string' ? timespanOf(body['timespan']) : null;
  if (span === null) throw new Refusal('CORRELATION_TIMESPAN', at('timespan'), `"${String(body['timespan'] ?? '')}"`);
  const generate = body['generate'] ?? map['generate'] ?? false;
  if (typeof generate !== 'boolean') throw refuse('generate', 'generate is true or false');
  const condition = conditionOf(body['condition'], type as CorrelationType, median);
  return {
    kind: 'correlation',
    envelope,
    document,
    body: {
      type: type as CorrelationType,
      rules,
      groupBy,
      timespanMs: span as Ms,
      ...condition,
      aliases: aliasesOf(body['aliases'], rules),
      generate,
    },
  };
};

const list = (value: YamlValue | undefined): readonly string[] | null => {
  const all = typeof value === 'string' ? [value] : value;
  return Array.isArray(all) && all.every((v) => typeof v === 'string' && v !== '') ? (all as readonly string[]) : null;
};

const conditionOf = (
  value: YamlValue | undefined,
  type: CorrelationType,
  median: boolean,
): Pick<CorrelationRule, 'condition' | 'field' | 'percentile'> => {
  const refuse = (detail: string): Refusal => new Refusal('CORRELATION_CONDITION', ['correlation', 'condition'], detail);
  const counts = type === 'event_count' || type.startsWith('value_');
  if (value === undefined && !counts) return { condition: [] };
  if (type === 'absence') throw refuse('absence has no condition: it means that nothing of the second rule follows');
  if (typeof value === 'string') throw refuse(`"${value}": conditions in words are not taken, write one correlation for each`);
  if (!isMap(value)) throw refuse(`${type} needs gt, gte, lt, lte, eq or neq with a number`);
  const condition: { op: ComparisonOperator; value: number }[] = [];
  let field: string | undefined;
  let percentile: number | undefined = median ? 50 : undefined;
  for (const key of Object.keys(value)) {
    const v = value[key] as YamlValue;
    if (OPERATORS.includes(key as ComparisonOperator)) {
      if (typeof v !== 'number' || !Number.isFinite(v)) throw refuse(`${key} is a number`);
      condition.push({ op: key as ComparisonOperator, value: v });
    } else if (key === 'field') {
      // Several fields count as one: their values are joined (signal fields carry the joined value under the joined name).
      const fields = list(v);
      if (!fields || fields.length === 0) throw refuse('field is the name of a field, or a list of names');
      field = fields.join(',');
    } else if (key === 'percentile') {
      if (typeof v !== 'number' || v < 0 || v > 100) throw refuse('percentile is a number from 0 to 100');
      percentile = v;
    } else throw refuse(`"${key}" is not known`);
  }
  if (condition.length === 0 && counts) throw refuse(`${type} needs gt, gte, lt, lte, eq or neq with a number`);
  if (type.startsWith('value_') && field === undefined) throw refuse(`${type} needs a field`);
  if (type === 'value_percentile') percentile ??= 50;
  return { condition, ...(field === undefined ? {} : { field }), ...(percentile === undefined ? {} : { percentile }) };
};

const aliasesOf = (value: YamlValue | undefined, rules: readonly string[]): CorrelationRule['aliases'] => {
  const out: Record<string, Record<string, string>> = Object.create(null);
  if (value === undefined) return out;
  const refuse = (path: string[], detail: string): Refusal => new Refusal('CORRELATION_ALIAS', ['correlation', 'aliases', ...path], detail);
  if (!isMap(value)) throw refuse([], 'aliases is a map');
  for (const alias of Object.keys(value)) {
    const fields = value[alias];
    if (!isMap(fields)) throw refuse([alias], `"${alias}" is a map from rule to field`);
    const target: Record<string, string> = Object.create(null);
    for (const rule of Object.keys(fields)) {
      const field = fields[rule];
      if (!rules.includes(rule)) throw refuse([alias, rule], `"${rule}"`);
      if (typeof field !== 'string' || field === '') throw refuse([alias, rule], 'a field is a text');
      target[rule] = field;
    }
    out[alias] = target;
  }
  return out;
};
