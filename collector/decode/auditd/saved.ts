// SPDX-License-Identifier: Apache-2.0
/**
 * The state of joins beside each position that the pass has sent, so that a restart there loses and doubles nothing (river.md J2).
 * Input: a position and what is open there. Output: the same after a restart; nothing for a position where nothing was open.
 */
import { closeSync, fsyncSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs';
import { systemCode } from '../../../core/errors.ts';
import type { JoinState } from './join.ts';

interface Place {
  readonly incarnation: string;
  readonly offset: number;
}

/** Sinks that commit positions of their own. */
export type Sink = 'store' | 'detect';

interface Entry extends Place {
  readonly sink: Sink;
  readonly joins: JoinState;
}

export interface SavedJoins {
  at(place: Place): JoinState | null;
  /** Durable when it returns. MUST be called before a sink can commit that position. */
  save(sink: Sink, place: Place, joins: JoinState | null): void;
}

/** More positions of a sink than can be under way. */
const KEPT = 8;

const isEntry = (value: unknown): value is Entry =>
  typeof value === 'object' && value !== null && 'sink' in value && 'incarnation' in value && 'offset' in value && 'joins' in value;

const read = (file: string): Entry[] => {
  try {
    const value: unknown = JSON.parse(readFileSync(file, 'utf8'));
    return Array.isArray(value) ? value.filter(isEntry) : [];
  } catch (error) {
    // Written whole or not at all; a file that someone else broke costs at most the few events that were open.
    if (systemCode(error) !== 'ENOENT' && !(error instanceof SyntaxError)) throw error;
    return [];
  }
};

/** Opens the file; it is made with the first state that is not empty. */
export const openSavedJoins = (file: string): SavedJoins => {
  let entries = read(file);
  const isAt = (place: Place) => (entry: Entry) => entry.incarnation === place.incarnation && entry.offset === place.offset;
  return {
    at: (place) => entries.find(isAt(place))?.joins ?? null,
    save: (sink, place, joins) => {
      // A position without open joins needs no entry: what is not found is nothing.
      if (joins === null) return;
      const own = entries.filter((entry) => entry.sink === sink && !isAt(place)(entry));
      entries = [...entries.filter((entry) => entry.sink !== sink), ...own.slice(1 - KEPT), { ...place, sink, joins }];
      const temp = `${file}.tmp`;
      const handle = openSync(temp, 'w', 0o600);
      try {
        writeSync(handle, JSON.stringify(entries));
        fsyncSync(handle);
      } finally {
        closeSync(handle);
      }
      renameSync(temp, file);
    },
  };
};
