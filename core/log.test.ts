// SPDX-License-Identifier: Apache-2.0
/** A log on a disk that is full: its words are lost, the program is not. */
import { expect, it } from 'vitest';
import { openLog } from './log.ts';

it('a disk that takes no words does not end the program', async () => {
  const faults: unknown[] = [];
  const onFault = (error: unknown): void => void faults.push(error);
  process.on('uncaughtException', onFault);
  const log = openLog({ program: 'vigil', level: 'info', file: '/dev/full' });
  for (let i = 0; i < 100; i++) log.error({ event: 'test' }, 'x'.repeat(50_000));
  await new Promise((resolve) => setImmediate(resolve));
  process.off('uncaughtException', onFault);
  expect(faults).toEqual([]);
});
