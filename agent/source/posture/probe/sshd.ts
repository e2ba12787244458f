// SPDX-License-Identifier: Apache-2.0
/**
 * The SSH server's and client's settings in force: includes, defaults of the version that is installed, Match and Host blocks.
 * Input: a key and what is asked of it. Output: pass only where every place that sets it does, since the first may be taken away.
 */
import type { ProbeParams } from '../../../../core/probe.ts';
import { type Answer, answer, fail, type Probe } from '../answer.ts';
import { placeOf } from '../lines.ts';
import { installedVersion } from '../packages.ts';
import { readSshConfig, type SshSetting } from '../sshconfig.ts';
import type { Tree } from '../tree.ts';
import { holds, shown } from '../value.ts';
import { serverDefault } from './sshd-defaults.ts';

const MAIN_FILES: Readonly<Record<'sshd' | 'ssh', readonly string[]>> = {
  sshd: ['/etc/ssh/sshd_config', '/usr/etc/ssh/sshd_config'],
  ssh: ['/etc/ssh/ssh_config', '/usr/etc/ssh/ssh_config'],
};

/** Keys whose value is one list, whatever blanks stand in it. */
const ALGORITHMS = new Set(['ciphers', 'macs', 'kexalgorithms', 'hostkeyalgorithms', 'pubkeyacceptedalgorithms', 'pubkeyacceptedkeytypes']);

const probeOf =
  (program: 'sshd' | 'ssh') =>
  (params: ProbeParams<'sshd'>, tree: Tree): Answer => {
    const main = MAIN_FILES[program].find((file) => tree.stat(file) !== undefined) ?? (MAIN_FILES[program][0] as string);
    const key = params.key.toLowerCase();
    const found = readSshConfig(tree, main).filter((one) => one.key === key);
    const byDefault = params.default ?? (program === 'sshd' ? serverDefault(key, installedVersion(tree, ['openssh-server'])) : undefined);
    const settingOf = ({ words }: SshSetting): string => {
      const value = params.word === undefined ? words.join(ALGORITHMS.has(key) ? ',' : ' ') : (words[params.word - 1] ?? '');
      return ALGORITHMS.has(key) ? algorithmsOf(value, byDefault) : value;
    };
    const inFiles = params.file === undefined ? found : found.filter(({ line }) => tree.glob(params.file as string).includes(line.file));
    const astray = found.find((one) => !inFiles.includes(one));
    if (astray) return fail(`${params.key} stands in ${placeOf(astray.line)}, outside of ${params.file}`, [astray.line.file]);
    if (params.unset === true)
      return found[0]
        ? fail(`${params.key} is set in ${placeOf(found[0].line)}`, [found[0].line.file])
        : answer(true, shown(params.key, undefined));
    const outside = found.filter(({ block }) => block === undefined);
    const client = program === 'ssh';
    const wrong = found.find((one) => !holds(settingOf(one), params) || (params.unmatched === true && one.block !== undefined));
    if (wrong) {
      const within = wrong.block === undefined ? '' : `, under ${wrong.block}`;
      const later = wrong !== outside[0] && wrong.block === undefined && outside[0] ? '; the first one counts now' : '';
      return fail(`${params.key} is ${settingOf(wrong)} (${placeOf(wrong.line)}${within}${later})`, [wrong.line.file]);
    }
    const first = outside[0] ?? (client ? found[0] : undefined);
    if (first) return answer(true, `${params.key} is ${settingOf(first)} (${placeOf(first.line)})`);
    const ok =
      params.explicit !== true &&
      holds(undefined, { ...params, ...(byDefault === undefined ? {} : { default: wordOf(byDefault, params.word) }) });
    return answer(ok, shown(params.key, undefined, byDefault));
  };

const wordOf = (value: string, word: number | undefined): string => (word === undefined ? value : (value.split(/\s+/)[word - 1] ?? ''));

/** `+`, `-` and `^` change the built-in list. */
const algorithmsOf = (value: string, byDefault: string | undefined): string => {
  const sign = value[0];
  if (byDefault === undefined || (sign !== '+' && sign !== '-' && sign !== '^')) return value;
  const given = value.slice(1).split(',');
  const own = byDefault.split(',');
  if (sign === '+') return [...own, ...given].join(',');
  if (sign === '^') return [...given, ...own].join(',');
  const gone = given.map(
    (one) =>
      new RegExp(
        `^${one
          .replace(/[.+^${}()|[\]\\]/g, '\\$&')
          .replaceAll('*', '.*')
          .replaceAll('?', '.')}$`,
      ),
  );
  return own.filter((one) => !gone.some((pattern) => pattern.test(one))).join(',');
};

export const sshd: Probe<'sshd'> = probeOf('sshd');
export const ssh: Probe<'ssh'> = probeOf('ssh');
