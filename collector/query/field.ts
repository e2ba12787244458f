// SPDX-License-Identifier: Apache-2.0
/**
 * What a field name of a query refers to: a field of the ECS table, a name kept in `vigil.extra`, or a path into a document.
 * Input: names as written. Output: references with types, for resolve. A name the table does not know is looked for in `vigil.extra`.
 */

import { nearest } from '../../core/config.ts';
import { ECS, ECS_FIELDS, type EcsField, type FieldType, isEcsField } from '../../core/ecs.ts';
import type { Literal, Node } from './ast.ts';
import { matchParts } from './fold.ts';

export type FieldRef =
  /** `exact`: an id, compared with case so that the store's statistics can be used. */
  | { readonly kind: 'ecs'; readonly name: EcsField; readonly type: FieldType; readonly typed: boolean; readonly exact: boolean }
  /** A name outside the table, by its own name in `vigil.extra`; always text. */
  | { readonly kind: 'extra'; readonly name: string }
  /** A name inside a flattened field: `log.syslog.structured_data.origin.ip`. */
  | { readonly kind: 'inside'; readonly name: EcsField; readonly key: string }
  /** A path into a document of the state store, typed by the value found there. */
  | { readonly kind: 'path'; readonly path: readonly string[] };

/** Searched by a value without a field, as case-insensitive substrings. */
export const DEFAULT_FIELDS = [
  'event.original',
  'message',
  'rule.name',
  'user.name',
  'host.name',
  'source.ip',
  'file.path',
  'process.command_line',
] as const satisfies readonly EcsField[];

const EXACT: ReadonlySet<string> = new Set<EcsField>([
  'event.id',
  'host.id',
  'vigil.agent.id',
  'vigil.epoch',
  'vigil.journal.collector',
  'vigil.journal.incarnation',
]);

const FLATTENED = ECS_FIELDS.filter((name) => ECS[name].type === 'flattened' && name !== 'vigil.extra');

/** The reference of one event field by its exact name. */
export const eventField = (name: string): FieldRef => {
  if (name !== 'vigil.extra' && isEcsField(name)) {
    const { type, typed } = ECS[name];
    return { kind: 'ecs', name, type, typed, exact: EXACT.has(name) };
  }
  if (name.startsWith('vigil.extra.')) return { kind: 'extra', name: name.slice('vigil.extra.'.length) };
  const parent = FLATTENED.find((field) => name.startsWith(`${field}.`));
  return parent === undefined ? { kind: 'extra', name } : { kind: 'inside', name: parent, key: name.slice(parent.length + 1) };
};

/** The references a written field means: one, or all table fields that a name with `*` matches. */
export const eventFields = (field: Literal): readonly FieldRef[] => {
  const parts = wildcardParts(field);
  if (parts.length === 1) return [eventField(parts[0] as string)];
  return ECS_FIELDS.filter((name) => name !== 'vigil.extra' && matchParts(name, parts)).map(eventField);
};

/** The reference of a document's field, or null when the name cannot be a path. */
export const documentField = (field: Literal): FieldRef | null =>
  /^[\w@$-]{1,128}(\.[\w@$-]{1,128}){0,15}$/.test(field.text) ? { kind: 'path', path: field.text.split('.') } : null;

/** The text of a literal cut at its wildcards; one part when it has none. */
export const wildcardParts = ({ text, quoted, escaped = [] }: Literal): readonly string[] => {
  if (quoted || !text.includes('*')) return [text];
  const parts: string[] = [];
  let from = 0;
  for (let at = text.indexOf('*'); at >= 0; at = text.indexOf('*', at + 1)) {
    if (escaped.includes(at)) continue;
    parts.push(text.slice(from, at));
    from = at + 1;
  }
  parts.push(text.slice(from));
  return parts;
};

export interface UnknownField {
  readonly field: string;
  /** The known field that is nearest to it. */
  readonly nearest: string;
  readonly at: number;
}

/**
 * Field names of a query that are not known: not wrong, but worth a word, for a misspelt name finds nothing. Names of events by
 * default, which are then looked for in `vigil.extra`; for documents their own names are given.
 */
export const unknownFields = (node: Node, known?: readonly string[]): readonly UnknownField[] => {
  switch (node.kind) {
    case 'all':
      return [];
    case 'not':
      return unknownFields(node.of, known);
    case 'and':
    case 'or':
      return node.of.flatMap((one) => unknownFields(one, known));
    default:
      return node.field === null ? [] : unknown(node.field, known);
  }
};

const unknown = (field: Literal, known: readonly string[] | undefined): readonly UnknownField[] => {
  const isKnown = known
    ? known.includes(field.text) || wildcardParts(field).length > 1
    : field.text.startsWith('vigil.extra.') || eventFields(field).some((ref) => ref.kind !== 'extra');
  return isKnown ? [] : [{ field: field.text, nearest: nearest(field.text, known ?? ECS_FIELDS), at: field.at }];
};
