// SPDX-License-Identifier: Apache-2.0
/**
 * A field with its modifiers and values, as one item: the chain is applied from left to right.
 * Input: `CommandLine|windash|contains|all` and what stands behind it. Output: an Item, negated where `neq` says so.
 */
import type { YamlValue } from '../../../core/yaml.ts';
import { type Notes, type Path, Refusal } from '../problem.ts';
import { type Node, not, type OrderOperator, type Test, type TextOperator, TIME_UNITS, type TimeUnit } from './ast.ts';
import { base64, base64offset, expand, type Placeholders, utf16, windash } from './encode.ts';
import { cidrTest } from './network.ts';
import { ANY, foldParts, type Parts, parseParts, plainText, tidy } from './pattern.ts';
import { compileRegex } from './regex.ts';

const ALIASES: Readonly<Record<string, string>> = { wide: 'utf16le', ignorecase: 'i', multiline: 'm', dotall: 's' };
const KNOWN = new Set([
  ...['contains', 'startswith', 'endswith', 'all', 'exists', 'cased', 'neq', 'windash', 're', 'i', 'm', 's'],
  ...['base64', 'base64offset', 'utf16le', 'utf16be', 'utf16', 'lt', 'lte', 'gt', 'gte', 'cidr', 'expand', 'fieldref', ...TIME_UNITS],
]);
const MAX_VALUES = 20_000;

/** What one value has become on its way through the chain. */
interface Draft {
  readonly parts: Parts;
  /** Each character is a byte (UTF-16 modifiers). */
  readonly encoded: boolean;
  readonly cased: boolean;
}

interface Chain {
  readonly names: readonly string[];
  readonly has: ReadonlySet<string>;
}

const chainOf = (written: readonly string[], path: Path): Chain => {
  const names = written.map((name) => ALIASES[name.toLowerCase()] ?? name.toLowerCase());
  for (const [i, name] of names.entries()) {
    if (!KNOWN.has(name)) throw new Refusal('MODIFIER_UNKNOWN', path, `"${written[i]}"`);
    if (['i', 'm', 's'].includes(name) && !names.slice(0, i).includes('re')) throw misused(path, `${name} stands without re before it`);
  }
  return { names, has: new Set(names) };
};

const misused = (path: Path, detail: string): Refusal => new Refusal('MODIFIER_MISUSED', path, detail);

/**
 * One entry of a detection's map, or a list of keywords (key '').
 * @throws Refusal MODIFIER_UNKNOWN, MODIFIER_MISUSED, PLACEHOLDER_UNRESOLVED, REGEX_REFUSED, DETECTION_SHAPE, DETECTION_TOO_LARGE.
 */
export const itemOf = (key: string, value: YamlValue, path: Path, placeholders: Placeholders, notes: Notes): Node => {
  const [name = '', ...written] = key.split('|');
  const field = name === '' ? null : name;
  const chain = chainOf(written, path);
  const list: readonly YamlValue[] = Array.isArray(value) ? value.flat() : [value as YamlValue];
  const all = chain.has.has('all');
  if (list.length === 0) throw new Refusal('DETECTION_SHAPE', path, `"${key}" has an empty list`);
  if (all && list.length === 1) notes.warn('VALUE_ALL_SINGLE', path, `"${key}"`);
  if (list.length > 1 && list.includes(null)) notes.warn('VALUE_NULL_IN_LIST', path, `"${key}"`);
  let total = 0;
  const values = list.map((one, i) => {
    if (typeof one === 'object' && one !== null)
      throw new Refusal('DETECTION_SHAPE', [...path, i], 'a map or list stands where a value is expected');
    const tests = testsOf(one, field, chain, path, placeholders);
    total += tests.length;
    if (total > MAX_VALUES) throw new Refusal('DETECTION_TOO_LARGE', path, `over ${MAX_VALUES}`);
    return tests;
  });
  const node: Node = { kind: 'item', item: { field, values, all } };
  return chain.has.has('neq') ? not(node) : node;
};

const testsOf = (
  value: string | number | boolean | null,
  field: string | null,
  chain: Chain,
  path: Path,
  placeholders: Placeholders,
): readonly Test[] => {
  const { has } = chain;
  if (has.has('exists')) {
    if (typeof value !== 'boolean' || field === null) throw misused(path, 'exists takes true or false of a field');
    if (chain.names.some((n) => n !== 'exists' && n !== 'neq')) throw misused(path, 'exists stands alone');
    return [{ kind: 'exists', value }];
  }
  if (value === null) {
    if (chain.names.some((n) => n !== 'all' && n !== 'neq')) throw misused(path, 'null takes no modifier');
    if (field === null) throw new Refusal('DETECTION_SHAPE', path, 'null cannot be searched for');
    return [{ kind: 'null' }];
  }
  const unit = chain.names.find((n): n is TimeUnit => (TIME_UNITS as readonly string[]).includes(n));
  const order = chain.names.find((n): n is OrderOperator => ['lt', 'lte', 'gt', 'gte'].includes(n));
  if (unit !== undefined || order !== undefined) return [orderTest(value, unit, order, field, chain, path)];
  const operator: TextOperator = has.has('contains')
    ? 'contains'
    : has.has('startswith')
      ? 'startswith'
      : has.has('endswith')
        ? 'endswith'
        : 'equals';
  if (has.has('fieldref')) {
    if (typeof value !== 'string' || field === null || plainText(parseParts(value)) === null)
      throw misused(path, 'fieldref takes the name of a field');
    return [{ kind: 'fieldref', field: plainText(parseParts(value)) as string, op: operator, cased: has.has('cased') }];
  }
  if (has.has('cidr')) {
    const contains = cidrTest(String(value));
    if (!contains) throw misused(path, `"${value}" is no address range`);
    return [{ kind: 'cidr', text: String(value), contains }];
  }
  if (has.has('re')) return [regexTest(String(value), chain, path)];
  if (typeof value === 'number' && chain.names.every((n) => n === 'all' || n === 'neq')) {
    if (field !== null) return [{ kind: 'number', op: 'eq', value }];
  }
  if (field === null && value === '') throw new Refusal('DETECTION_SHAPE', path, 'an empty keyword stands in every event');
  return textTests(String(value), chain, path, placeholders, field === null);
};

const orderTest = (
  value: string | number | boolean,
  unit: TimeUnit | undefined,
  order: OrderOperator | undefined,
  field: string | null,
  chain: Chain,
  path: Path,
): Test => {
  const number = typeof value === 'number' ? value : typeof value === 'string' && value.trim() !== '' ? Number(value) : Number.NaN;
  if (!Number.isFinite(number) || field === null) throw misused(path, `"${value}" is no number to compare a field with`);
  const stray = chain.names.find((n) => n !== unit && n !== order && n !== 'neq' && n !== 'all');
  if (stray !== undefined) throw misused(path, `${stray} does not go with ${unit ?? order}`);
  const op = order ?? 'eq';
  return unit === undefined ? { kind: 'number', op, value: number } : { kind: 'time', unit, op, value: number };
};

const regexTest = (source: string, chain: Chain, path: Path): Test => {
  const stray = chain.names.find((n) => !['re', 'i', 'm', 's', 'all', 'neq', 'cased', 'contains'].includes(n));
  if (stray !== undefined) throw misused(path, `${stray} does not go with re`);
  const flags = ['i', 'm', 's'].filter((f) => chain.has.has(f)).join('');
  const compiled = compileRegex(source, flags);
  if (!compiled.ok) throw new Refusal('REGEX_REFUSED', path, `${compiled.reason} in "${source}"`);
  return { kind: 'regex', regex: compiled.regex };
};

const textTests = (source: string, chain: Chain, path: Path, placeholders: Placeholders, keyword: boolean): readonly Test[] => {
  let drafts: readonly Draft[] = [{ parts: parseParts(source), encoded: false, cased: false }];
  if (chain.has.has('expand')) {
    const expanded = expand(source, placeholders);
    if ('unresolved' in expanded) throw new Refusal('PLACEHOLDER_UNRESOLVED', path, `%${expanded.unresolved}%`);
    drafts = expanded.map((parts) => ({ parts, encoded: false, cased: false }));
  }
  for (const name of chain.names) {
    drafts = drafts.flatMap((draft) => applyTo(draft, name, path));
    if (drafts.length > MAX_VALUES) throw new Refusal('DETECTION_TOO_LARGE', path, `over ${MAX_VALUES}`);
  }
  return drafts.map(({ parts, cased }) => textTest(keyword ? tidy([ANY, ...parts, ANY]) : parts, cased));
};

const applyTo = (draft: Draft, name: string, path: Path): readonly Draft[] => {
  const { parts } = draft;
  const plain = (): string => {
    const text = plainText(parts);
    if (text === null) throw misused(path, `${name} takes no wildcard`);
    return text;
  };
  switch (name) {
    case 'contains':
      return [{ ...draft, parts: tidy([ANY, ...parts, ANY]) }];
    case 'startswith':
      return [{ ...draft, parts: tidy([...parts, ANY]) }];
    case 'endswith':
      return [{ ...draft, parts: tidy([ANY, ...parts]) }];
    case 'cased':
      return [{ ...draft, cased: true }];
    case 'windash': {
      const all = windash(parts);
      if (all === null) throw misused(path, 'windash on a value with more than four dashes');
      return all.map((p) => ({ ...draft, parts: p }));
    }
    case 'base64':
      return [{ parts: [base64(plain(), draft.encoded)], encoded: false, cased: true }];
    case 'base64offset':
      return base64offset(plain(), draft.encoded).map((text) => ({ parts: [text], encoded: false, cased: true }));
    case 'utf16le':
    case 'utf16be':
    case 'utf16':
      return [{ ...draft, parts: [utf16(plain(), name === 'utf16le' ? 'le' : name === 'utf16be' ? 'be' : 'bom')], encoded: true }];
    default:
      return [draft];
  }
};

/** The cheapest test that the parts allow. */
export const textTest = (written: Parts, cased: boolean): Test => {
  const parts = cased ? written : foldParts(written);
  const test = (op: TextOperator, text: string): Test => ({ kind: 'text', op, text, parts, cased });
  const [a, b, c] = parts;
  if (parts.length === 0) return test('equals', '');
  if (parts.length === 1) return typeof a === 'string' ? test('equals', a) : test('like', '');
  if (parts.length === 2 && a === ANY && typeof b === 'string') return test('endswith', b);
  if (parts.length === 2 && b === ANY && typeof a === 'string') return test('startswith', a);
  if (parts.length === 3 && a === ANY && typeof b === 'string' && c === ANY) return test('contains', b);
  return test('like', '');
};
