// SPDX-License-Identifier: Apache-2.0
/**
 * Audit records: socket addresses, call names, and what a user may have written into a record.
 * Input: hexadecimal digits, numbers. Output: claims.
 */
import { describe, expect, it } from 'vitest';
import { readSocketAddress } from './sockaddr.ts';
import { syscallName } from './syscall.ts';

describe('socket addresses', () => {
  it.each([
    ['02000035C0000235' + '0000000000000000', { family: 'inet', ip: '192.0.2.53', port: 53 }],
    ['0A000016000000000000000000000000000000000000000000000000', { family: 'inet', ip: '::', port: 22 }],
    ['0A0001BB0000000020010DB800000000000000000000000100000000', { family: 'inet', ip: '2001:db8::1', port: 443 }],
    ['01002F7661722F72756E2F782E736F636B0000', { family: 'unix', path: '/var/run/x.sock' }],
    ['0100004142', { family: 'unix', path: '@AB' }],
    ['10000000', { family: 'other', number: 16 }],
  ])('%s', (hex, expected) => {
    expect(readSocketAddress(hex)).toEqual(expected);
  });

  it('that are cut or no hexadecimal are none', () => {
    for (const hex of ['', '02', '0200', '02000035', '0A00', 'zz', '020']) expect(readSocketAddress(hex)?.family === 'inet').toBe(false);
  });
});

describe('call names', () => {
  it('depend on the architecture, and stay numbers where they are unknown', () => {
    expect(syscallName('c000003e', '59')).toBe('execve');
    expect(syscallName('c00000b7', '221')).toBe('execve');
    expect(syscallName('40000003', '11')).toBe('execve');
    expect(syscallName('c000003e', '9999')).toBe('9999');
    expect(syscallName('x', 'execve')).toBe('execve');
  });
});
