// SPDX-License-Identifier: Apache-2.0
/**
 * Branded numbers, so that a duration never stands where a size is meant.
 * Input: plain numbers at the edges. Output: the units every other module speaks.
 */

declare const unit: unique symbol;
type Branded<B extends string> = number & { readonly [unit]: B };

/** Milliseconds since 1970-01-01 UTC, integer; at edges written as ISO 8601 UTC text. */
export type UnixMs = Branded<'UnixMs'>;
/** A span of time in milliseconds, never negative. */
export type Ms = Branded<'Ms'>;
/** A size in bytes, integer, never negative. */
export type Bytes = Branded<'Bytes'>;

/** Takes a finite number as a time; a fraction is cut off. */
export const unixMs = (n: number): UnixMs => Math.trunc(n) as UnixMs;
/** The last millisecond of the year 9999. A peer that names a later time is wrong or hostile: dates end soon after, and code that reads them with them. */
export const LAST_TIME_MS = 253_402_300_799_999;
/** Takes a number of milliseconds as a span. */
export const ms = (n: number): Ms => n as Ms;
export const seconds = (n: number): Ms => (n * 1000) as Ms;
export const minutes = (n: number): Ms => (n * 60_000) as Ms;
export const hours = (n: number): Ms => (n * 3_600_000) as Ms;
export const days = (n: number): Ms => (n * 86_400_000) as Ms;
/** Takes a number of bytes as a size. */
export const bytes = (n: number): Bytes => Math.trunc(n) as Bytes;
export const mib = (n: number): Bytes => (n * 1_048_576) as Bytes;
export const gib = (n: number): Bytes => (n * 1_073_741_824) as Bytes;

/** The time as ISO 8601 UTC text with milliseconds. */
export const isoTime = (t: UnixMs): string => new Date(t).toISOString();
