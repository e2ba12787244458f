// SPDX-License-Identifier: Apache-2.0
/**
 * Posture policies that are wrong are refused with the place and the nearest word; values and fixes are put together as written.
 * Input: policy texts. Output: parsed policies, coded errors, shell commands.
 */
import { describe, expect, it } from 'vitest';
import { isCoded } from './errors.ts';
import { fixCommands, fixText } from './fix.ts';
import { parsePolicy } from './policy.ts';

const policy = (test: string, rest = ''): string => `policy: p
title: P
description: about p
values: { most: 4 }
checks:
  - id: a-check
    title: A check
    severity: high
    rationale: because of something
    expected: at most {most}
    test:
      ${test}
    fix:
      steps:
        - line: { file: /etc/a.conf, line: 'max {most}', replaces: '^max ' }
      after: [reload a]
${rest}`;

const refusal = (text: string): string => {
  try {
    parsePolicy(text, 'p.yml');
  } catch (error) {
    if (isCoded(error)) return `${error.code} ${error.message}`;
    throw error;
  }
  return 'taken';
};

describe('a posture policy', () => {
  it('is read with its values in their places', () => {
    const text = policy('sshd: { key: MaxAuthTries, at_most: { value: most } }');
    const [check] = parsePolicy(text, 'p.yml').checks;
    expect(check).toMatchObject({
      expected: 'at most 4',
      freshMs: 7_200_000,
      test: { kind: 'probe', probe: 'sshd', params: { at_most: '4' } },
    });
    expect(parsePolicy(text, 'p.yml', { most: '9' }).checks[0]).toMatchObject({
      expected: 'at most 9',
      test: { params: { at_most: '9' } },
    });
  });

  it.each([
    ['an unknown probe', policy('sshdd: { key: a }'), 'POLICY_BAD p.yml:12:7: there is no probe "sshdd"; the nearest is "sshd".'],
    ['an unknown parameter', policy('sshd: { kye: a }'), 'POLICY_BAD p.yml:12:15: the probe sshd has no "kye"; the nearest is "key".'],
    ['a missing parameter', policy('sshd: { is: a }'), 'POLICY_BAD p.yml:12:7: the probe sshd needs "key".'],
    ['an unknown word', policy('service: { unit: a, state: enabeld }'), 'the nearest is "enabled"'],
    ['an unknown value', policy('sshd: { key: a, at_most: { value: mots } }'), 'no value "mots"; the nearest is "most"'],
    [
      'an unknown key',
      `${policy('os: { id: a }')}    severitty: high\n`,
      'p.yml:17:5: a check has no "severitty"; the nearest is "severity"',
    ],
    ['two probes in one test', policy('{ os: { id: a }, sshd: { key: b } }'), 'a test names one probe'],
    ['a mode that is a number', policy('file: { path: /a, mode: 644 }'), 'octal digits in quotes'],
    ['a pattern that is none', policy("line: { file: /a, matches: '(' }"), 'POLICY_BAD'],
    ['a pattern that would backtrack', policy("line: { file: /a, matches: '(?=a)b' }"), 'needs backtracking'],
    ['a check that stands twice', policy('os: { id: a }').replace(/( {2}- id[\s\S]*)$/, '$1$1'), 'there is another check "a-check"'],
    ['no check', 'policy: p\ntitle: P\ndescription: d\nchecks: []\n', 'at least one check'],
    ['something else', '- 1\n', 'a policy is a map'],
    ['two documents', `${policy('os: { id: a }')}---\na: b\n`, 'a file holds one policy'],
    ['deep nesting', policy(`${'all: [{ '.repeat(12)}os: { id: a }${' }]'.repeat(12)}`), 'nested deeper than 8'],
  ])('with %s is refused at its place', (_, text, reason) => {
    expect(refusal(text)).toContain(reason);
  });
});

describe('a fix', () => {
  it('is printed as commands that a person can paste', () => {
    const [check] = parsePolicy(policy('os: { id: a }'), 'p.yml').checks;
    expect(fixText(check!.fix, [])).toBe(
      "mkdir -p /etc && touch /etc/a.conf\nsed -i -E '\\,^max ,Id' /etc/a.conf\nprintf '%s\\n' 'max 4' >> /etc/a.conf\nreload a",
    );
  });

  it('names what was found, and nothing that a shell would take for more', () => {
    const text = policy('os: { id: a }').replace(/- line: .*/, "- mode: { path: '{item}', mode: '0600' }");
    const [check] = parsePolicy(text, 'p.yml').checks;
    expect(fixCommands(check!.fix, ["/a b'; rm -rf $HOME", '/c\nd', '/e'])).toEqual([
      "chmod 0600 '/a b'\\''; rm -rf $HOME'",
      'chmod 0600 /e',
    ]);
  });
});
