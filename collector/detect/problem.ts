// SPDX-License-Identifier: Apache-2.0
/**
 * What can be wrong with a rule file: coded problems at file, line and column, never silence.
 * Input: the parsers of `sigma/`. Output: the report of a rule set, `rules check`, the health condition for refused rules.
 */
import type { YamlDocument } from '../../core/yaml.ts';

export const PROBLEMS = {
  RULE_LOADED: 'loaded',
  RULE_YAML: 'the file is not well-formed YAML',
  RULE_NOT_A_MAP: 'the document is not a map of keys',
  RULE_KIND_UNKNOWN: 'the document has none of detection, correlation and filter',
  RULE_OTHER: 'the document is no Sigma document and is passed over',
  RULE_FILE_TWICE: 'the same text was already loaded from another file',
  RULE_TITLE: 'the title is missing or longer than 256 characters',
  RULE_ID: 'the id is not a text of 1 to 256 characters',
  RULE_ID_REPEATED: 'another rule has the same id or name',
  RULE_LEVEL: 'the level is none of informational, low, medium, high, critical',
  RULE_STATUS: 'the status is none of stable, test, experimental, deprecated, unsupported',
  RULE_DATE: 'a date is not YYYY-MM-DD',
  RULE_FIELD_TYPE: 'a key has a value of the wrong type',
  RULE_LOGSOURCE: 'the log source is missing or names neither category, product nor service',
  RULE_TAXONOMY: 'the taxonomy is neither sigma nor ecs',
  RULE_TAG: 'a tag has no namespace',
  RULE_VIGIL_KEY: 'the key vigil has an entry that is not known or has a wrong value',
  DETECTION_SHAPE: 'a search identifier is neither a map, a list nor a value',
  DETECTION_TOO_LARGE: 'the detection expands to more tests than a rule may have',
  CONDITION_SYNTAX: 'the condition cannot be read',
  CONDITION_IDENTIFIER: 'the condition names a search identifier that does not exist',
  CONDITION_UNUSED: 'a search identifier is not used by the condition',
  CONDITION_AGGREGATION: 'aggregation after a pipe left Sigma with version 2; write a correlation',
  MODIFIER_UNKNOWN: 'a modifier is not known',
  MODIFIER_MISUSED: 'a modifier does not fit its value or the modifiers before it',
  VALUE_ALL_SINGLE: 'the modifier all stands on a single value',
  VALUE_NULL_IN_LIST: 'null stands in a list of values',
  PLACEHOLDER_UNRESOLVED: 'a placeholder has no values here',
  REGEX_REFUSED: 'a regular expression cannot be run in linear time',
  CORRELATION_SHAPE: 'the correlation lacks a key or has one of a wrong form',
  CORRELATION_TYPE: 'the type of correlation is not known',
  CORRELATION_CONDITION: 'the condition of the correlation cannot be read',
  CORRELATION_TIMESPAN: 'the timespan is not a number with s, m, h or d',
  CORRELATION_REFERENCE: 'a rule that the correlation reads is not loaded',
  CORRELATION_CYCLE: 'the correlation reads itself',
  CORRELATION_ALIAS: 'an alias names a rule that the correlation does not read',
  FILTER_SHAPE: 'the filter lacks a key or has one of a wrong form',
  FILTER_NEGATED: 'the condition of a filter says what is excluded; the negation around it is left out',
  FILTER_REFERENCE: 'a rule that the filter names is not loaded',
  FILTER_LOGSOURCE: 'the filter and the rule it names have different log sources',
} as const;

export type ProblemCode = keyof typeof PROBLEMS;

/** One line of `rules check`. Each rule, correlation and filter has exactly one `loaded` or `refused`; warnings stand beside it. */
export interface Finding {
  readonly file: string;
  /** Counted from 1. */
  readonly line: number;
  readonly column: number;
  /** Id of the rule, or its title where it has none. */
  readonly rule: string;
  readonly outcome: 'loaded' | 'refused' | 'warning';
  readonly code: ProblemCode;
  readonly message: string;
}

export type Path = readonly (string | number)[];

/** Ends the parsing of one document; turned into a finding where documents are read. */
export class Refusal extends Error {
  readonly code: ProblemCode;
  readonly path: Path;
  constructor(code: ProblemCode, path: Path, detail: string) {
    super(detail === '' ? PROBLEMS[code] : `${PROBLEMS[code]}: ${detail}`);
    this.name = 'Refusal';
    this.code = code;
    this.path = path;
  }
}

/** Where the parsers of one document say what they noticed. */
export interface Notes {
  warn(code: ProblemCode, path: Path, detail?: string): void;
}

/** Collects the findings of one document. */
export const notesOf = (file: string, document: YamlDocument, rule: () => string, out: Finding[]): Notes => ({
  warn: (code, path, detail = '') => {
    const message = detail === '' ? PROBLEMS[code] : `${PROBLEMS[code]}: ${detail}`;
    out.push({ file, ...document.at(path), rule: rule(), outcome: 'warning', code, message });
  },
});
