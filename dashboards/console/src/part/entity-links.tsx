// SPDX-License-Identifier: Apache-2.0
/**
 * Entities with the names of their hosts; each leads to its own page, the id stays in the tooltip.
 * Input: entities as `kind:value`. Output: links, one a line.
 */
import { useQuery } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { Link } from 'react-router';
import { assets } from '../api/calls.ts';
import { entityPath } from './entity-path.ts';
import { shown } from './shown.ts';

/** More of them are counted. */
const SHOWN = 12;

export const EntityLinks = ({ entities }: { readonly entities: readonly string[] }): ReactNode => {
  const found = useQuery({ queryKey: ['assets'], queryFn: assets, staleTime: 60_000 });
  const names = new Map(found.data?.items.map(({ id, name }) => [id, name]));
  return (
    <>
      {entities.slice(0, SHOWN).map((entity) => (
        <div key={entity} title={entity}>
          <Link className="plain" to={entityPath(entity)}>
            {shown(entity.replace(/ast_[\w-]+/, (id) => names.get(id) ?? id))}
          </Link>
        </div>
      ))}
      {entities.length > SHOWN ? <div className="third">and {entities.length - SHOWN} more</div> : null}
    </>
  );
};
