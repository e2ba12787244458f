// SPDX-License-Identifier: Apache-2.0
/**
 * What a look at one kind of item finds, piece by piece: items, troubles, and what could not be seen this time.
 * Input: names and values as they stand in files. Output: items whose names and fields fit a fact, bounded.
 */
import { createHash } from 'node:crypto';
import type { FactFields, FactKind, FactValue } from '../../../core/fact.ts';
import type { SourceProblem } from '../source.ts';
import type { Tree } from './tree.ts';

/** Items of the baseline that stand as they were, because this look could not see them: all of the kind, or those with this value. */
export type Unseen = { readonly field: string; readonly value: string } | 'all';

export type Found =
  | { readonly kind: 'item'; readonly item: string; readonly fields: FactFields }
  | { readonly kind: 'problem'; readonly problem: SourceProblem }
  | { readonly kind: 'unseen'; readonly unseen: Unseen }
  /** Nothing, but a place where other work may go on. */
  | { readonly kind: 'pause' };

export const PAUSE: Found = { kind: 'pause' };

/** Takes secrets out of a text that people wrote, such as a command line (A3). */
export type Clean = (text: string) => string;

/** Looks at one kind of item. Yields often, so that the agent's other work goes on between. */
export type Look = (tree: Tree, clean: Clean) => Iterable<Found>;

export interface Scanner {
  readonly kind: FactKind;
  readonly look: Look;
  /** Cheap text that changes when a look would find something else; without it the kind waits for the interval. */
  readonly mark?: (tree: Tree) => string;
  /** Values that move all the time: the old ones where the change says nothing, so that it is no news. */
  readonly steady?: (before: FactFields, now: FactFields) => FactFields;
}

/** Fields as a scanner writes them: what is not known is undefined and falls away. */
export type DraftFields = Readonly<Record<string, FactValue | undefined>>;

const ITEM_CHARS = 1_000;
const TEXT_CHARS = 4_000;
const LIST_ITEMS = 500;
const LIST_CHARS = 40_000;

export const item = (name: string, draft: DraftFields): Found => {
  const fields: Record<string, FactValue> = {};
  for (const [key, value] of Object.entries(draft)) {
    if (value === undefined || value === '') continue;
    if (typeof value === 'number' && !Number.isFinite(value)) continue;
    fields[key] = typeof value === 'string' ? shortText(value) : Array.isArray(value) ? shortList(value as readonly string[]) : value;
  }
  return { kind: 'item', item: shortName(name), fields };
};

export const troubleOf = (code: InventoryCode, about: string, reason: string): SourceProblem => ({
  code,
  about,
  reason,
  hint: HINTS[code],
});

export const problem = (code: InventoryCode, about: string, reason: string): Found => ({
  kind: 'problem',
  problem: troubleOf(code, about, reason),
});

/** A trouble, and what stands as it was because of it. */
export function* blind(unseen: Unseen, trouble: Found): Generator<Found> {
  yield trouble;
  yield { kind: 'unseen', unseen };
}

/** Codes of what an inventory may complain of, and what to do. */
const HINTS = {
  INVENTORY_DENIED: 'Let the agent read it: its unit gives CAP_DAC_READ_SEARCH. What was known of it stands as it was.',
  INVENTORY_UNREADABLE: 'See the reason; it is looked at again at the next scan. What was known of it stands as it was.',
  INVENTORY_DAMAGED: 'Mend the file from its copy; what was known of it stands as it was until it is whole.',
  INVENTORY_ODD: 'Mend the lines, or see whether somebody else wrote them; all other lines are taken.',
  INVENTORY_NOT_UTF8: 'Nothing is lost: bytes that are no UTF-8 stand as \\xNN.',
  INVENTORY_TOO_LARGE: 'See what made it so large; what fits is taken.',
  INVENTORY_TOO_MANY: 'See what made them so many; those that fit are taken.',
  INVENTORY_LOOP: 'Take one of the includes out; each file is read once.',
  INVENTORY_UNKNOWN_FORMAT: 'Nothing on this host: this version does not read the format.',
  INVENTORY_OWNER_UNKNOWN: 'Let the agent look at other processes: CAP_SYS_PTRACE, or run it as root.',
  INVENTORY_BASELINE_LOST: 'Nothing: everything is told anew. Check the disk if it comes again.',
  INVENTORY_FAILED: 'It is tried again at the next scan; report it with its reason.',
} as const;
export type InventoryCode = keyof typeof HINTS;

const shortText = (text: string): string => {
  const whole = text.toWellFormed();
  return whole.length <= TEXT_CHARS ? whole : `${whole.slice(0, TEXT_CHARS).toWellFormed()}…`;
};

const shortList = (list: readonly string[]): readonly string[] => {
  const taken: string[] = [];
  let room = LIST_CHARS;
  for (const one of list) {
    const text = shortText(one);
    room -= text.length;
    if (taken.length >= LIST_ITEMS || room < 0) return [...taken, `… ${list.length - taken.length} more`];
    taken.push(text);
  }
  return taken;
};

/** A name that is too long keeps its beginning and a print of the whole, so that two of them stay two. */
const shortName = (name: string): string => {
  const whole = name.toWellFormed();
  return whole.length <= ITEM_CHARS ? whole : `${whole.slice(0, ITEM_CHARS - 40).toWellFormed()}…${shortPrint(whole)}`;
};

export const shortPrint = (text: string): string => createHash('sha256').update(text).digest('hex').slice(0, 16);
