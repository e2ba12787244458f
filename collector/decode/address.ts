// SPDX-License-Identifier: Apache-2.0
/**
 * Addresses and ports as logs write them: valid or not, mapped IPv4, brackets, ports behind.
 * Input: a token of a line. Output: the address as ECS wants it, and the setters that fill an event with it.
 */
import { isIPv6 } from 'node:net';
import type { EventDraft } from '../model/event.ts';

/** True for four decimal numbers below 256 without leading zeros. */
export const isIpv4 = (text: string): boolean => {
  const length = text.length;
  if (length < 7 || length > 15) return false;
  let dots = 0;
  let value = -1;
  for (let i = 0; i < length; i++) {
    const code = text.charCodeAt(i);
    if (code === 46) {
      if (value < 0 || ++dots > 3) return false;
      value = -1;
    } else if (code >= 48 && code <= 57) {
      if (value === 0) return false;
      value = value < 0 ? code - 48 : value * 10 + code - 48;
      if (value > 255) return false;
    } else return false;
  }
  return dots === 3 && value >= 0;
};

/** The address in its plain form (mapped IPv4 unwrapped, zone index and brackets gone), or undefined when it is none. */
export const ipOf = (token: string): string | undefined => {
  if (isIpv4(token)) return token;
  const length = token.length;
  if (length < 2 || length > 64 || token.indexOf(':') < 0) return undefined;
  let text = token;
  if (text.charCodeAt(0) === 91 && text.charCodeAt(length - 1) === 93) text = text.slice(1, -1);
  const percent = text.indexOf('%');
  if (percent > 0) text = text.slice(0, percent);
  if (!isIPv6(text)) return undefined;
  text = text.toLowerCase();
  if (text.startsWith('::ffff:')) {
    const mapped = text.slice(7);
    if (isIpv4(mapped)) return mapped;
  }
  return text;
};

/** A port of 0 to 65535, or undefined. */
export const portOf = (text: string): number | undefined => {
  if (text.length === 0 || text.length > 5) return undefined;
  let value = 0;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i) - 48;
    if (code < 0 || code > 9) return undefined;
    value = value * 10 + code;
  }
  return value <= 65_535 ? value : undefined;
};

const NAME = /^[A-Za-z0-9_](?:[A-Za-z0-9_.-]{0,252})$/;

/** True for what may be a host's name: one label or several, at most 253 characters. */
export const isHostName = (text: string): boolean => NAME.test(text) && !isIpv4(text);

/** Puts who it came from into the event: an address as `source.ip`, a name as `source.domain`, anything else as `source.address` only. */
export const setSource = (event: EventDraft, host: string, port?: string): void => {
  if (host === '' || host === '-') return;
  const ip = ipOf(host);
  if (ip !== undefined) {
    event['source.ip'] = ip;
    const seen = event['related.ip'];
    event['related.ip'] = seen === undefined ? [ip] : [...seen, ip];
  } else {
    const name = host.length > 253 ? host.slice(0, 253) : host;
    event['source.address'] = name;
    if (isHostName(name)) event['source.domain'] = name;
  }
  if (port !== undefined) event['source.port'] = portOf(port);
};

/** `1.2.3.4:80`, `[::1]:80`, `::1:80` (the last colon parts), or an address alone. */
export const setSourceWithPort = (event: EventDraft, token: string): void => {
  const colon = token.lastIndexOf(':');
  if (colon > 0 && ipOf(token.slice(0, colon)) !== undefined && portOf(token.slice(colon + 1)) !== undefined) {
    // A bare IPv6 address whose last group is decimal would be cut wrongly; its brackets or its full length tell.
    if (token.charCodeAt(0) === 91 || token.indexOf(':') === colon || ipOf(token) === undefined || token.split(':').length > 8) {
      setSource(event, token.slice(0, colon), token.slice(colon + 1));
      return;
    }
  }
  setSource(event, token);
};

/** Puts where it went into the event. */
export const setDestination = (event: EventDraft, host: string, port?: string): void => {
  const ip = ipOf(host);
  if (ip !== undefined) {
    event['destination.ip'] = ip;
    const seen = event['related.ip'];
    event['related.ip'] = seen === undefined ? [ip] : [...seen, ip];
  } else if (host !== '' && host !== '-' && host.length <= 253) {
    event['destination.address'] = host;
  }
  if (port !== undefined) event['destination.port'] = portOf(port);
};

/** Names a user of the event; an empty name or `-` is nobody. */
export const setUser = (event: EventDraft, name: string): void => {
  if (name === '' || name === '-') return;
  event['user.name'] = name;
  addUser(event, name);
};

export const addUser = (event: EventDraft, name: string): void => {
  if (name === '' || name === '-') return;
  const seen = event['related.user'];
  if (seen === undefined) event['related.user'] = [name];
  else if (!seen.includes(name)) event['related.user'] = [...seen, name];
};
