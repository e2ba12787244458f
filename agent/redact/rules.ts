// SPDX-License-Identifier: Apache-2.0
/**
 * The rules of redaction made ready: those that come along and those of `redact.rules`, checked before the agent starts (A3).
 * Input: the shipped table, a YAML file with a list of name, pattern and perhaps dataset. Output: compiled rules, and one pattern that finds lines worth a look.
 */
import { readFileSync } from 'node:fs';
import { isCoded, systemCode } from '../../core/errors.ts';
import { linearPattern, spellCase } from '../../core/pattern.ts';
import { parseYaml, type YamlMap, type YamlValue } from '../../core/yaml.ts';
import { fault } from '../errors.ts';
import { DEFAULT_RULES, type RuleDraft } from './defaults.ts';
import { literalOf } from './spell.ts';

export interface RedactRule {
  readonly name: string;
  readonly dataset: string | undefined;
  /** Global and over several lines; it reads bytes as characters 0 to 255. */
  readonly pattern: RegExp;
  /** The pattern counts only behind a match of this one. */
  readonly after: RegExp | undefined;
  /** Source of a pattern of which every match of the rule holds one; empty where each line must be looked at. */
  readonly hint: string;
  readonly tailBytes: number;
  readonly minBytes: number;
}

const MAX_RULES = 200;
const MAX_PATTERN = 2048;

/**
 * The shipped rules, then those of the file.
 * @throws CodedError REDACT_BAD_RULE, REDACT_UNREADABLE.
 */
export const loadRules = (file: string | null): readonly RedactRule[] => [
  ...DEFAULT_RULES.map(ready),
  ...(file === null ? [] : readRules(file)),
];

/** The rules for one dataset. */
export interface RuleList {
  readonly rules: readonly RedactRule[];
  /** Where it finds nothing, no rule does. */
  readonly hint: RegExp;
}

export const listFor = (rules: readonly RedactRule[], dataset: string): RuleList => {
  const own = rules.filter((rule) => rule.dataset === undefined || rule.dataset === dataset);
  return { rules: own, hint: anyOf(own.map(({ hint }) => hint)) };
};

export const anyOf = (sources: readonly string[]): RegExp => new RegExp([...new Set(sources)].map((one) => `(?:${one})`).join('|'), 'gm');

const ready = (draft: RuleDraft): RedactRule => ({
  name: draft.name,
  dataset: draft.dataset,
  pattern: new RegExp(draft.pattern, 'gm'),
  after: draft.after === undefined ? undefined : new RegExp(draft.after, 'gm'),
  hint: draft.hint ?? '',
  tailBytes: draft.tailBytes ?? 0,
  minBytes: draft.minBytes ?? 1,
});

const readRules = (file: string): readonly RedactRule[] => {
  const bad = (rule: string, reason: string): Error => fault('REDACT_BAD_RULE', { file, rule, reason });
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    throw fault('REDACT_UNREADABLE', { file, reason: systemCode(error) ?? 'it cannot be opened' }, error);
  }
  let value: YamlValue | undefined;
  try {
    value = parseYaml(text, file)[0]?.value;
  } catch (error) {
    if (!isCoded(error)) throw error;
    throw fault('REDACT_UNREADABLE', { file, reason: error.message.replace(/\.$/, '') }, error);
  }
  const list = isMap(value) ? value['rules'] : value;
  if (!Array.isArray(list)) throw fault('REDACT_UNREADABLE', { file, reason: 'it holds no list of rules' });
  if (list.length > MAX_RULES) throw fault('REDACT_UNREADABLE', { file, reason: `it holds more than ${MAX_RULES} rules` });
  const names = new Set(DEFAULT_RULES.map(({ name }) => name));
  return list.map((one: YamlValue, i): RedactRule => {
    const name = isMap(one) ? one['name'] : undefined;
    const called = typeof name === 'string' ? name : `number ${i + 1}`;
    if (!isMap(one)) throw bad(called, 'it is not a map of name, pattern and dataset');
    const unknown = Object.keys(one).find((key) => !['name', 'pattern', 'dataset'].includes(key));
    if (unknown !== undefined) throw bad(called, `the key "${unknown}" is not known`);
    if (typeof name !== 'string' || !/^[a-z][a-z0-9-]{0,39}$/.test(name)) throw bad(called, 'a name is small letters, digits and hyphens');
    if (names.has(name)) throw bad(called, 'there is another rule of that name');
    names.add(name);
    const { dataset } = one;
    if (dataset !== undefined && (typeof dataset !== 'string' || dataset === '')) throw bad(called, 'dataset is a text');
    return { name, dataset, after: undefined, tailBytes: 0, minBytes: 1, ...patternOf(one['pattern'], (reason) => bad(called, reason)) };
  });
};

const patternOf = (written: YamlValue | undefined, bad: (reason: string) => Error): Pick<RedactRule, 'pattern' | 'hint'> => {
  if (typeof written !== 'string' || written === '') throw bad('it has no pattern');
  if (written.length > MAX_PATTERN) throw bad(`its pattern is longer than ${MAX_PATTERN} characters`);
  if (/[^\t -~]/.test(written)) throw bad('its pattern reads bytes: write those above 127 as \\xNN');
  const anyCase = written.startsWith('(?i)');
  const plain = anyCase ? written.slice(4) : written;
  const source = anyCase ? spellCase(plain) : plain;
  let checked: RegExp;
  try {
    checked = new RegExp(source, 'm');
  } catch (error) {
    throw bad(error instanceof Error ? error.message : 'its pattern is no regular expression');
  }
  if (checked.test('')) throw bad('its pattern matches where nothing stands');
  const pattern = linearPattern(source, 'gm');
  if (!pattern) throw bad('its pattern needs backtracking: no lookahead, no back references, no counts above 16');
  const literal = literalOf(plain);
  return { pattern, hint: anyCase ? spellCase(literal) : literal };
};

const isMap = (value: YamlValue | undefined): value is YamlMap => value !== null && typeof value === 'object' && !Array.isArray(value);
