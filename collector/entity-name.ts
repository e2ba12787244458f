// SPDX-License-Identifier: Apache-2.0
/**
 * Names of entities as people know them.
 * Input: an entity, the hosts in the state. Output: `bastion`, `root@bastion`; null for what has no other name.
 */
import { parseEntity } from './model/entity.ts';
import type { StateCore } from './store/embedded/state.ts';

/** `root@bastion` for `user:root@ast_…`. */
export const entityName = (core: Pick<StateCore, 'get'>, entity: string): string | null => {
  const parsed = parseEntity(entity);
  const asset = parsed?.kind === 'host' ? parsed.id : parsed?.kind === 'user' ? parsed.id.slice(parsed.id.lastIndexOf('@') + 1) : undefined;
  const host = asset === undefined ? undefined : core.get('asset', asset)?.value.name;
  if (!parsed || host === undefined) return null;
  return parsed.kind === 'host' ? host : `${parsed.id.slice(0, parsed.id.lastIndexOf('@'))}@${host}`;
};
