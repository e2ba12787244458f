// SPDX-License-Identifier: Apache-2.0
/**
 * Many substrings at once against one by one.
 * Input: random needles and texts, with and without characters beyond ASCII. Output: the same needles found.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Automaton, type Needle } from './automaton.ts';

const letters = fc.constantFrom('a', 'b', 'c', '/', '.', 'é', '\u{1f600}', '\u{1f601}', '\u2013');
const text = fc.string({ unit: letters, maxLength: 24 });

describe('Automaton', () => {
  it('finds exactly the needles that stand in the text at their anchor', () => {
    const needle = fc.record({
      text: fc.string({ unit: letters, minLength: 1, maxLength: 4 }),
      anchor: fc.constantFrom('none' as const, 'start' as const, 'end' as const),
    });
    fc.assert(
      fc.property(fc.array(needle, { maxLength: 12 }), text, (raw, hay) => {
        const needles: Needle[] = raw.map((n, payload) => ({ ...n, payload }));
        const found = new Set<number>();
        new Automaton(needles).each(hay, (payload) => found.add(payload));
        const wanted = needles.filter((n) =>
          n.anchor === 'start' ? hay.startsWith(n.text) : n.anchor === 'end' ? hay.endsWith(n.text) : hay.includes(n.text),
        );
        expect([...found].sort()).toEqual(wanted.map((n) => n.payload).sort());
      }),
      { numRuns: 3000 },
    );
  });

  it('says whether any needle is there', () => {
    const automaton = new Automaton([{ text: 'cmd', anchor: 'none', payload: 0 }]);
    expect(automaton.finds('xcmdx')).toBe(true);
    expect(automaton.finds('xcmx')).toBe(false);
  });
});
