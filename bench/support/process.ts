// SPDX-License-Identifier: Apache-2.0
/**
 * What a process has used so far, from /proc (Linux).
 * Input: process ids. Output: CPU seconds, peak resident bytes.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

let ticksPerSecond = 0;

/** CPU seconds of a process, user and system, to a hundredth. */
export const cpuOf = (pid: number): number => {
  ticksPerSecond ||= Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }));
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond;
};

/** The most resident memory a process ever had, in bytes. */
export const peakRss = (pid: number): number => Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) * 1024;
