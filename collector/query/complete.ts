// SPDX-License-Identifier: Apache-2.0
/**
 * Completion: what the grammar expects at the cursor, from the same parser that reads queries.
 * Input: query text, the cursor, the fields there are. Output: suggestions, and the field whose values the caller may look up.
 */
import { ECS, ECS_FIELDS, type FieldType, isEcsField } from '../../core/ecs.ts';
import { isSpace, lex } from './lex.ts';
import { parseTokens } from './parse.ts';
import { printValue } from './print.ts';

export interface FieldInfo {
  readonly name: string;
  readonly type: FieldType;
  readonly meaning: string;
}

export interface Suggestion {
  readonly kind: 'field' | 'operator' | 'value' | 'conjunction';
  /** Replaces the text between `from` and `to`. */
  readonly text: string;
  readonly from: number;
  readonly to: number;
  readonly meaning?: string;
}

/** A value is expected: its field, and what of it is written already. */
export interface ValuePlace {
  readonly field: string;
  readonly prefix: string;
  readonly from: number;
  readonly to: number;
}

export interface Completion {
  readonly suggestions: readonly Suggestion[];
  readonly value: ValuePlace | null;
}

/** Most fields suggested at once. */
export const MAX_SUGGESTIONS = 20;

/** The fields of events. */
export const EVENT_FIELDS: readonly FieldInfo[] = ECS_FIELDS.filter((name) => name !== 'vigil.extra').map((name) => ({
  name,
  type: ECS[name].type,
  meaning: ECS[name].meaning,
}));

/** What can stand at the cursor (0 to the length of the text). Only the text before it counts. */
export const complete = (text: string, cursor: number, fields: readonly FieldInfo[] = EVENT_FIELDS): Completion => {
  const before = text.slice(0, Math.max(0, cursor));
  const end = before.length;
  const lexed = lex(before, true);
  if (lexed.kind === 'failed') return { suggestions: [], value: null };
  const suggestions: Suggestion[] = [];
  let value: ValuePlace | null = null;
  const conjunction = (from: number, group: boolean, depth: number): void => {
    const words = [
      { text: 'and ', meaning: 'Both must match.' },
      { text: 'or ', meaning: 'Either may match.' },
      ...(group || depth > 0 ? [{ text: ')', meaning: 'Ends the group.' }] : []),
    ];
    const written = before.slice(from).toLowerCase();
    for (const word of words) if (word.text.startsWith(written)) suggestions.push({ kind: 'conjunction', ...word, from, to: end });
  };
  // A literal that touches the cursor may be a word that is still being written.
  const halfWord = (from: number): void => {
    const word = /\s(a|an|and|o|or)$/i.exec(before.slice(from))?.[1];
    if (word !== undefined) conjunction(end - word.length, false, 0);
  };
  parseTokens(lexed.tokens, (place, token) => {
    const open =
      token.kind === 'literal' && token.end === end && !(token.literal.quoted && before.endsWith('"') && token.end - token.at > 1);
    if (token.kind !== 'end' && !open) return;
    const from = open ? token.at : end;
    const prefix = open ? token.literal.text : '';
    if (place.kind === 'operand') {
      suggestions.push(...fieldSuggestions(fields, prefix, from, end));
      if (open) halfWord(token.at);
    } else if (place.kind === 'operator') {
      suggestions.push(...operatorSuggestions(fields, place.field.text, end));
    } else if (place.kind === 'value') {
      value = { field: place.field.text, prefix, from, to: end };
      suggestions.push(...fixedValues(fields, place.field.text, prefix, from, end));
      if (open) halfWord(token.at);
    } else if (end > 0 && (isSpace(before[end - 1]) || /[)"]$/.test(before))) conjunction(end, place.group, place.depth);
  });
  return { suggestions, value };
};

/** Suggestions from the values found for the place. */
export const valueSuggestions = (place: ValuePlace, values: readonly string[]): readonly Suggestion[] =>
  values.map((text) => ({ kind: 'value', text: printValue(text), from: place.from, to: place.to }));

const fieldSuggestions = (fields: readonly FieldInfo[], prefix: string, from: number, to: number): readonly Suggestion[] => {
  const wanted = prefix.toLowerCase();
  const starts = fields.filter(({ name }) => name.toLowerCase().startsWith(wanted));
  const holds =
    wanted === '' ? [] : fields.filter(({ name }) => name.toLowerCase().indexOf(wanted) > 0).sort((a, b) => a.name.length - b.name.length);
  return [...starts, ...holds].slice(0, MAX_SUGGESTIONS).map(({ name, meaning }) => ({ kind: 'field', text: name, from, to, meaning }));
};

const OPERATORS = [
  { text: ': ', meaning: 'is' },
  { text: ': *', meaning: 'exists' },
  { text: ' > ', meaning: 'is more than' },
  { text: ' >= ', meaning: 'is at least' },
  { text: ' < ', meaning: 'is less than' },
  { text: ' <= ', meaning: 'is at most' },
] as const;

const operatorSuggestions = (fields: readonly FieldInfo[], name: string, at: number): readonly Suggestion[] => {
  const type = fields.find((field) => field.name === name)?.type;
  if (type === undefined) return [];
  const ordered = type === 'long' || type === 'double' || type === 'date' || type === 'ip';
  return OPERATORS.slice(0, ordered ? undefined : 2).map((operator) => ({ kind: 'operator', ...operator, from: at, to: at }));
};

const fixedValues = (fields: readonly FieldInfo[], name: string, prefix: string, from: number, to: number): readonly Suggestion[] => {
  const type = fields.find((field) => field.name === name)?.type ?? (isEcsField(name) ? ECS[name].type : undefined);
  const values = type === 'boolean' ? ['true', 'false'] : type === 'date' ? ['now-15m', 'now-1h', 'now-24h', 'now-7d', 'now/d'] : [];
  return values.filter((value) => value.startsWith(prefix)).map((text) => ({ kind: 'value', text, from, to }));
};
