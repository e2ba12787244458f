// SPDX-License-Identifier: Apache-2.0
/**
 * Addresses inside the console that say the same tomorrow.
 * Input: an event's id and time. Output: the search that shows it among those of its minute.
 */
export const eventLink = (id: string, at: string): string => {
  const ms = Date.parse(at);
  return `/search?${new URLSearchParams({
    q: `event.id: "${id}"`,
    from: new Date(ms - 60_000).toISOString(),
    to: new Date(ms + 60_000).toISOString(),
    event: id,
  })}`;
};
