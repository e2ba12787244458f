// SPDX-License-Identifier: Apache-2.0
/**
 * Kernel modules: that loading one is refused, and options that are given to it.
 * Input: a module's name. Output: by modprobe's configuration, and by the kernel's list of loaded ones.
 */
import { answer, fail, type Probe, pass } from '../answer.ts';
import { dropinsOf, placeOf, readLines } from '../lines.ts';
import { holds, shown } from '../value.ts';

const FOLDERS = [
  '/etc/modprobe.d/*.conf',
  '/run/modprobe.d/*.conf',
  '/usr/local/lib/modprobe.d/*.conf',
  '/usr/lib/modprobe.d/*.conf',
  '/lib/modprobe.d/*.conf',
];

/** The kernel takes hyphens and underscores for the same. */
const plain = (name: string): string => name.replaceAll('-', '_');

export const moduleProbe: Probe<'module'> = (params, tree) => {
  const lines = readLines(tree, dropinsOf(tree, FOLDERS), { joined: true });
  const words = lines.map((line) => ({ line, words: line.text.trim().split(/\s+/) }));
  const own = words.filter(({ words: [, name] }) => plain(name ?? '') === plain(params.name));
  if (params.option !== undefined) {
    const places = own.flatMap(({ line, words: [verb, , ...options] }) =>
      verb === 'options'
        ? options
            .filter((one) => one.startsWith(`${params.option}=`))
            .map((one) => ({ line, value: one.slice((params.option as string).length + 1) }))
        : [],
    );
    const wrong = places.find(({ value }) => !holds(value, params));
    const told = wrong ?? places.at(-1);
    return answer(
      told === undefined ? holds(undefined, params) : wrong === undefined,
      told
        ? `${params.option} of ${params.name} is ${told.value} (${placeOf(told.line)})`
        : shown(`${params.option} of ${params.name}`, undefined),
    );
  }
  const refused = own.find(({ words: [verb, , command] }) => verb === 'install' && /\/(?:false|true)$/.test(command ?? ''));
  const loaded = (tree.read('/proc/modules') ?? '').split('\n').some((row) => plain(row.split(' ')[0] ?? '') === plain(params.name));
  if (params.blocked === false)
    return refused ? fail(`${params.name} is refused (${placeOf(refused.line)})`) : pass(`${params.name} may be loaded`);
  if (params.listed === true && !own.some(({ words: [verb] }) => verb === 'blacklist'))
    return fail(`${params.name} is not on the blacklist`);
  if (loaded) return fail(`${params.name} is loaded`, [params.name]);
  return refused ? pass(`${params.name} is refused (${placeOf(refused.line)})`) : fail(`${params.name} may be loaded`, [params.name]);
};
