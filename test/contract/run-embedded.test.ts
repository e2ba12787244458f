// SPDX-License-Identifier: Apache-2.0
/**
 * Runs the contracts over the embedded engine: a real DuckDB process and a real SQLite in a temp folder.
 * Input: none. Output: the claims of the contracts.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MessageChannel } from 'node:worker_threads';
import { openEvents } from '../../collector/store/embedded/events.ts';
import { openState, type StateCore, stateStore } from '../../collector/store/embedded/state.ts';
import { connectState, serveState } from '../../collector/store/embedded/state-port.ts';
import type { EventStore, StateStore } from '../../collector/store/store.ts';
import { eventStoreContract } from './event-store.contract.ts';
import { stateStoreContract } from './state-store.contract.ts';

const folders = new WeakMap<object, string>();
const openOver = async (dir: string): Promise<EventStore> => {
  const store = await openEvents({ dir, engine: { maxTables: 4 } });
  folders.set(store, dir);
  return store;
};

eventStoreContract({
  name: 'embedded',
  create: async () => openOver(await mkdtemp(join(tmpdir(), 'vigil-events-'))),
  // Closing says nothing to the engine's process: it is cut off, as by a crash.
  crash: async (store) => {
    await store.close();
    return openOver(folders.get(store) as string);
  },
  destroy: async (store) => {
    await store.close();
    await rm(folders.get(store) as string, { recursive: true, force: true });
  },
});

const cores = new WeakMap<object, StateCore>();

stateStoreContract({
  name: 'embedded',
  create: async () => openDirect(await mkdtemp(join(tmpdir(), 'vigil-state-'))),
  reopen: async (store) => {
    await store.close();
    return openDirect(folders.get(store) as string);
  },
  destroy: async (store) => {
    await store.close();
    await rm(folders.get(store) as string, { recursive: true, force: true });
  },
});

const openDirect = (dir: string): StateStore => {
  const store = stateStore(openState(join(dir, 'state.db')));
  folders.set(store, dir);
  return store;
};

stateStoreContract({
  name: 'embedded, behind a port',
  create: async () => openPort(await mkdtemp(join(tmpdir(), 'vigil-state-'))),
  reopen: async (store) => {
    await store.close();
    cores.get(store)?.close();
    return openPort(folders.get(store) as string);
  },
  destroy: async (store) => {
    await store.close();
    cores.get(store)?.close();
    await rm(folders.get(store) as string, { recursive: true, force: true });
  },
});

const openPort = (dir: string): StateStore => {
  const { port1, port2 } = new MessageChannel();
  const core = openState(join(dir, 'state.db'));
  serveState(port1, core);
  const store = connectState(port2);
  cores.set(store, core);
  folders.set(store, dir);
  return store;
};
