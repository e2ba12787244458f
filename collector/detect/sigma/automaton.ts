// SPDX-License-Identifier: Apache-2.0
/**
 * Many substrings in one pass: Aho-Corasick over an ASCII alphabet as a dense table; needles with other characters stand behind a gate.
 * Input: lower-case needles, each with an anchor and a payload. Output: the payloads whose needle stands in a text.
 */

export interface Needle {
  /** Lower case, not empty. */
  readonly text: string;
  /** Where in the text it must stand. */
  readonly anchor: 'none' | 'start' | 'end';
  readonly payload: number;
}

export const isAscii = (text: string): boolean => {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) > 127) return false;
  return true;
};

interface Output {
  readonly anchor: 'none' | 'start' | 'end';
  readonly length: number;
  readonly payload: number;
}

export class Automaton {
  // Class of a character code below 128; 0 for characters in no needle.
  readonly #classes = new Uint8Array(128);
  readonly #width: number;
  // state * width + class → next state * width, as its complement where that state has outputs.
  readonly #next: Int32Array;
  readonly #outputs: readonly (readonly Output[] | undefined)[];
  // Needles with a character above 127, by that character.
  readonly #gated = new Map<number, Needle[]>();

  constructor(needles: readonly Needle[]) {
    const ascii = needles.filter((n) => isAscii(n.text));
    for (const needle of needles) if (!isAscii(needle.text)) this.#gate(needle);
    let width = 1;
    for (const { text } of ascii) {
      for (let i = 0; i < text.length; i++) {
        const code = text.charCodeAt(i);
        if (this.#classes[code] === 0) this.#classes[code] = width++;
      }
    }
    this.#width = width;
    const { table, outputs } = buildTable(ascii, this.#classes, width);
    this.#next = table;
    this.#outputs = outputs;
  }

  /** Calls `found` for each needle in the text, perhaps more than once. */
  each(text: string, found: (payload: number) => void): void {
    const classes = this.#classes;
    const next = this.#next;
    const width = this.#width;
    let state = 0;
    let other = false;
    for (let i = 0; i < text.length; i++) {
      const code = text.charCodeAt(i);
      if (code > 127) {
        other = true;
        state = 0;
        continue;
      }
      state = next[state + (classes[code] as number)] as number;
      if (state < 0) {
        state = ~state;
        for (const o of this.#outputs[state / width] as readonly Output[]) {
          if (o.anchor === 'none' || (o.anchor === 'end' ? i === text.length - 1 : i === o.length - 1)) found(o.payload);
        }
      }
    }
    if (other && this.#gated.size > 0) this.#eachGated(text, found);
  }

  /** Whether any needle stands in the text. */
  finds(text: string): boolean {
    let hit = false;
    this.each(text, () => {
      hit = true;
    });
    return hit;
  }

  #gate(needle: Needle): void {
    for (let i = 0; i < needle.text.length; i++) {
      const code = needle.text.charCodeAt(i);
      if (code <= 127) continue;
      // The last such character tells more than the first: emoji begin alike.
      const rest = needle.text.slice(i + 1);
      if (![...rest].every((c) => c <= '\x7f') && code >= 0xd800 && code <= 0xdbff) continue;
      const list = this.#gated.get(code);
      if (list) list.push(needle);
      else this.#gated.set(code, [needle]);
      return;
    }
  }

  #eachGated(text: string, found: (payload: number) => void): void {
    const seen = new Set<number>();
    for (let i = 0; i < text.length; i++) {
      const code = text.charCodeAt(i);
      if (code <= 127 || seen.has(code)) continue;
      seen.add(code);
      for (const { text: needle, anchor, payload } of this.#gated.get(code) ?? []) {
        if (anchor === 'start' ? text.startsWith(needle) : anchor === 'end' ? text.endsWith(needle) : text.includes(needle)) found(payload);
      }
    }
  }
}

const buildTable = (
  needles: readonly Needle[],
  classes: Uint8Array,
  width: number,
): { table: Int32Array; outputs: (Output[] | undefined)[] } => {
  let capacity = 1;
  for (const { text } of needles) capacity += text.length;
  const table = new Int32Array(capacity * width);
  const outputs: (Output[] | undefined)[] = [undefined];
  let states = 1;
  for (const { text, anchor, payload } of needles) {
    let state = 0;
    for (let i = 0; i < text.length; i++) {
      const at = state * width + (classes[text.charCodeAt(i)] as number);
      if (table[at] === 0) {
        table[at] = states++;
        outputs.push(undefined);
      }
      state = table[at] as number;
    }
    const list = outputs[state];
    const output: Output = { anchor, length: text.length, payload };
    if (list) list.push(output);
    else outputs[state] = [output];
  }
  const fail = new Int32Array(states);
  const queue: number[] = [];
  for (let c = 1; c < width; c++) if (table[c] !== 0) queue.push(table[c] as number);
  for (let q = 0; q < queue.length; q++) {
    const state = queue[q] as number;
    const back = fail[state] as number;
    const inherited = outputs[back];
    if (inherited) outputs[state] = outputs[state] ? [...(outputs[state] as Output[]), ...inherited] : inherited;
    for (let c = 1; c < width; c++) {
      const at = state * width + c;
      const child = table[at] as number;
      const over = table[back * width + c] as number;
      if (child === 0) table[at] = over;
      else {
        fail[child] = over;
        queue.push(child);
      }
    }
  }
  const used = table.slice(0, states * width);
  for (let i = 0; i < used.length; i++) {
    const state = used[i] as number;
    used[i] = outputs[state] ? ~(state * width) : state * width;
  }
  return { table: used, outputs: outputs.slice(0, states) };
};
