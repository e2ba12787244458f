// SPDX-License-Identifier: Apache-2.0
/**
 * The PATH records of one audit event: which file the call was about, and all names beside it.
 * Input: parsed PATH records, the working directory. Output: the chosen path, absolute where it can be told.
 */

type Data = ReadonlyMap<string, string>;

/** Old kernels call it `objtype`. */
const kindOf = (path: Data): string => path.get('nametype') ?? path.get('objtype') ?? '';

/** `NORMAL`, `CREATE`, `DELETE`, `PARENT`, `UNKNOWN` of each path. */
export const kindsOf = (paths: readonly Data[]): readonly string[] => paths.map(kindOf);

/** The file an event is about: what was created or deleted, else the first that is no parent. */
export const mainPath = (paths: readonly Data[]): Data | undefined =>
  paths.find((path) => kindOf(path) === 'CREATE') ??
  paths.find((path) => kindOf(path) === 'DELETE') ??
  paths.find((path) => !/^(?:PARENT|UNKNOWN)$/.test(kindOf(path)) && path.has('name')) ??
  paths.find((path) => path.has('name'));

/** The name as an absolute path without `.` and `..`; as it stands when the directory is not known. */
export const absolute = (name: string, cwd: string | undefined): string => {
  const full = name.startsWith('/') ? name : cwd?.startsWith('/') === true ? `${cwd}/${name}` : name;
  if (!full.startsWith('/') || !/\/(?:\.{0,2})(?:\/|$)/.test(full)) return full;
  const parts: string[] = [];
  for (const part of full.split('/')) {
    if (part === '..') parts.pop();
    else if (part !== '' && part !== '.') parts.push(part);
  }
  return `/${parts.join('/')}${full.endsWith('/') && parts.length > 0 ? '/' : ''}`;
};

/** `0100755` to `0755`; undefined for what is no mode. */
export const permissions = (mode: string | undefined): string | undefined =>
  mode !== undefined && /^[0-7]{1,7}$/.test(mode) ? (Number.parseInt(mode, 8) & 0o7777).toString(8).padStart(4, '0') : undefined;
