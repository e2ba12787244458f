// SPDX-License-Identifier: Apache-2.0
/**
 * Completion of a query over a handful of fields whose values are words of ours: alerts, incidents.
 * Input: the text and the cursor. Output: suggestions as the search gives them.
 */
import type { Completion, Suggestion } from '../api/calls.ts';

export interface KnownField {
  readonly name: string;
  readonly meaning: string;
  readonly values?: readonly string[];
}

export const suggestOver =
  (fields: readonly KnownField[]) =>
  async (text: string, cursor: number): Promise<Completion> => {
    const before = text.slice(0, cursor);
    const value = /([A-Za-z]+):\s*([\w-]*)$/.exec(before);
    const field = value && fields.find(({ name }) => name === value[1]);
    if (field) {
      const typed = value[2] ?? '';
      return {
        suggestions: (field.values ?? [])
          .filter((one) => one.startsWith(typed) && one !== typed)
          .map((one): Suggestion => ({ kind: 'value', text: one, from: cursor - typed.length, to: cursor })),
      };
    }
    const word = /(?:^|[\s(])([A-Za-z]*)$/.exec(before)?.[1];
    if (word === undefined) return { suggestions: [] };
    return {
      suggestions: fields
        .filter(({ name }) => name.toLowerCase().startsWith(word.toLowerCase()))
        .map((one): Suggestion => ({ kind: 'field', text: `${one.name}: `, from: cursor - word.length, to: cursor, meaning: one.meaning })),
    };
  };
