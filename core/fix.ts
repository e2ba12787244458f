// SPDX-License-Identifier: Apache-2.0
/**
 * The exact fix of a check: typed steps on files that are printed as commands a person can paste. Vigil itself never runs them.
 * Input: `fix` of a check. Output: steps; `fixCommands` makes shell lines of them, below a root where one is given.
 */
import type { PolicyReader } from './policy.ts';
import type { YamlValue } from './yaml.ts';

export type FixStep =
  /** The line stands in the file; lines that match `replaces`, there and in `across`, go. */
  | {
      readonly kind: 'line';
      readonly file: string;
      readonly line: string;
      readonly replaces: string | null;
      readonly across: readonly string[];
      readonly first: boolean;
      /** The line comes behind this one, which is written first where it is missing. */
      readonly under: string | null;
    }
  | { readonly kind: 'delete'; readonly files: readonly string[]; readonly matches: string }
  | { readonly kind: 'substitute'; readonly files: readonly string[]; readonly matches: string; readonly by: string }
  | { readonly kind: 'write'; readonly file: string; readonly text: string }
  | { readonly kind: 'remove'; readonly path: string }
  | { readonly kind: 'folder'; readonly path: string; readonly mode: string | null }
  | { readonly kind: 'mode'; readonly path: string; readonly mode: string | null; readonly owner: string | null }
  | { readonly kind: 'link'; readonly path: string; readonly to: string };

export interface Fix {
  /** In words, where no step on a file can do it; empty otherwise. */
  readonly say: string;
  /** Done once for each thing that was found, where they name `{item}`. */
  readonly steps: readonly FixStep[];
  /** Commands that bring it into force. */
  readonly after: readonly string[];
}

/** Things found that a printed fix names at most. */
const MAX_ITEMS = 50;

type Path = readonly (string | number)[];

const STEP_KEYS: Readonly<Record<FixStep['kind'], readonly string[]>> = {
  line: ['file', 'line', 'replaces', 'across', 'first', 'under'],
  delete: ['file', 'matches'],
  substitute: ['file', 'matches', 'by'],
  write: ['file', 'text'],
  remove: ['path'],
  folder: ['path', 'mode'],
  mode: ['path', 'mode', 'owner'],
  link: ['path', 'to'],
};

/** @throws CodedError POLICY_BAD. */
export const readFix = (read: PolicyReader, value: YamlValue | undefined, path: Path): Fix => {
  const map = read.map(value, path, ['say', 'steps', 'after'], 'a fix');
  const steps = map['steps'];
  if (steps !== undefined && !Array.isArray(steps)) throw read.bad([...path, 'steps'], 'steps is a list');
  if (steps === undefined && map['say'] === undefined) throw read.bad(path, 'a fix has steps, or says in words what to do');
  return {
    say: map['say'] === undefined ? '' : read.fill(read.text(map['say'], [...path, 'say'], 'say')),
    steps: (steps ?? []).map((one: YamlValue, i: number) => readStep(read, one, [...path, 'steps', i])),
    after: map['after'] === undefined ? [] : read.texts(map['after'], [...path, 'after'], 'after').map(read.fill),
  };
};

const readStep = (read: PolicyReader, value: YamlValue, path: Path): FixStep => {
  const kinds = Object.keys(STEP_KEYS) as FixStep['kind'][];
  const outer = read.map(value, path, kinds, 'a step of a fix');
  const kind = Object.keys(outer)[0] as FixStep['kind'] | undefined;
  if (kind === undefined || Object.keys(outer).length !== 1) throw read.bad(path, `a step is one of ${kinds.join(', ')}`);
  const at = [...path, kind];
  const map = read.map(outer[kind], at, STEP_KEYS[kind], `the step ${kind}`);
  const text = (key: string): string => read.fill(read.text(map[key], [...at, key], key));
  const perhaps = (key: string): string | null => (map[key] === undefined ? null : text(key));
  const list = (key: string): readonly string[] => (map[key] === undefined ? [] : read.texts(map[key], [...at, key], key));
  switch (kind) {
    case 'line':
      return {
        kind,
        file: text('file'),
        line: text('line'),
        replaces: perhaps('replaces'),
        across: list('across'),
        first: map['first'] === true,
        under: perhaps('under'),
      };
    case 'delete':
      return { kind, files: list('file'), matches: text('matches') };
    case 'substitute':
      return { kind, files: list('file'), matches: text('matches'), by: text('by') };
    case 'write':
      return { kind, file: text('file'), text: text('text') };
    case 'remove':
      return { kind, path: text('path') };
    case 'folder':
      return { kind, path: text('path'), mode: perhaps('mode') };
    case 'mode':
      return { kind, path: text('path'), mode: perhaps('mode'), owner: perhaps('owner') };
    case 'link':
      return { kind, path: text('path'), to: text('to') };
  }
};

/** Text in single quotes, as a shell takes it letter by letter. */
const quoted = (text: string): string => (/^[\w./:=@%+,-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`);

/** A path for the shell; stars outside of quotes. */
const pathText = (path: string): string =>
  path
    .split('*')
    .map((piece) => (piece === '' ? '' : quoted(piece)))
    .join('*');

/** The mark that a pattern does not hold itself. */
const markFor = (pattern: string): string => [',', '@', '%', '~', '!', ';'].find((one) => !pattern.includes(one)) ?? '\u0001';

/** Things that a command can name: no control characters, no tricks. */
const nameable = (item: string): boolean => !/[\u0000-\u001f\u007f]/.test(item) && item.length <= 4_096;

const escaped = (item: string): string => item.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&');

const stepCommands = (step: FixStep, root: string, item: string): readonly string[] => {
  const put = (text: string): string => text.replaceAll('{item}', item);
  const pattern = (text: string): string => text.replaceAll('{item}', escaped(item));
  const at = (path: string): string => pathText(root + put(path));
  const folderOf = (path: string): string => pathText(root + put(path).replace(/\/[^/]*$/, ''));
  switch (step.kind) {
    case 'line': {
      const file = at(step.file);
      const line = quoted(put(step.line));
      const commands = [`mkdir -p ${folderOf(step.file)} && touch ${file}`];
      if (step.replaces !== null) commands.push(deleteLines([step.file, ...step.across].map(at), pattern(step.replaces)));
      if (step.under !== null) {
        const section = quoted(step.under);
        commands.push(`grep -qxF ${section} ${file} || printf '%s\\n' ${section} >> ${file}`);
        commands.push(`sed -i ${quoted(`/^${escaped(step.under)}$/a ${put(step.line)}`)} ${file}`);
      } else if (step.first) {
        commands.push(`printf '%s\\n' ${line} | cat - ${file} > ${file}.new && cat ${file}.new > ${file} && rm ${file}.new`);
      } else commands.push(`printf '%s\\n' ${line} >> ${file}`);
      return commands;
    }
    case 'delete':
      return [deleteLines(step.files.map(at), pattern(step.matches))];
    case 'substitute': {
      const found = pattern(step.matches);
      const mark = markFor(found + step.by);
      return [`sed -i -E ${quoted(`s${mark}${found}${mark}${put(step.by)}${mark}g`)} ${step.files.map(at).join(' ')}`];
    }
    case 'write':
      return [
        `mkdir -p ${folderOf(step.file)} && printf '%s\\n' ${put(step.text).replace(/\n$/, '').split('\n').map(quoted).join(' ')} > ${at(step.file)}`,
      ];
    case 'remove':
      return [`rm -f ${at(step.path)}`];
    case 'folder':
      return [`mkdir -p ${at(step.path)}`, ...(step.mode === null ? [] : [`chmod ${step.mode} ${at(step.path)}`])];
    case 'mode':
      return [
        ...(step.owner === null ? [] : [`chown ${step.owner} ${at(step.path)}`]),
        ...(step.mode === null ? [] : [`chmod ${step.mode} ${at(step.path)}`]),
      ];
    case 'link':
      return [`mkdir -p ${folderOf(step.path)} && ln -sfn ${quoted(put(step.to))} ${at(step.path)}`];
  }
};

const deleteLines = (files: readonly string[], pattern: string): string => {
  const mark = markFor(pattern);
  const sed = `sed -i -E ${quoted(`\\${mark}${pattern}${mark}Id`)}`;
  // A glob may match nothing, which is no fault.
  return files.some((file) => file.includes('*')) || files.length > 1
    ? `for f in ${files.join(' ')}; do [ -f "$f" ] && ${sed} "$f"; done; true`
    : `${sed} ${files[0]}`;
};

/** The fix as shell commands for what was found; `root` stands before every path. */
export const fixCommands = (fix: Fix, items: readonly string[], root = ''): readonly string[] => {
  const named = items.filter(nameable).slice(0, MAX_ITEMS);
  return fix.steps.flatMap((step) =>
    JSON.stringify(step).includes('{item}') ? named.flatMap((item) => stepCommands(step, root, item)) : stepCommands(step, root, ''),
  );
};

/** The fix for people: words, commands, what brings it into force. */
export const fixText = (fix: Fix, items: readonly string[]): string =>
  [...(fix.say === '' ? [] : [fix.say]), ...fixCommands(fix, items), ...fix.after].join('\n');
