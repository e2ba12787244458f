// SPDX-License-Identifier: Apache-2.0
/**
 * Audit records: values as the kernel and its daemons wrote them, and what a user may have written into one.
 * Input: records. Output: claims.
 */
import { describe, expect, it } from 'vitest';
import { argumentsOf } from './arguments.ts';
import { parseRecord, readHead } from './parse.ts';
import { absolute, mainPath, permissions } from './paths.ts';

const parse = (text: string) => {
  const head = readHead(text);
  if (head === undefined) throw new Error('no record');
  return parseRecord(text, head);
};
const dataOf = (text: string) => Object.fromEntries(parse(text).data);

describe('a record', () => {
  it('of the kernel log names its type by number', () => {
    expect(readHead('[ 12.5] audit: type=1400 audit(1764000000.100:3): apparmor="DENIED"')).toMatchObject({ type: 'AVC', sequence: 3 });
    expect(readHead('type=UNKNOWN[1334] msg=audit(1764000000.100:3): x=1')?.type).toBe('BPF');
    expect(readHead('type=UNKNOWN[1999] msg=audit(1764000000.100:3): x=1')?.type).toBe('UNKNOWN[1999]');
  });

  it.each([
    'type=UNKNOWN[1329] msg=?',
    'type=SYSCALL msg=audit(x:1): a=1',
    'type=SYSCALL',
    'x type=SYSCALL msg=audit(1764000000.100:3): a=1',
    '',
  ])('is not: %s', (text) => expect(readHead(text)).toBeUndefined());

  it('names calls, errors, architectures and signals', () => {
    expect(dataOf('type=SYSCALL msg=audit(1764000000.100:3): arch=c00000b7 syscall=203 success=no exit=-111')).toEqual({
      arch: 'aarch64',
      syscall: 'connect',
      exit: 'ECONNREFUSED',
      result: 'fail',
    });
    expect(dataOf('type=SECCOMP msg=audit(1764000000.100:3): auid=1 sig=31 arch=c000003e syscall=41 compat=0')).toMatchObject({
      sig: 'SIGSYS',
      syscall: 'socket',
    });
    expect(dataOf('type=SYSCALL msg=audit(1764000000.100:3): arch=c000003e syscall=9999')).toMatchObject({ syscall: '9999' });
  });

  it('keeps numbers that look like hexadecimal', () => {
    expect(dataOf('type=CONFIG_CHANGE msg=audit(1764000000.100:3): audit_backlog_limit=64 old=8192 res=1')).toMatchObject({ old: '8192' });
  });

  it('takes the keys of its rules apart', () => {
    expect(parse('type=SYSCALL msg=audit(1764000000.100:3): key=65786563013634626974').keys).toEqual(['exec', '64bit']);
    expect(parse('type=SYSCALL msg=audit(1764000000.100:3): key="key=net"').keys).toEqual(['net']);
    expect(parse('type=SYSCALL msg=audit(1764000000.100:3): key=(null)').keys).toEqual([]);
  });

  it('of a trusted program ends where its last quote stands, whatever name a user chose', () => {
    const data = dataOf(
      `type=USER_LOGIN msg=audit(1764000000.100:3): pid=1 uid=0 msg='op=login acct="x'addr=192.0.2.66" exe="/usr/sbin/sshd" hostname=? addr=203.0.113.5 terminal=ssh res=failed'\u001dUID="root" AUID="unset"`,
    );
    expect(data).toMatchObject({ acct: "x'addr=192.0.2.66", addr: '203.0.113.5', result: 'fail' });
  });

  it('puts arguments together over records and parts', () => {
    const first = parse('type=EXECVE msg=audit(1764000000.100:3): argc=4 a0="sh" a1_len=18 a1[0]=C3A4 a1[1]=C3 a1[2]=B6207A');
    const second = parse('type=EXECVE msg=audit(1764000000.100:3): a2="plain" a3=7820');
    expect(argumentsOf([first.data, second.data])).toEqual(['sh', 'äö z', 'plain', 'x ']);
    expect(argumentsOf([parse('type=EXECVE msg=audit(1764000000.100:3): argc=2 a0="sh" a1_len=4 a1[0]="ab" a1[1]="cd"').data])).toEqual([
      'sh',
      'abcd',
    ]);
    expect(argumentsOf([new Map([['a999999', 'x']])])).toEqual([]);
  });
});

describe('paths', () => {
  it('are absolute where the directory is known', () => {
    expect(absolute('a/../b/./c', '/x')).toBe('/x/b/c');
    expect(absolute('./a', undefined)).toBe('./a');
    expect(absolute('/../../etc/passwd', '/x')).toBe('/etc/passwd');
    expect(absolute('/a.b/.c', '/')).toBe('/a.b/.c');
    expect(absolute('dir/', '/')).toBe('/dir/');
  });

  it('name what was created or deleted before what was only there', () => {
    const path = (name: string, nametype: string) =>
      new Map([
        ['name', name],
        ['nametype', nametype],
      ]);
    expect(mainPath([path('/d', 'PARENT'), path('/d/old', 'DELETE'), path('/d/new', 'CREATE')])?.get('name')).toBe('/d/new');
    expect(mainPath([path('/d', 'PARENT'), path('/d/f', 'NORMAL')])?.get('name')).toBe('/d/f');
    expect(mainPath([])).toBeUndefined();
    expect(permissions('0106755')).toBe('6755');
  });
});
