// SPDX-License-Identifier: Apache-2.0
/**
 * The agent as plain JavaScript: its TypeScript with the types taken out, and the packages it imports, ready for a host without this checkout.
 * Input: the folder of the project. Output: files by their path in the archive, the same bytes for the same sources.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
import { join, relative } from 'node:path';
import { fault } from '../../errors.ts';

export interface PackageFile {
  readonly path: string;
  readonly bytes: Buffer;
  readonly executable?: true;
}

const SOURCES = ['agent', 'core'] as const;
/** Data the agent reads beside its code. */
const DATA = ['rules/posture'] as const;
const RELATIVE = /(['"])(\.{1,2}\/[^'"\n]*)\.ts\1/g;
const BARE = /(?:^(?:(?:import|export)\b[^'\n]*|\} )from |^import |\bimport\()'((?:@[\w-]+\/)?[a-z][\w.-]*)(?:\/[^'\n]*)?'/gm;

const filesUnder = (root: string, folder: string): readonly string[] =>
  readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(root, join(entry.parentPath, entry.name)))
    .sort();

/** One module without its types; its imports name the emitted files. Lines stay where they are, so that a stack trace tells the source's. */
export const emitModule = (text: string): string => stripTypeScriptTypes(text, { mode: 'strip' }).replace(RELATIVE, '$1$2.js$1');

/** The packages that are imported, and all they need themselves. */
const closureOf = (root: string, names: ReadonlySet<string>): readonly string[] => {
  const found = new Set<string>();
  const waiting = [...names];
  for (let name = waiting.pop(); name !== undefined; name = waiting.pop()) {
    if (found.has(name)) continue;
    found.add(name);
    const manifest = JSON.parse(readFileSync(join(root, 'node_modules', name, 'package.json'), 'utf8')) as {
      readonly dependencies?: Readonly<Record<string, string>>;
    };
    waiting.push(...Object.keys(manifest.dependencies ?? {}));
  }
  return [...found].sort();
};

/** What of a package a program needs: code and licence, not its tests, types, maps and pictures. */
const isNeeded = (path: string): boolean =>
  /\.(js|cjs|mjs|json)$|(^|\/)(licen[cs]e|notice)[^/]*$/i.test(path) &&
  !/^(tests?|benchmarks?|docs?|examples?|browser|\.github)\//i.test(path);

/** @throws CodedError PACKAGE_FAILED. */
export const emitAgent = (root: string, version: string): readonly PackageFile[] => {
  const files: PackageFile[] = [];
  const imported = new Set<string>();
  try {
    for (const path of SOURCES.flatMap((folder) => filesUnder(root, folder))) {
      if (!path.endsWith('.ts') || path.endsWith('.test.ts')) continue;
      const text = readFileSync(join(root, path), 'utf8');
      for (const [, specifier] of text.matchAll(BARE)) if (specifier && specifier !== 'node') imported.add(specifier);
      files.push({ path: `app/${path.replace(/\.ts$/, '.js')}`, bytes: Buffer.from(emitModule(text)) });
    }
    for (const name of closureOf(root, imported))
      for (const path of filesUnder(join(root, 'node_modules'), name))
        if (isNeeded(path.slice(name.length + 1)) && !path.slice(name.length + 1).includes('node_modules/'))
          files.push({ path: `app/node_modules/${path}`, bytes: readFileSync(join(root, 'node_modules', path)) });
    for (const path of DATA.filter((folder) => existsSync(join(root, folder))).flatMap((folder) => filesUnder(root, folder)))
      if (path.endsWith('.yml')) files.push({ path: `app/${path}`, bytes: readFileSync(join(root, path)) });
    files.push({ path: 'vigil-agent.service', bytes: readFileSync(join(root, 'deploy', 'systemd', 'vigil-agent.service')) });
    files.push({ path: 'LICENSE', bytes: readFileSync(join(root, 'LICENSE')) });
  } catch (error) {
    throw fault('PACKAGE_FAILED', { reason: error instanceof Error ? error.message : 'a file cannot be read' }, error);
  }
  files.push({
    path: 'app/package.json',
    bytes: Buffer.from(`${JSON.stringify({ name: 'vigil-agent', version, type: 'module', private: true })}\n`),
  });
  return files.sort((a, b) => (a.path < b.path ? -1 : 1));
};
