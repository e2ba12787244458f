// SPDX-License-Identifier: Apache-2.0
/** A watched tree of 10,000 files: what changes is told once, soon by wake-up, and by the next scan where no wake-up came. */
import { appendFileSync, chmodSync, mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type FactFields, factChecksum } from '../../../core/fact.ts';
import { type FimDriver, openDriver } from '../../../test/support/fim-driver.ts';

const FILES = 10_000;
const PER_FOLDER = 100;
let root: string;
let tree: string;
let driver: FimDriver;

const file = (n: number): string => join(tree, `d${Math.floor(n / PER_FOLDER)}`, `f${n}`);

const makeTree = (files: number): void => {
  for (let n = 0; n < files; n++) {
    if (n % PER_FOLDER === 0) mkdirSync(join(tree, `d${n / PER_FOLDER}`), { recursive: true });
    writeFileSync(file(n), `file ${n}\n`);
  }
};

const open = async (
  options: Parameters<typeof openDriver>[0] extends infer O ? Partial<O> : never = {},
  seal?: () => boolean,
): Promise<void> => {
  driver = await openDriver({ dir: join(root, 'state'), paths: [tree], ...options }, seal);
};
const scans = (): number => driver.facts.filter(({ kind }) => kind === 'scan').length;
const counts = (): Readonly<Record<string, number>> => driver.fim.progress()[0]!.counts;
/** Baseline told and watches set. */
const settle = async (): Promise<void> => {
  await driver.until('the first scan', () => scans() > 0 && counts()['scans']! > 0);
  if (driver.fim.progress()[0]!.counts['files'] === 0) throw new Error('nothing was scanned');
};
const names = (facts: readonly { readonly change: string; readonly item: string }[]): string[] =>
  facts.map(({ change, item }) => `${change} ${item.slice(tree.length)}`).sort();

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'vigil-fim-'));
  tree = join(root, 'tree');
  for (const folder of ['state', 'tree']) mkdirSync(join(root, folder));
});
afterEach(async () => {
  await driver.close();
  expect(driver.bad).toEqual([]);
  rmSync(root, { recursive: true, force: true });
});

/** Six kinds of change, each of another file, and how they are told. */
const CHANGES = [
  'added /d4/moved',
  'changed /d0/f5',
  'changed /d1/f105',
  'changed /d2/f205',
  'changed /d3/f305',
  'removed /d4/f405',
  'removed /d5/f505',
];
const changeSix = (): void => {
  utimesSync(file(5), 1_000_000, 1_000_000);
  chmodSync(file(105), 0o4755);
  writeFileSync(join(root, 'other'), 'another\n');
  renameSync(join(root, 'other'), file(205));
  appendFileSync(file(305), 'more\n');
  renameSync(file(405), join(tree, 'd4', 'moved'));
  rmSync(file(505));
};

describe('a tree of 10,000 files', { timeout: 90_000 }, () => {
  beforeEach(() => makeTree(FILES));

  it('is quiet at first sight, then tells touch, chmod, replace, write, rename and delete within three seconds, none twice', async () => {
    await open();
    await settle();
    const first = driver.facts.filter(({ kind }) => kind === 'file');
    expect([first.length, first.every(({ change }) => change === 'baseline'), driver.bad]).toEqual([
      FILES + FILES / PER_FOLDER + 1,
      true,
      [],
    ]);
    await driver.until('the look after the watches', () => counts()['looks']! > 0);
    expect(driver.findings()).toEqual([]);
    changeSix();
    const began = performance.now();
    const seen = () => driver.facts.filter(({ kind, change }) => kind === 'file' && change !== 'baseline');
    await driver.until('all of them', () => seen().length >= CHANGES.length, 3_000);
    expect(performance.now() - began).toBeLessThan(3_000);
    const looks = counts()['looks']!;
    appendFileSync(file(9_999), 'one more, so that another look has come and gone\n');
    await driver.until('another look', () => counts()['looks']! > looks && seen().some(({ item }) => item === file(9_999)));
    expect(names(seen())).toEqual([...CHANGES, 'changed /d99/f9999'].sort());
    const of = (n: number) => seen().find(({ item }) => item === file(n))!;
    expect(of(5).fields['mtime_at']).toBe(1_000_000_000);
    expect([of(105).was, of(105).fields]).toMatchObject([{ mode: '0644' }, { mode: '4755' }]);
    expect(Object.keys(of(205).was ?? {})).toEqual(expect.arrayContaining(['inode', 'sha256', 'size']));
    expect(of(505).fields).toMatchObject({ path: file(505), type: 'file', size: 9 });
  });

  it('tells the same by the next scan where no wake-up came, none twice', async () => {
    await open({ watch: false, intervalMs: 300 });
    await settle();
    driver.findings();
    changeSix();
    const before = scans();
    await driver.until('two more scans', () => scans() >= before + 3);
    expect(names(driver.findings())).toEqual(CHANGES);
    expect(counts()['looks']).toBe(0);
  });

  it('closes each scan with a count and a checksum that the other side comes to as well', async () => {
    await open({ watch: false, intervalMs: 300 });
    await settle();
    changeSix();
    const before = scans();
    await driver.until('a scan after the changes', () => scans() >= before + 2);
    const items = new Map<string, FactFields>();
    for (const { kind, change, item, fields } of driver.facts) {
      if (kind === 'scan') expect([fields['count'], fields['checksum']]).toEqual([items.size, factChecksum(items)]);
      else if (change === 'removed') items.delete(item);
      else items.set(item, fields);
    }
  });
});

describe('what is told', () => {
  it('is restated whole after fim.full, and alarms nobody', async () => {
    makeTree(300);
    await open({ watch: false, intervalMs: 200, fullMs: 1_000 });
    await settle();
    await driver.until('a full scan', () =>
      driver.facts.some(({ kind, fields, change }) => kind === 'scan' && change === 'seen' && fields['full'] === true),
    );
    const again = driver.facts.filter(({ kind, change }) => kind === 'file' && change === 'seen');
    expect(new Set(again.map(({ item }) => item)).size).toBe(304);
    expect(driver.findings()).toEqual([]);
  });

  it('finds content that changed under the same inode and times by the full hash', async () => {
    // What only a write past the file system can do is played by a row whose digest is another one.
    makeTree(100);
    await open({ watch: false });
    await settle();
    await driver.close();
    const { DatabaseSync } = await import('node:sqlite');
    const db = new DatabaseSync(join(root, 'state', 'fim.db'));
    const { told } = db.prepare('SELECT told FROM item WHERE name = ?').get('f7') as { told: string };
    const other = told.replace(/"sha256":"[0-9a-f]{64}"/, `"sha256":"${'0'.repeat(64)}"`);
    db.prepare('UPDATE item SET told = ? WHERE name = ?').run(other, 'f7');
    db.exec("UPDATE meta SET value = '0' WHERE name = 'full'");
    db.close();
    await open({ watch: false });
    await settle();
    expect(names(driver.findings())).toEqual(['changed /d0/f7']);
  });

  it('stands over a restart: nothing is told twice, and what changed meanwhile is', async () => {
    makeTree(200);
    await open();
    await settle();
    await driver.close();
    await open();
    await settle();
    expect(driver.facts.map(({ kind }) => kind)).toEqual(['scan']);
    await driver.close();
    appendFileSync(file(3), 'x');
    await open();
    await settle();
    expect(names(driver.findings())).toEqual(['changed /d0/f3']);
  });

  it('is told again when it was not sealed, and not before that is settled', async () => {
    makeTree(100);
    await open();
    await settle();
    await driver.close();
    appendFileSync(file(3), 'x');
    await open({}, () => false);
    await driver.until('the finding', () => driver.findings().length > 0);
    await driver.close();
    await open();
    await settle();
    expect(names(driver.findings())).toEqual(['changed /d0/f3']);
  });

  it('gives the same bytes again while a batch is not committed', async () => {
    makeTree(100);
    await open();
    await driver.fim.open(() => undefined);
    const bytes = async () => {
      for (;;) {
        driver.fim.poll();
        const batch = driver.fim.next();
        if (batch) return Buffer.concat(batch.records.map((record) => record.bytes)).toString();
        await new Promise((resolve) => setImmediate(resolve));
      }
    };
    expect(await bytes()).toBe(await bytes());
  });

  it('is capped by the rate; the rest is counted and told by the next scans, nothing lost', async () => {
    makeTree(100);
    await open({ watch: false, intervalMs: 100, rate: 40 });
    await settle();
    driver.findings();
    for (let n = 0; n < 60; n++) appendFileSync(file(n), 'x');
    await driver.until('a full minute’s share', () => counts()['withheld']! > 0);
    const told = names(driver.findings());
    expect([told.length, counts()['withheld']]).toEqual([40, 20]);
    await driver.close();
    await open({ watch: false });
    await settle();
    expect([...told, ...names(driver.findings())].sort()).toEqual(
      Array.from({ length: 60 }, (_, n) => `changed ${file(n).slice(tree.length)}`).sort(),
    );
  });

  it('is quiet for a path that is new in the configuration, and not for a new file of a known path', async () => {
    makeTree(100);
    mkdirSync(join(root, 'second'));
    writeFileSync(join(root, 'second', 'old'), 'old');
    await open({ watch: false });
    await settle();
    await driver.close();
    writeFileSync(join(tree, 'new'), 'new');
    await open({ watch: false, paths: [tree, join(root, 'second'), join(root, 'third')] });
    await settle();
    expect(names(driver.findings())).toEqual(['added /new']);
    expect(driver.facts.filter(({ change }) => change === 'baseline').map(({ item }) => item)).toContain(join(root, 'second', 'old'));
    expect(driver.fim.problems()).toMatchObject([{ code: 'FIM_MISSING', about: join(root, 'third') }]);
    await driver.close();
    mkdirSync(join(root, 'third'));
    writeFileSync(join(root, 'third', 'late'), 'late');
    await open({ watch: false, paths: [tree, join(root, 'second'), join(root, 'third')] });
    await settle();
    expect(driver.findings().map(({ change, item }) => `${change} ${item}`)).toEqual([
      `added ${join(root, 'third')}`,
      `added ${join(root, 'third', 'late')}`,
    ]);
  });

  it('tells a folder that goes with everything in it, and a new one with everything in it', async () => {
    makeTree(200);
    await open();
    await settle();
    await driver.until('the look after the watches', () => counts()['looks']! > 0);
    driver.findings();
    rmSync(join(tree, 'd1'), { recursive: true });
    mkdirSync(join(tree, 'new', 'deep'), { recursive: true });
    writeFileSync(join(tree, 'new', 'deep', 'x'), 'x');
    const told: string[] = [];
    await driver.until('all', () => told.push(...names(driver.findings())) >= 104, 3_000);
    expect(told.filter((one) => one.startsWith('removed')).length).toBe(101);
    expect(told.filter((one) => one.startsWith('added')).sort()).toEqual(['added /new', 'added /new/deep', 'added /new/deep/x']);
    // The new folder is watched too.
    writeFileSync(join(tree, 'new', 'deep', 'y'), 'y');
    await driver.until('the file in the new folder', () => names(driver.findings()).includes('added /new/deep/y'), 3_000);
  });

  it('leaves out what is excluded, a folder with all below it', async () => {
    makeTree(200);
    symlinkSync('/nowhere', join(tree, 'd0', 'link'));
    await open({ exclude: [join(tree, 'd1'), join(tree, '*', 'f1?')] });
    await settle();
    const items = driver.facts.map(({ item }) => item);
    expect(items).not.toContain(join(tree, 'd1'));
    expect(items).not.toContain(file(11));
    expect(items.length).toBe(200 - 100 - 10 + 2 + 1 + 1);
    expect(driver.facts.find(({ item }) => item.endsWith('link'))?.fields).toMatchObject({ type: 'symlink', target: '/nowhere' });
  });
});
