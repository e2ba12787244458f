// SPDX-License-Identifier: Apache-2.0
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { linearPattern, spellCase } from '../../core/pattern.ts';
import { RECORD_FLAGS, type SourceRecord } from '../../core/record.ts';
import { unixMs } from '../../core/units.ts';
import type { Batch } from '../source/source.ts';
import { DEFAULT_RULES } from './defaults.ts';
import { openRedactor, type Redactor } from './redact.ts';
import { loadRules } from './rules.ts';
import { literalOf } from './spell.ts';

const folder = mkdtempSync(join(tmpdir(), 'vigil-redact-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const rulesFile = (text: string): string => {
  const file = join(folder, 'rules.yml');
  writeFileSync(file, text);
  return file;
};

/** A batch as the tail makes it: records are views into one buffer. */
const batchOf = (lines: readonly (string | Buffer)[], more: Partial<Batch> = {}): Batch => {
  const parts = lines.map((line) => (typeof line === 'string' ? Buffer.from(line) : line));
  const whole = Buffer.concat(parts.flatMap((part) => [part, Buffer.from('\n')]));
  let at = 0;
  const records = parts.map((part): SourceRecord => {
    const bytes = whole.subarray(at, at + part.length);
    at += part.length + 1;
    return { bytes, readAt: unixMs(1), end: at, flags: 0 };
  });
  return { stream: 'file:/a', kind: 'lines', dataset: 'syslog', records, at: unixMs(1), from: 0, resume: '', ...more };
};

const textsOf = (batch: Batch): readonly string[] => batch.records.map(({ bytes }) => Buffer.from(bytes).toString());
const redact = (line: string, redactor: Redactor = openRedactor(loadRules(null))): string => textsOf(redactor.apply(batchOf([line])))[0]!;

const hex = (text: string): string => Buffer.from(text).toString('hex').toUpperCase();

describe('a line', () => {
  const examples: readonly (readonly [string, string])[] = [
    [
      'Nov 24 09:13:10 h sudo:   bob : TTY=pts/0 ; PWD=/home/bob ; USER=root ; COMMAND=/usr/bin/mysql -u root -pCANARY7 shop',
      'Nov 24 09:13:10 h sudo:   bob : TTY=pts/0 ; PWD=/home/bob ; USER=root ; COMMAND=/usr/bin/mysql -u root -p[mysql-password:7] shop',
    ],
    ['h CRON[7]: (root) CMD (mysqldump -pCANARY7)', 'h CRON[7]: (root) CMD (mysqldump -p[mysql-password:7])'],
    ['CMD (PGPASSWORD=CANARY7 pg_dump shop)', 'CMD (PGPASSWORD=[assignment:7] pg_dump shop)'],
    ['COMMAND=/usr/bin/tool --password=CANARY7 --user x', 'COMMAND=/usr/bin/tool --password=[option:7] --user x'],
    ['tool --db-password CANARY7 -v', 'tool --db-password [option:7] -v'],
    ["tool --token 'CANARY 7' -v", "tool --token '[option:8]' -v"],
    ['export AWS_SECRET_ACCESS_KEY=CANARY7', 'export AWS_SECRET_ACCESS_KEY=[assignment:7]'],
    ['Server=db;Uid=a;Password=CANARY7;Database=b', 'Server=db;Uid=a;Password=[parameter:7];Database=b'],
    ['sshpass -p CANARY7 ssh -p 22 a@b', 'sshpass -p [sshpass-password:7] ssh -p 22 a@b'],
    ['curl -s -u bob:CANARY7 https://a/b', 'curl -s -u bob:[curl-password:7] https://a/b'],
    ['curl -H "Authorization: Bearer CANARY7" https://a', 'curl -H "Authorization: Bearer [authorization:7]" https://a'],
    ['GET /a?x=1&access_token=CANARY7&y=2 HTTP/1.1', 'GET /a?x=1&access_token=[parameter:7]&y=2 HTTP/1.1'],
    ['"GET /a?api_key=CANARY7" 200', '"GET /a?api_key=[parameter:7]" 200'],
    ['clone https://bob:CANARY7@git.example/a.git', 'clone https://bob:[url-password:7]@git.example/a.git'],
    ['{"user":"bob","password":"CANARY\\"7","n":1}', '{"user":"bob","password":"[json:9]","n":1}'],
    ['{"cmd":"sh -c \\"t --password=CANARY7\\""}', '{"cmd":"sh -c \\"t --password=[option:7]\\""}'],
    ['["mysql","-pCANARY7","shop"]', '["mysql","-p[mysql-password:7]","shop"]'],
    ['["tool","--token","CANARY7","-v"]', '["tool","--token","[option:7]","-v"]'],
    ['got eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl ok', 'got [jwt:49] ok'],
    ['redis-cli -h a -a CANARY7 ping', 'redis-cli -h a -a [redis-password:7] ping'],
    ['openssl rsa -in a -passin pass:CANARY7 -out b', 'openssl rsa -in a -passin pass:[openssl-password:7] -out b'],
    ['a --password=käse;x b', 'a --password=[option:7] b'],
  ];
  for (const [line, expected] of examples) it(`loses its secret and nothing else: ${expected}`, () => expect(redact(line)).toBe(expected));

  const harmless = [
    'Nov 24 09:13:10 bastion sshd[4131]: Failed password for root from 203.0.113.77 port 40022 ssh2',
    'Nov 24 09:13:10 h sudo:   bob : TTY=pts/0 ; PWD=/home/bob ; USER=root ; COMMAND=/bin/ls -p/tmp',
    'passwd[9]: pam_unix(passwd:chauthtok): password changed for bob',
    'sudo: pam_unix(sudo:auth): conversation failed; auth could not identify password for [bob]',
    'mysqld: ready for connections, port: 3306 -p',
    'ssh -p 2222 host; mysql -p shop',
    'type=SYSCALL msg=audit(1.1:1): arch=c000003e syscall=59 comm="ls" exe="/usr/bin/ls" key="passwd_changes"',
    '203.0.113.1 - - [24/Nov/2026:09:13:10 +0000] "GET /a?page=2 HTTP/1.1" 200 1 "https://a.example:8443/b" "curl/8.1"',
    'bearer authentication is not configured',
    'tool --password-file /etc/secret --token',
  ];
  for (const line of harmless)
    it(`without a secret is the very same record: ${line.slice(0, 50)}`, () => {
      const batch = batchOf([line]);
      expect(openRedactor(loadRules(null)).apply(batch)).toBe(batch);
    });

  it('keeps bytes that are no UTF-8, and neighbours untouched', () => {
    const odd = Buffer.concat([Buffer.from([0xff, 0xc3, 0x28, 0]), Buffer.from(' --password=CANARY7 '), Buffer.from([0x80, 0xfe])]);
    const { records } = openRedactor(loadRules(null)).apply(batchOf(['first', odd, 'last']));
    expect(Buffer.from(records[1]!.bytes).toString('latin1')).toBe(odd.toString('latin1').replace('CANARY7', '[option:7]'));
    expect(records.map(({ flags }) => flags)).toEqual([0, RECORD_FLAGS.redacted, 0]);
    expect(records[1]!.end).toBe(batchOf(['first', odd, 'last']).records[1]!.end);
  });

  it('of a megabyte is searched to its end, and markers never outgrow a block', () => {
    const far = `${'x '.repeat(100_000)}--password=CANARY7${' y'.repeat(100_000)}`;
    expect(redact(far)).toContain('--password=[option:7] y');
    const many = '?token=a'.repeat(130_000);
    const out = redact(many);
    expect(out.length).toBeLessThan(many.length + 100);
    expect(out).not.toContain('token=a?');
  });
});

describe('audit records', () => {
  const execve = (args: readonly string[], event = '1.1:7', from = 0): string =>
    `type=EXECVE msg=audit(${event}): ${from === 0 ? `argc=${args.length} ` : ''}${args
      .map((arg, i) => `a${from + i}=${/[\s"\0]/.test(arg) ? hex(arg) : `"${arg}"`}`)
      .join(' ')}`;

  it('are read as the command line they split', () => {
    expect(redact(execve(['mysql', '-u', 'root', '-pCANARY7', 'shop']))).toBe(
      execve(['mysql', '-u', 'root', '-p[mysql-password:7]', 'shop']),
    );
    expect(redact(execve(['tool', '--password', 'CANARY7']))).toBe(execve(['tool', '--password', '[option:7]']));
    expect(redact(execve(['curl', '-u', 'bob:CANARY7', 'http://a']))).toBe(execve(['curl', '-u', 'bob:[curl-password:7]', 'http://a']));
  });

  it('hold hexadecimal arguments, which stay hexadecimal', () => {
    expect(redact(execve(['mysql', '-pCANARY 7', 'shop']))).toBe(
      `type=EXECVE msg=audit(1.1:7): argc=3 a0="mysql" a1=${hex('-p[mysql-password:8]')} a2="shop"`,
    );
    const shell = (secret: string): string => `mysql -p${secret} shop; curl http://c2.example/x`;
    expect(redact(execve(['sh', '-c', shell('CANARY7')]))).toBe(execve(['sh', '-c', shell('[mysql-password:7]')]));
    const header = (secret: string): string => `Authorization: Bearer ${secret}`;
    expect(redact(execve(['curl', '-H', header('CANARY7')]))).toBe(execve(['curl', '-H', header('[authorization:7]')]));
  });

  it('go on in the next record of their event, also in another batch', () => {
    const redactor = openRedactor(loadRules(null));
    redactor.apply(batchOf([execve(['tool', '--password'])]));
    const [next, other] = textsOf(redactor.apply(batchOf([execve(['CANARY7', '-v'], '1.1:7', 2), execve(['CANARY7'], '1.1:8', 2)])));
    expect(next).toBe(execve(['[option:7]', '-v'], '1.1:7', 2));
    expect(other).toBe(execve(['CANARY7'], '1.1:8', 2));
  });

  it('give back one argument in several pieces without its secret', () => {
    const line = redact('type=EXECVE msg=audit(1.1:7): argc=2 a0="tool" a1_len=20 a1[0]="--password=CANA" a1[1]="RY7"');
    expect(line).toBe('type=EXECVE msg=audit(1.1:7): argc=2 a0="tool" a1_len=20 a1[0]="--password=[option:4]" a1[1]="[option:3]"');
  });

  it('hold titles and commands of sudo in hexadecimal digits', () => {
    const title = (secret: string): string => `type=PROCTITLE msg=audit(1.1:7): proctitle=${hex(`mysql\0-p${secret}\0shop`)}`;
    expect(redact(title('CANARY7'))).toBe(title('[mysql-password:7]'));
    const command = (secret: string): string =>
      `type=USER_CMD msg=audit(1.1:7): pid=1 msg='cwd="/" cmd=${hex(`mysql -p${secret} shop`)} exe="/usr/bin/sudo" terminal=pts/0 res=success'`;
    expect(redact(command('CANARY7'))).toBe(command('[mysql-password:7]'));
  });
});

describe('private keys', () => {
  const body = Array.from({ length: 3 }, (_, i) => `${String(i).repeat(60)}abcd`);
  it('go whole, on one line or on many, behind the head of a log line too', () => {
    expect(redact(`key="-----BEGIN RSA PRIVATE KEY-----\\n${body.join('\\n')}\\n-----END RSA PRIVATE KEY-----" next`)).toMatch(
      /^key="-----BEGIN RSA PRIVATE KEY-----\[private-key:\d+\]-----END RSA PRIVATE KEY-----" next$/,
    );
    for (const head of ['', 'Nov 24 09:13:10 h app[1]: ']) {
      const lines = ['-----BEGIN PRIVATE KEY-----', ...body, 'QUJD', '-----END PRIVATE KEY-----', body[0]!].map((line) => head + line);
      const out = textsOf(openRedactor(loadRules(null)).apply(batchOf(lines)));
      expect(out.slice(1, 4)).toEqual(body.map(() => `${head}[private-key:64]`));
      expect(out.at(-1)).toBe(lines.at(-1));
    }
  });

  it('that are open when a batch ends are open in the next', () => {
    const redactor = openRedactor(loadRules(null));
    redactor.apply(batchOf(['-----BEGIN PRIVATE KEY-----']));
    expect(textsOf(redactor.apply(batchOf([body[0]!])))).toEqual(['[private-key:64]']);
    expect(textsOf(redactor.apply(batchOf([body[0]!], { stream: 'file:/b' })))).toEqual([body[0]]);
  });
});

describe('counts', () => {
  it('say by source and rule what was taken out', () => {
    const redactor = openRedactor(loadRules(null));
    redactor.apply(batchOf(['mysql -pa', 'x', 'curl -u a:b http://u:p@h?token=x']));
    expect(redactor.counts('file:/a')).toEqual({
      redacted: 2,
      'redacted.mysql-password': 1,
      'redacted.curl-password': 1,
      'redacted.url-password': 1,
      'redacted.parameter': 1,
    });
    expect(redactor.counts('file:/b')).toEqual({});
  });
});

describe('rules', () => {
  it('that come along run in linear time', () => {
    for (const { name, pattern, hint, after } of DEFAULT_RULES)
      expect([name, [pattern, hint ?? 'a', after ?? 'a'].map((one) => linearPattern(one) !== null)]).toEqual([name, [true, true, true]]);
  });

  it('of a file are added, for their dataset', () => {
    const file = rulesFile('rules:\n  - name: badge\n    pattern: (?i)badge[=:]([0-9]+)\n    dataset: door\n');
    const redactor = openRedactor(loadRules(file));
    const lines = ['BADGE=4711 opened', 'none'];
    expect(textsOf(redactor.apply(batchOf(lines, { dataset: 'door' })))).toEqual(['BADGE=[badge:4] opened', 'none']);
    expect(textsOf(redactor.apply(batchOf(lines)))).toEqual(lines);
  });

  const refusals: readonly (readonly [string, RegExp])[] = [
    ['- {name: a, pattern: "(x+)(?=y)"}', /redact\.rules: the rule "a".*backtracking/],
    ['- {name: a, pattern: "(x"}', /redact\.rules: the rule "a"/],
    ['- {name: a, pattern: "x*"}', /nothing stands/],
    ['- {name: A b, pattern: x}', /small letters/],
    ['- {name: jwt, pattern: x}', /another rule/],
    ['- {name: a}', /no pattern/],
    ['- {name: a, pattern: x, patern: y}', /"patern" is not known/],
    ['- {name: a, pattern: "ü"}', /reads bytes/],
    ['a: 1', /no list/],
    ['- {', /redact\.rules: .*rules\.yml/],
  ];
  for (const [text, reason] of refusals) it(`are refused by name: ${text}`, () => expect(() => loadRules(rulesFile(text))).toThrow(reason));

  it('say that their file is not there', () => expect(() => loadRules(join(folder, 'no.yml'))).toThrow(/redact\.rules: .*ENOENT/));

  it('without a literal look at every line', () => {
    const redactor = openRedactor(loadRules(rulesFile('- {name: digits, pattern: "[0-9]{8,}"}')));
    expect(textsOf(redactor.apply(batchOf(['a', '', '12345678', 'b 123456789 c'])))).toEqual(['a', '', '[digits:8]', 'b [digits:9] c']);
  });

  it('are looked for by a literal that every match holds', () => {
    expect(['badge[=:]([0-9]+)', 'a|badge', 'x(?:badge)?yz9', 'bad+ge', 'bad?', '[abc]def\\d', 'ab{2}cde'].map(literalOf)).toEqual([
      'badge',
      '',
      'yz9',
      '',
      '',
      'def',
      'cde',
    ]);
  });

  it('mind no case where that is asked', () => {
    expect(spellCase('a\\d[b-d_]\\x4a(?:e)')).toBe('[aA]\\d[b-dB-D_]\\x4a(?:[eE])');
  });
});

describe('any line', () => {
  it('costs its length once, whatever it repeats', () => {
    const pieces = [
      '-',
      'a-',
      'mysql ',
      'mysql -x ',
      'curl -u a ',
      'eyJ',
      'eyJ.',
      '://a:',
      'bearer ',
      '"pass":"',
      'pass\\',
      'x-',
      ' -',
      '?pass',
      '&a=',
      '-----BEGIN ',
    ];
    for (const piece of [...pieces, 'type=EXECVE a0="', '-----BEGIN PRIVATE KEY-----']) {
      const line = piece.repeat(Math.ceil(1_000_000 / piece.length));
      const began = performance.now();
      redact(line);
      redact(`type=EXECVE msg=audit(1.1:1): a0="${piece.replaceAll('"', '').repeat(50_000)}"`);
      // About 0.04 s on an idle core; a pattern that tries each place anew takes minutes.
      expect([piece, performance.now() - began < 5_000]).toEqual([piece, true]);
    }
  }, 120_000);

  it('keeps every byte outside its markers, whatever the batch holds', () => {
    const piece = fc.constantFrom(
      '--password=',
      'token=',
      '?key=',
      '"',
      "'",
      ' ',
      '\\',
      'mysql ',
      '-p',
      'curl -u a:',
      '://a:',
      '@',
      'CMD (',
      ')',
      'type=EXECVE ',
      ' a0="x" a1="-p',
      'A0',
      '-----BEGIN PRIVATE KEY-----',
    );
    const line = fc
      .array(
        fc.oneof(
          piece,
          fc.string({ maxLength: 4 }).map((s) => s.replaceAll('\n', '')),
        ),
        { maxLength: 12 },
      )
      .map((parts) => parts.join(''));
    fc.assert(
      fc.property(fc.array(line, { minLength: 1, maxLength: 6 }), (lines) => {
        const batch = batchOf(lines);
        const out = openRedactor(loadRules(null)).apply(batch);
        expect(out.records).toHaveLength(lines.length);
        out.records.forEach((record, i) => {
          const before = Buffer.from(batch.records[i]!.bytes).toString('latin1');
          const after = Buffer.from(record.bytes).toString('latin1');
          if ((record.flags & RECORD_FLAGS.redacted) === 0) expect(after).toBe(before);
          // What stands between markers stands in the line, in this order.
          let at = 0;
          for (const rest of after.split(/\[[a-z-]+:\d+\]/)) {
            const found = before.indexOf(rest, at);
            expect(found).toBeGreaterThanOrEqual(at);
            at = found + rest.length;
          }
        });
      }),
      { numRuns: 300 },
    );
  });
});
