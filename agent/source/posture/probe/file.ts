// SPDX-License-Identifier: Apache-2.0
/**
 * Files and folders: there or not, their kind, that their mode grants no more, who owns them.
 * Input: paths and globs. Output: what is wrong, path by path.
 */
import type { Stats } from 'node:fs';
import type { ProbeParams } from '../../../../core/probe.ts';
import { idsOf } from '../accounts.ts';
import { answer, fail, type Probe, some } from '../answer.ts';
import type { Tree } from '../tree.ts';

/** Files and folders of a walk at most. */
const WALK_LIMIT = 50_000;

const octal = (mode: number): string => (mode & 0o7777).toString(8).padStart(4, '0');

export const file: Probe<'file'> = (params, tree) => {
  const paths = [...new Set(params.path.flatMap((one) => tree.glob(one)))];
  if (params.below !== undefined) return walk(params, tree, paths);
  if (params.exists === false)
    return answer(paths.length === 0, paths.length === 0 ? `${some(params.path)} is not there` : `${some(paths)} is there`, paths);
  if (paths.length === 0) return answer(params.exists !== true, `${some(params.path)} is not there`);
  const wrong = paths.flatMap((path) => faultsOf(params, tree, path).map((fault) => ({ path, fault })));
  if (wrong.length === 0)
    return answer(
      true,
      paths.length === 1 ? `${paths[0]} is in order${modeText(tree, paths[0] as string)}` : `${paths.length} paths are in order`,
    );
  return fail(some(wrong.map(({ path, fault }) => `${path} ${fault}`)), [...new Set(wrong.map(({ path }) => path))]);
};

const modeText = (tree: Tree, path: string): string => {
  const stat = tree.stat(path);
  return stat === undefined ? '' : ` (mode ${octal(stat.mode)})`;
};

const faultsOf = (params: ProbeParams<'file'>, tree: Tree, path: string): readonly string[] => {
  const own = tree.lstat(path);
  const stat = params.kind === 'link' ? own : (tree.stat(path) ?? own);
  if (stat === undefined) return [];
  const faults: string[] = [];
  if (params.kind !== undefined && kindOf(stat) !== params.kind) faults.push(`is no ${params.kind}`);
  if (params.links_to !== undefined && !sameTarget(tree, path, params.links_to)) faults.push(`does not lead to ${params.links_to}`);
  if (params.mode !== undefined && (stat.mode & 0o7777 & ~params.mode) !== 0) faults.push(`has mode ${octal(stat.mode)}`);
  if (params.empty !== undefined && ((tree.read(path) ?? '').trim() === '') !== params.empty)
    faults.push(params.empty ? 'is not empty' : 'is empty');
  const owners = params.owner && idsOf(tree, 'passwd', params.owner);
  if (owners && !owners.includes(stat.uid)) faults.push(`belongs to user ${stat.uid}`);
  const groups = params.group && idsOf(tree, 'group', params.group);
  if (groups && !groups.includes(stat.gid)) faults.push(`belongs to group ${stat.gid}`);
  return faults;
};

const kindOf = (stat: Stats): string => (stat.isFile() ? 'file' : stat.isDirectory() ? 'folder' : stat.isSymbolicLink() ? 'link' : 'other');

const sameTarget = (tree: Tree, path: string, target: string): boolean =>
  tree.link(path) !== undefined && tree.real(path) === tree.real(target);

/** Files below whose mode has one of the bits; links are not followed, other file systems not entered. */
const walk = (params: ProbeParams<'file'>, tree: Tree, roots: readonly string[]): ReturnType<Probe<'file'>> => {
  const found: string[] = [];
  let seen = 0;
  const visit = (folder: string, depth: number, device: number): void => {
    for (const name of tree.list(folder)) {
      if (++seen > WALK_LIMIT) return;
      const path = folder === '/' ? `/${name}` : `${folder}/${name}`;
      if (params.except?.some((one) => path === one || path.startsWith(`${one}/`))) continue;
      const stat = tree.lstat(path);
      if (stat === undefined || stat.dev !== device) continue;
      if (stat.isDirectory()) {
        if (params.kind === 'folder' && wrongMode(params, stat)) found.push(path);
        if (depth > 1) visit(path, depth - 1, device);
      } else if (stat.isFile() && params.kind !== 'folder' && wrongMode(params, stat)) found.push(path);
    }
  };
  for (const root of roots) {
    const stat = tree.stat(root);
    if (stat?.isDirectory() === true) visit(root, params.below as number, stat.dev);
  }
  if (seen > WALK_LIMIT && found.length === 0) return { result: 'unknown', actual: `more than ${WALK_LIMIT} files`, items: [] };
  return answer(found.length === 0, found.length === 0 ? `none of ${seen} files` : some(found), found);
};

const wrongMode = (params: ProbeParams<'file'>, stat: Stats): boolean =>
  (stat.mode & (params.bits ?? 0)) !== 0 && !(stat.isDirectory() && (stat.mode & 0o1000) !== 0);
