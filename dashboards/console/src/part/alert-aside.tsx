// SPDX-License-Identifier: Apache-2.0
/**
 * An alert beside the list: why it fired, whether it was seen before, what it is about, the newest of its lines, and what can be done.
 * Input: the alert. Output: an aside; each figure leads to its chain.
 */
import { useQuery } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { Link } from 'react-router';
import { type AlertItem, explainAlert } from '../api/calls.ts';
import { countAlerts } from '../api/triage.ts';
import type { AlertActs } from './alert-acts.tsx';
import { AlertButtons } from './alert-buttons.tsx';
import { EntityLinks } from './entity-links.tsx';
import { eventLink } from './event-link.ts';
import { literalOf } from './kql.ts';
import { SeverityMark } from './marks.tsx';
import { ProblemLine } from './problem.tsx';
import { shown } from './shown.ts';
import { Time } from './time.tsx';
import { verdictText } from './verdicts.ts';
import { begun, capital, countText, plural } from './words.ts';

interface Props {
  readonly one: AlertItem;
  readonly acts: AlertActs;
  readonly nameOf: (id: string) => string;
  readonly onClose: () => void;
  readonly onQuery: (query: string) => void;
}

const LINES = 5;

export const AlertAside = ({ one, acts, nameOf, onClose, onQuery }: Props): ReactNode => {
  const chain = useQuery({ queryKey: ['alert', one.id, 'chain'], queryFn: () => explainAlert(one.id), staleTime: 30_000 });
  const same = `rule: ${literalOf(one.rule)} and entity: ${literalOf(one.entity)}`;
  const before = useQuery({ queryKey: ['alerts-before', one.id], queryFn: () => countAlerts(same, 'now-30d'), staleTime: 60_000 });
  const lines = chain.data?.alerts[0]?.lines.slice(-LINES).reverse() ?? [];
  const others = Math.max(0, (before.data?.count ?? 1) - 1);
  return (
    <aside className="aside alert-aside" aria-label="Alert">
      <header>
        <p className="marks">
          <SeverityMark level={one.level} />
          <span className="chip">{capital(one.state)}</span>
        </p>
        <button type="button" className="ctl square plain-ctl" aria-label="Close the alert" title="Close  Esc" onClick={onClose}>
          ×
        </button>
      </header>
      <h2>
        <Link className="plain" to={`/alerts/${one.id}`}>
          {shown(one.title)}
        </Link>
      </h2>
      {one.verdict === undefined ? null : (
        <p className="serif">
          {verdictText(one.verdict)}
          {one.reason === undefined ? '' : `: ${shown(one.reason)}`}
        </p>
      )}
      <AlertButtons list={[one]} acts={acts} />
      <h3>Why it fired</h3>
      <ul className="whys">
        {one.why.map((text) => (
          <li key={text}>{shown(begun(text))}</li>
        ))}
      </ul>
      <h3>Facts</h3>
      <dl className="pairs">
        <dt>Signs</dt>
        <dd>
          <Time at={one.first} /> to <Time at={one.last} />
        </dd>
        <dt>Seen before</dt>
        <dd>
          {before.data === undefined ? (
            <span className="third">reading</span>
          ) : others === 0 ? (
            'not in 30 days'
          ) : (
            <button type="button" className="evidence" onClick={() => onQuery(same)}>
              {plural(others, 'time')} in 30 days
            </button>
          )}
        </dd>
        <dt>Person</dt>
        <dd>{one.assignee === undefined ? <span className="third">nobody yet</span> : nameOf(one.assignee)}</dd>
        {one.incident === undefined ? null : (
          <>
            <dt>Incident</dt>
            <dd>
              <Link to={`/incidents/${one.incident}`}>Part of an incident</Link>
            </dd>
          </>
        )}
        {one.techniques.length === 0 ? null : (
          <>
            <dt>ATT&CK</dt>
            <dd className="mono">{one.techniques.join(' ')}</dd>
          </>
        )}
        <dt>About</dt>
        <dd className="mono">
          <EntityLinks entities={one.entities} />
        </dd>
      </dl>
      <h3>
        Newest lines{' '}
        <Link className="evidence" to={`/alerts/${one.id}`}>
          all {countText(one.count)}
        </Link>
      </h3>
      <ProblemLine error={chain.error} />
      <ol className="lines narrow">
        {lines.map((line) => (
          <li key={line.event}>
            <Link className="evidence" to={eventLink(line.event, line.time)}>
              <Time at={line.time} />
            </Link>
            <span className="mono">{shown(line.original.slice(0, 400))}</span>
          </li>
        ))}
      </ol>
    </aside>
  );
};
