// SPDX-License-Identifier: Apache-2.0
/**
 * ModSecurity and Coraza findings inside the error logs of Apache, nginx and Caddy.
 * Input: the message. Output: rule, severity and reason of the event.
 */
import type { EventDraft } from '../../model/event.ts';
import { clip, setExtra } from '../build.ts';

export const MODSECURITY_FIELDS = ['rule.id', 'rule.name', 'event.code', 'vigil.extra'] as const;

const INTRUSION: readonly string[] = ['intrusion_detection', 'web'];
const DENIED: readonly string[] = ['denied'];
const INFO: readonly string[] = ['info'];
const FIELD = /\[(id|msg|data|severity|uri) "((?:[^"\\]|\\.){0,2048})"\]/g;
const FIELDS_READ = 64;

/** Fills the event when the message is a finding; false when it is none. Names are taken where they stand first. */
export const setModsecurity = (event: EventDraft, message: string): boolean => {
  const at = message.indexOf('ModSecurity: ');
  const start = at >= 0 ? at : message.indexOf('Coraza: ');
  if (start < 0) return false;
  const denied = message.startsWith('ModSecurity: Access denied', start) || message.startsWith('Coraza: Access denied', start);
  event['event.category'] = INTRUSION;
  event['event.type'] = denied ? DENIED : INFO;
  event['event.action'] = denied ? 'waf-denied' : 'waf-matched';
  event['event.outcome'] = denied ? 'failure' : 'unknown';
  event['event.code'] = 'modsecurity';
  const seen = new Set<string>();
  FIELD.lastIndex = start;
  let read = 0;
  for (let match = FIELD.exec(message); match !== null && read++ < FIELDS_READ; match = FIELD.exec(message)) {
    const name = match[1] ?? '';
    if (seen.has(name) || match[2] === '') continue;
    seen.add(name);
    const value = match[2] ?? '';
    if (name === 'id') event['rule.id'] = value;
    else if (name === 'msg') event['rule.name'] = clip(value);
    else setExtra(event, `modsecurity.${name}`, value);
  }
  return true;
};
