// SPDX-License-Identifier: Apache-2.0
/**
 * Entry of the engine's process: a DuckDB of its own, at low priority, that lives and dies with the collector.
 * Input: options as JSON in the first argument, asks by IPC. Output: answers and notices by IPC.
 */
import { getPriority, setPriority } from 'node:os';
import { openEngine } from './engine.ts';
import type { EngineOptions, FromEngine, ToEngine } from './protocol.ts';

// Ctrl-C reaches the whole group; the collector decides when this process ends.
process.on('SIGINT', () => {});
process.on('SIGTERM', () => {});
process.on('disconnect', () => process.exit(0));
// Behind acknowledging and the pass, ahead of the judge.
setPriority(Math.min(19, getPriority() + 5));

const send = (message: FromEngine): void => {
  // The collector may be gone while an answer is under way; `disconnect` then ends this process.
  if (process.connected) process.send?.(message, () => {});
};

const engine = await openEngine(JSON.parse(process.argv[2] ?? '') as EngineOptions, send);
process.on('message', (message: ToEngine) => engine.take(message));
send({ notice: 'ready', positions: engine.positions() });
