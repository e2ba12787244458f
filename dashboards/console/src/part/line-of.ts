// SPDX-License-Identifier: Apache-2.0
/**
 * What a row says of an event: the raw line; for records that are JSON the sentence in them.
 * Input: the event. Output: text.
 */
import type { EventItem } from '../api/calls.ts';

export const lineOf = (event: EventItem): string => {
  const original = String(event['event.original'] ?? '');
  const message = event['message'];
  return original === '' || (original.startsWith('{') && typeof message === 'string') ? String(message ?? '') : original;
};
