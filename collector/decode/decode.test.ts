// SPDX-License-Identifier: Apache-2.0
/**
 * What holds for every line and every decoder: nothing thrown, nothing lost, nobody impersonated.
 * Input: arbitrary bytes and hostile lines. Output: claims.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ECS, ECS_FIELDS, isEcsField } from '../../core/ecs.ts';
import { hashId, isId } from '../../core/ids.ts';
import { unixMs } from '../../core/units.ts';
import { type Event, eventToJson, type Provenance, type RecordIn } from '../model/event.ts';
import { FIELD_LIMIT_BYTES, unescapeOriginal } from './build.ts';
import { declarations, decode, isDataset, logSourcesOf } from './decode.ts';
import { DECODERS, decodersOfProgram } from './registry.ts';

const AT = unixMs(Date.UTC(2026, 10, 24, 12));
const FROM: Provenance = {
  collector: 'c1',
  incarnation: 'i1',
  offset: 77,
  generation: 1,
  agent: hashId('agt', 'a'),
  host: { id: hashId('ast', 'h'), name: 'web1' },
  stream: 'file:/var/log/auth.log',
  epoch: '0'.repeat(32),
  path: '/var/log/auth.log',
  ingested: AT,
  replay: false,
};
const record = (line: string | Uint8Array, dataset = 'auto', more: Partial<RecordIn> = {}): RecordIn => ({
  bytes: typeof line === 'string' ? Buffer.from(line) : line,
  seq: 41,
  flags: 0,
  readAt: AT,
  dataset,
  zone: 'UTC',
  from: FROM,
  ...more,
});
const datasets = [...DECODERS.map((decoder) => decoder.dataset), 'auto', 'nginx', 'apache', 'unheard.of'];
const originalBytes = (event: Event): Buffer => {
  const text = event['event.original'] ?? '';
  return event['vigil.original.encoding'] === 'escaped' ? unescapeOriginal(text) : Buffer.from(text);
};

/** Pieces that logs are made of, and pieces that break parsers. */
const pieces = fc.constantFrom(
  ...[
    'Nov 24 09:14:02 ',
    '<13>1 2026-11-24T09:14:02Z h a 1 - ',
    'sshd[1]: ',
    'Failed password for ',
    ' from ',
    '1.2.3.4',
    ' port 22',
    ' ssh2',
    ': ',
  ],
  ...[
    '"GET / HTTP/1.1" 200 5 "-" "-"',
    ' - - [24/Nov/2026:09:14:02 +0000] ',
    '{"a":',
    '}',
    '[',
    ']',
    '"',
    "'",
    '\\',
    '%',
    '=',
    'rhost=',
    ' user=',
    'type=SYSCALL msg=audit(1.000:1): ',
  ],
  ...[
    ', client: ',
    '2026/11/24 09:14:02 [error] 1#1: *1 ',
    'é',
    '😀',
    '\ud800',
    '\u0000',
    '\ufffd',
    '\t',
    'COMMAND=',
    ' ; ',
    '9'.repeat(400),
    ' '.repeat(50),
    'pam_unix(x:auth): ',
  ],
);
const hostile = fc.array(fc.oneof(pieces, fc.string({ maxLength: 8 })), { maxLength: 24 }).map((parts) => parts.join(''));

describe('decode', () => {
  it('throws nothing and keeps every byte, whatever the bytes and the dataset', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.constantFrom(...datasets), (bytes, dataset) => {
        const { event } = decode(record(bytes, dataset));
        expect(originalBytes(event).equals(Buffer.from(bytes))).toBe(true);
      }),
      { numRuns: 2_000 },
    );
  });

  it('misses nothing in a blank line, and keeps it', () => {
    for (const dataset of datasets)
      for (const blank of ['', ' ', '\t \t']) {
        const { outcome, event } = decode(record(blank, dataset));
        expect([dataset, outcome]).not.toEqual([dataset, 'failed']);
        expect(event['event.original'] ?? '').toBe(blank);
      }
  });

  it('gives well-formed, typed, bounded values for lines made of hostile pieces', () => {
    fc.assert(
      fc.property(hostile, fc.constantFrom(...datasets), (line, dataset) => {
        const { event, outcome } = decode(record(line, dataset));
        expect(event['vigil.decode']).toBe(outcome);
        expect(event['vigil.extra']?.['decode.fault']).toBeUndefined();
        for (const [name, value] of Object.entries(event)) {
          if (value === undefined) continue;
          expect(isEcsField(name), name).toBe(true);
          expect(typed(name, value), `${name}: ${JSON.stringify(value)}`).toBe(true);
        }
        expect(() => JSON.stringify(eventToJson(event))).not.toThrow();
      }),
      { numRuns: 3_000 },
    );
  });

  it('takes host and agent from the provenance, never from the line', () => {
    const lie =
      '{"@timestamp":"2026-11-24T09:00:00Z","host":{"name":"liar","id":"ast_liar"},"agent":{"id":"x"},"vigil":{"agent":{"id":"agt_liar"},"seq":1},"event":{"id":"evt_liar"}}';
    for (const line of [lie, 'Nov 24 09:14:02 liar sshd[1]: Invalid user x from 1.2.3.4 port 5']) {
      const { event } = decode(record(line));
      expect(event['host.name']).toBe('web1');
      expect(event['host.id']).toBe(FROM.host.id);
      expect(event['vigil.agent.id']).toBe(FROM.agent);
      expect(event['vigil.seq']).toBe(41);
      expect(event['event.id']).not.toBe('evt_liar');
    }
  });

  it('names events by stream and sequence: distinct, stable, and valid ids', () => {
    const ids = new Set<string>();
    for (const seq of [1, 35, 36, 2 ** 40, Number.MAX_SAFE_INTEGER]) {
      for (const epoch of ['a', 'b']) {
        const id = decode(record('x', 'text', { seq, from: { ...FROM, epoch } })).event['event.id'] ?? '';
        expect(isId('evt', id)).toBe(true);
        ids.add(id);
      }
    }
    expect(ids.size).toBe(10);
    expect(decode(record('other', 'syslog')).event['event.id']).toBe(decode(record('x', 'text')).event['event.id']);
  });

  it('gives events of one class the same keys in the same order', () => {
    const keys = (line: string): string => Object.keys(decode(record(line, 'syslog')).event).join();
    expect(keys('Nov 24 09:14:02 h sshd[1]: Invalid user x from 1.2.3.4 port 5')).toBe(
      keys('Nov 24 09:14:02 h sshd[1]: nobody knows this'),
    );
    expect(keys('Nov 24 09:14:02 h CRON[1]: (root) CMD (true)')).toBe(keys('Nov 24 09:14:02 h systemd[1]: Started x.service.'));
  });

  it('lets the program in the header pick, whatever dataset the file was declared with', () => {
    expect(decode(record('Nov 24 09:14:02 h sudo: a : TTY=x ; PWD=/ ; USER=root ; COMMAND=/bin/ls', 'sshd')).event['event.dataset']).toBe(
      'sudo',
    );
    expect(decode(record('Nov 24 09:14:02 h unknown[1]: x', 'sshd')).event['event.dataset']).toBe('sshd');
    expect(decode(record('Nov 24 09:14:02 h unknown[1]: x', 'syslog')).outcome).toBe('partial');
  });

  it('finds programs by path, instance and case of their tag', () => {
    const nameOf = (program: string): string | undefined => decodersOfProgram(program)[0]?.dataset;
    expect(nameOf('postfix/submission/smtpd')).toBe('postfix');
    expect(nameOf('su(pam_unix)')).toBe('su');
    expect(nameOf('SSHD')).toBe('sshd');
    expect(nameOf('toString')).toBeUndefined();
    expect(nameOf('__proto__')).toBeUndefined();
  });

  it('picks between the forms of a product by content', () => {
    const access = '1.2.3.4 - - [24/Nov/2026:09:14:02 +0000] "GET / HTTP/1.1" 200 5 "-" "-"';
    const error =
      '2026/11/24 09:14:02 [error] 1#1: *1 access forbidden by rule, client: 1.2.3.4, server: s, request: "GET / HTTP/1.1", host: "h"';
    expect(decode(record(access, 'nginx')).event['event.dataset']).toBe('nginx.access');
    expect(decode(record(error, 'nginx')).event['event.dataset']).toBe('nginx.error');
    expect(decode(record(error, 'auto')).event['event.dataset']).toBe('nginx.error');
    expect(decode(record(`host nginx[9]: ${error}`, 'nginx')).event['source.ip']).toBe('1.2.3.4');
  });

  it('keeps the name of a dataset that has no decoder', () => {
    expect(decode(record('{"file":{"path":"/etc/passwd"}}', 'fim')).event['event.dataset']).toBe('fim');
    expect(decode(record('free text', 'my.app')).event['event.dataset']).toBe('my.app');
  });

  it('says of a record what its flags said', () => {
    expect(decode(record('x', 'text', { flags: 1 | 16 })).event['vigil.flags']).toEqual(['backlog', 'redacted']);
    expect(decode(record('x', 'text', { from: { ...FROM, replay: true } })).event['vigil.flags']).toEqual(['replay']);
    expect(decode(record('x', 'text')).event['vigil.flags']).toBeUndefined();
  });

  it('notes an event time more than five minutes after its arrival', () => {
    const at = (iso: string): string | undefined => decode(record(`${iso} h p[1]: x`, 'syslog')).event['vigil.time.quality'];
    expect(at('2026-11-24T12:05:00Z')).toBeUndefined();
    expect(at('2026-11-24T12:05:01Z')).toBe('future');
    expect(at('Nov 24 12:06:00')).toBe('year-inferred,future');
  });

  it('keeps a line of a megabyte whole and its fields within the limit of a term', () => {
    const long = 'x'.repeat(1_048_000);
    for (const line of [
      `Nov 24 09:14:02 h app: ${long}`,
      `1.2.3.4 - - [24/Nov/2026:09:14:02 +0000] "GET /${long} HTTP/1.1" 200 5 "-" "-"`,
      `{"message":"${long}"}`,
    ]) {
      const { event } = decode(record(line));
      expect(event['event.original']).toBe(line);
      for (const [name, value] of Object.entries(event)) {
        if (name !== 'event.original' && typeof value === 'string') expect(Buffer.byteLength(value)).toBeLessThanOrEqual(FIELD_LIMIT_BYTES);
      }
    }
  });
});

const typed = (name: string, value: unknown): boolean => {
  if (!isEcsField(name)) return false;
  const isText = (item: unknown): boolean =>
    typeof item === 'string' && item.isWellFormed() && (name === 'event.original' || Buffer.byteLength(item) <= FIELD_LIMIT_BYTES);
  switch (ECS[name].type) {
    case 'long':
      return Number.isInteger(value);
    case 'date':
      return Number.isInteger(value) && Math.abs(value as number) < 8.64e15;
    case 'boolean':
      return typeof value === 'boolean';
    case 'keywords':
      return Array.isArray(value) && value.length > 0 && value.every(isText);
    case 'flattened':
      return Object.values(value as object).every((item) => typeof item === 'string' && item.isWellFormed());
    default:
      return isText(value) && (value !== '' || name === 'event.original');
  }
};

describe('declarations', () => {
  it('name known fields once, each dataset once, with a title of one line', () => {
    const names = declarations().map(({ dataset }) => dataset);
    expect(new Set(names).size).toBe(names.length);
    for (const { dataset, title, emits } of declarations()) {
      expect(dataset).toMatch(/^[a-z0-9]+(?:\.[a-z0-9]+)*$/);
      expect(title).toMatch(/^[^\n]{10,120}$/);
      expect(emits.filter((field) => !(ECS_FIELDS as readonly string[]).includes(field))).toEqual([]);
      expect(isDataset(dataset)).toBe(true);
    }
    expect(logSourcesOf('sshd')).toContainEqual({ product: 'linux', service: 'auth' });
    expect(isDataset('unheard.of')).toBe(false);
  });
});
