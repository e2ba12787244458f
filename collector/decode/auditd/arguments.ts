// SPDX-License-Identifier: Apache-2.0
/**
 * The command of an event: EXECVE arguments put together, over several records and several parts of one argument.
 * Input: parsed EXECVE records in order. Output: the list of arguments.
 */
import { isHex, unhex } from './parse.ts';

const ARGUMENTS_KEPT = 1_000;
const WHOLE = /^a(\d{1,4})$/;
const PART = /^a(\d{1,4})\[\d{1,4}\]$/;

/** Arguments in order; one that was not recorded is empty. At most 1,000 are kept. */
export const argumentsOf = (records: readonly ReadonlyMap<string, string>[]): readonly string[] => {
  const args: string[] = [];
  const parts = new Map<number, string>();
  for (const data of records) {
    for (const [key, value] of data) {
      if (key.charCodeAt(0) !== 97) continue;
      const whole = WHOLE.exec(key);
      const at = Number((whole ?? PART.exec(key))?.[1] ?? -1);
      if (at < 0 || at >= ARGUMENTS_KEPT) continue;
      if (whole !== null) args[at] = value;
      else parts.set(at, (parts.get(at) ?? '') + (isHex(value) ? value : ''));
    }
  }
  for (const [at, hex] of parts) args[at] = unhex(hex);
  for (let i = 0; i < args.length; i++) args[i] ??= '';
  return args;
};
