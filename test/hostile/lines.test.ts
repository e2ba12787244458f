// SPDX-License-Identifier: Apache-2.0
/**
 * Whoever writes lines: no line leaves search, frames another host, or steers the terminal of who reads it.
 * Input: lines with impossible numbers, foreign names, control characters. Output: events that the store takes; safe text.
 */
import { describe, expect, test } from 'vitest';
import { jsonLine, visible } from '../../collector/cli/terminal.ts';
import { decode } from '../../collector/decode/decode.ts';
import type { Event } from '../../collector/model/event.ts';
import { COLUMNS } from '../../collector/store/schema.ts';
import { hashId } from '../../core/ids.ts';
import { unixMs } from '../../core/units.ts';

const AT = unixMs(Date.UTC(2026, 10, 26, 1));
const HOST = { id: hashId('ast', 'h'), name: 'evil' };
const read = (line: string | Uint8Array, dataset: string): Event =>
  decode({
    bytes: typeof line === 'string' ? Buffer.from(line) : line,
    seq: 1,
    flags: 0,
    readAt: AT,
    dataset,
    zone: 'UTC',
    from: {
      collector: 'c',
      incarnation: 'i',
      offset: 0,
      generation: 1,
      agent: hashId('agt', 'a'),
      host: HOST,
      stream: 's',
      epoch: 'e',
      ingested: AT,
      replay: false,
    },
  }).event;

const HUGE = '9'.repeat(30);
const NUMBERS: readonly (readonly [string, string])[] = [
  ['json', `{"source.port":1e300,"process.pid":-1e300,"http.response.body.bytes":${HUGE},"@timestamp":8.63e15}`],
  ['json', `{"source":{"port":${HUGE}},"process":{"pid":1e19},"event":{"duration":9e18}}`],
  ['nginx.access', `1.2.3.4 - - [26/Nov/2026:01:00:00 +0000] "GET / HTTP/1.1" 200 ${HUGE} "-" "-"`],
  ['kernel', `Nov 26 01:00:00 h kernel: [1.1] IN=eth0 OUT= SRC=1.2.3.4 DST=5.6.7.8 LEN=${HUGE} PROTO=TCP SPT=${HUGE} DPT=-1`],
  ['syslog', `Nov 26 01:00:00 h sshd[${HUGE}]: Accepted password for root from 1.2.3.4 port ${HUGE} ssh2`],
  ['syslog', `Nov 26 01:00:00 h systemd[1]: x.service: Main process exited, code=exited, status=${HUGE}/FOO`],
  ['auditd', `type=SYSCALL msg=audit(1.1:1): arch=c000003e syscall=59 success=yes exit=0 pid=${HUGE} uid=${HUGE} comm="x"`],
  [
    'haproxy',
    `Nov 26 01:00:00 lb haproxy[7]: 1.2.3.4:5 [26/Nov/2026:01:00:00.439] m a/b 1/0/1/0/${HUGE} 403 ${HUGE} - - ---- 3/3/0/0/0 0/0 "GET / HTTP/1.1"`,
  ],
];

describe('a line', () => {
  test.each(NUMBERS)('with numbers that no column holds stays a row: %s', (dataset, line) => {
    const event = read(line, dataset);
    for (const { name, type } of COLUMNS) {
      const value = event[name];
      if (value === undefined) continue;
      if (type === 'long' || type === 'date') expect(Number.isSafeInteger(value), name).toBe(true);
      if (type === 'double') expect(Number.isFinite(value), name).toBe(true);
    }
    expect(event['event.original']).toBe(line);
  });

  test('that names another host or dataset stays its sender’s', () => {
    const forged = [
      read('Nov 26 01:00:00 victim sshd[1]: Failed password for root from 1.2.3.4 port 1 ssh2', 'syslog'),
      read('{"event.dataset":"vigil","host.name":"victim","host":{"id":"ast_x","name":"victim"},"vigil.agent.id":"agt_x"}', 'json'),
      read('<13>1 2026-11-26T01:00:00Z victim vigil 1 - - {"action":"agent-revoked","host":{"name":"victim"}}', 'syslog'),
    ];
    for (const event of forged) {
      expect(event['host.name']).toBe('evil');
      expect(event['host.id']).toBe(HOST.id);
      expect(event['vigil.agent.id']).toBe(hashId('agt', 'a'));
      expect(event['event.dataset']).not.toBe('vigil');
    }
    expect(forged[0]?.['log.syslog.hostname']).toBe('victim');
  });
});

describe('hostile text on a terminal', () => {
  const HOSTILE = [
    '\u001b[31m',
    '\u001b]0;x\u0007',
    '\u009b31m',
    '\u202e',
    '\u2066',
    '\u00ad',
    '\u{e0041}',
    '\ud800',
    '\0',
    '\r',
    '\u2028',
    '\ufeff',
  ];

  test.each(HOSTILE.map((text) => [JSON.stringify(text), text]))('is written out: %s', (_, text) => {
    expect(visible(`a${text}b`)).toMatch(/^a[ -~]+b$/);
  });

  test.each(HOSTILE.map((text) => [JSON.stringify(text), text]))('is escaped in JSON, which means the same: %s', (_, text) => {
    const out = jsonLine({ [`k${text}`]: `a${text}b` });
    expect(out).toMatch(/^[ -~]+\n$/);
    expect(JSON.parse(out)).toEqual({ [`k${text}`]: `a${text}b` });
  });

  test('leaves other letters alone', () => {
    expect(jsonLine({ a: 'naïve 日本 👍' })).toBe('{"a":"naïve 日本 👍"}\n');
  });
});
