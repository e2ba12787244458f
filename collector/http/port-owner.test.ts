// SPDX-License-Identifier: Apache-2.0
/** A port that is taken names who holds it, as far as it can be seen. */

import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { expect, it } from 'vitest';
import { portOwner } from './port-owner.ts';

const open = async () => {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { port: (server.address() as AddressInfo).port, close: () => new Promise((resolve) => server.close(resolve)) };
};

it.skipIf(process.platform !== 'linux')('is the process that listens there', async () => {
  const { port, close } = await open();
  expect(portOwner(port)).toMatch(new RegExp(`^ by \\S.* \\(process ${process.pid}\\)$`));
  await close();
  expect(portOwner(port)).toBe('');
});

it('is nobody where there are no such tables', () => {
  expect(portOwner(7480, '/none')).toBe('');
});
