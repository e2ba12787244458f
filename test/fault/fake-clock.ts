// SPDX-License-Identifier: Apache-2.0
/**
 * A wall clock of one program that can be stepped while it runs, by libfaketime; its monotonic clock goes on, as on a host that is set right.
 * Input: a file. Output: the environment of a program, a lever.
 */
import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export interface FakeClock {
  readonly env: Readonly<Record<string, string>>;
  /** Milliseconds from true time. */
  readonly offsetMs: number;
  set(offsetMs: number): void;
}

const FOLDERS = ['/usr/lib', '/usr/lib64', '/usr/local/lib'];
const NAME = 'faketime/libfaketimeMT.so.1';

const library = (): string | undefined =>
  FOLDERS.filter((folder) => existsSync(folder))
    .flatMap((folder) => [folder, ...readdirSync(folder).map((name) => join(folder, name))])
    .map((folder) => join(folder, NAME))
    .find((path) => existsSync(path));

export const clockProblem = (): string | null => (library() === undefined ? 'there is no libfaketime on this machine' : null);

export const openFakeClock = (file: string): FakeClock => {
  const clock = {
    env: {
      LD_PRELOAD: library() ?? '',
      FAKETIME_TIMESTAMP_FILE: file,
      FAKETIME_CACHE_DURATION: '1',
      FAKETIME_DONT_FAKE_MONOTONIC: '1',
      DONT_FAKE_MONOTONIC: '1',
      NO_FAKE_STAT: '1',
    },
    offsetMs: 0,
    set: (offsetMs: number): void => {
      clock.offsetMs = offsetMs;
      writeFileSync(file, `${offsetMs < 0 ? '-' : '+'}${Math.abs(Math.round(offsetMs / 1000))}\n`);
    },
  };
  clock.set(0);
  return clock;
};
