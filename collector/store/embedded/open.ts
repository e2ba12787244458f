// SPDX-License-Identifier: Apache-2.0
/**
 * Opens the store of one machine below the data folder: `events/` and `state.db`.
 * Input: the data folder, locked by the caller. Output: both ports, closed together. Where state lives in a worker, `openEvents` and `connectState` stand alone.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { StateStore } from '../store.ts';
import { type EmbeddedEvents, type EventsOptions, openEvents } from './events.ts';
import { openState, type StateCore, stateStore } from './state.ts';

export interface EmbeddedStore {
  readonly events: EmbeddedEvents;
  readonly state: StateStore;
  /** The synchronous side of `state`, for what shares its transactions. */
  readonly core: StateCore;
  close(): Promise<void>;
}

/** Path of the state database below a data folder. */
export const stateFile = (dataDir: string): string => join(dataDir, 'state.db');
/** Folder of the event store below a data folder. */
export const eventsDir = (dataDir: string): string => join(dataDir, 'events');

/** @throws CodedError STATE_TOO_NEW, STORE_ENGINE_DOWN. */
export const openEmbedded = async (dataDir: string, options: Omit<EventsOptions, 'dir'> = {}): Promise<EmbeddedStore> => {
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  const core = openState(stateFile(dataDir), options.clock);
  try {
    const events = await openEvents({ ...options, dir: eventsDir(dataDir) });
    return {
      events,
      core,
      state: stateStore(core),
      close: async () => {
        await events.close();
        core.close();
      },
    };
  } catch (error) {
    core.close();
    throw error;
  }
};
