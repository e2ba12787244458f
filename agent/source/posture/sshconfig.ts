// SPDX-License-Identifier: Apache-2.0
/**
 * OpenSSH configuration as the programs read it: includes in place, the first value counts, Match and Host blocks apart.
 * Input: the main file of a tree. Output: every setting with its place and the block it stands in.
 */
import { fault } from '../../errors.ts';
import { type Line, linesOf } from './lines.ts';
import type { Tree } from './tree.ts';

export interface SshSetting {
  /** In small letters. */
  readonly key: string;
  readonly words: readonly string[];
  readonly line: Line;
  /** Condition of the block around it, as written; undefined outside of all. */
  readonly block: string | undefined;
}

/** OpenSSH gives up at that depth. */
const MAX_DEPTH = 16;
const MAX_SETTINGS = 20_000;

/** Splits a line as OpenSSH does: the keyword ends at a blank or `=`, quotes hold words together. */
export const wordsOf = (text: string): readonly string[] => {
  const words: string[] = [];
  const pattern = /"((?:[^"\\]|\\.)*)"|'((?:[^'\\]|\\.)*)'|((?:[^\s"'\\]|\\.)+)/g;
  const first = /^\s*([^\s="']+)\s*(?:=\s*)?(.*)$/s.exec(text);
  if (!first) return [];
  words.push(first[1] as string);
  for (const match of (first[2] as string).matchAll(pattern)) words.push(match[1] ?? match[2] ?? (match[3] as string));
  return words;
};

/** Reads the file and what it includes. @throws CodedError POSTURE_UNREADABLE. */
export const readSshConfig = (tree: Tree, main: string): readonly SshSetting[] => {
  const settings: SshSetting[] = [];
  const folder = main.slice(0, main.lastIndexOf('/'));
  const read = (file: string, depth: number, outer: string | undefined): void => {
    if (depth > MAX_DEPTH) throw fault('POSTURE_UNREADABLE', { path: main, reason: `it includes files more than ${MAX_DEPTH} deep` });
    const text = tree.read(file);
    if (text === undefined) return;
    let block = outer;
    for (const line of linesOf(text, file)) {
      const [keyword, ...words] = wordsOf(line.text);
      if (keyword === undefined) continue;
      const key = keyword.toLowerCase();
      if (settings.length >= MAX_SETTINGS)
        throw fault('POSTURE_UNREADABLE', { path: main, reason: `it holds more than ${MAX_SETTINGS} settings` });
      if (key === 'match' || key === 'host') {
        const condition = words.join(' ');
        // A block that is always in force is no condition; an included file cannot leave the block around it.
        block = /^(?:all|\*)$/i.test(condition) ? outer : `${keyword} ${condition}`;
        continue;
      }
      settings.push({ key, words, line, block });
      if (key === 'include')
        for (const pattern of words)
          for (const path of tree.glob(pattern.startsWith('/') ? pattern : `${folder}/${pattern}`))
            if (tree.stat(path)?.isFile() === true) read(path, depth + 1, block);
    }
  };
  read(main, 0, undefined);
  return settings;
};
