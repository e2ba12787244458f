// SPDX-License-Identifier: Apache-2.0
/**
 * What a query needs to find in a block of rows, as far as the filters beside the files can tell.
 * Input: the typed form of a query. Output: a test of a block that is false only where no row can match.
 */
import type { Resolved, TextTest } from '../../../query/resolve.ts';
import { type Gram, gramsOf, SKIP_FIELDS, type SkipProbe } from './skip.ts';

export type BlockTest = (probe: SkipProbe) => boolean;

const KNOWN: ReadonlySet<string> = new Set(SKIP_FIELDS);

/** Null when nothing can be told: every block may match. */
export const blockTest = (query: Resolved): BlockTest | null => {
  switch (query.kind) {
    case 'and': {
      const tests = query.of.map(blockTest).filter((test) => test !== null);
      return tests.length === 0 ? null : (probe) => tests.every((test) => test(probe));
    }
    case 'or': {
      const tests = unique(query.of);
      return tests === null ? null : (probe) => tests.some((test) => test(probe));
    }
    case 'test':
      if (query.field.kind !== 'ecs') return null;
      if (query.field.name === 'event.id' && query.test.kind === 'equals') return idTest(query.test.text);
      return KNOWN.has(query.field.name) ? textTest(query.test) : null;
    case 'false':
      return () => false;
    default:
      return null;
  }
};

/** A block that holds one of these events. */
export const idTest =
  (...ids: readonly string[]): BlockTest =>
  (probe) =>
    ids.some((id) => probe.id(id));

// A word is looked for in many fields at once; the filter does not tell them apart, so it is asked once.
const unique = (of: readonly Resolved[]): readonly BlockTest[] | null => {
  const tests = new Map<string, BlockTest>();
  for (const [i, one] of of.entries()) {
    const test = blockTest(one);
    if (test === null) return null;
    tests.set(one.kind === 'test' && one.field.kind === 'ecs' && !one.field.exact ? JSON.stringify(one.test) : String(i), test);
  }
  return [...tests.values()];
};

const textTest = (test: TextTest | { readonly kind: string }): BlockTest | null => {
  const parts = partsOf(test as TextTest);
  const grams: readonly Gram[] = [...new Set(parts.flatMap(gramsOf))];
  return grams.length === 0 ? null : (probe) => probe.grams(grams);
};

const partsOf = (test: TextTest): readonly string[] => {
  switch (test.kind) {
    case 'equals':
    case 'contains':
      return [test.text];
    case 'like':
      return test.parts;
    default:
      return [];
  }
};
