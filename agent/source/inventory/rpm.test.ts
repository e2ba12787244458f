// SPDX-License-Identifier: Apache-2.0
/**
 * The three databases of rpm. Two fixtures are rpm's own and Berkeley DB's own work: four packages as rpm 4.18 installed them, one of them
 * after another version was erased, and the same headers as db5.3_load writes them. The third form is laid out here by its description.
 */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ROOT } from '../../../test/support/repository.ts';
import { makePackageOf } from './owner.ts';
import { rpmItems } from './rpm.ts';
import { bdbHeaders } from './rpm-files.ts';
import { readRpmHeader } from './rpm-header.ts';
import { openTree } from './tree.ts';

const fixture = (name: string): Buffer => gunzipSync(readFileSync(join(ROOT, 'test', 'fixtures', 'inventory', `${name}.gz`)));
const headers = (): readonly Buffer[] => [...bdbHeaders(fixture('Packages'))].map((header) => Buffer.from(header));

const treeWith = (path: string, content: Uint8Array): string => {
  const root = mkdtempSync(join(tmpdir(), 'vigil-rpm-'));
  mkdirSync(join(root, path, '..'), { recursive: true });
  writeFileSync(join(root, path), content);
  return root;
};

const look = (root: string) => {
  const found = [...rpmItems(openTree(root))];
  return {
    items: found.flatMap((one) => (one.kind === 'item' ? [one.item] : [])).sort(),
    fields: found.flatMap((one) => (one.kind === 'item' ? [one.fields] : [])),
    problems: found.flatMap((one) => (one.kind === 'problem' ? [`${one.problem.code}: ${one.problem.reason}`] : [])),
    unseen: found.flatMap((one) => (one.kind === 'unseen' ? [one.unseen] : [])),
  };
};

const ITEMS = ['rpm:alpha:noarch', 'rpm:beta:noarch', 'rpm:kernel-core:noarch:1.0-3.el9', 'rpm:kernel-core:noarch:2.0-3.el9'];
const BETA = {
  manager: 'rpm',
  name: 'beta',
  version: '2:2.0-3.el9',
  arch: 'noarch',
  source: 'beta',
  source_version: '2:2.0-3.el9',
  state: 'installed',
  installed_at: 1_795_669_051_000,
  vendor: 'Example Project',
};

/** Slots of sixteen bytes name blobs that begin at blocks of sixteen bytes. */
const ndb = (blobs: readonly Buffer[]): Buffer => {
  const head = Buffer.alloc(4_096);
  head.write('RpmP');
  head.writeUInt32LE(1, 12);
  for (let at = 32; at < head.length; at += 16) head.write('Slot', at);
  const pieces: Buffer[] = [head];
  let block = head.length / 16;
  for (const [i, blob] of blobs.entries()) {
    const piece = Buffer.alloc(Math.ceil((16 + blob.length + 12) / 16) * 16);
    piece.write('BlbS');
    piece.writeUInt32LE(i + 1, 4);
    piece.writeUInt32LE(blob.length, 12);
    blob.copy(piece, 16);
    head.writeUInt32LE(i + 1, 32 + i * 32 + 4);
    head.writeUInt32LE(block, 32 + i * 32 + 8);
    head.writeUInt32LE(piece.length / 16, 32 + i * 32 + 12);
    pieces.push(piece);
    block += piece.length / 16;
  }
  return Buffer.concat(pieces);
};

const FORMS = [
  ['SQLite', 'var/lib/rpm/rpmdb.sqlite', () => fixture('rpmdb.sqlite')],
  ['ndb', 'usr/lib/sysimage/rpm/Packages.db', () => ndb(headers())],
  ['Berkeley DB', 'var/lib/rpm/Packages', () => fixture('Packages')],
] as const;

describe('a database of rpm', () => {
  for (const [form, path, content] of FORMS) {
    it(`of the form ${form} gives every package, versions beside each other apart`, () => {
      const root = treeWith(path, content());
      const { items, fields, problems } = look(root);
      expect(items).toEqual(ITEMS);
      expect(fields.find(({ name }) => name === 'beta')).toEqual(BETA);
      expect(problems).toEqual([]);
      // Nothing was written beside it.
      expect(readdirSync(join(root, path, '..'))).toHaveLength(1);
    });

    it(`of the form ${form} that is cut takes no package away`, () => {
      const whole = content();
      for (const share of [0, 0.01, 0.3, 0.6, 0.95]) {
        const { problems, unseen } = look(treeWith(path, whole.subarray(0, Math.floor(whole.length * share))));
        expect([share, problems.length > 0, unseen.length > 0]).toEqual([share, true, true]);
        expect(problems[0]).toMatch(/^INVENTORY_DAMAGED: /);
      }
    });

    it(`of the form ${form} with bytes changed anywhere ends, and says what is no package`, () => {
      const whole = content();
      fc.assert(
        fc.property(fc.array(fc.tuple(fc.nat(whole.length - 1), fc.nat(255)), { minLength: 1, maxLength: 40 }), (changes) => {
          const broken = Buffer.from(whole);
          for (const [at, value] of changes) broken[at] = value;
          expect(look(treeWith(path, broken)).items.length).toBeLessThan(20);
        }),
        { numRuns: 100 },
      );
    });
  }

  it('names the package of a program', () => {
    const tree = openTree(treeWith('var/lib/rpm/rpmdb.sqlite', fixture('rpmdb.sqlite')));
    const packageOf = makePackageOf();
    const ask = (path: string): string | undefined => {
      const asking = packageOf(tree, [path]);
      for (let step = asking.next(); ; step = asking.next()) if (step.done === true) return step.value.get(path);
    };
    expect(ask('/opt/alpha/2.0')).toBe('alpha');
    expect(ask('/opt/kernel-core/1.0')).toBe('kernel-core');
    expect(ask('/opt/alpha/1.0')).toBeUndefined();
  });

  it('reads no header out of bytes that are none', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => {
        const read = readRpmHeader(Buffer.from(bytes));
        expect(read === null || typeof read.name === 'string').toBe(true);
      }),
    );
  });
});
