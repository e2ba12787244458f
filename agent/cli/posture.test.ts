// SPDX-License-Identifier: Apache-2.0
/**
 * `vigil-agent posture check` as people and scripts run it: NDJSON with totals, tables with fixes, exit status, bad input.
 * Input: the real program on small trees. Output: its words and its status.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { type Answer, run, tempDir } from '../../test/support/vigil.ts';

let root: string;

beforeAll(() => {
  root = tempDir();
  mkdirSync(join(root, 'etc/ssh'), { recursive: true });
  writeFileSync(join(root, 'etc/hostname'), 'db01\n');
  writeFileSync(join(root, 'etc/ssh/sshd_config'), 'PermitRootLogin yes\nPermitEmptyPasswords no\n');
});

const check = (...args: string[]): Promise<Answer> => run('vigil-agent.js', ['posture', 'check', '--root', root, ...args]);
const lines = (out: string): readonly Record<string, unknown>[] =>
  out
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);

describe('vigil-agent posture check', () => {
  it('prints one observation a line and totals, and ends with 1 where one fails', async () => {
    const { code, out } = await check('--json');
    const found = lines(out);
    expect(code).toBe(1);
    expect(found.find((one) => one['check'] === 'ssh-root-login-disabled')).toMatchObject({
      subject: 'host:db01',
      result: 'fail',
      actual: 'PermitRootLogin is yes (/etc/ssh/sshd_config:1)',
      expected: 'PermitRootLogin is no',
      severity: 'high',
      controls: ['csf:2.0/PR.AA-05', 'csf:2.0/PR.PS-01'],
    });
    const totals = found.at(-1)?.['totals'] as Record<string, { total: number }>;
    expect(Object.values(totals).reduce((sum, { total }) => sum + total, 0)).toBe(found.length - 1);
  });

  it('ends with 0 where the checks that are asked pass', async () => {
    const { code, out } = await check('--json', '--check', 'ssh-empty-passwords-refused');
    expect([code, lines(out)[0]?.['result'], lines(out).length]).toEqual([0, 'pass', 2]);
  });

  it('shows people what fails and the commands that mend it', async () => {
    const { out } = await check('--check', 'ssh-root-login-disabled');
    expect(out).toContain('fail    high      ssh-root-login-disabled');
    expect(out).toContain("printf '%s\\n' 'PermitRootLogin no' | cat - /etc/ssh/sshd_config");
    expect(out).toContain('1 checks, 0 pass, 1 fail');
  });

  it('waives by a file', async () => {
    const file = join(tempDir(), 'w.yml');
    writeFileSync(file, 'waivers:\n  - { check: ssh-root-login-disabled, reason: until the move, owner: ann, until: 2099-01-01 }\n');
    const { code, out } = await check('--json', '--check', 'ssh-root-login-disabled', '--waivers', file);
    expect([code, lines(out)[0]]).toMatchObject([0, { result: 'fail', waiver: { owner: 'ann', until: '2099-01-02T00:00:00.000Z' } }]);
  });

  it('takes values', async () => {
    const strict = await check('--json', '--check', 'ssh-auth-tries-limited', '--set', 'auth-tries=6');
    const usual = await check('--json', '--check', 'ssh-auth-tries-limited');
    expect([strict.code, usual.code]).toEqual([0, 1]);
  });

  it.each([
    ['a root that is not there', ['--root', '/nowhere/at/all'], 'POSTURE_UNREADABLE'],
    ['a root that is a file', ['--root', '/etc/passwd'], 'it is no folder'],
    ['an unknown check', ['--check', 'ssh-root-login-disable'], 'the nearest is "ssh-root-login-disabled"'],
    ['an unknown value', ['--set', 'auth-trys=6'], 'the nearest is "auth-tries"'],
    ['a policy that is not there', ['--policy', '/nowhere.yml'], 'POSTURE_BAD_POLICY'],
    ['a policy that is a device', ['--policy', '/dev/zero'], 'no regular file'],
  ])('says what is wrong with %s', async (_, args, words) => {
    const { code, err } = await check(...args);
    expect([code, err.includes(words), err]).toEqual([2, true, err]);
  });

  it('names the place of an unknown probe', async () => {
    const file = join(tempDir(), 'p.yml');
    writeFileSync(
      file,
      'policy: p\ntitle: P\ndescription: d\nchecks:\n  - id: a\n    title: A\n    severity: low\n    rationale: r\n    expected: e\n    test: { shll: {} }\n    fix: { say: x }\n',
    );
    const { code, err } = await check('--policy', file);
    expect([code, err]).toEqual([2, expect.stringContaining(`${file}:10:13: there is no probe "shll"; the nearest is "shell"`)]);
  });
});
