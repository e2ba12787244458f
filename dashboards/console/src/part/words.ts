// SPDX-License-Identifier: Apache-2.0
/**
 * Numbers and spans as the look writes them.
 * Input: counts, bytes, milliseconds. Output: text.
 */

/** 2018094 as `2,018,094`. */
export const countText = (n: number): string => n.toLocaleString('en-GB');

/** `0.3 s`, `4 min 07 s`, `5 h 07 min`, `3 d 8 h`. */
export const spanText = (ms: number): string => {
  const s = Math.max(0, ms / 1000);
  if (s < 10) return `${s.toFixed(1)} s`;
  if (s < 60) return `${Math.round(s)} s`;
  if (s < 3600) return `${Math.floor(s / 60)} min ${String(Math.floor(s % 60)).padStart(2, '0')} s`;
  if (s < 86_400) return `${Math.floor(s / 3600)} h ${String(Math.floor((s % 3600) / 60)).padStart(2, '0')} min`;
  return `${Math.floor(s / 86_400)} d ${Math.floor((s % 86_400) / 3600)} h`;
};

/** The same for ages, which need no tenths: `2 s`, `4 min 07 s`. */
export const ageText = (ms: number): string => (ms < 10_000 ? `${Math.max(0, Math.round(ms / 1000))} s` : spanText(ms));

/** `512 B`, `14 kB`, `3.2 MB`, in thousands. */
export const bytesText = (bytes: number): string => {
  if (bytes < 1000) return `${bytes} B`;
  const [unit, size] = bytes < 1e6 ? ['kB', 1e3] : bytes < 1e9 ? ['MB', 1e6] : ['GB', 1e9];
  const n = bytes / (size as number);
  return `${n < 10 ? n.toFixed(1) : countText(Math.round(n))} ${unit}`;
};

/** `1 alert`, `2 alerts`. */
export const plural = (n: number, word: string, many = `${word}s`): string => `${countText(n)} ${n === 1 ? word : many}`;

const WORDS = ['no', 'one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine', 'ten', 'eleven', 'twelve'] as const;

/** The same for sentences: `no alert`, `two alerts`, `31 alerts`. */
export const spelled = (n: number, word: string, many = `${word}s`): string => `${WORDS[n] ?? countText(n)} ${n < 2 ? word : many}`;

/** First letter large. */
/** A sentence begun with a capital; one that begins with the name of a field stays as the field is written. */
export const begun = (text: string): string => (/^\w+[._]/.test(text) ? text : capital(text));

export const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);
