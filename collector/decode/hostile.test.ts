// SPDX-License-Identifier: Apache-2.0
/**
 * No line takes long: every decoder is linear in the line, and what regular expressions see is bounded.
 * Input: repetitions of what grammars look for, in the places where they look. Output: the time of the quickest of several tries.
 */
import { describe, expect, it } from 'vitest';
import { hashId } from '../../core/ids.ts';
import { unixMs } from '../../core/units.ts';
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

describe('hostile lines', () => {
  for (const [dataset, head] of HEADS) {
    it(`of eight kilobytes cost under five milliseconds: ${dataset} ${head}`, () => {
      for (const unit of UNITS) expect(quickest(dataset, head + unit.repeat(8_000 / unit.length)), unit).toBeLessThan(5);
    });
  }

  it('of a megabyte cost what reading their bytes costs', () => {
    for (const [dataset, head] of HEADS) expect(quickest(dataset, head + 'a '.repeat(500_000)), `${dataset} ${head}`).toBeLessThan(100);
  });
});
