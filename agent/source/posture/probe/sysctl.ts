// SPDX-License-Identifier: Apache-2.0
/**
 * Kernel settings: as they are now, and as the configuration will set them at the next start.
 * Input: a key. Output: pass where both do; where the kernel cannot be asked, the configuration alone decides.
 */
import { answer, fail, type Probe, unknown } from '../answer.ts';
import { dropinsOf, filesOf, placeOf, readLines } from '../lines.ts';
import { holds, shown } from '../value.ts';

/** In the order of precedence: of one name the first counts. */
const FOLDERS = [
  '/etc/sysctl.d/*.conf',
  '/run/sysctl.d/*.conf',
  '/usr/local/lib/sysctl.d/*.conf',
  '/usr/lib/sysctl.d/*.conf',
  '/lib/sysctl.d/*.conf',
];

export const sysctl: Probe<'sysctl'> = (params, tree) => {
  const name = params.key.replaceAll('/', '.');
  const files = dropinsOf(tree, FOLDERS);
  const main = filesOf(tree, ['/etc/sysctl.conf']).filter((file) => !files.some((other) => tree.real(other) === file));
  const places = readLines(tree, [...files, ...main], { comment: '#;', commentFirst: true }).flatMap((line) => {
    const match = /^\s*-?\s*([\w./*-]+)\s*=\s*(.*?)\s*$/.exec(line.text);
    return match?.[1]?.replaceAll('/', '.') === name ? [{ line, value: match[2] as string }] : [];
  });
  const now = tree
    .read(`/proc/sys/${name.replaceAll('.', '/')}`)
    ?.trim()
    .replace(/\s+/g, ' ');
  if (now !== undefined && !holds(now, params)) return fail(`${name} is ${now} now`);
  // What the distribution ships is there to be overridden; what the administrator wrote must all agree.
  const wrong = places.find((one) => !holds(one.value, params) && (one === places.at(-1) || !/^\/(?:usr\/)?lib\//.test(one.line.file)));
  if (wrong) return fail(`${name} will be ${wrong.value} (${placeOf(wrong.line)})`, [wrong.line.file]);
  const last = places.at(-1);
  if (last) return answer(true, `${name} is ${last.value} (${placeOf(last.line)})`);
  if (now !== undefined) return answer(true, `${name} is ${now} now`);
  if (tree.live) return unknown(`this kernel has no ${name}`);
  return answer(holds(undefined, params), shown(name, undefined, params.default));
};
