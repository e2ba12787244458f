// SPDX-License-Identifier: Apache-2.0
/**
 * How far each journal is held: sealed in files, or in whole batches that a restart loads again (P2).
 * Input: sealed ends of the manifest, batches in order. Output: which batch is next, which is held, which is out of place.
 */
import type { JournalPosition, JournalRange } from '../../model/page.ts';

export type Place = 'next' | 'held' | 'gap' | 'overlap' | 'first';

export class JournalEnds {
  readonly #ends = new Map<string, JournalPosition>();

  constructor(ends: readonly JournalPosition[] = []) {
    for (const end of ends) this.#ends.set(keyOf(end), end);
  }

  /** Where a range stands to what is held of its journal. */
  placeOf(range: JournalRange): Place {
    const end = this.#ends.get(keyOf(range))?.offset;
    if (end === undefined) return 'first';
    if (range.to <= end) return 'held';
    return range.from === end ? 'next' : range.from > end ? 'gap' : 'overlap';
  }

  /** Moves the end; a journal that moved last is listed last. */
  reach({ collector, incarnation, offset }: JournalPosition): void {
    const key = keyOf({ collector, incarnation });
    const end = Math.max(offset, this.#ends.get(key)?.offset ?? 0);
    this.#ends.delete(key);
    this.#ends.set(key, { collector, incarnation, offset: end });
  }

  all(): readonly JournalPosition[] {
    return [...this.#ends.values()];
  }

  endOf(journal: Pick<JournalPosition, 'collector' | 'incarnation'>): number | undefined {
    return this.#ends.get(keyOf(journal))?.offset;
  }

  last(): JournalPosition | null {
    return this.all().at(-1) ?? null;
  }
}

const keyOf = ({ collector, incarnation }: Pick<JournalPosition, 'collector' | 'incarnation'>): string =>
  JSON.stringify([collector, incarnation]);

/** Ranges of one journal that follow each other become one. */
export const joinRanges = (ranges: readonly JournalRange[]): readonly JournalRange[] => {
  const joined: JournalRange[] = [];
  for (const { collector, incarnation, from, to } of ranges.toSorted((a, b) => a.from - b.from)) {
    const at = joined.findIndex((range) => range.collector === collector && range.incarnation === incarnation && range.to === from);
    if (at < 0) joined.push({ collector, incarnation, from, to });
    else joined[at] = { collector, incarnation, from: (joined[at] as JournalRange).from, to };
  }
  return joined;
};
