// SPDX-License-Identifier: Apache-2.0
/**
 * Joins: what belongs together becomes one event, nothing is lost or doubled, and a pass goes on from what it saved.
 * Input: records of streams as auditd writes them, interleaved, cut, repeated. Output: claims.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hashId } from '../../../core/ids.ts';
import { unixMs } from '../../../core/units.ts';
import type { Provenance, RecordIn } from '../../model/event.ts';
import { type Join, type Joined, makeJoin } from './join.ts';

const AT = unixMs(Date.UTC(2026, 10, 24, 12));
const fromOf = (offset = 0, stream = 's', ingested = AT): Provenance => ({
  collector: 'c',
  incarnation: 'i',
  offset,
  generation: 1,
  agent: hashId('agt', 'a'),
  host: { id: hashId('ast', 'h'), name: 'h' },
  stream,
  epoch: 'e',
  ingested,
  replay: false,
});
const FROM = fromOf();
const recordOf = (line: string, seq: number, from = FROM, dataset = 'auditd'): RecordIn => ({
  bytes: Buffer.from(line),
  seq,
  flags: 0,
  readAt: AT,
  dataset,
  zone: 'UTC',
  from,
});
const pushAll = (join: Join, records: readonly RecordIn[]): Joined[] => records.flatMap((record) => join.push(record));
const joinLines = (...lines: string[]): Joined[] => {
  const join = makeJoin();
  return [
    ...pushAll(
      join,
      lines.map((line, i) => recordOf(line, i + 1)),
    ),
    ...join.flush(),
  ];
};

const exec = (serial: number, pid = 100 + serial, ppid = 1, at = '1764000000.100'): readonly string[] => [
  `type=SYSCALL msg=audit(${at}:${serial}): arch=c000003e syscall=59 success=yes exit=0 a0=5 items=1 ppid=${ppid} pid=${pid} auid=1000 uid=1000 gid=1000 euid=0 comm="nc" exe="/usr/bin/nc" key="exec"\u001dARCH=x86_64 SYSCALL=execve AUID="anna" UID="anna" EUID="root"`,
  `type=EXECVE msg=audit(${at}:${serial}): argc=3 a0="nc" a1="-e" a2=2F62696E2F7368202D69`,
  `type=CWD msg=audit(${at}:${serial}): cwd="/tmp"`,
  `type=PATH msg=audit(${at}:${serial}): item=0 name="../usr/bin/nc" inode=1 dev=08:01 mode=0100755 ouid=0 ogid=0 nametype=NORMAL`,
  `type=PROCTITLE msg=audit(${at}:${serial}): proctitle=6E63002D65`,
];

describe('a join', () => {
  it('makes one event of a call, with process, parent, user and every line', () => {
    const join = makeJoin();
    const parent = pushAll(
      join,
      exec(1, 50).map((line, i) => recordOf(line, i + 1)),
    );
    const events = [
      ...parent,
      ...pushAll(
        join,
        exec(2, 51, 50).map((line, i) => recordOf(line, i + 6)),
      ),
      ...join.settle(),
    ];
    expect(events).toHaveLength(2);
    expect(events[1]?.seqs).toEqual([6, 7, 8, 9, 10]);
    expect(events[1]?.event).toMatchObject({
      'event.category': ['process'],
      'event.type': ['start'],
      'event.action': 'execve',
      'process.executable': '/usr/bin/nc',
      'process.command_line': 'nc -e /bin/sh -i',
      'process.working_directory': '/tmp',
      'process.pid': 51,
      'process.parent.pid': 50,
      'process.parent.executable': '/usr/bin/nc',
      'process.parent.command_line': 'nc -e /bin/sh -i',
      'file.path': '/usr/bin/nc',
      'user.name': 'anna',
      'user.effective.name': 'root',
      tags: ['exec'],
      'vigil.seq': 6,
      'vigil.seq_last': 10,
      'event.original': exec(2, 51, 50).join('\n'),
    });
  });

  it('closes with its end-of-event record, which belongs to it', () => {
    const events = joinLines(...exec(1), 'type=EOE msg=audit(1764000000.100:1):', 'type=DAEMON_END msg=audit(1764000001.000:2): op=x');
    expect(events.map(({ seqs }) => seqs)).toEqual([[1, 2, 3, 4, 5, 6], [7]]);
  });

  it('tells events apart that processors wrote into one another', () => {
    const [a, b] = [exec(1), exec(2)];
    const mixed = a.flatMap((line, i) => [line, b[i] ?? '']);
    expect(joinLines(...mixed).map(({ seqs }) => seqs)).toEqual([
      [1, 3, 5, 7, 9],
      [2, 4, 6, 8, 10],
    ]);
  });

  it('out of order is one event still, and says the same', () => {
    const lines = exec(1);
    // The call comes first, as every processor writes it; what belongs to it comes in any order.
    const turned = [lines[0], ...lines.slice(1).reverse()].map(String);
    const [straight] = joinLines(...lines);
    const events = joinLines(...turned);
    expect(events).toHaveLength(1);
    for (const field of ['process.command_line', 'process.executable', 'process.working_directory', 'file.path', 'user.name'] as const)
      expect(events[0]?.event[field], field).toBe(straight?.event[field]);
    // The call behind what belongs to it: nothing of it is lost either.
    const late = joinLines(...lines.slice(1), String(lines[0]));
    expect(late.flatMap(({ seqs }) => seqs).sort((x, y) => x - y)).toEqual([1, 2, 3, 4, 5]);
  });

  it('with a serial that comes again is another event, whatever the clock says', () => {
    const again = exec(1).map((line) => line.replace('1764000000.100', '1764000060.100'));
    expect(joinLines(...exec(1), ...again).map(({ seqs }) => seqs)).toEqual([
      [1, 2, 3, 4, 5],
      [6, 7, 8, 9, 10],
    ]);
    // Even at the same moment: a call that is there already is not told twice.
    expect(joinLines(...exec(1), ...exec(1)).flatMap(({ seqs }) => seqs)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  });

  it('cut in half keeps what was read and its bytes, and is counted as not understood where nothing can be', () => {
    for (const line of exec(1))
      for (let at = 1; at < line.length; at += 3) {
        const half = line.slice(0, at);
        const events = joinLines(half);
        expect(
          events.map(({ seqs }) => seqs),
          half,
        ).toEqual([[1]]);
        expect(events[0]?.event['event.original']).toBe(half);
        if (!/msg=audit\([\d.]+:\d+\)/.test(half)) expect([half, events[0]?.outcome]).toEqual([half, 'failed']);
      }
  });

  it('of a kernel without titles closes when a later event is two seconds away', () => {
    const join = makeJoin();
    const old = exec(1).slice(0, 4);
    expect(
      pushAll(
        join,
        old.map((line, i) => recordOf(line, i + 1)),
      ),
    ).toEqual([]);
    expect(join.push(recordOf(exec(2, 9, 1, '1764000002.099')[0] ?? '', 5))).toEqual([]);
    expect(join.push(recordOf(exec(3, 9, 1, '1764000004.100')[0] ?? '', 6)).map(({ seqs }) => seqs)).toEqual([[1, 2, 3, 4], [5]]);
  });

  it('closes when the journal has moved on by five seconds, whatever stream moved it', () => {
    const join = makeJoin();
    join.push(recordOf(exec(1)[0] ?? '', 1));
    expect(join.passed(unixMs(AT + 4_999))).toEqual([]);
    expect(join.passed(unixMs(AT + 5_000)).map(({ seqs }) => seqs)).toEqual([[1]]);
    expect(join.state()).toBeNull();
  });

  it('holds at most 16 events of a stream, 512 records and a megabyte of one', () => {
    const many = Array.from({ length: 17 }, (_, i) => exec(i)[0] ?? '');
    const join = makeJoin();
    expect(
      pushAll(
        join,
        many.map((line, i) => recordOf(line, i + 1)),
      ).map(({ seqs }) => seqs),
    ).toEqual([[1]]);
    const long = makeJoin();
    const paths = Array.from({ length: 513 }, () => exec(1)[3] ?? '');
    expect(
      pushAll(
        long,
        paths.map((line, i) => recordOf(line, i + 1)),
      ).map(({ seqs }) => seqs.length),
    ).toEqual([512]);
    const wide = `type=PATH msg=audit(1764000000.100:1): name="${'x'.repeat(600_000)}"`;
    const heavy = makeJoin();
    expect(pushAll(heavy, [recordOf(wide, 1), recordOf(wide, 2)]).map(({ seqs }) => seqs)).toEqual([[1, 2]]);
  });

  it('leaves records of trusted programs alone, and takes nothing for a record that is none', () => {
    const login = `type=USER_LOGIN msg=audit(1764000001.000:7): pid=1 uid=0 auid=4294967295 msg='op=login acct="root" exe="/usr/sbin/sshd" addr=203.0.113.5 res=failed'`;
    expect(joinLines(login, login).map(({ seqs }) => seqs)).toEqual([[1], [2]]);
    const join = makeJoin();
    const forged = recordOf(`Nov 24 11:00:00 h sshd[1]: Invalid user x audispd: ${exec(1)[0]} from 203.0.113.9 port 1`, 1, FROM, 'syslog');
    expect(join.push(forged)[0]?.event['event.dataset']).toBe('sshd');
    expect(join.push({ ...forged, seq: 2 })[0]?.event['event.dataset']).toBe('sshd');
  });

  it('joins records behind a syslog header of the audit system', () => {
    const join = makeJoin();
    const lines = exec(1).map((line) => `Nov 24 11:00:00 web1 audispd: node=web1 ${line}`);
    const events = [
      ...pushAll(
        join,
        lines.map((line, i) => recordOf(line, i + 1, FROM, 'syslog')),
      ),
      ...join.settle(),
    ];
    expect(events).toHaveLength(1);
    expect(events[0]?.event).toMatchObject({ 'log.syslog.hostname': 'web1', 'process.command_line': 'nc -e /bin/sh -i' });
  });

  it('names the blocks that it reaches over, and the marks of all its records', () => {
    const join = makeJoin();
    const [a = '', b = ''] = exec(1);
    join.push({ ...recordOf(a, 1, fromOf(100)), flags: 1 });
    join.push({ ...recordOf(b, 2, fromOf(900)), flags: 16 });
    const [event] = join.flush();
    expect(event?.event['vigil.journal.offset']).toBe(100);
    expect(event?.event['vigil.extra']?.['journal.offsets']).toBe('100 900');
    expect(event?.event['vigil.flags']).toEqual(['backlog', 'redacted']);
  });

  it('keeps bytes that are not UTF-8 by one escape for all of its lines', () => {
    const join = makeJoin();
    join.push({ ...recordOf('', 1), bytes: Buffer.concat([Buffer.from(exec(1)[2]?.replace('/tmp', '/a\\b') ?? ''), Buffer.from([0xff])]) });
    join.push(recordOf('type=PATH msg=audit(1764000000.100:1): name="x\\y"', 2));
    const [event] = join.flush();
    expect(event?.event['vigil.original.encoding']).toBe('escaped');
    expect(event?.event['event.original']).toContain('cwd="/a\\\\b"\\xff\ntype=PATH');
    expect(event?.event['event.original']).toContain('name="x\\\\y"');
  });
});

/** Lines of calls and others, several calls at once, some without their end. */
const streams = fc
  .array(fc.record({ serial: fc.integer({ min: 1, max: 6 }), part: fc.integer({ min: 0, max: 5 }) }), { maxLength: 40 })
  .map((parts) =>
    parts.map(({ serial, part }) => exec(serial)[part] ?? `type=USER_CMD msg=audit(1764000000.100:9${serial}): pid=1 cmd="x"`),
  );

describe('whatever the order of records', () => {
  it('each stands in exactly one event, in its order', () => {
    fc.assert(
      fc.property(streams, (lines) => {
        const seqs = joinLines(...lines).map((joined) => joined.seqs);
        expect(seqs.flat().sort((a, b) => a - b)).toEqual(lines.map((_, i) => i + 1));
        for (const own of seqs) expect(own).toEqual([...own].sort((a, b) => a - b));
      }),
    );
  });

  it('a pass that goes on from its saved state gives the same events', () => {
    fc.assert(
      fc.property(streams, fc.nat(40), (lines, cut) => {
        const records = lines.map((line, i) => recordOf(line, i + 1, fromOf(i < cut ? 0 : 1)));
        const whole = makeJoin();
        const first = makeJoin();
        const before = [pushAll(whole, records.slice(0, cut)), whole.settle(), pushAll(whole, records.slice(cut)), whole.flush()].flat();
        const told = [...pushAll(first, records.slice(0, cut)), ...first.settle()];
        const again = makeJoin(JSON.parse(JSON.stringify(first.state())));
        const after = [...told, ...pushAll(again, records.slice(cut)), ...again.flush()];
        const shape = ({ event, seqs }: Joined) => [seqs, event['event.id'], event['event.original'], event['process.command_line']];
        expect(after.map(shape)).toEqual(before.map(shape));
      }),
    );
  });
});
