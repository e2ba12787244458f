// SPDX-License-Identifier: Apache-2.0
/**
 * What Vigil notices itself: records of dataset `vigil` in the collector's own signed stream, which go down the same river.
 * Input: ingest, fleet, detect, store. Output: the journal, through the port below.
 */
import type { AgentId } from '../../core/ids.ts';

export const NOTICE_ACTIONS = [
  'agent-enrolled',
  'agent-silent',
  'agent-returned',
  'agent-clock-skew',
  'identity-refused',
  'identity-held',
  'block-conflict',
  'block-bad',
  'records-missing',
  'records-lost',
  'rule-refused',
  'rule-quarantined',
  'collector-started',
  'collector-restored',
  'login-failed',
  'login-succeeded',
  'audit-broken',
  'check-failed',
  'check-mended',
  'self-test',
] as const;
export type NoticeAction = (typeof NOTICE_ACTIONS)[number];

/** Becomes one JSON line; its keys are ECS names where there is one. */
export interface Notice {
  readonly action: NoticeAction;
  readonly outcome?: 'success' | 'failure';
  /** One sentence for people. */
  readonly message: string;
  readonly agent?: AgentId;
  readonly host?: { readonly id: string; readonly name: string };
  readonly user?: string;
  readonly sourceIp?: string;
  readonly stream?: string;
  readonly rule?: string;
  /** A check that the collector answers itself. */
  readonly check?: string;
  readonly count?: number;
  readonly from?: number;
  readonly to?: number;
  readonly reason?: string;
}

export interface Notices {
  /** MUST return at once; the line is sealed and journaled within a second, and at shutdown. */
  say(notice: Notice): void;
}
