// SPDX-License-Identifier: Apache-2.0
/**
 * Variables and masks that shells set when they start; folders of a search path.
 * Input: start files, a variable. Output: pass where every place that sets it does.
 */
import { answer, fail, type Probe, some, unknown } from '../answer.ts';
import { filesOf, type Line, placeOf, readLines } from '../lines.ts';
import type { Tree } from '../tree.ts';
import { holds, shown } from '../value.ts';

type Form = 'sh' | 'csh' | 'umask' | 'environment';

interface Place {
  readonly value: string;
  readonly line: Line;
}

const placesOf = (tree: Tree, files: readonly string[], variable: string, form: Form): readonly Place[] => {
  const name = variable.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
  const pattern = {
    sh: new RegExp(`(?:^|[;\\s])(?:(?:export|readonly|typeset|declare)\\s+(?:-\\w+\\s+)*)?${name}=("[^"]*"|'[^']*'|[^\\s;]*)`, 'g'),
    environment: new RegExp(`^\\s*(?:export\\s+)?${name}=("[^"]*"|'[^']*'|.*)$`, 'g'),
    csh: new RegExp(`(?:^|[;\\s])(?:setenv\\s+${name}\\s+|set\\s+(?:-r\\s+)?${name}\\s*=\\s*)("[^"]*"|'[^']*'|[^\\s;]*)`, 'g'),
    umask: /(?:^|[;\s])umask\s+([^\s;]+)/g,
  }[form];
  return readLines(tree, files).flatMap((line) =>
    [...line.text.matchAll(pattern)].map((match) => ({ line, value: (match[1] as string).replace(/^(["'])(.*)\1$/s, '$2') })),
  );
};

export const shell: Probe<'shell'> = (params, tree) => {
  const name = params.form === 'umask' ? 'umask' : params.variable;
  const places = placesOf(tree, filesOf(tree, params.file), params.variable, params.form ?? 'sh');
  const wrong = places.find(({ value }) => !holds(value, params));
  const told = wrong ?? places.at(-1);
  if (params.unset === true)
    return told ? fail(`${name} is set in ${placeOf(told.line)}`, [told.line.file]) : answer(true, shown(name, undefined));
  if (told) return answer(wrong === undefined, `${shown(name, told.value)} (${placeOf(told.line)})`, wrong ? [wrong.line.file] : []);
  return answer(holds(undefined, params), shown(name, undefined, params.default));
};

export const path: Probe<'path'> = (params, tree) => {
  const places = placesOf(tree, filesOf(tree, params.file), 'PATH', 'environment');
  const value = places.at(-1)?.value;
  if (value === undefined) return unknown(`no PATH is set in ${params.file.join(', ')}`);
  const folders = value.split(':').filter((one) => !one.startsWith('$'));
  const wrong = folders.filter((folder) => {
    if (!folder.startsWith('/')) return true;
    if (params.ask === 'absolute') return false;
    const stat = tree.stat(folder);
    if (params.ask === 'exist') return stat?.isDirectory() !== true;
    return stat !== undefined && (stat.mode & 0o022) !== 0;
  });
  return answer(
    wrong.length === 0,
    wrong.length === 0 ? `PATH is ${value}` : `PATH holds ${some(wrong.map((one) => (one === '' ? 'an empty entry' : one)))}`,
    wrong,
  );
};
