// SPDX-License-Identifier: Apache-2.0
/**
 * The chain of an incident or an alert: what it says, why it says so, and the raw lines it rests on.
 * Input: an id from the address. Output: a page that ends in lines as they were found, each with its event.
 */
import { useQuery } from '@tanstack/react-query';
import { type ReactNode, useState } from 'react';
import { Link, useParams } from 'react-router';
import {
  type AlertItem,
  alert,
  assets,
  explainAlert,
  explainIncident,
  type IncidentChain,
  type IncidentItem,
  incident,
} from '../api/calls.ts';
import { type Level, SeverityMark } from '../part/marks.tsx';
import { ProblemLine } from '../part/problem.tsx';
import { Section, Skeleton } from '../part/section.tsx';
import { shown } from '../part/shown.ts';
import { Time } from '../part/time.tsx';
import { capital, countText, plural } from '../part/words.ts';

const REFRESH = { refetchInterval: 15_000 };

type Links = IncidentChain['alerts'];

export const IncidentPage = (): ReactNode => {
  const { id = '' } = useParams();
  const found = useQuery({ queryKey: ['incident', id], queryFn: () => incident(id), ...REFRESH });
  const chain = useQuery({ queryKey: ['incident', id, 'chain'], queryFn: () => explainIncident(id), ...REFRESH });
  const error = found.error ?? chain.error;
  if (!found.data || !chain.data) return error ? <ProblemLine error={error} /> : <Skeleton rows={10} />;
  const one = found.data;
  return (
    <>
      <Head reference={one.reference} level={one.severity} state={one.state} title={one.title} />
      <div className="split">
        <div className="stack">
          <Evidence links={chain.data.alerts} few={6} />
        </div>
        <Facts one={one} why={one.why}>
          <dt>Owner</dt>
          <dd>{one.owner === undefined ? <span className="third">nobody yet</span> : one.owner}</dd>
          <dt>Alerts</dt>
          <dd>{countText(one.alerts.length)}</dd>
        </Facts>
      </div>
    </>
  );
};

export const AlertPage = (): ReactNode => {
  const { id = '' } = useParams();
  const found = useQuery({ queryKey: ['alert', id], queryFn: () => alert(id), ...REFRESH });
  const chain = useQuery({ queryKey: ['alert', id, 'chain'], queryFn: () => explainAlert(id), ...REFRESH });
  const error = found.error ?? chain.error;
  if (!found.data || !chain.data) return error ? <ProblemLine error={error} /> : <Skeleton rows={10} />;
  const one = found.data;
  return (
    <>
      <Head reference={one.entityName} level={one.level} state={one.state} title={one.title} />
      <div className="split">
        <div className="stack">
          <Evidence links={chain.data.alerts} few={50} />
        </div>
        <Facts one={one} why={one.why}>
          <dt>Rule</dt>
          <dd className="mono">{one.rule}</dd>
          <dt>Alert</dt>
          <dd className="mono">{one.id}</dd>
          {one.incident === undefined ? null : (
            <>
              <dt>Incident</dt>
              <dd>
                <Link to={`/incidents/${one.incident}`}>Part of an incident</Link>
              </dd>
            </>
          )}
        </Facts>
      </div>
    </>
  );
};

interface HeadProps {
  readonly reference: string;
  readonly level: Level;
  readonly state: string;
  readonly title: string;
}

const Head = ({ reference, level, state, title }: HeadProps): ReactNode => (
  <>
    <p className="marks">
      <span className="mono medium">{shown(reference)}</span>
      <SeverityMark level={level} />
      <span className="chip">{capital(state)}</span>
    </p>
    <h2 className="lead">{shown(title)}</h2>
  </>
);

interface FactsProps {
  readonly one: Pick<AlertItem | IncidentItem, 'first' | 'last' | 'techniques' | 'tactics' | 'entities'>;
  readonly why: readonly string[];
  readonly children: ReactNode;
}

const Facts = ({ one, why, children }: FactsProps): ReactNode => (
  <div className="stack">
    <Section title="Why">
      <ul className="whys">
        {why.map((text) => (
          <li key={text}>{shown(capital(text))}</li>
        ))}
      </ul>
    </Section>
    <Section title="Facts">
      <dl className="pairs">
        <dt>First sign</dt>
        <dd>
          <Time at={one.first} />
        </dd>
        <dt>Last sign</dt>
        <dd>
          <Time at={one.last} />
        </dd>
        {children}
        {one.techniques.length === 0 ? null : (
          <>
            <dt>ATT&CK</dt>
            <dd className="mono">{[...one.tactics, ...one.techniques].join(' ')}</dd>
          </>
        )}
        <dt>About</dt>
        <dd className="mono">
          <Entities entities={one.entities} />
        </dd>
      </dl>
    </Section>
  </div>
);

/** Entities with the names of their hosts; the id stays in the tooltip. */
const Entities = ({ entities }: { readonly entities: readonly string[] }): ReactNode => {
  const found = useQuery({ queryKey: ['assets'], queryFn: assets, staleTime: 60_000 });
  const names = new Map(found.data?.items.map(({ id, name }) => [id, name]));
  return entities.map((entity) => (
    <div key={entity} title={entity}>
      {shown(entity.replace(/ast_[\w-]+/, (id) => names.get(id) ?? id))}
    </div>
  ));
};

/** The search that shows one event among those of its minute. */
const eventLink = (id: string, at: string): string => {
  const ms = Date.parse(at);
  return `/search?${new URLSearchParams({
    q: `event.id: "${id}"`,
    from: new Date(ms - 60_000).toISOString(),
    to: new Date(ms + 60_000).toISOString(),
    event: id,
  })}`;
};

const Evidence = ({ links, few }: { readonly links: Links; readonly few: number }): ReactNode =>
  links.map((one) => <Lines key={one.id} one={one} few={few} />);

const Lines = ({ one, few }: { readonly one: Links[number]; readonly few: number }): ReactNode => {
  const [all, setAll] = useState(false);
  const lines = all ? one.lines : one.lines.slice(0, few);
  return (
    <Section
      title={one.title}
      note={<SeverityMark level={one.level as Level} bare />}
      coverage={one.more > 0 ? `${countText(one.lines.length)} of ${plural(one.count, 'line')}` : plural(one.count, 'line')}
    >
      <p className="small second">
        About <span className="mono">{shown(one.entityName)}</span>: {shown(one.why.join('; '))}
      </p>
      <ol className="lines">
        {lines.map((line) => (
          <li key={line.event}>
            <Link className="evidence" to={eventLink(line.event, line.time)}>
              <Time at={line.time} />
            </Link>
            <span className="mono">{shown(line.original)}</span>
          </li>
        ))}
      </ol>
      {lines.length < one.lines.length ? (
        <p className="acts">
          <button type="button" className="evidence" onClick={() => setAll(true)}>
            {plural(one.lines.length - lines.length, 'more line')}
          </button>
        </p>
      ) : null}
    </Section>
  );
};
