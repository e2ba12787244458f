// SPDX-License-Identifier: Apache-2.0
/**
 * A request line as servers log it: method, target, version, and the target's parts.
 * Input: the text between the quotes. Output: the http and url fields of an event, raw; a percent-decoded copy only where it differs.
 */
import type { EventDraft } from '../../model/event.ts';
import { setExtra, wellFormed } from '../build.ts';

/** Fields that `setRequest` and `setTarget` may fill. */
export const REQUEST_FIELDS = [
  'http.request.method',
  'http.version',
  'url.original',
  'url.path',
  'url.query',
  'url.domain',
  'url.extension',
  'vigil.extra',
] as const;

const METHOD_LIMIT = 24;

/** Upper-case letters, `-` and `_`, or a lower-case word: what stands for a method in front of a target. */
const isMethod = (text: string, end: number): boolean => {
  if (end < 1 || end > METHOD_LIMIT) return false;
  for (let i = 0; i < end; i++) {
    const code = text.charCodeAt(i);
    if (!((code >= 65 && code <= 90) || (code >= 97 && code <= 122) || code === 45 || code === 95)) return false;
  }
  return true;
};

/** Fills method, target and version. A text that is no request stands whole in `url.original`. */
export const setRequest = (event: EventDraft, request: string): boolean => {
  if (request === '' || request === '-') return false;
  const first = request.indexOf(' ');
  const next = request.charCodeAt(first + 1);
  // A target begins with a slash, a scheme, `*`, or a host (CONNECT); `?` and `%` are seen from scanners.
  if (first <= 0 || !isMethod(request, first) || Number.isNaN(next) || next === 32) {
    event['url.original'] = request;
    return false;
  }
  const last = request.lastIndexOf(' ');
  const versioned = last > first && request.startsWith('HTTP/', last + 1);
  if (!versioned && next !== 47 && !/^[A-Z]{3,16} https?:\/\//.test(request.slice(0, 32))) {
    event['url.original'] = request;
    return false;
  }
  event['http.request.method'] = request.slice(0, first);
  if (versioned) event['http.version'] = request.slice(last + 6);
  setTarget(event, request.slice(first + 1, versioned ? last : request.length));
  return true;
};

/** Fills the url fields from a request target or an absolute URL. */
export const setTarget = (event: EventDraft, target: string): void => {
  event['url.original'] = target;
  let start = 0;
  if (target.charCodeAt(0) !== 47) {
    const scheme = target.indexOf('://');
    if (scheme > 0 && scheme <= 16) {
      start = target.indexOf('/', scheme + 3);
      const host = target.slice(scheme + 3, start < 0 ? target.length : start);
      if (host !== '' && host.length <= 255) event['url.domain'] = host;
      if (start < 0) return;
    }
  }
  const mark = target.indexOf('?', start);
  const path = mark < 0 ? (start === 0 ? target : target.slice(start)) : target.slice(start, mark);
  event['url.path'] = path;
  if (mark >= 0) event['url.query'] = target.slice(mark + 1);
  const dot = path.lastIndexOf('.');
  if (dot > 0 && path.length - dot <= 9 && dot > path.lastIndexOf('/') + 1 && dot + 1 < path.length)
    event['url.extension'] = path.slice(dot + 1);
  if (target.indexOf('%') >= 0 || (mark >= 0 && target.indexOf('+', mark) >= 0)) {
    const decoded = percentDecoded(target, mark);
    if (decoded !== target) setExtra(event, 'url.decoded', decoded);
  }
};

const DECODE_LIMIT = 16_384;

/** Percent escapes undone once, `+` in the query as a blank; what is no escape stays. Bytes that are not UTF-8 become U+FFFD. */
export const percentDecoded = (target: string, queryAt: number): string => {
  const text = target.length > DECODE_LIMIT ? target.slice(0, DECODE_LIMIT) : target;
  const plain = queryAt >= 0 && queryAt < text.length ? text.slice(0, queryAt) + text.slice(queryAt).replaceAll('+', ' ') : text;
  if (plain.indexOf('%') < 0) return plain;
  const bytes = Buffer.from(plain, 'utf8');
  let out = 0;
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes[i] ?? 0;
    if (byte === 37) {
      const value = hexByte(bytes[i + 1] ?? 0, bytes[i + 2] ?? 0);
      if (value >= 0) {
        bytes[out++] = value;
        i += 2;
        continue;
      }
    }
    bytes[out++] = byte;
  }
  return wellFormed(bytes.toString('utf8', 0, out));
};

const nibble = (code: number): number =>
  code >= 48 && code <= 57 ? code - 48 : (code | 32) >= 97 && (code | 32) <= 102 ? (code | 32) - 87 : -1;
const hexByte = (high: number, low: number): number => {
  const a = nibble(high);
  const b = nibble(low);
  return a < 0 || b < 0 ? -1 : a * 16 + b;
};

/** End of a quoted text that begins at the place behind its quote: the next quote that no backslash hides, or -1. */
export const quoteEnd = (text: string, at: number): number => {
  let end = text.indexOf('"', at);
  while (end > at) {
    let back = end - 1;
    while (back >= at && text.charCodeAt(back) === 92) back--;
    if ((end - back) % 2 === 1) return end;
    end = text.indexOf('"', end + 1);
  }
  return end;
};
