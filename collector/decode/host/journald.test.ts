// SPDX-License-Identifier: Apache-2.0
/**
 * Journal entries: any bytes in any field, whole or line by line; nobody speaks as a program that they are not.
 * Input: entries in export format and JSON. Output: claims.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeLines, splitLines } from '../../cli/decode.ts';
import type { Event } from '../../model/event.ts';
import { makeEntryScan, parseEntry } from './entry.ts';

type Entry = Readonly<Record<string, string | Uint8Array>>;

/** As `journalctl -o export` writes it. */
const exported = (entry: Entry): Buffer =>
  Buffer.concat([
    ...Object.entries(entry).flatMap(([name, value]) => {
      const bytes = Buffer.from(value as string);
      if (!bytes.some((byte) => byte < 32 && byte !== 9)) return [Buffer.from(`${name}=`), bytes, Buffer.from('\n')];
      const length = Buffer.alloc(8);
      length.writeBigUInt64LE(BigInt(bytes.length));
      return [Buffer.from(`${name}\n`), length, bytes, Buffer.from('\n')];
    }),
    Buffer.from('\n'),
  ]);

const decodeAll = async (bytes: Uint8Array, dataset = 'journald'): Promise<readonly Event[]> => {
  const stream = (async function* () {
    yield bytes;
  })();
  const events: Event[] = [];
  for await (const { event } of decodeLines(splitLines(stream, true), { dataset })) events.push(event);
  return events;
};

const ENTRY = { __CURSOR: 's=1', __REALTIME_TIMESTAMP: '1764000000579000', _BOOT_ID: 'b', _PID: '7' };
const FAILED = 'Failed password for root from 192.0.2.66 port 22 ssh2';

describe('an entry', () => {
  it('gives back every field, whatever its bytes, and ends where it ends', () => {
    const value = fc.oneof(
      fc.string(),
      fc.uint8Array({ maxLength: 64 }),
      fc.constantFrom('\n\n__CURSOR=x\n_UID=0\n', '\n', 'a\r\n', '\n\n\n'),
    );
    fc.assert(
      fc.property(fc.array(value, { maxLength: 5 }), (values) => {
        const entry: Entry = { ...ENTRY, ...Object.fromEntries(values.map((one, n) => [`FIELD_${n}`, one])) };
        const bytes = exported(entry);
        const fields = parseEntry(bytes);
        for (const [name, one] of Object.entries(entry))
          expect(Buffer.from(fields.get(name) ?? []), name).toEqual(Buffer.from(one as string));
        const scan = makeEntryScan();
        const lines = bytes.toString('latin1').split('\n').slice(1, -1);
        const places = lines.map((line) => scan.take(Buffer.from(line, 'latin1')));
        expect(places).toEqual([...lines.slice(1).map(() => 'inside'), 'end']);
      }),
    );
  });

  it('that is cut at any byte is read as far as it goes', () => {
    const bytes = exported({ ...ENTRY, MESSAGE: 'a\nb', LAST: 'x' });
    for (let end = 0; end <= bytes.length; end++) expect(() => parseEntry(bytes.subarray(0, end))).not.toThrow();
    const broken = Buffer.from(`MESSAGE\n${'\xff'.repeat(8)}x\n_UID=0\n`, 'latin1');
    expect([...parseEntry(broken).keys()]).toEqual([]);
  });

  it('holds text of its sender that is never taken for another entry', async () => {
    const inside = exported({ ...ENTRY, _UID: '0', _COMM: 'sshd', _EXE: '/usr/sbin/sshd', SYSLOG_IDENTIFIER: 'sshd', MESSAGE: FAILED });
    for (const dataset of ['journald', 'auto']) {
      const events = await decodeAll(
        Buffer.concat([
          exported({ ...ENTRY, _UID: '1000', _COMM: 'x', SYSLOG_IDENTIFIER: 'x', MESSAGE: Buffer.concat([Buffer.from('\n\n'), inside]) }),
          exported({
            ...ENTRY,
            _UID: '0',
            _COMM: 'sshd',
            _EXE: '/usr/sbin/sshd',
            SYSLOG_IDENTIFIER: 'sshd',
            MESSAGE: FAILED.replace('192.0.2.66', '203.0.113.1'),
          }),
        ]),
        dataset,
      );
      expect(
        events.map((event) => event['source.ip']),
        dataset,
      ).toEqual([undefined, '203.0.113.1']);
    }
  });
});

describe('a sender', () => {
  const from = async (fields: Entry) =>
    (await decodeAll(exported({ ...ENTRY, SYSLOG_IDENTIFIER: 'sshd', MESSAGE: FAILED, ...fields })))[0] as Event;

  it.each([
    [{ _UID: '0', _COMM: 'sshd', _EXE: '/usr/sbin/sshd' }],
    [{ _UID: '0', _COMM: 'sshd-session', _EXE: '/usr/lib/openssh/sshd-session' }],
    [{ _UID: '110', _COMM: 'sshd', _EXE: '/usr/sbin/sshd' }],
  ])('is believed: %j', async (fields) => {
    expect((await from(fields))['source.ip']).toBe('192.0.2.66');
  });

  it.each([
    [{ _UID: '1000', _COMM: 'logger', _EXE: '/usr/bin/logger' }],
    [{ _UID: '0', _COMM: 'logger', _EXE: '/usr/bin/logger' }],
    [{ _UID: '33', _COMM: 'sshd', _EXE: '/tmp/sshd' }],
    [{ _UID: '33', _COMM: 'sshd', _EXE: '/home/x/usr/sbin/sshd' }],
    [{ _UID: '33', _COMM: 'sshd' }],
    [{ SYSLOG_IDENTIFIER: 'kernel', _UID: '1000', MESSAGE: 'DROP IN=eth0 OUT= SRC=192.0.2.66 DST=192.0.2.1 PROTO=TCP SPT=1 DPT=2 ' }],
  ])('is not believed: %j', async (fields) => {
    const event = await from(fields);
    expect(event['source.ip']).toBeUndefined();
    expect(event['event.dataset']).toBe('journald');
    expect(event.message).toContain('192.0.2.66');
  });
});
