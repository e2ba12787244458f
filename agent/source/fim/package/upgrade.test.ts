// SPDX-License-Identifier: Apache-2.0
/** Package transactions over a scratch root: what dpkg, apk and rpm explain is one benign event, what they do not stays a finding. */
import { createHash } from 'node:crypto';
import {
  appendFileSync,
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Fact, factChecksum } from '../../../../core/fact.ts';
import { type FimDriver, openDriver } from '../../../../test/support/fim-driver.ts';
import { openDpkg } from './dpkg.ts';

const FILES = 10_000;
const UPGRADED = 47;
let root: string;
let driver: FimDriver;

const at = (path: string): string => join(root, path);
const put = (path: string, text: string): void => {
  mkdirSync(dirname(at(path)), { recursive: true });
  // As dpkg does it: beside, then renamed over.
  writeFileSync(`${at(path)}.dpkg-new`, text, { mode: 0o755 });
  renameSync(`${at(path)}.dpkg-new`, at(path));
};
const digest = (algorithm: string, path: string): Buffer =>
  createHash(algorithm)
    .update(readFileSync(at(path)))
    .digest();

interface Package {
  readonly name: string;
  readonly version: string;
  readonly files: readonly string[];
}

const writeDpkg = (packages: readonly Package[]): void => {
  for (const { name, files } of packages) {
    put(`var/lib/dpkg/info/${name}.list`, ['/.', ...files.map((file) => `${root}/${file}`), ''].join('\n'));
    put(
      `var/lib/dpkg/info/${name}.md5sums`,
      files.map((file) => `${digest('md5', file).toString('hex')}  ${root.slice(1)}/${file}\n`).join(''),
    );
  }
  put(
    'var/lib/dpkg/status',
    packages
      .map(
        ({ name, version }) =>
          `Package: ${name}\nStatus: install ok installed\nArchitecture: amd64\nVersion: ${version}\nDescription: a package\n\n`,
      )
      .join(''),
  );
};

const open = async (options: Partial<Parameters<typeof openDriver>[0]> = {}): Promise<void> => {
  driver = await openDriver({ dir: at('state'), paths: [at('usr')], packageRoot: root, ...options });
  await driver.until('the first scan', () => counts()['scans']! > 0);
  if (options.watch !== false) await driver.until('the look after the watches', () => counts()['looks']! > 0);
  driver.findings();
};
const counts = (): Readonly<Record<string, number>> => driver.fim.progress()[0]!.counts;
const names = (facts: readonly Fact[]): string[] =>
  facts.map(({ kind, change, item }) => `${kind} ${change} ${item.replace(`${root}/`, '')}`).sort();
const upgrades = (): readonly Fact[] => driver.facts.filter(({ kind }) => kind === 'upgrade');

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'vigil-fim-'));
  for (const folder of ['state', 'usr/bin', 'usr/sbin', 'etc']) mkdirSync(at(folder), { recursive: true });
});
afterEach(async () => {
  await driver.close();
  expect(driver.bad).toEqual([]);
  rmSync(root, { recursive: true, force: true });
});

describe('an upgrade by dpkg', { timeout: 90_000 }, () => {
  const files = Array.from({ length: UPGRADED }, (_, n) => `usr/sbin/tool${n}`);
  const openssl = (version: string): Package => ({ name: 'openssl', version, files });
  const others: Package = { name: 'coreutils', version: '9.1-1', files: ['usr/bin/f0', 'usr/bin/f1'] };

  beforeEach(() => {
    for (let n = 0; n < FILES - UPGRADED; n++) writeFileSync(at(`usr/bin/f${n}`), `file ${n}`);
    for (const file of files) put(file, `${file} as of 3.0.11`);
    writeDpkg([openssl('3.0.11-1'), others]);
  });

  /** As apt does it: under dpkg's journal, files first, its own lists last. */
  const upgrade = (): void => {
    put('var/lib/dpkg/updates/0001', 'at work');
    for (const file of files) put(file, `${file} as of 3.0.15`);
    writeDpkg([openssl('3.0.15-1'), others]);
    rmSync(at('var/lib/dpkg/updates/0001'));
  };

  it.each([true, false])('of 47 files in a tree of 10,000 is one benign event (watch: %s)', async (watch) => {
    await open({ watch, intervalMs: watch ? 3_600_000 : 500 });
    const began = performance.now();
    upgrade();
    await driver.until('the upgrade', () => upgrades().length > 0, watch ? 3_000 : 20_000);
    if (watch) expect(performance.now() - began).toBeLessThan(3_000);
    appendFileSync(at('usr/bin/f77'), 'x');
    const told: string[] = [];
    await driver.until('what came after', () => {
      told.push(...names(driver.findings()));
      return told.includes('file changed usr/bin/f77');
    });
    expect(told.sort()).toEqual(['file changed usr/bin/f77', 'upgrade added openssl 3.0.15-1']);
    expect(upgrades()[0]!.fields).toMatchObject({
      manager: 'dpkg',
      packages: ['openssl'],
      from: ['3.0.11-1'],
      to: ['3.0.15-1'],
      files: 47,
    });
    expect((upgrades()[0]!.fields['sample'] as string[]).length).toBe(20);
    // The state of each file is said, and alarms nobody.
    expect(new Set(driver.facts.filter(({ change, kind }) => kind === 'file' && change === 'seen').map(({ item }) => item))).toEqual(
      new Set(files.map(at)),
    );
  });

  it('is waited for while it works, so that half of it is no finding', async () => {
    await open();
    put('var/lib/dpkg/updates/0001', 'at work');
    for (const file of files) put(file, `${file} as of 3.0.15`);
    await driver.until('the wait', () => counts()['deferred']! >= 2);
    expect(names(driver.findings())).toEqual([]);
    writeDpkg([openssl('3.0.15-1'), others]);
    rmSync(at('var/lib/dpkg/updates/0001'));
    await driver.until('the upgrade', () => upgrades().length > 0);
    expect(names(driver.findings())).toEqual(['upgrade added openssl 3.0.15-1']);
  });

  it('leaves its half-written files out of looks, and a scan tells who only borrowed their name', async () => {
    put('usr/bin/tool', 'as it was');
    const beside = ['tool.dpkg-new', 'tool.dpkg-tmp', 'tool;5f3a1b2c', `.apk.${'a'.repeat(40)}`];
    await open();
    for (const name of beside) writeFileSync(at(`usr/bin/${name}`), 'half of it');
    const looks = (): number => counts()['looks'] ?? 0;
    const before = looks();
    writeFileSync(at('usr/bin/other'), 'and another file');
    await driver.until('a look', () => looks() > before && driver.facts.some(({ item }) => item.endsWith('/other')));
    expect(names(driver.findings())).toEqual(['file added usr/bin/other']);
    await driver.close();
    driver = await openDriver({ dir: at('state'), paths: [at('usr')], packageRoot: root });
    await driver.until(
      'the next scan',
      () => driver.facts.filter(({ kind, change }) => kind === 'file' && change === 'added').length >= beside.length,
    );
    expect(names(driver.findings())).toEqual(beside.map((name) => `file added usr/bin/${name}`).sort());
  });

  it('does not cover what it did not bring: other content, a setuid bit, another file', async () => {
    await open();
    put('var/lib/dpkg/updates/0001', 'at work');
    for (const file of files) put(file, `${file} as of 3.0.15`);
    writeDpkg([openssl('3.0.15-1'), others]);
    appendFileSync(at('usr/sbin/tool3'), '; and a door for somebody');
    chmodSync(at('usr/sbin/tool4'), 0o4755);
    put('usr/sbin/extra', 'not of the package');
    appendFileSync(at('usr/bin/f1'), 'of a package that did not change');
    rmSync(at('var/lib/dpkg/updates/0001'));
    await driver.until('the upgrade', () => upgrades().length > 0);
    expect(names(driver.findings())).toEqual([
      'file added usr/sbin/extra',
      'file changed usr/bin/f1',
      'file changed usr/sbin/tool3',
      'file changed usr/sbin/tool4',
      'upgrade added openssl 3.0.15-1',
    ]);
    expect(upgrades()[0]!.fields['files']).toBe(45);
  });

  it('is not believed when its list is cut in half: each file is told, and why', async () => {
    await open();
    upgrade();
    const status = at('var/lib/dpkg/status');
    truncateSync(status, Math.floor(readFileSync(status).length / 2));
    const told: string[] = [];
    await driver.until('every file', () => {
      told.push(...names(driver.findings()));
      return told.length >= UPGRADED;
    });
    expect(told.sort()).toEqual(files.map((file) => `file changed ${file}`).sort());
    await driver.close();
    await open({ watch: false });
    expect(driver.fim.problems()).toMatchObject([{ code: 'FIM_PACKAGES_UNREADABLE', about: status }]);
    // Put back whole, it explains nothing twice.
    writeDpkg([openssl('3.0.15-1'), others]);
    await driver.close();
    await open({ watch: false });
    expect([names(driver.findings()), driver.fim.problems()]).toEqual([[], []]);
  });

  it('explains a removed package’s files, and names those of a package under a linked folder', async () => {
    symlinkSync('usr/bin', at('bin'));
    await open({ watch: false });
    await driver.close();
    for (const file of files) rmSync(at(file));
    writeDpkg([others]);
    rmSync(at('var/lib/dpkg/info/openssl.list'));
    await open({ watch: false });
    expect(upgrades()[0]!).toMatchObject({ item: 'openssl removed', fields: { to: [''], files: 47 } });
    // No fact takes them away: the full scan that follows at once names what stands, and the other side misses them.
    await driver.until('the full scan', () => driver.facts.filter(({ kind }) => kind === 'scan').at(-1)?.fields['full'] === true);
    expect(driver.facts.filter(({ kind, change }) => kind === 'file' && change === 'removed')).toEqual([]);
    const named = driver.facts.filter(({ kind, change }) => kind === 'file' && change === 'seen');
    const last = driver.facts.at(-1)!.fields;
    const standing = new Map(named.map(({ item, fields }) => [item, fields]));
    expect([last['count'], last['checksum']]).toEqual([standing.size, factChecksum(standing)]);
  });
});

describe('a package manager at work', () => {
  it('is known by the lock that it holds, in whatever process', async () => {
    put('usr/bin/one', 'one');
    writeDpkg([{ name: 'one', version: '1', files: ['usr/bin/one'] }]);
    const dpkg = openDpkg(root)!;
    expect(dpkg.isBusy()).toBe(false);
    // SQLite locks its file as dpkg locks its own, by fcntl.
    const holder = new DatabaseSync(at('var/lib/dpkg/lock'));
    holder.exec('CREATE TABLE t (x); BEGIN EXCLUSIVE');
    expect(dpkg.isBusy()).toBe(existsSync('/proc/locks'));
    holder.close();
    expect(dpkg.isBusy()).toBe(false);
    await open({ watch: false });
  });
});

describe('apk and rpm', () => {
  const file = 'usr/bin/busybox';
  beforeEach(() => put(file, 'as of 1.36.0'));

  const apk = (version: string): void => {
    const [folder, name] = [`${root.slice(1)}/${dirname(file)}`, 'busybox'];
    put(
      'lib/apk/db/installed',
      `P:busybox\nV:${version}\nF:${folder}\nR:${name}\na:0:0:755\nZ:Q1${digest('sha1', file).toString('base64')}\n\n`,
    );
  };
  it('apk’s upgrade is one benign event', async () => {
    apk('1.36.0-r0');
    await open();
    put(file, 'as of 1.36.1');
    apk('1.36.1-r0');
    await driver.until('the upgrade', () => upgrades().length > 0);
    expect(names(driver.findings())).toEqual(['upgrade added busybox 1.36.1-r0']);
  });

  /** One header: an index of (tag, type, offset, count), then the data. */
  const header = (entries: readonly (readonly [tag: number, type: number, values: readonly (string | number)[]])[]): Buffer => {
    const data: Buffer[] = [];
    let size = 0;
    const index = entries.map(([tag, type, values]) => {
      const gap = type === 4 ? -size & 3 : 0;
      data.push(Buffer.alloc(gap));
      size += gap;
      const entry = Buffer.alloc(16);
      for (const [i, n] of [tag, type, size, values.length].entries()) entry.writeUInt32BE(n, i * 4);
      for (const value of values) {
        const bytes =
          typeof value === 'string'
            ? Buffer.from(`${value}\0`)
            : Buffer.from([value >>> 24, (value >>> 16) & 255, (value >>> 8) & 255, value & 255]);
        data.push(bytes);
        size += bytes.length;
      }
      return entry;
    });
    const head = Buffer.alloc(8);
    head.writeUInt32BE(entries.length, 0);
    head.writeUInt32BE(size, 4);
    return Buffer.concat([head, ...index, ...data]);
  };
  const rpm = (version: string): void => {
    mkdirSync(at('var/lib/rpm'), { recursive: true });
    const db = new DatabaseSync(at('var/lib/rpm/rpmdb.sqlite'));
    db.exec('CREATE TABLE IF NOT EXISTS Packages (hnum INTEGER PRIMARY KEY, blob BLOB)');
    db.prepare('INSERT OR REPLACE INTO Packages VALUES (1, ?)').run(
      header([
        [1000, 6, ['busybox']],
        [1001, 6, [version]],
        [1002, 6, ['1.el9']],
        [1022, 6, ['x86_64']],
        [1035, 8, [digest('sha256', file).toString('hex')]],
        [1116, 4, [0]],
        [1117, 8, ['busybox']],
        [1118, 8, [`${root}/usr/bin/`]],
        [5011, 4, [8]],
      ]),
    );
    db.close();
  };
  it('rpm’s upgrade is one benign event', async () => {
    rpm('1.36.0');
    await open();
    put(file, 'as of 1.36.1');
    rpm('1.36.1');
    await driver.until('the upgrade', () => upgrades().length > 0);
    expect(names(driver.findings())).toEqual(['upgrade added busybox.x86_64 1.36.1-1.el9']);
    expect(upgrades()[0]!.fields).toMatchObject({ manager: 'rpm', from: ['1.36.0-1.el9'] });
  });

  it('an rpm database that is damaged explains nothing, and is named', async () => {
    rpm('1.36.0');
    await open({ watch: false });
    await driver.close();
    put(file, 'as of 1.36.1');
    writeFileSync(at('var/lib/rpm/rpmdb.sqlite'), 'no database');
    await open({ watch: false });
    const told = driver.facts.filter(({ kind, change }) => kind === 'file' && change === 'changed');
    expect(names(told)).toEqual([`file changed ${file}`]);
    expect(driver.fim.problems()).toMatchObject([{ code: 'FIM_PACKAGES_UNREADABLE' }]);
  });
});
