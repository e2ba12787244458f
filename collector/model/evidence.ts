// SPDX-License-Identifier: Apache-2.0
/**
 * The raw line at the end of every chain: what was said, and where its signed block lies.
 * Input: events. Output: what `explain` shows below alerts, scores, controls and risks.
 */
import type { UnixMs } from '../../core/units.ts';
import type { Event } from './event.ts';

export interface EvidenceLine {
  readonly event: string;
  readonly time: UnixMs;
  readonly original: string;
  readonly stream: string;
  readonly seq: number;
  readonly offset: number;
}

/** The line of an event; null for one without an id. `at` stands in for a time it does not have. */
export const evidenceLine = (event: Event, at: UnixMs): EvidenceLine | null => {
  const id = event['event.id'];
  if (id === undefined) return null;
  return {
    event: id,
    time: event['@timestamp'] ?? at,
    original: event['event.original'] ?? event.message ?? '',
    stream: event['vigil.stream'] ?? '',
    seq: event['vigil.seq'] ?? 0,
    offset: event['vigil.journal.offset'] ?? 0,
  };
};
