// SPDX-License-Identifier: Apache-2.0
/**
 * The index of one partition of rules: which rules can match an event at all, by the literals they require.
 * Input: rules with their witnesses. Output: candidates of a subject, each once.
 */
import { Automaton, type Needle } from './automaton.ts';
import { lowOf, numberOf, type SlotOf, type Subject, textOf, wordsLowOf } from './compile.ts';
import type { Witness } from './literal.ts';

export interface Indexed {
  readonly witness: Witness | null;
}

interface SlotIndex {
  readonly slot: number;
  readonly equals: ReadonlyMap<string, readonly number[]> | null;
  readonly substrings: Automaton | null;
  readonly present: readonly number[];
}

export interface RuleIndex {
  /** Writes the ordinals of candidate rules into `out` from 0 and gives their number. `out` holds as many as there are rules. */
  candidates(subject: Subject, out: Int32Array): number;
}

/** Builds the index; ordinals are places in `rules`. */
export const buildIndex = (rules: readonly Indexed[], slotOf: SlotOf): RuleIndex => {
  const equals = new Map<number, Map<string, number[]>>();
  const needles = new Map<number, Needle[]>();
  const present = new Map<number, number[]>();
  const words: Needle[] = [];
  const always: number[] = [];
  for (const [rule, { witness }] of rules.entries()) {
    if (!witness) {
      always.push(rule);
      continue;
    }
    for (const atom of witness.atoms) {
      if (atom.kind === 'contains' && atom.field === null) words.push({ text: atom.text, anchor: 'none', payload: rule });
      else if (atom.field !== null) {
        const slot = slotOf(atom.field);
        if (atom.kind === 'present') listOf(present, slot).push(rule);
        else if (atom.kind === 'contains') listOf(needles, slot).push({ text: atom.text, anchor: atom.anchor, payload: rule });
        else {
          let values = equals.get(slot);
          if (!values) equals.set(slot, (values = new Map()));
          listOf(values, atom.text).push(rule);
        }
      }
    }
  }
  const slots = [...new Set([...equals.keys(), ...needles.keys(), ...present.keys()])].map<SlotIndex>((slot) => ({
    slot,
    equals: equals.get(slot) ?? null,
    substrings: needles.has(slot) ? new Automaton(needles.get(slot) as Needle[]) : null,
    present: present.get(slot) ?? [],
  }));
  const automaton = words.length > 0 ? new Automaton(words) : null;
  // Number of the last event that made a rule a candidate.
  const stamps = new Uint32Array(rules.length);
  let stamp = 0;
  let count = 0;
  let target: Int32Array = new Int32Array(0);
  const add = (rule: number): void => {
    if (stamps[rule] === stamp) return;
    stamps[rule] = stamp;
    target[count++] = rule;
  };
  const look = (index: SlotIndex, low: string, value: unknown): void => {
    if (index.equals) {
      const found = index.equals.get(low);
      if (found) for (let i = 0; i < found.length; i++) add(found[i] as number);
      // `04624` and `4624.0` are the number 4624 too.
      const first = low.charCodeAt(0);
      if (first < 58 && typeof value === 'string') {
        const number = numberOf(low);
        const same = Number.isNaN(number) ? low : String(number).toLowerCase();
        if (same !== low) for (const rule of index.equals.get(same) ?? []) add(rule);
      }
    }
    if (index.substrings) index.substrings.each(low, add);
  };
  return {
    candidates: (subject, out) => {
      stamp = stamp === 0xffffffff ? 1 : stamp + 1;
      if (stamp === 1) stamps.fill(0);
      count = 0;
      target = out;
      for (let i = 0; i < always.length; i++) add(always[i] as number);
      for (let i = 0; i < slots.length; i++) {
        const index = slots[i] as SlotIndex;
        const raw = subject.raw[index.slot];
        if (raw === undefined || raw === null) {
          // A null is there for `exists`, and for nothing else.
          if (raw === null) for (const rule of index.present) add(rule);
          continue;
        }
        for (let k = 0; k < index.present.length; k++) add(index.present[k] as number);
        if (Array.isArray(raw)) {
          for (const member of raw) if (member !== null && member !== undefined) look(index, textOf(member).toLowerCase(), member);
        } else look(index, lowOf(subject, index.slot), raw);
      }
      if (automaton) automaton.each(wordsLowOf(subject), add);
      return count;
    },
  };
};

const listOf = <K, V>(map: Map<K, V[]>, key: K): V[] => {
  let list = map.get(key);
  if (!list) map.set(key, (list = []));
  return list;
};
