// SPDX-License-Identifier: Apache-2.0
/**
 * Facets in a row: what is most frequent among what was found; a click narrows, another takes it back.
 * Input: the query and its window. Output: the query with a term more or less.
 */
import { keepPreviousData, useQueries } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { topAlerts } from '../api/triage.ts';
import { FACETS } from './alert-fields.ts';
import { literalOf, withTerm } from './kql.ts';
import { usePeople } from './people.ts';
import { shown } from './shown.ts';
import { verdictText } from './verdicts.ts';
import { capital, countText } from './words.ts';

/** Titles are long: so many fit. */
const TITLES = 4;

interface Props {
  readonly query: string;
  readonly from: string;
  readonly to: string;
  readonly onQuery: (query: string) => void;
}

/** The term of a value, and the query without it where it stands there. */
const termOf = (field: string, value: string): string => `${field}: ${/^[a-z-]+$/.test(value) ? value : literalOf(value)}`;
const without = (query: string, term: string): string | null => {
  const pieces = query.split(/ and /i);
  return pieces.includes(term) ? pieces.filter((piece) => piece !== term).join(' and ') : null;
};

export const Facets = ({ query, from, to, onQuery }: Props): ReactNode => {
  const { nameOf } = usePeople();
  const found = useQueries({
    queries: FACETS.map(({ field }) => ({
      queryKey: ['facets', field, query, from, to],
      queryFn: () => topAlerts(field, query, from, to),
      placeholderData: keepPreviousData,
      retry: false,
    })),
  });
  const textOf = (field: string, key: string): string =>
    field === 'assignee'
      ? nameOf(key)
      : field === 'verdict'
        ? verdictText(key)
        : field === 'state' || field === 'level'
          ? capital(key)
          : shown(key);
  return (
    <div className="facets">
      {FACETS.map(({ field, label }, i) => {
        const buckets = (found[i]?.data?.buckets ?? []).slice(0, field === 'title' ? TITLES : undefined);
        return buckets.length === 0 ? null : (
          <div key={field} className="facet">
            <h3>{label}</h3>
            <ul>
              {buckets.map(({ key, count }) => {
                const term = termOf(field, key);
                const back = without(query, term);
                return (
                  <li key={key}>
                    <button type="button" aria-pressed={back !== null} title={key} onClick={() => onQuery(back ?? withTerm(query, term))}>
                      <span>{textOf(field, key)}</span> <b>{countText(count)}</b>
                    </button>
                  </li>
                );
              })}
            </ul>
          </div>
        );
      })}
    </div>
  );
};
