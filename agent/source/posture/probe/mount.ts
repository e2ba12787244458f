// SPDX-License-Identifier: Apache-2.0
/**
 * Mount points: that a path has a file system of its own, and its options.
 * Input: a path. Output: from the kernel's table on the running system, else from fstab.
 */
import { answer, fail, type Probe, pass, unknown } from '../answer.ts';
import { linesOf } from '../lines.ts';

export const mount: Probe<'mount'> = (params, tree) => {
  const now = tree.read('/proc/self/mounts');
  const source = now === undefined ? '/etc/fstab' : '/proc/self/mounts';
  const text = now ?? tree.read('/etc/fstab');
  if (text === undefined) return unknown('neither the kernel nor /etc/fstab can be asked');
  const rows = linesOf(text, source).map(({ text: row }) => row.trim().split(/\s+/));
  const found = rows.filter(([, target]) => target?.replaceAll('\\040', ' ') === params.path).at(-1);
  if (!found)
    return params.separate === false
      ? pass(`${params.path} is no mount point`)
      : fail(`${params.path} is no mount point of its own`, [params.path]);
  const options = (found[3] ?? '').split(',');
  const missing = (params.options ?? []).filter((one) => !options.includes(one));
  return answer(
    missing.length === 0,
    missing.length === 0
      ? `${params.path} is mounted with ${options.join(',')}`
      : `${params.path} is mounted without ${missing.join(', ')}`,
    [params.path],
  );
};
