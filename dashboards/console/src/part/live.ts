// SPDX-License-Identifier: Apache-2.0
/**
 * What others change is shown within a second: the collector tells kinds and ids, and what is on the screen of them is read anew.
 * Input: the stream of changes. Output: queries that are stale; a session that ended elsewhere shows the sign-in.
 */
import { type QueryClient, useQueryClient } from '@tanstack/react-query';
import { useEffect } from 'react';
import { alert } from '../api/calls.ts';
import { keepAlert } from './alert-cache.ts';

interface Change {
  readonly kind: string;
  /** Empty: too many to name. */
  readonly ids: readonly string[];
}

/** Queries by the first word of their keys that a change of a kind makes stale. Rows of lists stay where they are. */
const STALE: Readonly<Record<string, readonly string[]>> = {
  alert: ['overview', 'alerts-fresh', 'facets', 'waiting'],
  incident: ['incident', 'incidents', 'waiting'],
  agent: ['agents', 'agent-tokens', 'hosts', 'assets', 'waiting'],
  user: ['users', 'api-tokens', 'people', 'me'],
  risk: ['risks'],
  report: ['reports'],
};

const read = (client: QueryClient, { kind, ids }: Change): void => {
  for (const root of STALE[kind] ?? []) void client.invalidateQueries({ queryKey: [root] });
  if (kind !== 'alert') return;
  if (ids.length === 0) void client.invalidateQueries({ queryKey: ['alert'] });
  for (const id of ids) {
    void client.invalidateQueries({ queryKey: ['alert', id] });
    const isListed = client
      .getQueriesData<{ readonly pages?: readonly { readonly items: readonly { readonly id: string }[] }[] }>({
        queryKey: ['alerts', 'list'],
      })
      .some(([, held]) => held?.pages?.some(({ items }) => items.some((one) => one.id === id)));
    // In its place: the list itself is read anew when a person asks for it.
    if (isListed) void alert(id).then((one) => keepAlert(client, one));
  }
};

/** Listens while the frame stands. */
export const useLive = (): void => {
  const client = useQueryClient();
  useEffect(() => {
    const source = new EventSource('/api/v1/changes');
    let wasCut = false;
    source.addEventListener('change', ({ data }) => read(client, JSON.parse(String(data)) as Change));
    source.addEventListener('open', () => {
      // What was told meanwhile was missed.
      if (wasCut) void client.invalidateQueries();
      wasCut = false;
    });
    source.addEventListener('error', () => {
      wasCut = true;
      // Closed for good: the collector no longer knows this session.
      if (source.readyState === EventSource.CLOSED) void client.invalidateQueries({ queryKey: ['me'] });
    });
    return () => source.close();
  }, [client]);
};
