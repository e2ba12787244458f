// SPDX-License-Identifier: Apache-2.0
/**
 * Checks never leave their tree and never hang: links, loops, pipes, huge and broken files are answers, and none of them is a pass.
 * Input: hostile trees on disk. Output: texts, faults, observations.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { parsePolicy } from '../../../core/policy.ts';
import { unixMs } from '../../../core/units.ts';
import { tempDir } from '../../../test/support/vigil.ts';
import { runChecks } from './run.ts';
import { openTree } from './tree.ts';

let base: string;
let root: string;

beforeEach(() => {
  base = tempDir();
  root = join(base, 'root');
  mkdirSync(join(root, 'etc/ssh'), { recursive: true });
});

const answer = (test: string): string => {
  const policy = parsePolicy(
    `policy: p\ntitle: P\ndescription: d\nchecks:\n  - id: a\n    title: A\n    severity: low\n    rationale: r\n    expected: e\n    test:\n      ${test}\n    fix: { say: mend }\n`,
    'p.yml',
  );
  const [found] = [...runChecks({ policies: [policy], tree: openTree(root), waivers: new Map(), now: unixMs(1) })];
  return `${found?.result}: ${found?.actual}`;
};

const SSHD = 'sshd: { key: PermitEmptyPasswords, is: "no" }';

describe('a tree', () => {
  it('takes absolute links and climbing ones as its own', () => {
    writeFileSync(join(base, 'secret'), 'outside');
    writeFileSync(join(root, 'secret'), 'inside');
    symlinkSync('/secret', join(root, 'etc/a'));
    symlinkSync('../../../../secret', join(root, 'etc/b'));
    symlinkSync('..', join(root, 'up'));
    const tree = openTree(root);
    expect([tree.read('/etc/a'), tree.read('/etc/b'), tree.read('/up/up/secret')]).toEqual(['inside', 'inside', 'inside']);
  });

  it('finds nothing at a link that leads to a place only the outside has', () => {
    writeFileSync(join(base, 'only-outside'), 'outside');
    symlinkSync('../../only-outside', join(root, 'etc/a'));
    symlinkSync(base, join(root, 'etc/dir'));
    const tree = openTree(root);
    expect([tree.read('/etc/a'), tree.glob('/etc/dir/*'), tree.stat('/etc/a')]).toEqual([undefined, [], undefined]);
  });

  it('lists and matches names in the order of their bytes', () => {
    for (const name of ['b.conf', 'a.conf', 'Z.conf', '.hidden.conf', 'c.txt']) writeFileSync(join(root, 'etc', name), '');
    expect(openTree(root).glob('/etc/*.conf')).toEqual(['/etc/Z.conf', '/etc/a.conf', '/etc/b.conf']);
  });
});

describe('a check', () => {
  it.each([
    ['links that run in a circle', () => symlinkSync('sshd_config', join(root, 'etc/ssh/sshd_config')), 'error', 'circle'],
    ['a pipe without a writer', () => spawnSync('mkfifo', [join(root, 'etc/ssh/sshd_config')]), 'error', 'no regular file'],
    ['a folder', () => mkdirSync(join(root, 'etc/ssh/sshd_config')), 'error', 'no regular file'],
    [
      'a hundred gigabytes of nothing',
      () => {
        writeFileSync(join(root, 'etc/ssh/sshd_config'), '');
        truncateSync(join(root, 'etc/ssh/sshd_config'), 100e9);
      },
      'error',
      'larger than',
    ],
    [
      'a file that includes itself',
      () => writeFileSync(join(root, 'etc/ssh/sshd_config'), 'Include sshd_config\n'),
      'error',
      'more than 16 deep',
    ],
  ])('has no answer on %s', (_, make, result, reason) => {
    make();
    const said = answer(SSHD);
    expect(said).toContain(`${result}: `);
    expect(said).toContain(reason);
  });

  it('reads a file that is no UTF-8, line by line', () => {
    writeFileSync(join(root, 'etc/ssh/sshd_config'), Buffer.from([0xff, 0xfe, 0x0a, ...Buffer.from('PermitEmptyPasswords yes\n')]));
    expect(answer(SSHD)).toBe('fail: PermitEmptyPasswords is yes (/etc/ssh/sshd_config:2)');
  });

  it('ends on a long line with a pattern that backtracks', () => {
    writeFileSync(join(root, 'etc/a'), `${'a'.repeat(2_000_000)}!\n`);
    expect(answer("line: { file: /etc/a, matches: 'a*a*a*b' }")).toContain('fail');
  });

  it('does not pass where PAM or sudo include in a circle', () => {
    mkdirSync(join(root, 'etc/pam.d'));
    writeFileSync(join(root, 'etc/pam.d/a'), '@include b\n');
    writeFileSync(join(root, 'etc/pam.d/b'), '@include a\n');
    writeFileSync(join(root, 'etc/sudoers'), '#include /etc/sudoers\n');
    expect(answer('pam: { service: a, type: auth, module: pam_unix.so, absent: true }')).toContain('error: ');
    expect(answer('sudo: { ask: no-nopasswd }')).toContain('error: ');
  });
});
