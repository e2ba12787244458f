// SPDX-License-Identifier: Apache-2.0
/**
 * Rules of sudo: who may run what as whom, with includes followed and aliases put in.
 * Input: /etc/sudoers and what it includes. Output: rules; items `file:print of the rule`.
 */
import { dirname, join } from 'node:path';
import { type Clean, type Found, item, problem, shortPrint } from './found.ts';
import { oddities, readText } from './text.ts';
import type { Tree } from './tree.ts';

export const SUDOERS = '/etc/sudoers';
const MAX_FILES = 200;
const MAX_RULES = 5_000;
const MAX_NAMES = 2_000;

export interface SudoRule {
  readonly file: string;
  readonly who: readonly string[];
  readonly runas: readonly string[];
  readonly commands: readonly string[];
  readonly nopasswd: boolean;
}

interface Line {
  readonly file: string;
  readonly line: number;
  readonly text: string;
}

type Aliases = ReadonlyMap<string, readonly string[]>;

export function* sudoItems(tree: Tree, clean: Clean): Generator<Found> {
  for (const rule of yield* readSudoRules(tree)) {
    const { file, who, runas, nopasswd } = rule;
    const commands = rule.commands.map(clean);
    const print = shortPrint(JSON.stringify([who, runas, commands, nopasswd]));
    yield item(`${file}:${print}`, { file, who, runas, commands, nopasswd });
  }
}

export function* readSudoRules(tree: Tree): Generator<Found, readonly SudoRule[]> {
  const lines: Line[] = [];
  yield* readLines(tree, SUDOERS, lines, new Set());
  const aliases = new Map<string, readonly string[]>();
  const specs: Line[] = [];
  let passwordless = false;
  for (const one of lines) {
    const [, kind, rest] = /^(User|Runas|Host|Cmnd|Cmd)_Alias\s+(.*)$/s.exec(one.text) ?? [];
    if (kind !== undefined)
      for (const definition of splitOutside(rest!, ':')) {
        const [, name, value] = /^\s*([A-Z][A-Z0-9_]*)\s*\+?=\s*(.*)$/s.exec(definition) ?? [];
        if (name !== undefined) aliases.set(`${kind === 'Cmd' ? 'Cmnd' : kind}.${name}`, listOf(value!));
      }
    else if (/^Defaults(?![\w])/.test(one.text)) {
      if (/^Defaults\s+(.*,\s*)?!authenticate\b/.test(one.text)) passwordless = true;
    } else specs.push(one);
  }
  const rules: SudoRule[] = [];
  const odd = new Map<string, ReturnType<typeof oddities>>();
  for (const spec of specs) {
    const read = rulesOf(spec, aliases, passwordless);
    if (read) rules.push(...read);
    else {
      if (!odd.has(spec.file)) odd.set(spec.file, oddities());
      odd.get(spec.file)!.add(spec.line, 'is no rule');
    }
    if (rules.length > MAX_RULES) {
      yield problem('INVENTORY_TOO_MANY', spec.file, `there are more than ${MAX_RULES} rules of sudo`);
      break;
    }
  }
  for (const [file, list] of odd) yield* list.tell(file);
  return rules;
}

/** Whole lines of a file and of all that it includes, in their order. */
function* readLines(tree: Tree, path: string, into: Line[], seen: Set<string>): Generator<Found> {
  if (seen.has(path)) {
    yield problem('INVENTORY_LOOP', path, 'it is included again');
    return;
  }
  if (seen.size >= MAX_FILES) {
    yield problem('INVENTORY_TOO_MANY', path, `more than ${MAX_FILES} files are included`);
    return;
  }
  seen.add(path);
  const text = yield* readText(tree, path, { field: 'file', value: path }, 8_388_608);
  if (text === undefined) return;
  for (const one of wholeLines(path, text)) {
    const [, word, given] = /^[@#](include|includedir)\s+(.+)$/.exec(one.text) ?? [];
    if (word === undefined) {
      if (!one.text.startsWith('#') || /^#\d/.test(one.text)) into.push({ ...one, text: withoutComment(one.text) });
      continue;
    }
    const named = given!
      .trim()
      .replace(/^"(.*)"$/, '$1')
      .replace(/\\ /g, ' ');
    const target = join('/', named.startsWith('/') ? named : join(dirname(path), named));
    if (word === 'include') yield* readLines(tree, target, into, seen);
    else {
      const closed = tree.closed(target);
      if (closed) yield problem('INVENTORY_DENIED', target, 'this user may not list it');
      // sudo passes over names with a dot or a tilde at the end: what editors and packages leave behind.
      for (const name of tree.list(target))
        if (!name.includes('.') && !name.endsWith('~')) yield* readLines(tree, join(target, name), into, seen);
    }
  }
}

function* wholeLines(file: string, text: string): Generator<Line> {
  let begun = 0;
  let gathered = '';
  for (const [i, line] of text.split('\n').entries()) {
    if (gathered === '') begun = i + 1;
    const goesOn = /(^|[^\\])(\\\\)*\\$/.test(line);
    gathered += goesOn ? `${line.slice(0, -1)} ` : line;
    if (goesOn) continue;
    const whole = gathered.trim();
    gathered = '';
    if (whole !== '') yield { file, line: begun, text: whole };
  }
  if (gathered.trim() !== '') yield { file, line: begun, text: gathered.trim() };
}

/** A number sign begins a comment unless a number follows (a uid) or quotes stand around it. */
const withoutComment = (text: string): string => {
  let quoted = false;
  for (let i = 0; i < text.length; i++) {
    const c = text[i];
    if (c === '\\') i++;
    else if (c === '"') quoted = !quoted;
    else if (c === '#' && !quoted && !(/[\s,%=(!]|^$/.test(text[i - 1] ?? '') && /\d/.test(text[i + 1] ?? '')))
      return text.slice(0, i).trim();
  }
  return text;
};

/** Splits where the sign stands outside quotes and parentheses and is not protected. */
const splitOutside = (text: string, sign: string): readonly string[] => {
  const parts: string[] = [];
  let [begin, depth, quoted] = [0, 0, false];
  for (let i = 0; i < text.length; i++) {
    const c = text[i];
    if (c === '\\') i++;
    else if (c === '"') quoted = !quoted;
    else if (!quoted && c === '(') depth++;
    else if (!quoted && c === ')') depth--;
    else if (c === sign && !quoted && depth <= 0) {
      parts.push(text.slice(begin, i));
      begin = i + 1;
    }
  }
  return [...parts, text.slice(begin)];
};

const listOf = (text: string): readonly string[] =>
  splitOutside(text, ',')
    .map((one) => one.trim().replace(/^"(.*)"$/, '$1'))
    .filter((one) => one !== '');

/** Puts the members in the place of an alias; one that names itself, by whatever way, stays as it is. */
const expand = (names: readonly string[], kind: string, aliases: Aliases): readonly string[] => {
  const out: string[] = [];
  const walk = (name: string, above: readonly string[]): void => {
    if (out.length >= MAX_NAMES) return;
    const members = aliases.get(`${kind}.${name.replace(/^!+/, '')}`);
    if (!members || above.includes(name)) out.push(name);
    else for (const member of members) walk(name.startsWith('!') ? `!${member}` : member, [...above, name]);
  };
  for (const name of names) walk(name, []);
  return [...new Set(out)];
};

const TAG =
  /^(NOPASSWD|PASSWD|NOEXEC|EXEC|SETENV|NOSETENV|LOG_INPUT|NOLOG_INPUT|LOG_OUTPUT|NOLOG_OUTPUT|MAIL|NOMAIL|FOLLOW|NOFOLLOW|INTERCEPT|NOINTERCEPT)\s*:\s*/;
const OPTION = /^(ROLE|TYPE|PRIVS|LIMITPRIVS|TIMEOUT|CWD|CHROOT|NOTBEFORE|NOTAFTER|APPARMOR_PROFILE)\s*=\s*("[^"]*"|\S+)\s+/;

/** `who hosts = (runas) TAGS: commands : hosts = …`; what is said of one command holds for those behind it. Undefined where it is no rule. */
const rulesOf = ({ file, text }: Line, aliases: Aliases, passwordless: boolean): readonly SudoRule[] | undefined => {
  const equals = splitOutside(text, '=');
  const head = /^(.*\S)\s+(\S.*?)\s*$/s.exec(unspaced(equals[0]!));
  if (equals.length < 2 || !head) return undefined;
  const who = expand(listOf(head[1]!), 'User', aliases);
  const rules: { who: readonly string[]; runas: readonly string[]; commands: string[]; nopasswd: boolean }[] = [];
  for (const part of hostParts(text.slice(equals[0]!.length + 1))) {
    let runas: readonly string[] = ['root'];
    let nopasswd = passwordless;
    let last: (typeof rules)[number] | undefined;
    for (const one of splitOutside(part, ',')) {
      let rest = one.trim();
      const [whole, given] = /^\(([^)]*)\)\s*/.exec(rest) ?? [];
      if (whole !== undefined) {
        rest = rest.slice(whole.length);
        const [users, groups] = given!.split(':');
        runas = [
          ...expand(listOf(users!), 'Runas', aliases),
          ...expand(listOf(groups ?? ''), 'Runas', aliases).map((group) => `:${group}`),
        ];
        if (runas.length === 0) runas = ['root'];
        last = undefined;
      }
      for (let match = OPTION.exec(rest) ?? TAG.exec(rest); match; match = OPTION.exec(rest) ?? TAG.exec(rest)) {
        rest = rest.slice(match[0].length);
        if (match[1] === 'NOPASSWD' || match[1] === 'PASSWD') {
          if (nopasswd !== (match[1] === 'NOPASSWD')) last = undefined;
          nopasswd = match[1] === 'NOPASSWD';
        }
      }
      if (rest === '') continue;
      if (!last) rules.push((last = { who, runas, commands: [], nopasswd }));
      last.commands.push(...expand([rest], 'Cmnd', aliases));
    }
  }
  return rules.length === 0 ? undefined : rules.map((rule) => ({ file, ...rule }));
};

/** Spaces beside a comma join a list, so that what stands before the hosts is one word. */
const unspaced = (text: string): string => text.replace(/\s*,\s*/g, ',');

/** A colon outside parentheses begins the next hosts, unless it ends a tag or the name of a digest. */
const hostParts = (text: string): readonly string[] => {
  const parts: string[] = [];
  for (const piece of splitOutside(text, ':')) {
    const before = parts.at(-1);
    if (before === undefined) parts.push(piece);
    else if (TAG.test(`${/[A-Z_]+\s*$/.exec(before)?.[0].trim()}: `) || /\bsha\d{3}\s*$/.test(before))
      parts.push(`${parts.pop()}:${piece}`);
    else parts.push(piece.slice(piece.indexOf('=') + 1));
  }
  return parts;
};
