// SPDX-License-Identifier: Apache-2.0
/** What the source of inventory tells, when, and what becomes of it over crashes, bad files and lost baselines. */
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type Fact, factChecksum } from '../../../core/fact.ts';
import { hours, minutes } from '../../../core/units.ts';
import { mkfifo } from '../../../test/support/fifo.ts';
import { inventoryReader } from '../../../test/support/inventory-reader.ts';
import { openRedactor } from '../../redact/redact.ts';
import { loadRules } from '../../redact/rules.ts';
import { makeScanners } from './scanners.ts';

const KINDS = makeScanners().length;
const PASSWD = 'root:x:0:0:root:/root:/bin/bash\nweb:x:1001:1001:Web:/home/web:/bin/sh\n';
const KEY = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJm4W1oVjX0zq1rC1b8cJr3Vw3o4Wq0m5uH1m8n0cJ1E web@laptop\n';

const paragraph = (name: string, version = '1.0'): string =>
  `Package: ${name}\nStatus: install ok installed\nMaintainer: Some One <one@example.org>\nArchitecture: amd64\nVersion: ${version}\nDescription: a package\n of no use\n\n`;
const packages = (n: number): string => Array.from({ length: n }, (_, i) => paragraph(`pkg${i}`)).join('');

const news = (facts: readonly Fact[]): readonly string[] =>
  facts.filter(({ kind }) => kind !== 'scan' && kind !== 'os').map(({ kind, change, item }) => `${kind} ${change} ${item}`);

describe('an inventory', () => {
  it('tells everything as baseline at first sight, each kind closed by a scan that proves it', async () => {
    const host = await inventoryReader();
    host.put('etc/passwd', PASSWD);
    host.put('var/lib/dpkg/status', packages(3));
    const facts = await host.after(0);
    expect(new Set(facts.map(({ change }) => change))).toEqual(new Set(['baseline']));
    const scans = facts.filter(({ kind }) => kind === 'scan');
    expect(scans).toHaveLength(KINDS);
    for (const { item, fields } of scans) {
      const items = facts.filter(({ kind }) => kind === item);
      expect(fields).toMatchObject({ of: item, full: true, count: items.length, errors: 0 });
      expect(fields['checksum']).toBe(factChecksum(items.map((one) => [one.item, one.fields])));
    }
    expect(news(facts)).toContain('package baseline dpkg:pkg2:amd64');
  });

  it('is silent until it is due, and then says of each kind only that nothing changed', async () => {
    const host = await inventoryReader();
    host.put('etc/passwd', PASSWD);
    await host.after(0);
    expect(await host.after(minutes(30))).toEqual([]);
    const facts = await host.after(hours(1));
    expect(facts.map(({ kind, change, fields }) => `${kind} ${change} ${fields['full']}`)).toEqual(Array(KINDS).fill('scan seen false'));
  });

  it('tells what is new, what changed with what it was, and what is gone', async () => {
    const host = await inventoryReader();
    host.put('var/lib/dpkg/status', paragraph('a') + paragraph('b') + paragraph('c'));
    await host.after(0);
    host.put('var/lib/dpkg/status', paragraph('b', '2.0') + paragraph('c') + paragraph('d'));
    const facts = await host.after(hours(1));
    expect(news(facts)).toEqual(['package changed dpkg:b:amd64', 'package added dpkg:d:amd64', 'package removed dpkg:a:amd64']);
    expect(facts.find(({ change }) => change === 'changed')).toMatchObject({
      fields: { version: '2.0', source_version: '2.0' },
      was: { version: '1.0', source_version: '1.0' },
    });
    expect(facts.find(({ change }) => change === 'removed')?.fields).toMatchObject({ name: 'a', version: '1.0' });
  });

  it('sees a new account and a new key within a minute, and says nothing of the rest', async () => {
    const host = await inventoryReader();
    host.put('etc/passwd', PASSWD);
    await host.after(0);
    host.put('home/web/.ssh/authorized_keys', KEY);
    host.put('etc/passwd', `${PASSWD}eve:x:0:0::/:/bin/sh\n`);
    const facts = await host.after(minutes(1));
    expect(news(facts)).toEqual(['user added eve', expect.stringMatching(/^ssh-key added web:SHA256:/)]);
    expect(facts.filter(({ kind }) => kind === 'scan').map(({ item }) => item)).toEqual(expect.arrayContaining(['user', 'ssh-key']));
  });

  it('says everything again once a day', async () => {
    const host = await inventoryReader();
    host.put('etc/passwd', PASSWD);
    await host.after(0);
    for (let hour = 1; hour < 24; hour++) expect(news(await host.after(hours(1)))).toEqual([]);
    const facts = await host.after(hours(1));
    expect(news(facts)).toEqual(expect.arrayContaining(['user seen root', 'user seen web']));
    expect(facts.find(({ kind, item }) => kind === 'scan' && item === 'user')?.fields).toMatchObject({ full: true, count: 2 });
    expect(news(await host.after(hours(1)))).toEqual([]);
  });

  it('gives the same again until it is committed, and looks at no kind again before it is sealed', async () => {
    const host = await inventoryReader();
    host.put('etc/passwd', PASSWD);
    await host.scan();
    const texts = (): readonly string[] => (host.source.next()?.records ?? []).map(({ bytes }) => Buffer.from(bytes).toString());
    const first = texts();
    expect(texts()).toEqual(first);
    host.clock.advance(hours(2));
    host.source.poll();
    expect(texts()).toEqual(first);
    expect(host.take().length).toBeGreaterThanOrEqual(KINDS);
  });
});

describe('a crash', () => {
  it('between finding and sealing repeats the finding', async () => {
    const host = await inventoryReader();
    host.put('etc/passwd', PASSWD);
    await host.after(0);
    host.put('etc/passwd', `${PASSWD}eve:x:0:0::/:/bin/sh\n`);
    host.clock.advance(hours(1));
    await host.scan();
    expect(news(host.take(false))).toEqual(['user added eve']);
    await host.restart();
    expect(news(await host.after(0))).toEqual(['user added eve']);
    await host.restart();
    expect(news(await host.after(0))).toEqual([]);
  });

  it('in the first scan leaves the kinds that were sealed, and begins the others anew', async () => {
    const host = await inventoryReader();
    host.put('etc/passwd', PASSWD);
    await host.scan();
    host.source.next();
    host.source.commit();
    host.source.sealed();
    await host.restart();
    const facts = await host.after(0);
    expect(facts.filter(({ kind, change }) => kind === 'scan' && change === 'seen')).toHaveLength(1);
    expect(facts.filter(({ kind, change }) => kind === 'scan' && change === 'baseline')).toHaveLength(KINDS - 1);
  });

  it('of the disk under a baseline is said, and everything of that kind is told as at first sight', async () => {
    const host = await inventoryReader();
    host.put('etc/passwd', PASSWD);
    await host.after(0);
    const file = join(dirname(host.root), 'inventory', 'user.ndjson');
    writeFileSync(file, readFileSync(file).subarray(0, -20));
    await host.restart();
    expect(news(await host.after(0))).toEqual(['user baseline root', 'user baseline web']);
    await host.restart();
    expect(news(await host.after(0))).toEqual([]);
    expect(host.problems()).toEqual([]);
  });

  it('that took the spool makes everything be said again, as what was told may never have arrived', async () => {
    const host = await inventoryReader();
    host.put('etc/passwd', PASSWD);
    await host.after(0);
    await host.restart('');
    expect(news(await host.after(0))).toEqual(['user seen root', 'user seen web']);
  });

  it('of the collector makes everything be said again', async () => {
    const host = await inventoryReader();
    host.put('etc/passwd', PASSWD);
    await host.after(0);
    await host.source.restart('inventory');
    const facts = await host.after(1_000);
    expect(news(facts)).toEqual(expect.arrayContaining(['user seen root', 'user seen web']));
    expect(facts.filter(({ kind }) => kind === 'scan').every(({ fields }) => fields['full'] === true)).toBe(true);
  });
});

describe('a file that cannot be read as it should', () => {
  it('takes nothing away: a dpkg status file cut in half', async () => {
    const host = await inventoryReader();
    const whole = packages(1_000);
    host.put('var/lib/dpkg/status', whole);
    await host.after(0);
    host.put('var/lib/dpkg/status', whole.slice(0, whole.length / 2 + 17));
    expect(news(await host.after(hours(1)))).toEqual([]);
    expect(host.problems()[0]).toMatch(/^INVENTORY_DAMAGED \/var\/lib\/dpkg\/status: it ends in the middle of the package at line \d+$/);
    host.put('var/lib/dpkg/status', whole);
    expect(news(await host.after(hours(1)))).toEqual([]);
    expect(host.problems()).toEqual([]);
  });

  it('takes nothing away: a dpkg status file cut between two packages', async () => {
    const host = await inventoryReader();
    host.put('var/lib/dpkg/status', packages(100));
    for (let i = 0; i < 100; i++) host.put(`var/lib/dpkg/info/pkg${i}.list`, '/.\n');
    await host.after(0);
    host.put('var/lib/dpkg/status', packages(50));
    expect(news(await host.after(hours(1)))).toEqual([]);
    expect(host.problems()).toEqual([expect.stringContaining('50 installed packages are missing in it, pkg')]);
  });

  it('takes nothing away where it is no file any more, and what comes to light again is no news', async () => {
    const host = await inventoryReader();
    host.put('etc/passwd', PASSWD);
    host.put('home/web/.ssh/authorized_keys', KEY);
    await host.after(0);
    renameSync(join(host.root, 'home/web/.ssh/authorized_keys'), join(host.root, 'aside'));
    await mkfifo(join(host.root, 'home/web/.ssh/authorized_keys'));
    expect(news(await host.after(hours(1)))).toEqual([]);
    expect(host.problems()).toEqual(['INVENTORY_UNREADABLE /home/web/.ssh/authorized_keys: it is not a regular file']);
    rmSync(join(host.root, 'home/web/.ssh/authorized_keys'));
    host.put('home/web/.ssh/authorized_keys', KEY + KEY.replace('AAAAIJm4', 'AAAAIJm5'));
    expect(news(await host.after(hours(1)))).toEqual([expect.stringMatching(/^ssh-key baseline web:SHA256:/)]);
    rmSync(join(host.root, 'home/web/.ssh/authorized_keys'));
    expect(news(await host.after(hours(1)))).toHaveLength(2);
  });

  it('is told with its line, and all other lines are taken: passwd', async () => {
    const host = await inventoryReader();
    host.put(
      'etc/passwd',
      Buffer.concat([
        Buffer.from(`${PASSWD}odd line\n:x:1:1:::\nx:y\n+@nis\nroot:x:9:9::/:/\n`),
        Buffer.from('j\xfcrg:x:7:7:J\xfcrg:/:/bin/sh\n', 'latin1'),
      ]),
    );
    expect(news(await host.after(0))).toEqual(['user baseline root', 'user baseline web', 'user baseline j\\xfcrg']);
    expect(host.problems()).toEqual([
      'INVENTORY_NOT_UTF8 /etc/passwd: it has bytes that are no UTF-8',
      'INVENTORY_ODD /etc/passwd: line 3 is no entry, and 3 more',
    ]);
  });

  it('costs its length once: keys with lines of a megabyte', async () => {
    const host = await inventoryReader();
    host.put('etc/passwd', PASSWD);
    host.put('home/web/.ssh/authorized_keys', `${`${'a '.repeat(524_288)}\n`.repeat(8)}${KEY}`);
    const began = performance.now();
    expect(news(await host.after(0))).toContainEqual(expect.stringMatching(/^ssh-key baseline web:SHA256:/));
    expect(performance.now() - began).toBeLessThan(3_000);
    expect(host.problems()).toEqual(['INVENTORY_ODD /home/web/.ssh/authorized_keys: line 1 is longer than 65536 characters, and 7 more']);
  });

  it('ends no scan by a link: neither out of the tree nor in a circle', async () => {
    const host = await inventoryReader();
    mkdirSync(join(host.root, 'etc'), { recursive: true });
    symlinkSync('/etc/passwd', join(host.root, 'etc/passwd'));
    symlinkSync('../../../../../../etc/group', join(host.root, 'etc/group'));
    symlinkSync('/usr/lib/os-release', join(host.root, 'etc/os-release'));
    host.put('usr/lib/os-release', 'ID=scratch\nNAME="A scratch \\"root\\""\n');
    const facts = await host.after(0);
    expect(news(facts)).toEqual([]);
    expect(facts.find(({ kind }) => kind === 'os')?.fields).toMatchObject({ id: 'scratch', name: 'A scratch "root"' });
    expect(host.problems()).toContain('INVENTORY_UNREADABLE /etc/passwd: its links lead nowhere');
  });

  it('ends no scan of the other kinds: a scanner that fails is told and tried again', async () => {
    let broken = true;
    const host = await inventoryReader({
      scanners: [
        {
          kind: 'disk',
          look: function* () {
            yield { kind: 'item', item: 'sda', fields: { name: 'sda' } };
            if (broken) throw new Error('a bad disk');
          },
        },
        { kind: 'module', look: () => [{ kind: 'item', item: 'ext4', fields: { name: 'ext4' } }] },
      ],
    });
    expect(news(await host.after(0))).toEqual(['module baseline ext4']);
    expect(host.problems()).toEqual(['INVENTORY_FAILED inventory of disk: a bad disk']);
    broken = false;
    expect(news(await host.after(hours(1)))).toEqual(['disk baseline sda']);
    expect(host.problems()).toEqual([]);
  });
});

describe('secrets in command lines', () => {
  it('are taken out before anything is told, and the checksum is over what is told', async () => {
    const redactor = openRedactor(loadRules(null));
    const host = await inventoryReader({ clean: (text) => redactor.clean('inventory', 'inventory', text) });
    host.put('etc/crontab', '5 * * * * root mysqldump --password=geheim42 --all >/dump\n');
    const facts = await host.after(0);
    const timer = facts.find(({ kind }) => kind === 'timer')!;
    expect(timer.fields['command']).toBe('mysqldump --password=[option:8] --all >/dump');
    expect(JSON.stringify(facts)).not.toContain('geheim42');
    expect(facts.find(({ kind, item }) => kind === 'scan' && item === 'timer')?.fields['checksum']).toBe(
      factChecksum([[timer.item, timer.fields]]),
    );
    await host.after(hours(1));
    expect(redactor.counts('inventory')['redacted']).toBe(1);
    for (const name of readdirSync(join(dirname(host.root), 'inventory')))
      expect(readFileSync(join(dirname(host.root), 'inventory', name), 'utf8')).not.toContain('geheim42');
  });
});
