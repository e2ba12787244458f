// SPDX-License-Identifier: Apache-2.0
/**
 * What the probes make of configuration as people write it: includes, drop-ins, conflicts, comments, quotes, case.
 * Input: one test on one small tree. Output: the answer, with what was found.
 */
import { describe, expect, it } from 'vitest';
import { parsePolicy } from '../../../core/policy.ts';
import { buildTree } from '../../../test/support/posture-tree.ts';
import { tempDir } from '../../../test/support/vigil.ts';
import { answerTest } from './probes.ts';
import { openTree } from './tree.ts';

const ask = (test: string, files: Readonly<Record<string, string>>): string => {
  const root = tempDir();
  buildTree(root, { files, modes: {}, links: {} });
  const policy = parsePolicy(
    `policy: p\ntitle: P\ndescription: d\nchecks:\n  - id: a\n    title: A\n    severity: low\n    rationale: r\n    expected: e\n    test:\n      ${test}\n    fix: { say: mend }\n`,
    'p.yml',
  );
  const { result, actual } = answerTest(policy.checks[0]!.test, openTree(root));
  return `${result}: ${actual}`;
};

const MAIN = '/etc/ssh/sshd_config';
const ROOT_NO = 'sshd: { key: PermitRootLogin, is: "no" }';

describe('sshd', () => {
  it.each([
    [
      'an include before the main file',
      { [MAIN]: 'Include sshd_config.d/*.conf\nPermitRootLogin no\n', '/etc/ssh/sshd_config.d/a.conf': 'PermitRootLogin no\n' },
      'pass',
    ],
    ['a word in another case, with = and quotes', { [MAIN]: 'permitrootlogin="no"\n' }, 'pass'],
    ['a comment behind it', { [MAIN]: 'PermitRootLogin no # never\n' }, 'pass'],
    [
      'a drop-in that is not included',
      { [MAIN]: 'PermitRootLogin no\n', '/etc/ssh/sshd_config.d/a.conf': 'PermitRootLogin yes\n' },
      'pass',
    ],
    ['a second line that would count if the first went', { [MAIN]: 'PermitRootLogin no\nPermitRootLogin yes\n' }, 'fail'],
    ['a Match block that weakens it', { [MAIN]: 'PermitRootLogin no\nMatch Address 10.0.0.0/8\n PermitRootLogin yes\n' }, 'fail'],
    [
      'an include inside a Match block',
      { [MAIN]: 'PermitRootLogin no\nMatch all\nInclude b.conf\n', '/etc/ssh/b.conf': 'PermitRootLogin yes\n' },
      'fail',
    ],
    ['only a comment', { [MAIN]: '#PermitRootLogin no\n' }, 'fail'],
    ['carriage returns', { [MAIN]: 'PermitRootLogin no\r\n' }, 'pass'],
  ])('with %s', (_, files, result) => {
    expect(ask(ROOT_NO, files)).toContain(`${result}: `);
  });

  it('knows what is built in, by version', () => {
    const old = 'Package: openssh-server\nStatus: install ok installed\nVersion: 1:6.7p1-5\n';
    const test = 'sshd: { key: PermitRootLogin, not: "yes" }';
    expect(ask(test, { [MAIN]: '' })).toBe('pass: PermitRootLogin is not set (prohibit-password by default)');
    expect(ask(test, { [MAIN]: '', '/var/lib/dpkg/status': old })).toBe('fail: PermitRootLogin is not set (yes by default)');
  });

  it('reckons with lists that change the built-in one', () => {
    const test = 'sshd: { key: MACs, lacks: [hmac-sha1, hmac-md5] }';
    expect(ask(test, { [MAIN]: 'MACs -hmac-sha1*,umac*\n' })).toContain('pass: ');
    expect(ask(test, { [MAIN]: 'MACs +hmac-md5\n' })).toContain('fail: ');
  });
});

describe('sysctl', () => {
  const test = 'sysctl: { key: kernel.kptr_restrict, at_least: 1 }';
  it.each([
    ['a slash instead of dots', { '/etc/sysctl.d/a.conf': 'kernel/kptr_restrict = 2\n' }, 'pass'],
    [
      'a file of the same name that replaces the system’s',
      { '/etc/sysctl.d/a.conf': 'kernel.kptr_restrict=1\n', '/usr/lib/sysctl.d/a.conf': 'kernel.kptr_restrict=0\n' },
      'pass',
    ],
    [
      'two files that disagree',
      { '/etc/sysctl.d/a.conf': 'kernel.kptr_restrict=0\n', '/etc/sysctl.d/b.conf': 'kernel.kptr_restrict=1\n' },
      'fail',
    ],
    [
      'a kernel that is otherwise now',
      { '/etc/sysctl.d/a.conf': 'kernel.kptr_restrict=1\n', '/proc/sys/kernel/kptr_restrict': '0\n' },
      'fail',
    ],
    [
      'a file of the distribution that a later one overrides',
      { '/usr/lib/sysctl.d/50-a.conf': 'kernel.kptr_restrict=0\n', '/etc/sysctl.d/60-b.conf': 'kernel.kptr_restrict=1\n' },
      'pass',
    ],
    [
      'a file of the distribution that comes last',
      { '/usr/lib/sysctl.d/70-a.conf': 'kernel.kptr_restrict=0\n', '/etc/sysctl.d/60-b.conf': 'kernel.kptr_restrict=1\n' },
      'fail',
    ],
    ['only a comment', { '/etc/sysctl.conf': '; kernel.kptr_restrict=1\n' }, 'fail'],
  ])('with %s', (_, files, result) => {
    expect(ask(test, files)).toContain(`${result}: `);
  });
});

describe('pam', () => {
  const test =
    'pam: { service: login, type: auth, module: pam_faillock.so, argument: deny, config: [/etc/security/faillock.conf], at_most: 5 }';
  it.each([
    [
      'an include',
      { '/etc/pam.d/login': '@include common-auth\n', '/etc/pam.d/common-auth': 'auth required pam_faillock.so preauth deny=3\n' },
      'pass',
    ],
    [
      'a substack',
      {
        '/etc/pam.d/login': 'auth substack system-auth\n',
        '/etc/pam.d/system-auth': 'auth [default=die] /lib/security/pam_faillock.so deny=3\n',
      },
      'pass',
    ],
    [
      'the module’s own file',
      { '/etc/pam.d/login': 'auth required pam_faillock.so preauth\n', '/etc/security/faillock.conf': 'deny = 4\n' },
      'pass',
    ],
    [
      'the stack before the file',
      { '/etc/pam.d/login': 'auth required pam_faillock.so deny=9\n', '/etc/security/faillock.conf': 'deny = 4\n' },
      'fail',
    ],
    [
      'a file without the module',
      { '/etc/pam.d/login': 'auth required pam_unix.so\n', '/etc/security/faillock.conf': 'deny = 4\n' },
      'fail',
    ],
    ['a line continued', { '/etc/pam.d/login': 'auth required \\\n  pam_faillock.so deny=3\n' }, 'pass'],
  ])('with %s', (_, files, result) => {
    expect(ask(test, files)).toContain(`${result}: `);
  });
});

describe('audit', () => {
  const call = "audit: { rules: ['-a always,exit -F arch=b64 -S chmod,fchmod -F auid>=1000 -F auid!=unset'] }";
  const R = '/etc/audit/rules.d/a.rules';
  it.each([
    [
      'fields in another order and another word for unset',
      { [R]: '-a exit,always -S chmod -S fchmod -F auid!=4294967295 -F auid>=1000 -F arch=b64 -k perm\n' },
      'pass',
    ],
    [
      'two rules that together do it',
      {
        [R]: '-a always,exit -F arch=b64 -S chmod -F auid>=1000 -F auid!=-1\n-a always,exit -F arch=b64 -S fchmod -F auid>=1000 -F auid!=-1\n',
      },
      'pass',
    ],
    ['one call missing', { [R]: '-a always,exit -F arch=b64 -S chmod -F auid>=1000 -F auid!=unset\n' }, 'fail'],
    ['never instead of always', { [R]: '-a never,exit -F arch=b64 -S chmod,fchmod -F auid>=1000 -F auid!=unset\n' }, 'fail'],
    ['a comment', { [R]: '#-a always,exit -F arch=b64 -S chmod,fchmod -F auid>=1000 -F auid!=unset\n' }, 'fail'],
  ])('takes a rule with %s', (_, files, result) => {
    expect(ask(call, files)).toContain(`${result}: `);
  });

  it('takes the newer writing of a watch for the same', () => {
    const test = "audit: { rules: ['-w /etc/passwd -p wa'] }";
    expect(ask(test, { [R]: '-a always,exit -F arch=b64 -F path=/etc/passwd -F perm=wa -k id\n' })).toContain('pass: ');
    expect(ask(test, { [R]: '-w /etc/passwd -p rwa -k id\n' })).toContain('pass: ');
    expect(ask(test, { [R]: '-w /etc/passwd -p w -k id\n' })).toContain('fail: ');
  });
});

describe('sudo', () => {
  it('reads included folders, tags, continued lines and users by number', () => {
    const files = {
      '/etc/sudoers': 'Defaults env_reset\n#1000 ALL=(ALL) ALL\n#includedir /etc/sudoers.d\n',
      '/etc/sudoers.d/a': 'bob ALL=(root) \\\n  NOPASSWD: /bin/ls\n',
    };
    expect(ask('sudo: { ask: no-nopasswd }', files)).toBe('fail: bob ALL=(root)    NOPASSWD: /bin/ls (/etc/sudoers.d/a:1)');
    expect(
      ask('sudo: { ask: no-nopasswd }', { ...files, '/etc/sudoers.d/a': '', '/etc/sudoers.d/b.bak': 'bob ALL=NOPASSWD: ALL\n' }),
    ).toContain('pass: ');
  });
});

describe('key', () => {
  it('counts a setting in its own section only, and in every place', () => {
    const test = 'key: { file: [/etc/a.conf, /etc/a.conf.d/*.conf], section: Main, key: dns, is: none, dropins: true }';
    expect(ask(test, { '/etc/a.conf': '[other]\ndns=all\n[main]\ndns = none # why\n' })).toContain('pass: ');
    expect(ask(test, { '/etc/a.conf': '[main]\ndns=none\n', '/etc/a.conf.d/b.conf': '[main]\ndns=all\n' })).toContain('fail: ');
    expect(ask(test, { '/etc/a.conf': '[main]\ndnsx=none\n#dns=none\n' })).toContain('fail: ');
  });
});
