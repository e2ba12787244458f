// SPDX-License-Identifier: Apache-2.0
/**
 * The walls of the repository, executed: imports, doors of packages, lengths, docblocks, forbidden words.
 * Input: every source file. Output: a failing test whose message says what to do.
 */
import { describe, expect, it } from 'vitest';
import { listFiles, type SourceFile } from './support/repository.ts';
import { brokenWalls } from './support/walls.ts';

const files = listFiles(['core', 'agent', 'collector', 'demo', 'test', 'bench', 'dashboards'], ['.ts', '.tsx']);
const product = files.filter(({ path }) => !/\.test\.tsx?$/.test(path));

const lineCount = (text: string): number => text.split('\n').length - 1;

const tooLong = (all: readonly SourceFile[]): readonly string[] =>
  all.flatMap(({ path, text }) => {
    const limit = /\.test\.tsx?$|\.contract\.ts$|^test\//.test(path) ? 600 : 400;
    const n = lineCount(text);
    return n > limit ? [`${path} has ${n} lines, the limit is ${limit}. Find the seam and make two modules.`] : [];
  });

const withoutDocblock = (all: readonly SourceFile[]): readonly string[] =>
  all.flatMap(({ path, text }) =>
    /^(#![^\n]*\n)?\/\/ SPDX-License-Identifier: Apache-2\.0\n\/\*\*\n \* [^\n]+\n/.test(text)
      ? []
      : [`${path} does not open with its licence line and a docblock: what it is for, where its input comes from, where its output goes.`],
  );

const FORBIDDEN: readonly (readonly [RegExp, string])[] = [
  [/\benum\s+\w+\s*\{/, 'an enum: use a const table and a union'],
  [/\bnamespace\s+\w+\s*\{/, 'a namespace'],
  [/^export default /m, 'a default export'],
  [/\bas any\b|: any\b|<any>/, 'the type any'],
  [/@ts-(ignore|expect-error|nocheck)/, 'a switched-off type check'],
  [/\bnew Function\(|\beval\(/, 'code made from text'],
];

const withoutWords = (text: string): string =>
  text
    .replace(/\/\*[\s\S]*?\*\//g, '')
    .replace(/'(?:[^'\\\n]|\\.)*'/g, "''")
    .replace(/^\s*\/\/.*$/gm, (line) => (line.includes('@ts-') ? line : ''));

const forbidden = (all: readonly SourceFile[]): readonly string[] =>
  all.flatMap(({ path, text }) =>
    FORBIDDEN.filter(
      ([pattern]) => pattern.test(withoutWords(text)) && !(/vite(st)?\.config\.ts$/.test(path) && pattern.source.startsWith('^export')),
    ).map(([, name]) => `${path} has ${name}.`),
  );

describe('the walls', () => {
  it('hold for every import', () => {
    expect(brokenWalls(files)).toEqual([]);
  });

  it('name every violation with its place, its reason and its mend', () => {
    const planted = (path: string, text: string): readonly string[] => brokenWalls([{ path, text }]);
    expect(planted('collector/decode/x.ts', "import { y } from '../detect/detect.ts';\n")[0]).toContain(
      'collector/decode/x.ts:1 imports collector/detect/detect.ts',
    );
    expect(planted('core/x.ts', "\n\nimport { y } from '../agent/agent.ts';\n")[0]).toContain('core/x.ts:3');
    expect(planted('agent/x.ts', "import { y } from '../core/wire.js';\n")[0]).toContain('End the path in .ts');
    expect(planted('agent/x.ts', "import fastify from 'fastify';\n")[0]).toContain('whose door is collector/http/');
    expect(planted('core/x.ts', "import x from 'left-pad';\n")[0]).toContain('has no door');
    expect(planted('agent/x.ts', "const a = await import('../collector/main.ts');\n")[0]).toContain('agent may import core');
  });

  it('are declared for every folder', () => {
    expect(brokenWalls([{ path: 'collector/novel/x.ts', text: "import { a } from '../model/event.ts';\n" }])[0]).toContain(
      'no wall is declared',
    );
  });
});

describe('every module', () => {
  it('stays short enough to read', () => {
    expect(tooLong(files)).toEqual([]);
    expect(tooLong([{ path: 'core/x.ts', text: 'a\n'.repeat(401) }])).toHaveLength(1);
  });

  it('opens with what it is for', () => {
    expect(withoutDocblock(product.filter(({ path }) => !path.endsWith('.test.ts')))).toEqual([]);
    expect(withoutDocblock([{ path: 'core/x.ts', text: 'export const a = 1;\n' }])).toHaveLength(1);
  });

  it('keeps to the plain part of the language', () => {
    expect(forbidden(files.filter(({ path }) => path !== 'test/architecture.test.ts'))).toEqual([]);
    expect(forbidden([{ path: 'core/x.ts', text: 'export enum A { b }' }])).toHaveLength(1);
  });

  it('has a name that says something', () => {
    const vague = files.filter(({ path }) => /(^|\/)(index|utils?|helpers?|common|misc|manager|base)\.tsx?$/.test(path));
    expect(vague.map(({ path }) => path)).toEqual([]);
  });

  it('starts no process in the agent', () => {
    const offenders = product.filter(({ path, text }) => path.startsWith('agent/') && /node:child_process|node:cluster/.test(text));
    expect(offenders.map(({ path }) => path)).toEqual([]);
  });

  it('leaves the environment and the end of the process to main and config', () => {
    const offenders = product.filter(
      ({ path, text }) =>
        /^(core|agent|collector)\//.test(path) && !/(^|\/)(main|config)\.ts$/.test(path) && /process\.env\b|process\.exit\(/.test(text),
    );
    expect(offenders.map(({ path }) => path)).toEqual([]);
  });

  it('carries no word or path of the place it was written in', () => {
    const words = new RegExp(['/wo' + 'rk/', 'registry\\.npm' + 'js', 'deb\\.deb' + 'ian'].join('|'));
    const all = listFiles(['.'], ['.ts', '.tsx', '.md', '.yml', '.json', '.js', 'run']).filter(
      ({ path }) => !path.startsWith('rules/packs/') && path !== 'package-lock.json',
    );
    expect(all.filter(({ text }) => words.test(text)).map(({ path }) => path)).toEqual([]);
  });
});
