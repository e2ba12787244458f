// SPDX-License-Identifier: Apache-2.0
/**
 * Alerts that a person put into an incident, or took out, are in its sum at once: its entities, severity, span and alerts are said anew (S7).
 * Input: writes of what people say of incidents. Output: the same write, and in the same transaction the incidents it moved alerts between.
 */
import { entityName } from './entity-name.ts';
import { groupIncidents } from './incident/group.ts';
import type { IncidentWork } from './model/incident.ts';
import type { AlertIndex } from './store/embedded/alerts.ts';
import type { StateCore } from './store/embedded/state.ts';

/** Puts of `incidentWork` regroup what they moved; everything else passes. */
export const regroupingState = (core: StateCore, index: AlertIndex): StateCore => {
  const movedBy = (id: string, work: IncidentWork): readonly string[] => {
    const before = core.get('incidentWork', id)?.value;
    const placed = (one: IncidentWork | undefined): readonly string[] => [...(one?.added ?? []), ...(one?.removed ?? [])];
    const known = new Set(placed(before));
    const now = new Set(placed(work));
    return [...[...now].filter((alert) => !known.has(alert)), ...[...known].filter((alert) => !now.has(alert))];
  };
  const regroup = (ids: readonly string[]): void => {
    const alerts = ids.flatMap((id) => index.alert(id as never) ?? []);
    const { writes } = groupIncidents(alerts, {
      reader: index,
      nameOf: (entity) => entityName(core, entity),
      nextNumber: () => core.nextNumber('incident'),
    });
    for (const { collection, id, value } of writes) {
      core.put(collection, id, value);
      index.note(collection, id, value);
    }
  };
  return {
    ...core,
    put: (collection, id, value, options) => {
      if (collection !== 'incidentWork') return core.put(collection, id, value, options);
      try {
        return core.transaction(() => {
          const moved = movedBy(id, value as IncidentWork);
          const version = core.put(collection, id, value, options);
          if (moved.length > 0) regroup(moved);
          return version;
        });
      } catch (error) {
        index.forget();
        throw error;
      }
    },
  };
};
