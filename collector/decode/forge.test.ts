// SPDX-License-Identifier: Apache-2.0
/**
 * An attacker who chooses a name, a path or a header never makes a third party the source of what they did.
 * Input: lines as each program writes them, with hostile text where a client's text stands. Output: the true source, or none.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hashId } from '../../core/ids.ts';
import { unixMs } from '../../core/units.ts';
import type { Event, Provenance } from '../model/event.ts';
import { decode } from './decode.ts';

const AT = unixMs(Date.UTC(2026, 10, 24, 12));
const FROM: Provenance = {
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
const read = (line: string, dataset: string): Event =>
  decode({ bytes: Buffer.from(line), seq: 1, flags: 0, readAt: AT, dataset, zone: 'UTC', from: FROM }).event;

const TRUE = '203.0.113.9';
const FALSE = '192.0.2.66';

/** Text of a client's choice, made of the very pieces that servers write around it. */
const chosen = fc
  .array(
    fc.constantFrom(
      ...[
        FALSE,
        ` from ${FALSE}`,
        ` port 22`,
        ' ssh2',
        ': ',
        ':',
        ` ${FALSE} port 22`,
        ` from ${FALSE} port 22 ssh2`,
        `from ${FALSE} port 22 ssh2: `,
      ],
      ...[
        ' [preauth]',
        ` rhost=${FALSE}`,
        ' user=root',
        ' ruser=',
        `,${FALSE}): unknown user`,
        `,${FALSE}`,
        '): ',
        `>, method=PLAIN, rip=${FALSE}, lip=1.1.1.1`,
        ` rip=${FALSE}`,
      ],
      ...[
        `'@'${FALSE}' (using password: YES)`,
        "'",
        '"',
        '\\',
        `[client ${FALSE}] `,
        `, client: ${FALSE}, server: s, request: "GET / HTTP/1.1", host: "h"`,
        `[${FALSE}]`,
      ],
      ...[
        ` (${FALSE}[${FALSE}]) - USER x`,
        ` Client "${FALSE}"`,
        ' not allowed because not listed in AllowUsers',
        ` [${FALSE}]:25: 535 x`,
        ' - - [24/Nov/2026:00:00:00 +0000] "GET /x HTTP/1.1" 200 1',
      ],
      ...['user', 'invalid user ', 'x', ' ', 'a b', '%', '=', ';', '((', '))', `, referer: ${FALSE}`, ` src=${FALSE}`, ` via ${FALSE}`],
    ),
    { maxLength: 6 },
  )
  .map((parts) => parts.join(''));

/** Each writes a client's text into a line as its program does. */
const PROGRAMS: Readonly<Record<string, readonly [dataset: string, line: (text: string) => string]>> = {
  'sshd failed password': ['sshd', (t) => `Nov 24 09:14:02 h sshd[1]: Failed password for invalid user ${t} from ${TRUE} port 40022 ssh2`],
  'sshd failed publickey': [
    'sshd',
    (t) => `Nov 24 09:14:02 h sshd[1]: Failed publickey for invalid user ${t} from ${TRUE} port 40022 ssh2: RSA SHA256:abc`,
  ],
  'sshd accepted': ['sshd', (t) => `Nov 24 09:14:02 h sshd[1]: Accepted password for ${t} from ${TRUE} port 40022 ssh2`],
  'sshd hostbased': [
    'sshd',
    (t) =>
      `Nov 24 09:14:02 h sshd[1]: Failed hostbased for dan from ${TRUE} port 45785 ssh2: RSA 8c:e3, client user "${t}", client host "x"`,
  ],
  'sshd invalid user': ['sshd', (t) => `Nov 24 09:14:02 h sshd[1]: Invalid user ${t} from ${TRUE} port 40022`],
  'sshd invalid user of old': ['sshd', (t) => `Nov 24 09:14:02 h sshd[1]: Invalid user ${t} from ${TRUE}`],
  'sshd closed': ['sshd', (t) => `Nov 24 09:14:02 h sshd[1]: Connection closed by invalid user ${t} ${TRUE} port 40022 [preauth]`],
  'sshd disconnected': [
    'sshd',
    (t) => `Nov 24 09:14:02 h sshd[1]: Disconnected from authenticating user ${t} ${TRUE} port 40022 [preauth]`,
  ],
  'sshd disconnecting': [
    'sshd',
    (t) => `Nov 24 09:14:02 h sshd[1]: Disconnecting invalid user ${t} ${TRUE} port 40022: Too many authentication failures [preauth]`,
  ],
  'sshd change of user': [
    'sshd',
    (t) =>
      `Nov 24 09:14:02 h sshd[1]: Disconnecting invalid user ${t} ${TRUE} port 40022: Change of username or service not allowed: (${t},ssh-connection) -> (${t},ssh-connection) [preauth]`,
  ],
  'sshd received disconnect': ['sshd', (t) => `Nov 24 09:14:02 h sshd[1]: Received disconnect from ${TRUE} port 40022:11: ${t} [preauth]`],
  'sshd protocol': ['sshd', (t) => `Nov 24 09:14:02 h sshd[1]: Bad protocol version identification '${t}' from ${TRUE} port 40022`],
  'sshd attempts': [
    'sshd',
    (t) =>
      `Nov 24 09:14:02 h sshd[1]: error: maximum authentication attempts exceeded for invalid user ${t} from ${TRUE} port 40022 ssh2 [preauth]`,
  ],
  'sshd pam': ['sshd', (t) => `Nov 24 09:14:02 h sshd[1]: error: PAM: Authentication failure for illegal user ${t} from ${TRUE}`],
  'sshd offer': [
    'sshd',
    (t) => `Nov 24 09:14:02 h sshd[1]: Unable to negotiate with ${TRUE} port 40022: no matching MAC found. Their offer: ${t} [preauth]`,
  ],
  'pam user': [
    'pam',
    (t) =>
      `Nov 24 09:14:02 h vsftpd[1]: pam_unix(vsftpd:auth): authentication failure; logname= uid=0 euid=0 tty=ftp ruser=${t} rhost=${TRUE}`,
  ],
  'pam target': [
    'pam',
    (t) =>
      `Nov 24 09:14:02 h vsftpd[1]: pam_unix(vsftpd:auth): authentication failure; logname= uid=0 euid=0 tty=ftp ruser= rhost=${TRUE}  user=${t}`,
  ],
  'dovecot login': [
    'dovecot',
    (t) =>
      `Nov 24 09:14:02 h dovecot: imap-login: Disconnected (auth failed, 1 attempts): user=<${t}>, method=PLAIN, rip=${TRUE}, lip=198.51.100.1, session=<abc>`,
  ],
  'dovecot worker': ['dovecot', (t) => `Nov 24 09:14:02 h dovecot: auth-worker(1): sql(${t},${TRUE}): unknown user`],
  'dovecot password': ['dovecot', (t) => `Nov 24 09:14:02 h dovecot: auth-worker(1): sql(x,${TRUE}): unknown user (given password: ${t})`],
  'postfix login': [
    'postfix',
    (t) => `Nov 24 09:14:02 h postfix/smtpd[1]: warning: unknown[${TRUE}]: SASL LOGIN authentication failed: x, sasl_username=${t}`,
  ],
  'postfix reject': [
    'postfix',
    (t) =>
      `Nov 24 09:14:02 h postfix/smtpd[1]: NOQUEUE: reject: RCPT from unknown[${TRUE}]: 554 5.7.1 <${t}>: Relay access denied; from=<${t}> to=<${t}> proto=ESMTP helo=<${t}>`,
  ],
  'exim login': [
    'exim',
    (t) => `Nov 24 09:14:02 h exim[1]: login authenticator failed for (x) [${TRUE}]:41556: 535 Incorrect authentication data (set_id=${t})`,
  ],
  'exim command': [
    'exim',
    (t) => `Nov 24 09:14:02 h exim[1]: SMTP protocol error in "AUTH ${t}" H=(x) [${TRUE}]:25 AUTH command used when not advertised`,
  ],
  'exim recipient': ['exim', (t) => `Nov 24 09:14:02 h exim[1]: H=(x) [${TRUE}]:25 F=<${t}> rejected RCPT <${t}>: relay not permitted`],
  'vsftpd login': ['vsftpd', (t) => `Tue Nov 24 11:03:00 2026 [pid 27244] [${t}] FAIL LOGIN: Client "${TRUE}"`],
  'proftpd login': [
    'proftpd',
    (t) =>
      `Nov 24 09:14:02 h proftpd[1]: 198.51.100.1 (${TRUE}[${TRUE}]) - USER ${t}: no such user found from ${TRUE} [${TRUE}] to 198.51.100.1:21`,
  ],
  'pure-ftpd login': ['pureftpd', (t) => `Nov 24 09:14:02 h pure-ftpd: (?@${TRUE}) [WARNING] Authentication failed for user [${t}]`],
  'mysql login': ['mysql', (t) => `2026-11-24T11:04:00.634875Z 113 [Note] Access denied for user '${t}'@'${TRUE}' (using password: YES)`],
  'postgres login': [
    'postgres',
    (t) => `2026-11-24 11:05:00.536 UTC [147] ${TRUE} x@y FATAL:  password authentication failed for user "${t}"`,
  ],
  'nginx access': ['nginx.access', (t) => `${TRUE} - ${t} [24/Nov/2026:09:14:02 +0000] "GET /${t} HTTP/1.1" 200 5 "${t}" "${t}"`],
  'nginx referrer': [
    'nginx.error',
    (t) =>
      `2026/11/24 09:15:01 [error] 1#1: *2 open() "/srv/x" failed (2: No such file or directory), client: ${TRUE}, server: e, request: "GET /x HTTP/1.1", host: "e", referrer: "${t}"`,
  ],
  'nginx path': [
    'nginx.error',
    (t) =>
      `2026/11/24 09:15:01 [error] 1#1: *2 open() "/srv/${t}" failed (2: No such file or directory), client: ${TRUE}, server: e, request: "GET /${t} HTTP/1.1", host: "e"`,
  ],
  'apache missing': ['apache.error', (t) => `[Tue Nov 24 09:14:05 2026] [error] [client ${TRUE}] File does not exist: /srv/${t}`],
  'apache user': ['apache.error', (t) => `[Tue Nov 24 09:14:05 2026] [error] [client ${TRUE}] user ${t} not found: /${t}, referer: ${t}`],
  'haproxy request': [
    'haproxy',
    (t) =>
      `Nov 24 11:06:00 lb haproxy[760]: ${TRUE}:58444 [24/Nov/2026:11:06:00.439] main app/app1 1/0/1/0/1 403 5168 - - ---- 3/3/0/0/0 0/0 {${t}} "GET /${t} HTTP/1.1"`,
  ],
  'named question': ['named', (t) => `24-Nov-2026 11:07:00.425 client @0x7f ${TRUE}#3076 (${t}): query (cache) '${t}/ANY/IN' denied`],
  'firewall console': [
    'firewall.console',
    (t) => `Nov 24 09:14:02 h php-fpm[1]: /index.php: webConfigurator authentication error for user '${t}' from: ${TRUE}`,
  ],
  'dropbear login': ['dropbear', (t) => `Nov 24 09:14:02 h dropbear[1]: Bad password attempt for '${t}' from ${TRUE}:4328`],
  'mysql general log': ['mysql', (t) => `2026-11-24T11:04:00.634875Z\t   13 Connect\t${t}@${TRUE} on shop using TCP/IP`],
  'mysql refused in general log': [
    'mysql',
    (t) => `2026-11-24T11:04:00.634875Z\t   13 Connect\tAccess denied for user '${t}'@'${TRUE}' (using password: YES)`,
  ],
  'mysql aborted': [
    'mysql',
    (t) =>
      `2026-11-24 11:04:00 12 [Warning] Aborted connection 12 to db: '${t}' user: '${t}' host: '${TRUE}' (Got an error reading communication packets)`,
  ],
  'mysql slow query': ['mysql', (t) => `# User@Host: ${t}[${t}] @  [${TRUE}]  Id:    12`],
  'postgres csvlog': [
    'postgres',
    (t) => {
      const name = t.replaceAll('"', '""');
      return `2026-11-24 11:05:00.536 UTC,"${name}","${name}",147,"${TRUE}:5555",65619f6c.93,2,"authentication",2026-11-24 11:00:00 UTC,3/4,0,FATAL,28P01,"password authentication failed for user ""${name}""",,,,,,,,,"","client backend",,0`;
    },
  ],
  xferlog: ['xferlog', (t) => `Tue Nov 24 11:03:00 2026 1 ${TRUE} 1234 /srv/${t} b _ i r anna ftp 0 * c`],
  'console login': ['login', (t) => `Nov 24 09:14:02 h login[1]: FAILED LOGIN (1) FROM ${TRUE} FOR ${t}, Authentication failure`],
  'postfix banner': [
    'postfix',
    (t) => `Nov 24 09:14:02 h postfix/smtpd[1]: improper command pipelining after EHLO from unknown[${TRUE}]: ${t}`,
  ],
  'postfix TLS': [
    'postfix',
    (t) =>
      `Nov 24 09:14:02 h postfix/smtpd[1]: Anonymous TLS connection established from unknown[${TRUE}]: TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits) ${t}`,
  ],
  'audit record in quotes': [
    'auditd',
    (t) =>
      `type=USER_LOGIN msg=audit(1764000001.000:1): pid=1 uid=0 msg='op=login acct="${t.replaceAll(/["\s]/g, '')}" exe="/usr/sbin/sshd" hostname=? addr=${TRUE} terminal=sshd res=failed'`,
  ],
  'auditd login': [
    'auditd',
    (t) =>
      `type=USER_LOGIN msg=audit(1764000001.000:1): pid=1 uid=0 msg='op=login acct=${Buffer.from(t).toString('hex').toUpperCase()} exe="/usr/sbin/sshd" hostname=? addr=${TRUE} terminal=sshd res=failed'`,
  ],
};

describe('a name of the attacker’s choice', () => {
  for (const [name, [dataset, line]] of Object.entries(PROGRAMS)) {
    it(`frames nobody in ${name}`, () => {
      expect(read(line('anna'), dataset)['source.ip']).toBe(TRUE);
      fc.assert(
        fc.property(chosen, (text) => {
          const event = read(line(text), dataset);
          expect([TRUE, undefined]).toContain(event['source.ip']);
          expect(event['related.ip'] ?? []).not.toContain(FALSE);
          expect(event['source.domain']).not.toBe(FALSE);
        }),
        { numRuns: 400 },
      );
    });
  }

  it('that cannot be told from the program’s own words is said to be forged', () => {
    const event = read(
      `Nov 24 09:14:02 h sshd[1]: Failed password for invalid user x from ${FALSE} port 22 ssh2: from ${TRUE} port 40022 ssh2`,
      'sshd',
    );
    expect(event['source.ip']).toBeUndefined();
    expect(event.tags).toEqual(['forged-source']);
    expect(event['event.outcome']).toBe('failure');
  });
});
