// SPDX-License-Identifier: Apache-2.0
/**
 * sudo's configuration with its includes: defaults, and rules as who, as whom, tags and commands.
 * Input: /etc/sudoers of a tree. Output: its lines in order, aliases left as they are.
 */
import { fault } from '../../errors.ts';
import { type Line, linesOf } from './lines.ts';
import type { Tree } from './tree.ts';

export interface SudoDefault {
  readonly name: string;
  /** `yes` for a flag, `no` for one with `!`. */
  readonly value: string;
  /** Set for everyone, not for some users, hosts or commands. */
  readonly general: boolean;
  readonly line: Line;
}

export interface SudoRule {
  readonly who: string;
  readonly hosts: string;
  /** What stands in the brackets; undefined where there are none. */
  readonly runas: string | undefined;
  readonly tags: readonly string[];
  readonly command: string;
  readonly line: Line;
}

export interface Sudoers {
  readonly defaults: readonly SudoDefault[];
  readonly rules: readonly SudoRule[];
  readonly includes: readonly string[];
}

const MAX_DEPTH = 16;
const ALIAS = /^\s*(?:User|Runas|Host|Cmnd|Cmd)_Alias\b/;

/** @throws CodedError POSTURE_UNREADABLE. */
export const readSudoers = (tree: Tree): Sudoers => {
  const defaults: SudoDefault[] = [];
  const rules: SudoRule[] = [];
  const includes: string[] = [];
  const read = (file: string, depth: number): void => {
    if (depth > MAX_DEPTH) throw fault('POSTURE_UNREADABLE', { path: '/etc/sudoers', reason: 'its includes run in a circle' });
    // `#include` is no comment, and `#1000` is a user.
    const text = (tree.read(file) ?? '').replace(/^[ \t]*#(include(?:dir)?[ \t])/gm, '@$1').replace(/^[ \t]*#(\d+)/gm, '%:#$1');
    for (const line of linesOf(text, file, { joined: true })) {
      const include = /^\s*@(include|includedir)\s+"?([^"]+?)"?\s*$/.exec(line.text);
      if (include) {
        includes.push(`${include[1]} ${include[2]}`);
        const target = (include[2] as string).startsWith('/') ? (include[2] as string) : `/etc/${include[2]}`;
        if (include[1] === 'include') read(target, depth + 1);
        else
          for (const name of tree.list(target))
            if (!/[.~]/.test(name) && tree.stat(`${target}/${name}`)?.isFile() === true) read(`${target}/${name}`, depth + 1);
        continue;
      }
      const set = /^\s*Defaults([:@!>]\S+)?\s+(.*)$/.exec(line.text);
      if (set) {
        for (const part of splitOutside(set[2] as string)) {
          const match = /^(!*)\s*([\w]+)\s*(?:[+-]?=\s*(.*))?$/.exec(part.trim());
          if (match)
            defaults.push({
              name: match[2] as string,
              value:
                match[3] === undefined
                  ? (match[1] as string).length % 2 === 1
                    ? 'no'
                    : 'yes'
                  : (match[3] as string).replace(/^"(.*)"$/, '$1'),
              general: set[1] === undefined,
              line,
            });
        }
        continue;
      }
      if (ALIAS.test(line.text)) continue;
      rules.push(...rulesOf(line));
    }
  };
  read('/etc/sudoers', 0);
  return { defaults, rules, includes };
};

/** One rule for each command: what stands in brackets and before colons holds for the commands behind it too. */
const rulesOf = (line: Line): readonly SudoRule[] => {
  const match = /^\s*((?:[^\s=\\]|\\.|"[^"]*"|\s*,\s*)+)\s+([^=]+?)\s*=\s*(.*)$/.exec(line.text);
  if (!match) return [];
  const [, who, hosts, spec] = match as unknown as readonly [string, string, string, string];
  let runas: string | undefined;
  let tags: readonly string[] = [];
  return splitOutside(spec).flatMap((part) => {
    const own = /^\s*\(([^)]*)\)/.exec(part);
    if (own) {
      runas = (own[1] as string).trim();
    }
    let rest = own ? part.slice(own[0].length) : part;
    for (let tag = TAG.exec(rest); tag; tag = TAG.exec(rest)) {
      tags = [...tags.filter((one) => one !== opposite(tag?.[1] as string)), tag[1] as string];
      rest = rest.slice(tag[0].length);
    }
    const command = rest.trim();
    return command === '' ? [] : [{ who: who.trim(), hosts: hosts.trim(), runas, tags, command, line }];
  });
};

const TAG = /^\s*([A-Z_]+)\s*:/;
const opposite = (tag: string): string => (tag.startsWith('NO') ? tag.slice(2) : `NO${tag}`);

/** Parts between commas that stand in no quotes, no brackets and behind no backslash. */
const splitOutside = (text: string): readonly string[] => {
  const parts: string[] = [];
  let part = '';
  let quoted = false;
  let depth = 0;
  for (let i = 0; i < text.length; i++) {
    const c = text[i] as string;
    if (c === '\\' && i + 1 < text.length) {
      part += c + (text[++i] as string);
      continue;
    }
    if (c === '"') quoted = !quoted;
    if (c === '(') depth++;
    if (c === ')') depth--;
    if (c === ',' && !quoted && depth <= 0) {
      parts.push(part);
      part = '';
    } else part += c;
  }
  return [...parts, part];
};
