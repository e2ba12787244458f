// SPDX-License-Identifier: Apache-2.0
/**
 * The page of an entity: a host has one of its own.
 * Input: `kind:value`. Output: an address inside the console.
 */
export const entityPath = (entity: string): string => {
  const at = entity.indexOf(':');
  const [kind, value] = [entity.slice(0, at), entity.slice(at + 1)];
  return kind === 'host' ? `/hosts/${encodeURIComponent(value)}` : `/entities/${encodeURIComponent(kind)}/${encodeURIComponent(value)}`;
};
