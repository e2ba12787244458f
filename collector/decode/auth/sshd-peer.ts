// SPDX-License-Identifier: Apache-2.0
/**
 * Finds ` from HOST[ port N[ ssh2]]` where sshd itself wrote it, in a message in which the client chose the name before it
 * and sometimes the text behind it. Input: the message. Output: `peer`; its host is AMBIGUOUS where two readings are possible.
 */

/** The last reading. `at` is the place of ` from `, -1 for none; `rest` what stands behind `: `. */
export const peer: { at: number; host: string; port: string; rest: string } = { at: -1, host: '', port: '', rest: '' };

/** No host: more than one address could have been the peer's. A blank can be no host. */
export const AMBIGUOUS = ' ';

const READINGS = 16;

const digitsEnd = (text: string, at: number): number => {
  let p = at;
  while (p < at + 5 && text.charCodeAt(p) >= 48 && text.charCodeAt(p) <= 57) p++;
  return p;
};

const reading = { hostEnd: 0, portAt: 0, portEnd: 0, end: 0 };

/** Reads one ` from HOST[ port N][ sshN]` at its place. */
const readAt = (text: string, at: number): boolean => {
  const start = at + 6;
  const blank = text.indexOf(' ', start);
  reading.hostEnd = blank < 0 ? text.length : blank;
  reading.portAt = 0;
  reading.portEnd = 0;
  reading.end = reading.hostEnd;
  if (reading.hostEnd === start) return false;
  if (blank > 0 && text.startsWith(' port ', blank)) {
    const portEnd = digitsEnd(text, blank + 6);
    if (portEnd > blank + 6) {
      reading.portAt = blank + 6;
      reading.portEnd = portEnd;
      reading.end = portEnd;
      if (text.startsWith(' ssh', portEnd)) reading.end = portEnd + 5;
    }
  }
  return true;
};

const take = (text: string, at: number): void => {
  peer.at = at;
  peer.host = text.slice(at + 6, reading.hostEnd);
  peer.port = reading.portAt === 0 ? '' : text.slice(reading.portAt, reading.portEnd);
  peer.rest = text.startsWith(': ', reading.end) ? text.slice(reading.end + 2) : '';
};

/**
 * Reads the peer of a message behind a place. With `info` true, `: TEXT` may follow it (a key, or for the old protocol a
 * name the client sent), so a name that holds the same form cannot be told from it.
 */
export const fromBehind = (text: string, start: number, info: boolean): void => {
  peer.at = -1;
  peer.host = '';
  peer.port = '';
  peer.rest = '';
  let chosen = false;
  let tries = 0;
  for (
    let at = text.lastIndexOf(' from ');
    at >= start && tries < READINGS;
    at = at === 0 ? -1 : text.lastIndexOf(' from ', at - 1), tries++
  ) {
    if (!readAt(text, at)) continue;
    const atEnd = reading.end === text.length;
    const beforeInfo = info && reading.portAt !== 0 && text.startsWith(':', reading.end);
    if (!atEnd && !beforeInfo) continue;
    if (!chosen) {
      take(text, at);
      chosen = true;
      // Without text behind, nothing that stands before the last one can be the peer.
      if (!info) return;
      continue;
    }
    if (!beforeInfo) continue;
    const host = text.slice(at + 6, reading.hostEnd);
    // sshd always writes the port of a login: a last address without one stands in the text behind the true peer.
    if (peer.port === '') take(text, at);
    else if (host !== peer.host) {
      peer.host = AMBIGUOUS;
      peer.at = at;
      return;
    }
  }
  // More of them than any honest line holds.
  if (tries >= READINGS && chosen && info) peer.host = AMBIGUOUS;
};
