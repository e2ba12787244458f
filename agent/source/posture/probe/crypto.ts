// SPDX-License-Identifier: Apache-2.0
/**
 * The system-wide crypto policy of distributions that have one.
 * Input: names of policies. Output: which one is in force.
 */
import { answer, type Probe, unknown } from '../answer.ts';

export const crypto: Probe<'crypto'> = (params, tree) => {
  const text = tree.read('/etc/crypto-policies/state/current') ?? tree.read('/etc/crypto-policies/config');
  const name = text
    ?.split('\n')
    .map((row) => row.trim())
    .find((row) => row !== '' && !row.startsWith('#'));
  if (name === undefined) return unknown('this host has no system-wide crypto policy');
  const among = params.policy.some((one) => one.toLowerCase() === (name.split(':')[0] as string).toLowerCase());
  return answer(among === (params.is ?? true), `the policy is ${name}`);
};
