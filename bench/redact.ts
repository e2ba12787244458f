// SPDX-License-Identifier: Apache-2.0
/**
 * What redaction costs: lines without a trigger, with one, with a secret, audit records, and lines made to be slow.
 * Input: generated lines. Output: a table with nanoseconds of processor time a line, the least of five runs, and one JSON line.
 */
import { openRedactor } from '../agent/redact/redact.ts';
import { loadRules } from '../agent/redact/rules.ts';
import type { Batch } from '../agent/source/source.ts';
import type { SourceRecord } from '../core/record.ts';
import { unixMs } from '../core/units.ts';

const BATCH_LINES = 1_500;
const BATCHES = 20;

const batchesOf = (line: (i: number) => string): readonly Batch[] =>
  Array.from({ length: BATCHES }, (_, b) => {
    const texts = Array.from({ length: BATCH_LINES }, (_, i) => line(b * BATCH_LINES + i));
    const whole = Buffer.from(`${texts.join('\n')}\n`);
    let at = 0;
    const records = texts.map((text): SourceRecord => {
      const length = Buffer.byteLength(text);
      const record = { bytes: whole.subarray(at, at + length), readAt: unixMs(1), end: at + length + 1, flags: 0 };
      at += length + 1;
      return record;
    });
    return { stream: 'file:/a', kind: 'lines', dataset: 'syslog', records, at: unixMs(1), from: 0, resume: '' };
  });

const LANES: Readonly<Record<string, (i: number) => string>> = {
  'syslog, no trigger': (i) =>
    `Nov 24 09:13:${10 + (i % 50)} web01 systemd[1]: Started Session ${i} of user root, a line of the usual kind.`,
  'sshd flood': (i) =>
    `Nov 24 09:13:10 bastion sshd[${4131 + i}]: Failed password for invalid user a${i} from 203.0.113.7 port ${40000 + i} ssh2`,
  'web access': (i) =>
    `203.0.113.7 - - [24/Nov/2026:09:13:10 +0000] "GET /item/${i}?color=red&page=2 HTTP/1.1" 200 5123 "https://shop.example.com/list?page=1" "Mozilla/5.0 (X11; Linux x86_64) Chrome/120.0 Safari/537.36"`,
  'audit execve': (i) => `type=EXECVE msg=audit(1795515242.191:${i}): argc=3 a0="ls" a1="-la" a2="/var/log/${i}"`,
  'audit proctitle': (i) => `type=PROCTITLE msg=audit(1795515242.191:${i}): proctitle=6C73002D6C61002F7661722F6C6F67`,
  'sudo with a secret': (i) =>
    `Nov 24 09:13:10 h sudo: bob : TTY=pts/0 ; PWD=/home/bob ; USER=root ; COMMAND=/usr/bin/mysql -u root -psecret${i} shop`,
};

const measured = Object.entries(LANES).map(([lane, line]) => {
  const batches = batchesOf(line);
  let best = Number.POSITIVE_INFINITY;
  let redacted = 0;
  for (let run = 0; run < 5; run++) {
    const redactor = openRedactor(loadRules(null));
    const began = process.cpuUsage();
    for (const batch of batches) redactor.apply(batch);
    best = Math.min(best, process.cpuUsage(began).user / 1000);
    redacted = redactor.counts('file:/a')['redacted'] ?? 0;
  }
  return { lane, nsPerLine: Math.round((best * 1e6) / (BATCHES * BATCH_LINES)), redacted };
});

for (const { lane, nsPerLine, redacted } of measured)
  process.stdout.write(`${lane.padEnd(20)} ${String(nsPerLine).padStart(6)} ns a line, ${redacted} redacted\n`);
process.stdout.write(`${JSON.stringify({ lane: 'redact', measured })}\n`);
