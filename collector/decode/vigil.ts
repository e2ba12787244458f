// SPDX-License-Identifier: Apache-2.0
/**
 * What the collector says of itself: the JSON lines of `model/notice.ts` in its own stream.
 * Input: one notice. Output: an event whose host is the collector; the agent and host spoken of stand in `vigil.extra` and `related.hosts`.
 */

import type { EventDraft } from '../model/event.ts';
import { NOTICE_ACTIONS, type Notice } from '../model/notice.ts';
import { setSource, setUser } from './address.ts';
import { clip, setExtra, wellFormed } from './build.ts';
import type { Decoder, Frame } from './decoder.ts';
import { findTime, parseObject } from './json.ts';
import { plainEvent } from './shape.ts';

const CATEGORIES: Readonly<Record<Notice['action'], readonly [category: readonly string[], type: readonly string[]]>> = {
  'agent-enrolled': [['configuration'], ['creation']],
  'agent-silent': [['host'], ['end']],
  'agent-returned': [['host'], ['start']],
  'agent-clock-skew': [['host'], ['info']],
  'identity-refused': [['authentication'], ['denied']],
  'identity-held': [['authentication'], ['denied']],
  'block-conflict': [['intrusion_detection'], ['info']],
  'block-bad': [['intrusion_detection'], ['error']],
  'records-missing': [['host'], ['error']],
  'records-lost': [['host'], ['error']],
  'rule-refused': [['configuration'], ['error']],
  'rule-quarantined': [['configuration'], ['error']],
  'collector-started': [['process'], ['start']],
  'collector-restored': [['configuration'], ['change']],
  'login-failed': [['authentication'], ['start']],
  'login-succeeded': [['authentication'], ['start']],
  'audit-broken': [['intrusion_detection'], ['error']],
  'check-failed': [['configuration'], ['change']],
  'check-mended': [['configuration'], ['change']],
  'self-test': [['process'], ['info']],
};

/** How an act ends where the notice does not say. */
const OUTCOMES: Partial<Record<Notice['action'], string>> = {
  'agent-enrolled': 'success',
  'identity-refused': 'failure',
  'identity-held': 'failure',
  'login-failed': 'failure',
  'login-succeeded': 'success',
};

const isAction = (value: unknown): value is Notice['action'] => (NOTICE_ACTIONS as readonly unknown[]).includes(value);
const text = (value: unknown): string | undefined => (typeof value === 'string' && value !== '' ? clip(wellFormed(value)) : undefined);
const count = (value: unknown): number | undefined => (typeof value === 'number' && Number.isFinite(value) ? Math.trunc(value) : undefined);

/** Keys of a notice, or the ECS name that a writer used for them. */
const pick = (root: Record<string, unknown>, key: string, ecs: string): unknown => root[key] ?? root[ecs];

const decodeVigil = (frame: Frame): EventDraft | null => {
  const root = parseObject(frame.text);
  const action = root === null ? undefined : pick(root, 'action', 'event.action');
  if (root === null || !isAction(action)) return null;
  findTime(frame, root);
  // A notice is sealed when it is said: without a stamp of its own, the time it was read is its time.
  if (Number.isNaN(frame.time)) frame.time = frame.readAt;
  const event = plainEvent(frame);
  event['event.action'] = action;
  [event['event.category'], event['event.type']] = CATEGORIES[action];
  event['event.outcome'] = text(pick(root, 'outcome', 'event.outcome')) ?? OUTCOMES[action];
  event['message'] = text(root['message']);
  event['event.reason'] = text(pick(root, 'reason', 'event.reason'));
  event['vigil.rule'] = text(pick(root, 'rule', 'vigil.rule'));
  event['vigil.check'] = text(pick(root, 'check', 'vigil.check'));
  event['vigil.count'] = count(pick(root, 'count', 'vigil.count'));
  event['vigil.from'] = count(pick(root, 'from', 'vigil.from'));
  event['vigil.to'] = count(pick(root, 'to', 'vigil.to'));
  const user = text(pick(root, 'user', 'user.name'));
  if (user !== undefined) setUser(event, user);
  const source = text(pick(root, 'sourceIp', 'source.ip'));
  if (source !== undefined) setSource(event, source);
  const agent = text(root['agent']);
  if (agent !== undefined) setExtra(event, 'notice.agent', agent);
  const stream = text(root['stream']);
  if (stream !== undefined) setExtra(event, 'notice.stream', stream);
  const host = root['host'];
  if (typeof host === 'object' && host !== null) {
    const { id, name } = host as Record<string, unknown>;
    const hosts = [text(id), text(name)].filter((item) => item !== undefined);
    if (hosts[0] !== undefined) event['related.hosts'] = hosts;
    if (text(id) !== undefined) setExtra(event, 'notice.host.id', text(id) ?? '');
    if (text(name) !== undefined) setExtra(event, 'notice.host.name', text(name) ?? '');
  }
  return event;
};

export const vigil: Decoder = {
  dataset: 'vigil',
  title: 'What Vigil notices itself: silent agents, missing records, refused identities, quarantined rules',
  logsource: [{ product: 'vigil' }],
  emits: [
    'message',
    'event.outcome',
    'event.reason',
    'user.name',
    'related.user',
    'related.hosts',
    'related.ip',
    'source.ip',
    'source.address',
    'source.domain',
    'vigil.rule',
    'vigil.check',
    'vigil.count',
    'vigil.from',
    'vigil.to',
    'vigil.extra',
  ],
  form: 'line',
  knows: (line) =>
    line.startsWith('{"action":"') && parseObject(line) !== null && isAction((parseObject(line) as Record<string, unknown>)['action']),
  decode: decodeVigil,
};
