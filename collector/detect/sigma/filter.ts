// SPDX-License-Identifier: Apache-2.0
/**
 * Filter documents: what is excluded from rules without touching their text. The condition says what is excluded; a condition that is
 * negated as a whole (other tools write it so) means the same and gets a warning.
 * Input: the YAML map of `filter`. Output: a draft, and the narrowed tree of each rule it names.
 */
import type { YamlDocument, YamlMap } from '../../../core/yaml.ts';
import type { LogSource } from '../../model/rule.ts';
import { type Notes, Refusal } from '../problem.ts';
import { and, type Node, not } from './ast.ts';
import { parseDetection } from './detection.ts';
import type { Placeholders } from './encode.ts';
import { type Envelope, logsourceOf } from './envelope.ts';

export interface FilterDraft {
  readonly kind: 'filter';
  readonly envelope: Envelope;
  readonly logsource: LogSource | null;
  /** Ids or names, or every rule whose log source is the filter's or narrower. */
  readonly rules: readonly string[] | 'any';
  /** True for events to leave out. */
  readonly excluded: Node;
  readonly document: YamlDocument;
}

/** @throws Refusal FILTER_SHAPE, and those of a detection. */
export const parseFilter = (
  document: YamlDocument,
  map: YamlMap,
  body: YamlMap,
  envelope: Envelope,
  placeholders: Placeholders,
  notes: Notes,
): FilterDraft => {
  const written = body['rules'];
  const rules = written === 'any' ? 'any' : typeof written === 'string' ? [written] : written;
  if (rules !== 'any' && !(Array.isArray(rules) && rules.length > 0 && rules.every((r) => typeof r === 'string'))) {
    throw new Refusal('FILTER_SHAPE', ['filter', 'rules'], 'rules is a list of ids or names, or any');
  }
  const logsource = logsourceOf(map['logsource']);
  if (rules === 'any' && !logsource) throw new Refusal('FILTER_SHAPE', ['logsource'], 'a filter for any rule needs a log source');
  const node = parseDetection(body, ['filter'], placeholders, notes, ['rules']);
  if (node.kind === 'not') notes.warn('FILTER_NEGATED', ['filter', 'condition']);
  return {
    kind: 'filter',
    envelope,
    logsource,
    rules: rules as FilterDraft['rules'],
    excluded: node.kind === 'not' ? node.of : node,
    document,
  };
};

/** The rule's tree without what the filters exclude. */
export const applyFilters = (node: Node, filters: readonly FilterDraft[]): Node =>
  filters.length === 0 ? node : and([node, ...filters.map((filter) => not(filter.excluded))]);

/** Whether the log source has every dimension of the other with the same value: it is equal or narrower. */
export const narrower = (source: LogSource, than: LogSource): boolean =>
  (['category', 'product', 'service'] as const).every((key) => than[key] === undefined || than[key] === source[key]);

/** Whether the two log sources name different values for a dimension. */
export const conflicts = (a: LogSource, b: LogSource): boolean =>
  (['category', 'product', 'service'] as const).some((key) => a[key] !== undefined && b[key] !== undefined && a[key] !== b[key]);
