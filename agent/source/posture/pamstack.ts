// SPDX-License-Identifier: Apache-2.0
/**
 * PAM stacks with everything they include.
 * Input: a service's name. Output: its lines in order: type, control, module, arguments.
 */
import { fault } from '../../errors.ts';
import { type Line, linesOf } from './lines.ts';
import type { Tree } from './tree.ts';

export interface PamLine {
  readonly type: string;
  readonly control: string;
  readonly module: string;
  readonly args: readonly string[];
  readonly line: Line;
}

const FOLDERS = ['/etc/pam.d', '/usr/lib/pam.d', '/usr/etc/pam.d'];
const MAX_DEPTH = 16;
const LINE = /^\s*-?(auth|account|password|session)\s+(\[[^\]]*\]|\S+)\s+(\S+)\s*(.*)$/i;

/** The stack of a service; undefined where it has none. @throws CodedError POSTURE_UNREADABLE. */
export const pamStack = (tree: Tree, service: string): readonly PamLine[] | undefined => {
  const read = (name: string, depth: number, only: string | undefined): readonly PamLine[] | undefined => {
    if (depth > MAX_DEPTH) throw fault('POSTURE_UNREADABLE', { path: `/etc/pam.d/${service}`, reason: 'its includes run in a circle' });
    const file = FOLDERS.map((folder) => `${folder}/${name}`).find((path) => tree.stat(path) !== undefined);
    const text = file === undefined ? undefined : tree.read(file);
    if (file === undefined || text === undefined) return undefined;
    return linesOf(text, file, { joined: true }).flatMap((line): readonly PamLine[] => {
      const include = /^\s*@include\s+(\S+)/.exec(line.text);
      if (include) return read(include[1] as string, depth + 1, only) ?? [];
      const match = LINE.exec(line.text);
      if (!match) return [];
      const [, type, control, module, rest] = match as unknown as readonly [string, string, string, string, string];
      if (only !== undefined && type.toLowerCase() !== only) return [];
      const own: PamLine = { type: type.toLowerCase(), control, module, args: argumentsOf(rest), line };
      return /^(?:include|substack)$/i.test(control) ? [own, ...(read(module, depth + 1, own.type) ?? [])] : [own];
    });
  };
  return read(service, 0, undefined);
};

/** Arguments; one in brackets may hold blanks. */
const argumentsOf = (text: string): readonly string[] =>
  [...text.matchAll(/\[([^\]]*)\]|(\S+)/g)].map((match) => match[1] ?? (match[2] as string));
