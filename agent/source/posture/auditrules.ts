// SPDX-License-Identifier: Apache-2.0
/**
 * Rules of the audit system in one form: watches, system calls, controls; whatever order their fields stand in.
 * Input: a line as auditctl takes it. Output: what it asks for, without its key.
 */

export type AuditRule =
  | { readonly kind: 'watch'; readonly path: string; readonly perms: string; readonly rest: string }
  | { readonly kind: 'call'; readonly list: string; readonly fields: string; readonly calls: ReadonlySet<string> }
  | { readonly kind: 'control'; readonly flag: string; readonly value: string };

const CONTROLS = new Set(['-e', '-f', '-b', '-r', '-c', '-i', '-D', '--backlog_wait_time', '--loginuid-immutable', '--reset-lost']);
const UNSET = new Set(['-1', '4294967295', 'unset']);
const sortedLetters = (text: string): string => [...new Set(text)].sort().join('');

/** Reads one line; undefined where it is none. */
export const parseAuditRule = (line: string): AuditRule | undefined => {
  const words = line
    .trim()
    .split(/\s+/)
    .map((word) => word.replace(/^(["'])(.*)\1$/, '$2'));
  const [first, second] = words;
  if (first === undefined) return undefined;
  if (CONTROLS.has(first)) return { kind: 'control', flag: first, value: second ?? '' };
  let list = '';
  let path: string | undefined;
  let perms = 'rwxa';
  const fields: string[] = [];
  const calls = new Set<string>();
  for (let i = 0; i < words.length; i += 2) {
    const value = words[i + 1];
    if (value === undefined) return undefined;
    switch (words[i]) {
      case '-a':
      case '-A':
        list = value.split(',').sort().join(',');
        break;
      case '-w':
        path = value.length > 1 ? value.replace(/\/+$/, '') : value;
        break;
      case '-p':
        perms = value;
        break;
      case '-S':
        for (const call of value.split(',')) calls.add(call);
        break;
      case '-F':
        if (!/^key=/.test(value)) fields.push(fieldOf(value));
        break;
      case '-C':
        fields.push(comparison(value));
        break;
      case '-k':
        break;
      default:
        return undefined;
    }
  }
  if (path !== undefined) return { kind: 'watch', path, perms: sortedLetters(perms), rest: '' };
  if (list === '') return undefined;
  const watched = fields.find((one) => /^(?:path|dir)=/.test(one));
  // The newer writing of a watch: the same, for all calls.
  if (watched !== undefined && calls.size === 0 && list === 'always,exit') {
    const own = fields.find((one) => one.startsWith('perm='))?.slice(5) ?? 'rwxa';
    const rest = fields.filter((one) => !/^(?:path|dir|perm|arch)=/.test(one)).sort();
    return {
      kind: 'watch',
      path: watched.slice(watched.indexOf('=') + 1).replace(/(.)\/+$/, '$1'),
      perms: sortedLetters(own),
      rest: rest.join(' '),
    };
  }
  return { kind: 'call', list, fields: fields.sort().join(' '), calls };
};

const fieldOf = (text: string): string => {
  const match = /^(\w+)(!=|>=|<=|&=|=|>|<|&)(.*)$/.exec(text);
  if (!match) return text;
  const [, name, op, value] = match as unknown as readonly [string, string, string, string];
  if (name === 'auid' && UNSET.has(value)) return `auid${op}unset`;
  if (name === 'perm') return `perm=${sortedLetters(value)}`;
  return `${name}${op}${/^0x0+$/.test(value) ? '0' : value}`;
};

/** `uid!=euid` and `euid!=uid` ask the same. */
const comparison = (text: string): string => {
  const match = /^(\w+)(!?=)(\w+)$/.exec(text);
  return match ? `-C ${[match[1], match[3]].sort().join(match[2])}` : `-C ${text}`;
};

/** Whether these rules together do what one asks for. */
export const covers = (rules: readonly AuditRule[], wanted: AuditRule, exact: boolean): boolean => {
  switch (wanted.kind) {
    case 'watch':
      return rules.some(
        (one) =>
          one.kind === 'watch' &&
          one.path === wanted.path &&
          one.rest === wanted.rest &&
          (exact ? one.perms === wanted.perms : [...wanted.perms].every((letter) => one.perms.includes(letter))),
      );
    case 'call': {
      const same = rules.filter((one) => one.kind === 'call' && one.list === wanted.list && one.fields === wanted.fields);
      return (
        [...wanted.calls].every((call) => same.some((one) => one.kind === 'call' && (one.calls.has(call) || one.calls.has('all')))) &&
        same.length > 0
      );
    }
    case 'control': {
      const last = rules.filter((one) => one.kind === 'control' && one.flag === wanted.flag).at(-1);
      return last?.kind === 'control' && (wanted.value === '' || last.value === wanted.value);
    }
  }
};
