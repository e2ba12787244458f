// SPDX-License-Identifier: Apache-2.0
/**
 * No line takes long: every decoder is linear in the line, and what regular expressions see is bounded.
 * Input: repetitions of what grammars look for, in the places where they look. Output: the time of the quickest of several tries.
 */
import { describe, expect, it } from 'vitest';
import { hashId } from '../../core/ids.ts';
import { unixMs } from '../../core/units.ts';
import { readLine, unescapeOriginal } from './build.ts';
import { decode } from './decode.ts';

const AT = unixMs(Date.UTC(2026, 10, 24, 12));
const FROM = {
  collector: 'c',
  incarnation: 'i',
  offset: 0,
  generation: 1,
  agent: hashId('agt', 'a'),
  host: { id: hashId('ast', 'h'), name: 'h' },
  stream: 's',
  epoch: 'e',
  ingested: AT,
  replay: false,
};

/** Dataset, and the beginning that leads into each grammar. */
const HEADS: readonly (readonly [string, string])[] = [
  ['sshd', 'Failed password for '],
  ['sshd', 'error: PAM: x for '],
  ['sshd', 'Connection closed by authenticating user '],
  ['sshd', 'Disconnecting '],
  ['sshd', 'refused connect from '],
  ['sshd', 'User '],
  ['pam', 'pam_unix(x:auth): authentication failure; logname= uid=0 euid=0 tty=ssh ruser='],
  ['pam', 'pam_succeed_if(x:auth): requirement "'],
  ['sudo', 'a : '],
  ['pkexec', 'a: '],
  ['doas', 'a ran command '],
  ['nginx.access', '1.2.3.4 - '],
  ['nginx.access', '1.2.3.4 - - [24/Nov/2026:09:14:02 +0100] "'],
  ['nginx.error', '2026/11/24 09:14:02 [error] 1#1: *1 user "'],
  ['nginx.error', '2026/11/24 09:14:02 [error] 1#1: *1 ModSecurity: '],
  ['apache.error', '[Tue Nov 24 09:14:02 2026] [error] [client 1.2.3.4] Digest: user `'],
  ['apache.error', '[Tue Nov 24 09:14:02 2026] [error] [client 1.2.3.4] user '],
  ['dovecot', 'imap-login: Disconnected (auth failed): user=<'],
  ['dovecot', 'auth: sql('],
  ['postfix', 'NOQUEUE: reject: RCPT from '],
  ['exim', 'SMTP protocol error in "'],
  ['exim', 'H='],
  ['mysql', "[Warning] Access denied for user '"],
  ['postgres', '2026-11-24 11:05:00.536 UTC [147] '],
  ['kernel', '[1.1] DROP IN=eth0 OUT= SRC=1.2.3.4 '],
  ['named', 'client 1.2.3.4#1 ('],
  ['asterisk', "NOTICE[1] chan_sip.c: Registration from '"],
  ['auditd', "type=USER_LOGIN msg=audit(1764000000.579:2995): msg='"],
  ['syslog', '<13>1 2026-11-24T09:14:02Z h a 1 - ['],
  ['json', '{"a":'],
  ['journald', '__CURSOR=s=1\n__REALTIME_TIMESTAMP=1764000000579000\nMESSAGE='],
  ['polkit', 'Operator of unix-session:2 FAILED to authenticate to gain authorization for action a for unix-process:1:1 ['],
  ['account', "add 'x' to group '"],
  ['cron', '(root) CMD ('],
  ['systemd', 'a.service: '],
  ['kernel', 'Out of memory: Killed process 1 ('],
  ['fail2ban', '2026-11-24 11:00:00,123 fail2ban.actions [1]: NOTICE [sshd] Ban '],
  ['dpkg', '2026-11-24 11:00:00 install '],
  ['apt', 'Install: '],
  ['rpm', 'Nov 24 11:00:01 Installed: '],
  ['auditd', 'type=EXECVE msg=audit(1764000000.579:2995): argc=3 a0='],
  ['auto', ''],
];
const UNITS = [
  'a',
  ' ',
  '(',
  '"',
  '\\',
  '[',
  ' from ',
  ' from 1.2.3.4 port 22 ssh2',
  ' for ',
  ' rhost=1.2.3.4',
  ', client: 1.2.3.4',
  "' in realm `",
  ' not found',
  'x,1.2.3.4): ',
  "'@'",
  ' [id "',
  'a=',
  '" H=(a) [1.2.3.4]',
  '\ufffd',
  '%41',
];

/** Milliseconds of the quickest of six tries: other work on the machine makes tries slow, never quick. */
const quickest = (dataset: string, line: string): number => {
  const record = { bytes: Buffer.from(line), seq: 1, flags: 0, readAt: AT, dataset, zone: 'UTC', from: FROM };
  let best = Number.POSITIVE_INFINITY;
  for (let n = 0; n < 6; n++) {
    const start = performance.now();
    decode(record);
    best = Math.min(best, performance.now() - start);
  }
  return best;
};

/** Milliseconds of the quickest copy of these bytes, which every line costs. */
const quickestCopy = (bytes: Uint8Array): number => {
  let best = Number.POSITIVE_INFINITY;
  for (let n = 0; n < 6; n++) {
    const start = performance.now();
    readLine(bytes);
    best = Math.min(best, performance.now() - start);
  }
  return best;
};

describe('hostile lines', () => {
  for (const [dataset, head] of HEADS) {
    it(`of eight kilobytes cost under five milliseconds: ${dataset} ${head}`, () => {
      for (const unit of UNITS) {
        let cost = Number.POSITIVE_INFINITY;
        // Other work on the machine makes tries slow, never quick.
        for (let tries = 0; tries < 6 && cost >= 5; tries++)
          cost = Math.min(cost, quickest(dataset, head + unit.repeat(8_000 / unit.length)));
        expect(cost, unit).toBeLessThan(5);
      }
    });
  }

  /** Control characters, forged fields, nested quotes, broken dates, a megabyte of each: a hundred and fifty lines. */
  const KINDS: readonly (readonly [string, string])[] = [
    ['control characters', `${'\u0000\u001b[31m\r\u0007\u001d'.repeat(1_000)}`],
    ['forged fields', ' from 192.0.2.66 port 22 ssh2, client: 192.0.2.66, rhost=192.0.2.66 user=root key="v" addr=192.0.2.66 '.repeat(80)],
    ['nested quotes', `"'\\"'"{[("'\`\\\\"`.repeat(800)],
    ['broken dates', 'Feb 30 25:61:61 2026-13-45T99:99:99Z [99/Xyz/9999:00:00:00 +9999] '.repeat(120)],
    ['a megabyte', 'a "b" [c] (d) e=f, \u00e9 '.repeat(50_000)],
  ];
  for (const [kind, text] of KINDS) {
    it(`of ${kind} cost every decoder under a millisecond, apart from the copy of their bytes`, { timeout: 60_000 }, () => {
      for (const [dataset, head] of HEADS) {
        const line = head + text;
        const bytes = Buffer.from(line);
        let cost = Number.POSITIVE_INFINITY;
        // Other work on the machine makes tries slow, never quick.
        for (let tries = 0; tries < 6 && cost >= 1; tries++) cost = Math.min(cost, quickest(dataset, line) - quickestCopy(bytes));
        expect(cost, `${dataset} ${head}`).toBeLessThan(1);
        const { event } = decode({ bytes, seq: 1, flags: 0, readAt: AT, dataset, zone: 'UTC', from: FROM });
        const original = event['event.original'] ?? '';
        const kept = event['vigil.original.encoding'] === 'escaped' ? unescapeOriginal(original) : Buffer.from(original);
        expect(kept.equals(bytes), `${dataset} ${head}: kept byte for byte`).toBe(true);
      }
    });
  }

  it('are a hundred and fifty and more, a fifth of them of a megabyte', () => {
    expect(HEADS.length * KINDS.length).toBeGreaterThanOrEqual(150);
    expect(KINDS.filter(([, text]) => Buffer.byteLength(text) >= 1_000_000)).toHaveLength(1);
  });

  it('of a megabyte cost what reading their bytes costs', () => {
    for (const [dataset, head] of HEADS) expect(quickest(dataset, head + 'a '.repeat(500_000)), `${dataset} ${head}`).toBeLessThan(100);
  });
});
