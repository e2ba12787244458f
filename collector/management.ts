// SPDX-License-Identifier: Apache-2.0
/**
 * The management system as it is wired: framework and ground, and what reads them.
 * Input: the stores, the collector's own host. Output: the ports of controls and risks.
 */
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { AssetId } from '../core/ids.ts';
import type { UnixMs } from '../core/units.ts';
import { type ControlPorts, readControls } from './isms/control-view.ts';
import { openGround, readFramework } from './isms/ground.ts';
import type { Check } from './model/observation.ts';
import type { EventStore, StateStore } from './store/store.ts';

const RULES = join(fileURLToPath(new URL('../', import.meta.url)), 'rules');

export interface ManagementParts {
  readonly state: StateStore;
  readonly events: Pick<EventStore, 'get'>;
  /** The host the collector runs on: checks that are asked once are asked of it. */
  readonly self: AssetId;
  readonly now: () => UnixMs;
}

export interface Management {
  readonly controls: ControlPorts;
}

/** @throws CodedError FILE_UNREADABLE, CATALOGUE_BAD, MAP_BAD, YAML_BAD. */
export const openManagement = async ({ state, events, self, now }: ManagementParts): Promise<Management> => {
  const checks: ReadonlyMap<string, Check> = new Map();
  const framework = await readFramework(RULES, checks);
  const ground = openGround(state, framework, self, now);
  return { controls: readControls(framework, ground, events, now) };
};
