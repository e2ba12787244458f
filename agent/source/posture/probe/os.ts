// SPDX-License-Identifier: Apache-2.0
/**
 * Which distribution a tree is of.
 * Input: ids as in os-release, bounds of the version. Output: whether it is one of them.
 */
import { answer, type Probe } from '../answer.ts';

export const os: Probe<'os'> = (params, tree) => {
  const text = tree.read('/etc/os-release') ?? tree.read('/usr/lib/os-release') ?? '';
  const field = (name: string): string =>
    new RegExp(`^${name}=(.*)$`, 'm')
      .exec(text)?.[1]
      ?.trim()
      .replace(/^(["'])(.*)\1$/, '$2') ?? '';
  const id = field('ID');
  const version = field('VERSION_ID');
  const ids = [id, ...field('ID_LIKE').split(/\s+/)];
  const number = Number.parseFloat(version);
  const holds =
    params.id.some((one) => ids.includes(one)) &&
    (params.at_least === undefined || number >= Number.parseFloat(params.at_least)) &&
    (params.below === undefined || number < Number.parseFloat(params.below));
  return answer(holds, id === '' ? 'the distribution is not known' : `${id} ${version}`.trim());
};
