// SPDX-License-Identifier: Apache-2.0
/**
 * Where the pass goes on: each sink at its own committed position, the pass at the lowest of them (river.md J2).
 * Input: the positions as the sinks committed them, the journal. Output: offsets of the journal as it is now.
 */
import type { JournalReader } from './journal/reader.ts';
import type { JournalPosition } from './model/page.ts';
import { type EventStore, SINKS, type Sink, type StateStore } from './store/store.ts';

export interface Positions {
  readonly positions: Readonly<Record<Sink, number>>;
  /** The lowest as its sink committed it; null where it has none. */
  readonly resumed: JournalPosition | null;
}

export const findPositions = async (
  reader: JournalReader,
  events: Pick<EventStore, 'position'>,
  state: Pick<StateStore, 'position'>,
): Promise<Positions> => {
  const committed: Readonly<Record<Sink, JournalPosition | null>> = {
    store: await events.position(),
    detect: await state.position('detect'),
    facts: await state.position('facts'),
  };
  // From the oldest block where a sink has none.
  const offsetOf = (at: JournalPosition | null): number => (at === null ? reader.first() : reader.resume(at.incarnation, at.offset));
  const positions = { store: offsetOf(committed.store), detect: offsetOf(committed.detect), facts: offsetOf(committed.facts) };
  const lowest = SINKS.reduce((low, sink) => (positions[sink] < positions[low] ? sink : low));
  return { positions, resumed: committed[lowest] };
};
