// SPDX-License-Identifier: Apache-2.0
/**
 * Settings written as key and value, with or without sections, in one file or with drop-ins.
 * Input: files, a key, what is asked of its value. Output: pass where every place that counts does.
 */
import type { ProbeParams } from '../../../../core/probe.ts';
import { answer, fail, type Probe } from '../answer.ts';
import { dropinsOf, filesOf, type Line, placeOf, readLines } from '../lines.ts';
import { holds, shown } from '../value.ts';

interface Place {
  readonly value: string;
  readonly line: Line;
}

export const key: Probe<'key'> = (params, tree) => {
  const files = params.dropins === true ? dropinsOf(tree, params.file) : filesOf(tree, params.file);
  const lines = readLines(tree, files, { comment: params.comment ?? '#', joined: false });
  const places = placesOf(params, lines);
  if (params.unset === true)
    return places[0]
      ? fail(`${params.key} is set in ${placeOf(places[0].line)}`, [places[0].line.file])
      : answer(true, shown(params.key, undefined));
  if (places.length === 0)
    return answer(
      holds(undefined, params),
      files.length === 0 ? `${params.file[0]} is not there` : shown(params.key, undefined, params.default),
    );
  if (params.once === true && places.length > 1)
    return fail(`${params.key} is set ${places.length} times`, [...new Set(places.map(({ line }) => line.file))]);
  const counting = params.pick === 'first' ? places.slice(0, 1) : params.pick === 'last' ? places.slice(-1) : places;
  const wrong = counting.find(({ value }) => !holds(value, params));
  const told = wrong ?? (counting.at(-1) as Place);
  return answer(wrong === undefined, `${shown(params.key, told.value)} (${placeOf(told.line)})`, wrong ? [wrong.line.file] : []);
};

const placesOf = (params: ProbeParams<'key'>, lines: readonly Line[]): readonly Place[] => {
  const name = params.key.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
  const between = params.separator === 'space' ? '\\s+' : params.separator === 'any' ? '\\s*[=\\s:]\\s*' : '\\s*=\\s*';
  const pattern = new RegExp(`^\\s*${name}(?:${between}(.*))?$`, params.ignore_case === true ? 'is' : 's');
  const places: Place[] = [];
  let section = '';
  let file = '';
  for (const line of lines) {
    if (line.file !== file) {
      file = line.file;
      section = '';
    }
    const head = /^\s*\[([^\]]*)\]\s*$/.exec(line.text);
    if (head) {
      section = (head[1] as string).trim();
      continue;
    }
    if (params.section !== undefined && section.toLowerCase() !== params.section.toLowerCase()) continue;
    const match = pattern.exec(line.text);
    if (!match) continue;
    const value = match[1] ?? (params.bare === true ? 'yes' : undefined);
    if (value !== undefined) places.push({ line, value: params.unquoted === true ? value.trim() : unquote(value.trim()) });
  }
  return places;
};

const unquote = (value: string): string => /^(["'])(.*)\1;?$/s.exec(value)?.[2] ?? value;
