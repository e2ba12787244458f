// SPDX-License-Identifier: Apache-2.0
/**
 * Compares a value with what is asked of it: words in any case, numbers, sizes, times, modes, lists.
 * Input: the value as written, undefined where nothing is set; what is asked. Output: whether all of it holds. Pure.
 */
import type { ValueAsked } from '../../../core/probe.ts';

const SIZES: Readonly<Record<string, number>> = {
  '': 1,
  b: 1,
  k: 1024,
  kb: 1024,
  m: 1_048_576,
  mb: 1_048_576,
  g: 1_073_741_824,
  gb: 1_073_741_824,
  t: 1_099_511_627_776,
};
const TIMES: Readonly<Record<string, number>> = {
  '': 1,
  s: 1,
  sec: 1,
  m: 60,
  min: 60,
  h: 3_600,
  d: 86_400,
  day: 86_400,
  w: 604_800,
  week: 604_800,
  month: 2_629_800,
};

/** The number that a text is, by how it is to be read; undefined where it is none. */
export const amountOf = (text: string, as: ValueAsked['as']): number | undefined => {
  const trimmed = text.trim();
  if (as === 'mode') return /^[0-7]{1,5}$/.test(trimmed) ? Number.parseInt(trimmed, 8) : undefined;
  if (as === undefined || as === 'number') return /^[+-]?\d+(?:\.\d+)?$/.test(trimmed) ? Number(trimmed) : undefined;
  const table = as === 'size' ? SIZES : TIMES;
  let total = 0;
  let rest = trimmed.toLowerCase();
  if (rest === '') return undefined;
  while (rest !== '') {
    const match = /^(\d+(?:\.\d+)?)\s*([a-z]*)\s*/.exec(rest);
    const factor = match && (table[match[2] ?? ''] ?? table[(match[2] ?? '').replace(/s$/, '')]);
    if (!match || !factor) return undefined;
    total += Number(match[1]) * factor;
    rest = rest.slice(match[0].length);
  }
  return total;
};

/** Members of a list written with commas, blanks or colons. */
export const membersOf = (text: string): readonly string[] => text.split(/[\s,:]+/).filter((one) => one !== '');

/** Whether the value does. `undefined`: nothing is set. */
export const holds = (value: string | undefined, asked: ValueAsked): boolean => {
  if (asked.unset === true) return value === undefined;
  const text = value ?? asked.default;
  if (text === undefined) return false;
  const lower = text.toLowerCase();
  const { is, not, at_least: least, at_most: most, matches, includes, lacks, only, as } = asked;
  if (is && !is.some((one) => one.toLowerCase() === lower)) return false;
  if (not?.some((one) => one.toLowerCase() === lower)) return false;
  if (matches && !matches.test(text)) return false;
  if (least !== undefined || most !== undefined) {
    const amount = amountOf(text, as);
    if (amount === undefined) return false;
    const low = least === undefined ? undefined : amountOf(least, as);
    const high = most === undefined ? undefined : amountOf(most, as);
    if (as === 'mode') {
      if (low !== undefined && (amount & low) !== low) return false;
      if (high !== undefined && (amount & ~high) !== 0) return false;
    } else if ((low !== undefined && amount < low) || (high !== undefined && amount > high)) return false;
  }
  if (includes || lacks || only) {
    const members = membersOf(lower);
    const has = (one: string): boolean => members.includes(one.toLowerCase());
    if (includes && !includes.every(has)) return false;
    if (lacks?.some(has)) return false;
    if (only && (members.length === 0 || !members.every((member) => only.some((one) => one.toLowerCase() === member)))) return false;
  }
  return true;
};

/** A value for people. */
export const shown = (name: string, value: string | undefined, byDefault?: string): string =>
  value === undefined
    ? `${name} is not set${byDefault === undefined ? '' : ` (${byDefault} by default)`}`
    : `${name} is ${value === '' ? 'empty' : value}`;
