// SPDX-License-Identifier: Apache-2.0
/**
 * Modules that are loaded into the kernel.
 * Input: /proc/modules; a kernel without modules has none. Output: items by name.
 */
import { type Found, item } from './found.ts';
import { readText } from './text.ts';
import type { Tree } from './tree.ts';

export function* moduleItems(tree: Tree): Generator<Found> {
  const text = yield* readText(tree, '/proc/modules', 'all');
  for (const line of (text ?? '').split('\n')) {
    const [name, size, , users] = line.split(' ');
    if (!name || !/^\d+$/.test(size ?? '')) continue;
    yield item(name, {
      name,
      size: Number(size),
      used_by: (users ?? '')
        .split(',')
        .filter((user) => user !== '' && user !== '-' && !user.startsWith('['))
        .sort(),
    });
  }
}
