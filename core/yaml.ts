// SPDX-License-Identifier: Apache-2.0
/**
 * YAML with positions, bounded: 1 MiB, depth 32, no anchors, aliases or tags; a repeated key is an error.
 * Input: text of rule, policy and config files. Output: plain null-prototype values, and where each path of keys stands.
 */
import { type Document, isAlias, isMap, isNode, isScalar, isSeq, LineCounter, type Node, parseAllDocuments } from 'yaml';
import { coreFault } from './errors.ts';

const MAX_BYTES = 1_048_576;
const MAX_DEPTH = 32;
const MAX_DOCUMENTS = 10_000;

export type YamlValue = string | number | boolean | null | readonly YamlValue[] | YamlMap;
export interface YamlMap {
  readonly [key: string]: YamlValue;
}

export interface Position {
  /** Counted from 1. */
  readonly line: number;
  readonly column: number;
}

export interface YamlDocument {
  readonly value: YamlValue;
  /** Where the value at this path of keys and indices stands; the nearest parent where the path does not exist. */
  readonly at: (path: readonly (string | number)[]) => Position;
}

/**
 * Reads every document of a YAML text.
 * @throws CodedError YAML_BAD with file, line and column; TOO_LARGE.
 */
export const parseYaml = (text: string, file: string): readonly YamlDocument[] => {
  if (Buffer.byteLength(text) > MAX_BYTES) throw coreFault('TOO_LARGE', { what: file, limit: MAX_BYTES });
  const lines = new LineCounter();
  const documents = parseAllDocuments(text, { lineCounter: lines, uniqueKeys: true, maxAliasCount: 0, prettyErrors: false } as object);
  const list = Array.isArray(documents) ? (documents as Document.Parsed[]) : [];
  if (list.length > MAX_DOCUMENTS) throw coreFault('TOO_LARGE', { what: `${file}, in documents,`, limit: MAX_DOCUMENTS });
  const place = (offset: number): Position => {
    const { line, col } = lines.linePos(offset);
    return { line: Math.max(1, line), column: Math.max(1, col) };
  };
  const bad = (offset: number, reason: string): Error => coreFault('YAML_BAD', { file, ...place(offset), reason });
  return list.map((document) => {
    const first = document.errors[0];
    if (first) throw bad(first.pos[0], first.message.replace(/\.$/, ''));
    const value = document.contents === null ? null : plain(document.contents as Node, 0, bad);
    return { value, at: (path) => place(offsetOf(document.contents as Node | null, path)) };
  });
};

const start = (node: Node | null): number => node?.range?.[0] ?? 0;

const plain = (node: Node, depth: number, bad: (offset: number, reason: string) => Error): YamlValue => {
  if (depth > MAX_DEPTH) throw bad(start(node), `nested deeper than ${MAX_DEPTH} levels`);
  if (isAlias(node)) throw bad(start(node), 'an alias is not taken');
  if (isScalar(node)) return scalar(node.value, node.source);
  if (node.anchor !== undefined) throw bad(start(node), 'an anchor is not taken');
  if (isSeq(node)) return node.items.map((item) => (isNode(item) ? plain(item, depth + 1, bad) : null));
  if (isMap(node)) {
    const map: Record<string, YamlValue> = Object.create(null);
    for (const { key, value } of node.items) {
      if (!isScalar(key)) throw bad(isNode(key) ? start(key) : start(node), 'a key must be a plain word');
      map[String(key.value)] = isNode(value) ? plain(value, depth + 1, bad) : null;
    }
    return map;
  }
  throw bad(start(node), 'this kind of value is not taken');
};

// A number too long to be held exactly (a hash that is all digits) stays the text it was written as.
const scalar = (value: unknown, source: string | undefined): YamlValue => {
  if (typeof value === 'number') return Number.isSafeInteger(value) || !Number.isInteger(value) ? value : (source ?? String(value));
  if (typeof value === 'string') return detached(value);
  return value === null || typeof value === 'boolean' ? value : (source ?? String(value));
};

/** The engine cuts a string out of its text as a view, and so the whole text would stay for as long as one word of it. Shorter ones it copies. */
const detached = (text: string): string => (text.length < 13 ? text : (JSON.parse(JSON.stringify(text)) as string));

const offsetOf = (root: Node | null, path: readonly (string | number)[]): number => {
  let node = root;
  let offset = start(root);
  for (const step of path) {
    if (isMap(node)) {
      const pair = node.items.find(({ key }) => isScalar(key) && String(key.value) === String(step));
      if (!pair) return offset;
      offset = start(pair.key as Node);
      node = isNode(pair.value) ? pair.value : null;
    } else if (isSeq(node) && typeof step === 'number') {
      const item = node.items[step];
      if (!isNode(item)) return offset;
      offset = start(item);
      node = item;
    } else return offset;
  }
  return offset;
};
