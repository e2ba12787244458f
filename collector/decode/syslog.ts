// SPDX-License-Identifier: Apache-2.0
/**
 * The syslog envelope: RFC 3164, RFC 5424, rsyslog's RFC 3339 files, octet counts, journald's short form, missing parts.
 * Input: a line in the frame. Output: the frame with time, host, program, process id, priority, and the message as its text.
 */
import type { Frame } from './decoder.ts';
import { readCtime, readIso, readRfc3164, readTai64n, stamp } from './time.ts';

export const FACILITIES =
  'kern user mail daemon auth syslog lpr news uucp cron authpriv ftp ntp security console solaris-cron local0 local1 local2 local3 local4 local5 local6 local7'.split(
    ' ',
  );
export const SEVERITIES = 'emergency alert critical error warning notice informational debug'.split(' ');

const isDigit = (code: number): boolean => code >= 48 && code <= 57;

/** `<134>`; fills the priority and gives the place behind it, or the same place. */
const readPriority = (frame: Frame, at: number): number => {
  const text = frame.text;
  if (text.charCodeAt(at) !== 60) return at;
  let p = at + 1;
  let value = 0;
  while (p < at + 4 && isDigit(text.charCodeAt(p))) value = value * 10 + text.charCodeAt(p++) - 48;
  if (p === at + 1 || text.charCodeAt(p) !== 62 || value > 191) return at;
  frame.priority = value;
  return p + 1;
};

/** An octet count of RFC 6587 in front of `<PRI>`. */
const skipOctets = (text: string): number => {
  let p = 0;
  while (p < 8 && isDigit(text.charCodeAt(p))) p++;
  return p > 0 && text.charCodeAt(p) === 32 && text.charCodeAt(p + 1) === 60 ? p + 1 : 0;
};

const setTime = (frame: Frame): void => {
  frame.time = stamp.ms;
  frame.quality = stamp.quality;
};

const setPid = (frame: Frame, digits: string): void => {
  const value = Number(digits);
  if (digits !== '' && digits.length <= 10 && Number.isInteger(value)) frame.pid = value;
};

/** Program names as their decoders are registered: without path. */
const programOf = (tag: string): string => {
  if (tag.charCodeAt(0) !== 47) return tag;
  const name = tag.slice(tag.lastIndexOf('/') + 1);
  return name === '' ? tag : name;
};

/**
 * `program[123]: `, `program: `, `[program] `, `program(pam_unix)[123]: ` at a place; fills program and pid and leaves
 * the message as the frame's text. False when no tag stands there.
 */
const readTag = (frame: Frame, at: number, loose: boolean): boolean => {
  const text = frame.text;
  let p = at;
  const limit = Math.min(text.length, at + 96);
  if (text.charCodeAt(p) === 91) {
    const close = text.indexOf(']', p);
    if (close < 0 || close >= limit || text.charCodeAt(close + 1) !== 32) return false;
    frame.program = programOf(text.slice(p + 1, close));
    frame.text = text.slice(close + 2);
    return true;
  }
  while (p < limit) {
    const code = text.charCodeAt(p);
    if (code === 91 || code === 58 || code === 32 || code === 40) break;
    p++;
  }
  if (p === at || p >= text.length) return false;
  let end = p;
  if (text.charCodeAt(p) === 40) {
    const close = text.indexOf(')', p);
    if (close < 0 || close >= limit) return false;
    p = close + 1;
    end = p;
  }
  if (text.charCodeAt(p) === 91) {
    const close = text.indexOf(']', p);
    if (close < 0 || close > p + 24) return false;
    const after = text.charCodeAt(close + 1);
    if (after !== 58 && after !== 32) return false;
    setPid(frame, text.slice(p + 1, close));
    p = after === 58 ? close + 2 : close + 1;
  } else if (text.charCodeAt(p) === 58) {
    const after = text.charCodeAt(p + 1);
    // `a::b` is no tag; `CEF:0|…` is one form's own beginning.
    if (after === 58) return false;
    p++;
  } else if (!loose) return false;
  frame.program = programOf(text.slice(at, end));
  while (text.charCodeAt(p) === 32) p++;
  frame.text = p === 0 ? text : text.slice(p);
  return true;
};

/** RFC 5424 behind `<PRI>`: `1 TIME HOST APP PROCID MSGID [SD] MESSAGE`. */
const read5424 = (frame: Frame, at: number): boolean => {
  const text = frame.text;
  if (text.charCodeAt(at) !== 49 || text.charCodeAt(at + 1) !== 32) return false;
  let p = at + 2;
  if (text.charCodeAt(p) === 45 && text.charCodeAt(p + 1) === 32) p += 2;
  else if (readIso(text, p, frame) && text.charCodeAt(stamp.end) === 32) {
    setTime(frame);
    p = stamp.end + 1;
  } else return false;
  const host = token(text, p);
  const app = token(text, p + host.length + 1);
  const procid = token(text, p + host.length + app.length + 2);
  const msgid = token(text, p + host.length + app.length + procid.length + 3);
  if (host === '' || app === '' || procid === '') return false;
  p += host.length + app.length + procid.length + msgid.length + 4;
  if (host !== '-') frame.hostname = host;
  if (app !== '-') frame.program = programOf(app);
  if (procid !== '-') setPid(frame, procid);
  if (msgid !== '-' && msgid !== '') frame.msgid = msgid;
  if (text.charCodeAt(p) === 45) p++;
  else if (text.charCodeAt(p) === 91) p = readStructured(frame, p);
  if (text.charCodeAt(p) === 32) p++;
  if (text.charCodeAt(p) === 0xfeff) p++;
  frame.text = text.slice(p);
  return true;
};

const token = (text: string, at: number): string => {
  const end = text.indexOf(' ', at);
  return end < 0 ? text.slice(at, at + 256) : end - at > 256 ? '' : text.slice(at, end);
};

const PARAMS_KEPT = 64;

/** `[id name="value" …]…`; broken data ends where it breaks. Gives the place behind it. */
const readStructured = (frame: Frame, at: number): number => {
  const text = frame.text;
  const found: Record<string, string> = Object.create(null) as Record<string, string>;
  let kept = 0;
  let p = at;
  while (text.charCodeAt(p) === 91) {
    p++;
    const idEnd = nextOf(text, p, 32, 93);
    const id = text.slice(p, idEnd);
    p = idEnd;
    while (text.charCodeAt(p) === 32) {
      const equals = text.indexOf('="', p);
      if (equals < 0 || equals - p > 64) return at;
      let end = equals + 2;
      while (end < text.length && text.charCodeAt(end) !== 34) end += text.charCodeAt(end) === 92 ? 2 : 1;
      if (end >= text.length) return at;
      if (kept++ < PARAMS_KEPT) found[`${id}.${text.slice(p + 1, equals)}`] = text.slice(equals + 2, end).replaceAll(/\\(["\\\]])/g, '$1');
      p = end + 1;
    }
    if (text.charCodeAt(p) !== 93) return at;
    p++;
  }
  if (kept > 0) frame.structured = found;
  return p;
};

const nextOf = (text: string, at: number, a: number, b: number): number => {
  let p = at;
  const limit = Math.min(text.length, at + 256);
  while (p < limit && text.charCodeAt(p) !== a && text.charCodeAt(p) !== b) p++;
  return p;
};

/** A token that may be a host: then the tag follows it. */
const readHostAndTag = (frame: Frame, at: number): boolean => {
  const text = frame.text;
  const blank = text.indexOf(' ', at);
  if (blank < 0 || blank - at > 255) return readTag(frame, at, false);
  const before = text.charCodeAt(blank - 1);
  // `sshd[123]: ` or `auth: ` where the host should be: there is none.
  if (before === 58 || (before === 93 && text.charCodeAt(at) !== 91) || (text.charCodeAt(at) === 91 && before === 93)) {
    if (readTag(frame, at, false)) return true;
  }
  frame.hostname = text.slice(at, blank);
  let p = blank + 1;
  while (text.charCodeAt(p) === 32) p++;
  if (readTag(frame, p, false)) return true;
  frame.text = text.slice(p);
  return true;
};

const REPEATED = /^message repeated (\d{1,9}) times?: \[/;

/** Unwraps `message repeated 3 times: [ …]`. */
const unwrapRepeated = (frame: Frame): void => {
  if (!frame.text.startsWith('message repeated ')) return;
  const match = REPEATED.exec(frame.text.slice(0, 64));
  if (match === null || !frame.text.endsWith(']')) return;
  frame.repeated = Number(match[1]);
  frame.text = frame.text.slice(match[0].length, -1).trim();
};

/** Reads the envelope, if the line has one; false leaves the frame's text alone. */
export const readSyslog = (frame: Frame): boolean => {
  const text = frame.text;
  const start = skipOctets(text);
  const at = readPriority(frame, start);
  if (at > start && read5424(frame, at)) return true;
  let p = at;
  if (text.charCodeAt(p) === 91 && (readRfc3164(text, p + 1, frame) || readIso(text, p + 1, frame)) && text.charCodeAt(stamp.end) === 93)
    stamp.end++;
  else if (!readRfc3164(text, p, frame) && !readIso(text, p, frame) && !readTai64n(text, p)) {
    if (readCtime(text, p, frame)) {
      setTime(frame);
      frame.text = text.slice(stamp.end + 1);
      return true;
    }
    if (at > start) {
      // A priority and no stamp: the message follows at once.
      frame.text = text.slice(at);
      readTag(frame, 0, false);
      return true;
    }
    return readShort(frame);
  }
  setTime(frame);
  p = stamp.end;
  if (text.charCodeAt(p) === 58) p++;
  if (text.charCodeAt(p) !== 32) return false;
  while (text.charCodeAt(p) === 32) p++;
  readHostAndTag(frame, p);
  unwrapRepeated(frame);
  return true;
};

/** `host program[123]: message` without a stamp, as journald's consumers print it. A process id must stand. */
const readShort = (frame: Frame): boolean => {
  const text = frame.text;
  const blank = text.indexOf(' ');
  if (blank <= 0 || blank > 255) return false;
  const colon = text.indexOf(']: ', blank);
  if (colon < 0 || colon - blank > 96 || !/^ [\w./@-]{1,64}\[\d{1,10}$/.test(text.slice(blank, colon))) return false;
  frame.hostname = text.slice(0, blank);
  return readTag(frame, blank + 1, false);
};
