// SPDX-License-Identifier: Apache-2.0
/**
 * A changed alert goes everywhere it is shown, in its place: rows never jump.
 * Input: the alert as it is now. Output: the lists and the page that hold it.
 */
import type { InfiniteData, QueryClient } from '@tanstack/react-query';
import type { AlertItem, Alerts } from '../api/calls.ts';

const inList = (held: Alerts, one: AlertItem): Alerts =>
  held.items.some(({ id }) => id === one.id) ? { ...held, items: held.items.map((item) => (item.id === one.id ? one : item)) } : held;

const isPaged = (held: Alerts | InfiniteData<Alerts>): held is InfiniteData<Alerts> => 'pages' in held;

export const keepAlert = (client: QueryClient, one: AlertItem): void => {
  client.setQueryData(['alert', one.id], one);
  client.setQueriesData<Alerts | InfiniteData<Alerts>>({ queryKey: ['alerts'] }, (held) => {
    if (!held) return held;
    return isPaged(held) ? { ...held, pages: held.pages.map((page) => inList(page, one)) } : inList(held, one);
  });
};
