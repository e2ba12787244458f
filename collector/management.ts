// SPDX-License-Identifier: Apache-2.0
/**
 * The management system as it is wired: framework and ground, and what reads them.
 * Input: the stores, the collector's own host. Output: the ports of controls and risks.
 */
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Clock } from '../core/clock.ts';
import { toError } from '../core/errors.ts';
import type { AssetId } from '../core/ids.ts';
import type { Log } from '../core/log.ts';
import { readChecks } from './checks.ts';
import { assessRisk } from './isms/assess.ts';
import { type ControlPorts, linesOf, readControls } from './isms/control-view.ts';
import { openGround, readFramework } from './isms/ground.ts';
import { seedRegister } from './isms/register.ts';
import type { RiskPorts } from './isms/risk-routes.ts';
import { readRisks } from './isms/risk-view.ts';
import type { AuditTrail } from './model/audit.ts';
import type { Check } from './model/observation.ts';
import type { EventStore, StateStore } from './store/store.ts';

const RULES = join(fileURLToPath(new URL('../', import.meta.url)), 'rules');

export interface ManagementParts {
  readonly state: StateStore;
  readonly events: Pick<EventStore, 'get'>;
  /** The host the collector runs on: checks that are asked once are asked of it. */
  readonly self: AssetId;
  readonly audit: AuditTrail;
  readonly clock: Clock;
  readonly log: Log;
  /** Told the titles of checks once they are read, which is soon after the start. */
  readonly onTitles?: (titles: Readonly<Record<string, string>>) => void;
}

export interface Management {
  readonly controls: ControlPorts;
  readonly risks: RiskPorts;
  /** Reads what comes with Vigil and puts the proposed risks into a state that never had them; else the first question does. */
  begin(): Promise<void>;
}

/** Nothing is read before `begin` or the first question, so that no start waits for it. */
export const openManagement = (parts: ManagementParts): Management => {
  const { state, events, audit, clock } = parts;
  let opened: ReturnType<typeof read> | null = null;
  const ready = (): ReturnType<typeof read> => {
    opened ??= read(parts).catch((error: unknown) => {
      opened = null;
      throw error;
    });
    return opened;
  };
  return {
    controls: {
      now: clock.now,
      list: async (...asked) => (await ready()).controls.list(...asked),
      get: async (...asked) => (await ready()).controls.get(...asked),
      lines: (observations) => linesOf(events, observations),
    },
    risks: {
      now: clock.now,
      list: async (...asked) => (await ready()).risks.list(...asked),
      get: async (...asked) => (await ready()).risks.get(...asked),
      explain: async (...asked) => (await ready()).risks.explain(...asked),
      assess: async (by, ref, wish, ifVersion, from) => {
        const { risks } = await ready();
        const { id } = await assessRisk({ state, audit, clock }, by, ref, wish, ifVersion, from);
        return risks.get(id);
      },
    },
    begin: async () => void (await ready()),
  };
};

/** @throws CodedError FILE_UNREADABLE, CATALOGUE_BAD, MAP_BAD, YAML_BAD. */
const read = async ({ state, events, self, clock, log, onTitles }: ManagementParts) => {
  const checks = new Map<string, Check>();
  const framework = await readFramework(RULES, checks);
  await seedRegister(state, RULES, framework.catalogue, clock.now());
  // Titles are for people: nobody waits for them.
  readChecks(RULES)
    .then((all) => {
      for (const [id, check] of all) checks.set(id, check);
      onTitles?.(Object.fromEntries([...all].map(([id, { title }]) => [id, title])));
    })
    .catch((error: unknown) => log.error({ event: 'checks.unreadable', err: toError(error) }, 'The titles of checks cannot be read'));
  const ground = openGround(state, framework, self, clock.now);
  return {
    controls: readControls(framework, ground, events, clock.now),
    risks: readRisks(state, framework, ground, events, clock.now),
  };
};
