// SPDX-License-Identifier: Apache-2.0
/**
 * Catalogues of controls as they stand on disk, one control a line; references are always edition-qualified.
 * Input: `rules/controls/csf-2.0.jsonl`. Output: controls in the order of the catalogue.
 */
import { fault } from '../errors.ts';
import type { Control } from '../model/control.ts';

export interface Catalogue {
  /** `csf:2.0`. */
  readonly id: string;
  readonly title: string;
  readonly controls: readonly Control[];
  readonly byRef: ReadonlyMap<string, Control>;
}

/** What a catalogue must hold: a file cut short is refused and not half of it shown. */
interface Shape {
  readonly title: string;
  readonly file: string;
  readonly functions: number;
  readonly categories: number;
  readonly subcategories: number;
}

export const CATALOGUES = {
  'csf:2.0': {
    title: 'NIST Cybersecurity Framework 2.0',
    file: 'csf-2.0.jsonl',
    functions: 6,
    categories: 22,
    subcategories: 106,
  },
} as const satisfies Readonly<Record<string, Shape>>;
export type CatalogueId = keyof typeof CATALOGUES;

export const isCatalogue = (id: string): id is CatalogueId => Object.hasOwn(CATALOGUES, id);

const KINDS: ReadonlySet<unknown> = new Set(['function', 'category', 'subcategory']);

/** @throws CodedError CATALOGUE_BAD. */
export const parseCatalogue = (id: CatalogueId, text: string): Catalogue => {
  const shape = CATALOGUES[id];
  const bad = (line: number, reason: string): Error => fault('CATALOGUE_BAD', { file: shape.file, line, reason });
  const byRef = new Map<string, Control>();
  for (const [i, line] of text.split('\n').entries()) {
    if (line.trim() === '') continue;
    const control = controlOf(id, line);
    if (typeof control === 'string') throw bad(i + 1, control);
    if (byRef.has(control.ref)) throw bad(i + 1, `${control.id} stands twice`);
    if (control.parent !== null && !byRef.has(control.parent)) throw bad(i + 1, `${control.id} stands before what it belongs to`);
    byRef.set(control.ref, control);
  }
  const controls = [...byRef.values()];
  const count = (kind: Control['kind']): number => controls.filter((one) => one.kind === kind).length;
  if (count('function') !== shape.functions || count('category') !== shape.categories || count('subcategory') !== shape.subcategories)
    throw bad(
      controls.length,
      `it has ${count('function')} functions, ${count('category')} categories and ${count('subcategory')} subcategories, not ${shape.functions}, ${shape.categories} and ${shape.subcategories}`,
    );
  return { id, title: shape.title, controls, byRef };
};

const controlOf = (catalogue: CatalogueId, line: string): Control | string => {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return 'it is no JSON';
  }
  const { id, kind, title, statement } = value as Record<string, unknown>;
  if (typeof id !== 'string' || !/^[A-Z]{2}(\.[A-Z]{2}(-\d{2})?)?$/.test(id)) return 'it has no id such as PR.AA-05';
  if (!KINDS.has(kind) || typeof title !== 'string' || typeof statement !== 'string') return `${id} lacks kind, title or statement`;
  const parent = id.includes('-') ? id.slice(0, id.indexOf('-')) : id.includes('.') ? id.slice(0, id.indexOf('.')) : null;
  return {
    ref: `${catalogue}/${id}`,
    id,
    kind: kind as Control['kind'],
    parent: parent === null ? null : `${catalogue}/${parent}`,
    // Subcategories have no title of their own in the framework.
    title: title === id ? statement : title,
    statement,
  };
};
