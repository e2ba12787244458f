// SPDX-License-Identifier: Apache-2.0
/**
 * Packages of apk: its database of what is installed.
 * Input: /lib/apk/db/installed, or where newer systems keep it. Output: items `apk:name:arch`.
 */
import { isUtf8 } from 'node:buffer';
import { blind, type Found, item, problem } from './found.ts';
import { absence, oddities, visibleText } from './text.ts';
import type { Tree } from './tree.ts';

export const APK_FILES = ['/lib/apk/db/installed', '/usr/lib/apk/db/installed'];
const UNSEEN = { field: 'manager', value: 'apk' } as const;

export function* apkItems(tree: Tree): Generator<Found> {
  for (const path of APK_FILES) {
    const read = tree.read(path, 134_217_728);
    if (read.kind === 'missing') continue;
    if (read.kind !== 'bytes') {
      yield* absence(path, read, UNSEEN);
      return;
    }
    yield* databaseItems(path, read.bytes);
    return;
  }
}

function* databaseItems(path: string, bytes: Buffer): Generator<Found> {
  if (!isUtf8(bytes)) yield problem('INVENTORY_NOT_UTF8', path, 'it has bytes that are no UTF-8');
  const odd = oddities();
  let line = 1;
  for (let at = 0; at < bytes.length; ) {
    const blank = bytes.indexOf('\n\n', at);
    // The last package of a file that was cut says only half of what is so.
    if (blank === -1) break;
    const text = visibleText(bytes.subarray(at, blank));
    const fields = new Map<string, string>();
    for (const one of text.split('\n')) if (/^[A-Za-z]:/.test(one) && !fields.has(one[0]!)) fields.set(one[0]!, one.slice(2));
    const [name, version, arch] = [fields.get('P'), fields.get('V'), fields.get('A') ?? 'noarch'];
    if (name === undefined || version === undefined) odd.add(line, 'is no package with a name and a version');
    else
      yield item(`apk:${name}:${arch}`, {
        manager: 'apk',
        name,
        version,
        arch,
        source: fields.get('o') ?? name,
        source_version: version,
        state: 'installed',
        vendor: fields.get('m'),
      });
    line += text.split('\n').length + 1;
    at = blank + 2;
  }
  const whole = bytes.length === 0 || bytes.subarray(-2).toString('latin1') === '\n\n';
  if (!whole) yield* blind(UNSEEN, problem('INVENTORY_DAMAGED', path, `it ends in the middle of the package at line ${line}`));
  else for (const one of odd.tell(path, 'INVENTORY_DAMAGED')) yield* blind(UNSEEN, one);
}
