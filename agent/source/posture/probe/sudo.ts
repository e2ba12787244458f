// SPDX-License-Identifier: Apache-2.0
/**
 * Questions about sudo: rules that spare the password, that cannot be enforced, that anyone may use; defaults.
 * Input: a question. Output: the rules that are wrong, with their places.
 */

import type { ProbeParams } from '../../../../core/probe.ts';
import { answer, type Probe, some, unknown } from '../answer.ts';
import { placeOf } from '../lines.ts';
import { readSudoers, type Sudoers, type SudoRule } from '../sudoers.ts';
import { holds, shown } from '../value.ts';

type Question = (rule: SudoRule) => boolean;

const RULE_QUESTIONS: Readonly<Record<string, Question>> = {
  'no-nopasswd': ({ tags }) => tags.includes('NOPASSWD'),
  'no-negation': ({ command }) => command.startsWith('!'),
  'no-root-runas': ({ who, runas }) =>
    who !== 'root' && (runas === undefined || runas === '' || /(?:^|[\s,])(?:root|ALL)(?:[\s,]|$)/.test(runas.split(':')[0] as string)),
  'arguments-explicit': ({ who, command }) => who !== 'root' && command !== 'ALL' && (!/^!?\S+\s+\S/.test(command) || /[*?]/.test(command)),
  'not-everyone': ({ who, hosts, command }) => who === 'ALL' && hosts === 'ALL' && command === 'ALL',
};

export const sudo: Probe<'sudo'> = (params, tree) => {
  if (tree.stat('/etc/sudoers') === undefined) return unknown('/etc/sudoers is not there');
  const sudoers = readSudoers(tree);
  if (params.ask === 'default') return defaultOf(params, sudoers);
  if (params.ask === 'includes') {
    const wanted = params.is ?? [];
    return answer(
      sudoers.includes.length === wanted.length && wanted.every((one) => sudoers.includes.includes(one)),
      sudoers.includes.length === 0 ? 'nothing is included' : some(sudoers.includes),
    );
  }
  if (params.ask === 'no-authenticate-off') {
    const off = sudoers.defaults.filter(({ name, value }) => name === 'authenticate' && value === 'no');
    return answer(off.length === 0, off.length === 0 ? 'sudo asks for a password' : some(off.map(({ line }) => placeOf(line))), [
      ...new Set(off.map(({ line }) => line.file)),
    ]);
  }
  const wrong = sudoers.rules.filter(RULE_QUESTIONS[params.ask] as Question);
  return answer(
    wrong.length === 0,
    wrong.length === 0
      ? 'no such rule'
      : some(
          wrong.map(({ line }) => `${line.text.trim()} (${placeOf(line)})`),
          3,
        ),
    [...new Set(wrong.map(({ line }) => line.file))],
  );
};

const defaultOf = (params: ProbeParams<'sudo'>, sudoers: Sudoers): ReturnType<Probe<'sudo'>> => {
  const name = params.default ?? '';
  const found = sudoers.defaults.filter((one) => one.name === name && one.general);
  const last = found.at(-1);
  if (params.unset === true) return answer(last === undefined || last.value === 'no', shown(name, last?.value));
  const asked = {
    ...(params.is === undefined ? { not: ['no'] } : { is: params.is }),
    ...(params.at_most === undefined ? {} : { at_most: params.at_most }),
  };
  const wrong = sudoers.defaults.filter((one) => one.name === name).find(({ value }) => !holds(value, asked));
  return answer(last !== undefined && wrong === undefined, shown(name, (wrong ?? last)?.value), wrong ? [wrong.line.file] : []);
};
