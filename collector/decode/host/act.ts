// SPDX-License-Identifier: Apache-2.0
/**
 * What happened on a host, as constant lists shared by all events.
 * Input: a draft. Output: the same draft with action, category, type and outcome.
 */
import type { EventDraft } from '../../model/event.ts';

export const PROCESS: readonly string[] = ['process'];
export const SESSION: readonly string[] = ['session'];
export const HOST: readonly string[] = ['host'];
export const CONFIGURATION: readonly string[] = ['configuration'];
export const PACKAGE: readonly string[] = ['package'];
export const START: readonly string[] = ['start'];
export const END: readonly string[] = ['end'];
export const CHANGE: readonly string[] = ['change'];
export const INFO: readonly string[] = ['info'];
export const ERROR: readonly string[] = ['error'];

/** Fills what happened. */
export const act = (
  event: EventDraft,
  action: string,
  category: readonly string[],
  type: readonly string[],
  outcome?: 'success' | 'failure',
): EventDraft => {
  event['event.action'] = action;
  event['event.category'] = category;
  event['event.type'] = type;
  event['event.outcome'] = outcome;
  return event;
};
