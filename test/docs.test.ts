// SPDX-License-Identifier: Apache-2.0
/**
 * What users read is what the code does: settings, errors, commands, permissions, fields, dependencies, the README's scripts.
 * Input: tables in the code and the pages in docs/. Output: a failing test that names what is missing.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { madePages } from './support/docs.ts';
import { listFiles, ROOT } from './support/repository.ts';

const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8');
const manifest = JSON.parse(read('package.json')) as Record<
  'dependencies' | 'devDependencies' | 'optionalDependencies' | 'scripts',
  Record<string, string>
>;
const lock = JSON.parse(read('package-lock.json')) as {
  packages: Record<string, { hasInstallScript?: boolean; optional?: boolean; resolved?: string }>;
};

/** Names in the first column of a Markdown table. */
const firstColumn = (markdown: string): readonly string[] => [...markdown.matchAll(/^\| `([^`]+)` \|/gm)].map((m) => m[1] as string);

describe('the reference pages', () => {
  it.each(Object.entries(madePages()))('docs/%s is what the tables say', (name, text) => {
    expect(existsSync(join(ROOT, 'docs', name)), `docs/${name} is missing; run npm run docs`).toBe(true);
    expect(read(`docs/${name}`), 'run npm run docs').toBe(text);
  });

  it('show a change of a table as a difference', () => {
    const page = madePages()['errors.md'] as string;
    expect(page).toContain('### STATE_CONFLICT');
    expect(page.replace('### STATE_CONFLICT', '')).not.toBe(page);
  });
});

describe('the dependencies', () => {
  const named = firstColumn(read('docs/dependencies.md'));
  const used = [
    ...Object.keys(manifest.dependencies),
    ...Object.keys(manifest.devDependencies),
    ...Object.keys(manifest.optionalDependencies),
  ];

  it('each have a reason in docs/dependencies.md, and no reason is left over', () => {
    expect(used.filter((name) => !named.includes(name))).toEqual([]);
    expect(named.filter((name) => !used.includes(name))).toEqual([]);
  });

  it('are pinned to one version', () => {
    const versions = { ...manifest.dependencies, ...manifest.devDependencies, ...manifest.optionalDependencies };
    expect(Object.entries(versions).filter(([, version]) => !/^\d+\.\d+\.\d+(-[\w.]+)?$/.test(version))).toEqual([]);
  });

  it('run no install script that is needed, and the lock file names no host', () => {
    expect(read('.npmrc')).toContain('ignore-scripts=true');
    const scripted = Object.entries(lock.packages).filter(([, p]) => p.hasInstallScript === true && p.optional !== true);
    expect(scripted.map(([path]) => path)).toEqual([]);
    expect(Object.values(lock.packages).filter((p) => p.resolved !== undefined)).toEqual([]);
  });
});

describe('the papers', () => {
  it('name only scripts that exist', () => {
    const papers = listFiles(['.'], ['.md']).filter(({ path }) => !path.startsWith('rules/packs/'));
    const unknown = papers.flatMap(({ path, text }) =>
      [...text.matchAll(/npm run (?:-s )?([a-z][\w:-]*)/g)]
        .map((m) => m[1] as string)
        .filter((s) => !manifest.scripts[s])
        .map((s) => `${path}: npm run ${s}`),
    );
    expect(unknown).toEqual([]);
  });

  it('link only to files that exist', () => {
    const papers = listFiles(['.'], ['.md']).filter(({ path }) => !path.startsWith('rules/packs/'));
    const broken = papers.flatMap(({ path, text }) =>
      [...text.matchAll(/\]\((?!https?:|#|mailto:)([^)#\s]+)/g)]
        .map((m) => m[1] as string)
        .filter((target) => !existsSync(join(ROOT, path, '..', target)))
        .map((target) => `${path}: ${target}`),
    );
    expect(broken).toEqual([]);
  });

  it('explain every folder of the top level in the README', () => {
    const readme = read('README.md');
    for (const folder of ['agent', 'collector', 'core', 'rules', 'dashboards', 'test', 'docs', 'deploy', 'bench'])
      expect(readme).toContain(`\`${folder}/\``);
  });
});
