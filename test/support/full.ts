// SPDX-License-Identifier: Apache-2.0
/**
 * A day that fills the console: 100,000 lines of one host, 500 addresses that guess passwords, each enough for an alert.
 * Input: the time it ends. Output: lines of sshd and of a service, oldest first.
 */
import { failedLogin } from './vigil.ts';

export const FULL = { lines: 100_000, addresses: 500 } as const;
const GUESSES = 6;
const USERS = ['root', 'admin', 'git', 'deploy', 'postgres', 'ubuntu', 'test'] as const;

export const linesOfAFullDay = (end: number): readonly string[] => {
  const step = 20 * 3_600_000;
  const guesses = FULL.addresses * GUESSES;
  const quiet = FULL.lines - guesses;
  const at = (i: number, of: number): Date => new Date(end - step + Math.floor((i * step) / of));
  const lines: (readonly [number, string])[] = [];
  for (let n = 0; n < FULL.addresses; n++)
    for (let i = 0; i < GUESSES; i++) {
      const when = new Date(at(n, FULL.addresses).getTime() + i * 1_000);
      const address = `203.0.${113 + Math.floor(n / 250)}.${(n % 250) + 1}`;
      lines.push([when.getTime(), failedLogin(address, USERS[(n + i) % USERS.length], when, 5_000 + n).trimEnd()]);
    }
  for (let i = 0; i < quiet; i++) {
    const when = at(i, quiet);
    const stamp = failedLogin('', '', when).slice(0, 15);
    lines.push([when.getTime(), `${stamp} bastion app[${900 + (i % 7)}]: request ${i} of /orders/${i % 997} answered in ${i % 83} ms`]);
  }
  return lines.sort(([a], [b]) => a - b).map(([, line]) => line);
};
