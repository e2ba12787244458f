// SPDX-License-Identifier: Apache-2.0
/**
 * Configuration files as lines: comments gone, continued lines joined, each with its place.
 * Input: paths and globs of a tree. Output: lines in the order in which the program would read them.
 */
import type { Tree } from './tree.ts';

export interface Line {
  readonly text: string;
  readonly file: string;
  /** Counted from 1. */
  readonly number: number;
}

/** A line longer than that is cut before a pattern meets it. */
const LINE_LIMIT = 4_096;

export interface LineOptions {
  /** What begins a comment, at the start of a line or behind a blank; empty: there are none. */
  readonly comment?: string;
  /** A backslash at the end joins the next line. */
  readonly joined?: boolean;
  /** A comment begins a line, and nowhere else. */
  readonly commentFirst?: boolean;
}

/** The lines of a text that say something. */
export const linesOf = (text: string, file: string, options: LineOptions = {}): readonly Line[] => {
  const { comment = '#' } = options;
  const lines: Line[] = [];
  let open = '';
  let began = 0;
  const raw = text.replace(/^\ufeff/, '').split('\n');
  for (const [i, one] of raw.entries()) {
    if (open === '') began = i + 1;
    let line = (one.endsWith('\r') ? one.slice(0, -1) : one).slice(0, LINE_LIMIT);
    if (options.joined === true && line.endsWith('\\') && i < raw.length - 1 && open.length < LINE_LIMIT) {
      open += `${line.slice(0, -1)} `;
      continue;
    }
    line = open + line;
    open = '';
    const clean = comment === '' ? line : withoutComment(line, comment, options.commentFirst === true);
    if (clean.trim() !== '') lines.push({ text: clean, file, number: began });
  }
  return lines;
};

const withoutComment = (line: string, marks: string, first: boolean): string => {
  const start = line.search(/\S/);
  if (start === -1 || marks.includes(line[start] as string)) return '';
  if (first) return line;
  let quote = '';
  for (let i = start; i < line.length; i++) {
    const c = line[i] as string;
    if (quote !== '') {
      if (c === quote) quote = '';
    } else if (c === '"' || c === "'") {
      // A lone apostrophe inside a word opens nothing.
      if (line.indexOf(c, i + 1) !== -1 && /[\s=(,]/.test(line[i - 1] ?? ' ')) quote = c;
    } else if (marks.includes(c) && /\s/.test(line[i - 1] ?? ' ')) return line.slice(0, i).trimEnd();
  }
  return line;
};

/** Files that the paths and globs name, each once, in their order. What is named and is no file stays, and is a fault when it is read. */
export const filesOf = (tree: Tree, patterns: readonly string[]): readonly string[] => [
  ...new Set(
    patterns.flatMap((pattern) =>
      tree.glob(pattern).filter((path) => (path === pattern ? tree.stat(path) !== undefined : tree.stat(path)?.isFile() === true)),
    ),
  ),
];

/** Drop-in files: of files of one name the first folder's counts, all are read in the order of their names. */
export const dropinsOf = (tree: Tree, patterns: readonly string[]): readonly string[] => {
  const byName = new Map<string, string>();
  const nameOf = (path: string): string => path.slice(path.lastIndexOf('/') + 1);
  for (const path of filesOf(
    tree,
    patterns.filter((one) => one.includes('*')),
  ))
    if (!byName.has(nameOf(path))) byName.set(nameOf(path), path);
  const named = filesOf(
    tree,
    patterns.filter((one) => !one.includes('*')),
  );
  return [...named.slice(0, 1), ...[...byName.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, path]) => path)];
};

/** All lines of some files, in order. */
export const readLines = (tree: Tree, files: readonly string[], options: LineOptions = {}): readonly Line[] =>
  files.flatMap((file) => {
    const text = tree.read(file);
    return text === undefined ? [] : linesOf(text, file, options);
  });

export const placeOf = ({ file, number }: Line): string => `${file}:${number}`;
