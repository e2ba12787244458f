// SPDX-License-Identifier: Apache-2.0
/**
 * What waits for a person, by page, and the zones of hosts: read for the frame.
 * Input: the person. Output: counts for the navigation; never totals.
 */
import { useQuery } from '@tanstack/react-query';
import { useMemo } from 'react';
import type { Me } from '../api/calls.ts';
import { agents } from '../api/system.ts';
import { countAlerts, countIncidents } from '../api/triage.ts';

const OFTEN = 30_000;

export const useWaiting = (who: Me): Readonly<Record<string, number>> => {
  const may = (permission: string): boolean => who.permissions.includes(permission);
  const fresh = useQuery({
    queryKey: ['waiting', 'alerts'],
    queryFn: () => countAlerts('state: new', 'now-30d'),
    refetchInterval: OFTEN,
    enabled: may('alert.write'),
  });
  const open = useQuery({
    queryKey: ['waiting', 'incidents'],
    queryFn: () => countIncidents('state: new'),
    refetchInterval: OFTEN,
    enabled: may('incident.write'),
  });
  const fleet = useQuery({ queryKey: ['agents'], queryFn: agents, refetchInterval: OFTEN, enabled: may('fleet.read') });
  const held = may('fleet.write') ? (fleet.data?.items.filter(({ state }) => state === 'held').length ?? 0) : 0;
  return { '/alerts': fresh.data?.count ?? 0, '/incidents': open.data?.count ?? 0, '/agents': held };
};

/** The time zone of each host, as its agent says. */
export const useHostZones = (who: Me): ReadonlyMap<string, string> => {
  const fleet = useQuery({ queryKey: ['agents'], queryFn: agents, enabled: who.permissions.includes('fleet.read'), staleTime: OFTEN });
  return useMemo(() => new Map(fleet.data?.items.map(({ host, zone }) => [host, zone])), [fleet.data]);
};
