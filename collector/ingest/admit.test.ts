// SPDX-License-Identifier: Apache-2.0
import { expect, test } from 'vitest';
import { handClock, testAgent } from '../../test/support/blocks.ts';
import { Admission } from './admit.ts';

test('unpacked bodies are checked in turn where they would not fit together', async () => {
  const admission = new Admission({ clock: handClock() });
  const started: number[] = [];
  const gates = [0, 1, 2, 3].map(() => Promise.withResolvers<void>());
  const work = [20, 20, 10, 40].map((mib, i) =>
    admission.withRoom(mib * 1_048_576, async () => {
      started.push(i);
      await gates[i]!.promise;
    }),
  );
  const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
  await turn();
  // The third would fit beside the first, and waits its turn, so that large ones are not passed by for ever.
  expect(started).toEqual([0]);
  gates[0]!.resolve();
  await turn();
  expect(started).toEqual([0, 1, 2]);
  gates[2]!.resolve();
  await turn();
  expect(started).toEqual([0, 1, 2]);
  gates[1]!.resolve();
  await turn();
  expect(started).toEqual([0, 1, 2, 3]);
  gates[3]!.resolve();
  await Promise.all(work);
});

test('work that fails gives its room back', async () => {
  const admission = new Admission({ clock: handClock() });
  const big = 33_554_432;
  const first = admission.withRoom(big, () => Promise.reject(new Error('no')));
  const second = admission.withRoom(big, () => Promise.resolve('done'));
  await expect(first).rejects.toThrow('no');
  expect(await second).toBe('done');
});

test('an agent that rests may send a burst again; others are not slowed', () => {
  const clock = handClock();
  const admission = new Admission({ clock, bytesPerSecond: 1_000, burstBytes: 2_000 });
  const [a, b] = [testAgent().id, testAgent().id];
  admission.enter(a, 2_000)();
  expect(() => admission.enter(a, 1)).toThrow(expect.objectContaining({ code: 'INGEST_QUOTA' }));
  admission.enter(b, 2_000)();
  clock.advance(1_000);
  admission.enter(a, 1_000)();
  clock.advance(60_000);
  admission.enter(a, 2_000)();
});
