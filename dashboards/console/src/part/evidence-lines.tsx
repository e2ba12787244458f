// SPDX-License-Identifier: Apache-2.0
/**
 * Raw lines that something rests on, as they were found; each leads to its event.
 * Input: lines of a chain, how many to show at first. Output: a list, and a button for the rest.
 */
import { type ReactNode, useState } from 'react';
import { Link } from 'react-router';
import type { AlertChain } from '../api/calls.ts';
import { eventLink } from './event-link.ts';
import { shown } from './shown.ts';
import { Time } from './time.tsx';
import { plural } from './words.ts';

type Lines = AlertChain['alerts'][number]['lines'];

export const EvidenceLines = ({ lines, few }: { readonly lines: Lines; readonly few: number }): ReactNode => {
  const [all, setAll] = useState(false);
  const drawn = all ? lines : lines.slice(0, few);
  return (
    <>
      <ol className="lines">
        {drawn.map((line) => (
          <li key={line.event}>
            <Link className="evidence" to={eventLink(line.event, line.time)}>
              <Time at={line.time} />
            </Link>
            <span className="mono">{shown(line.original)}</span>
          </li>
        ))}
      </ol>
      {drawn.length < lines.length ? (
        <p className="acts">
          <button type="button" className="evidence" onClick={() => setAll(true)}>
            {plural(lines.length - drawn.length, 'more line')}
          </button>
        </p>
      ) : null}
    </>
  );
};
