// SPDX-License-Identifier: Apache-2.0
/**
 * What Vigil sees and what it cannot see: hosts and their sources, gaps with their remedy, what is kept.
 * Input: the status. Output: sections of the overview.
 */
import type { ReactNode } from 'react';
import { Link } from 'react-router';
import type { Status } from '../api/calls.ts';
import { literalOf } from './kql.ts';
import { StateMark } from './marks.tsx';
import { Sentence } from './problem.tsx';
import { Blind, Empty, Section, ShareBar } from './section.tsx';
import { shown } from './shown.ts';
import { Time } from './time.tsx';
import { ageText, bytesText, countText, plural } from './words.ts';

const searchFor = (query: string): string => `/search?${new URLSearchParams({ q: query })}`;

/** Rows that are shown; a collector of a thousand hosts has a page of its own for them. */
const SHOWN = 40;

export const Hosts = ({ state }: { readonly state: Status }): ReactNode => (
  <Section
    title="Hosts and sources"
    note={state.streams.length > SHOWN ? `first ${SHOWN} of ${countText(state.streams.length)} sources` : undefined}
    coverage={`${countText(state.hosts.reporting)} of ${countText(state.hosts.expected)} reporting`}
  >
    {state.streams.length === 0 ? (
      <Blind>
        {state.hosts.expected === 0 ? (
          <Sentence text="Not known. No host is enrolled. `vigil agent token create` prints the one command for the next host; `--local-agent` at the start reads this one." />
        ) : (
          'Not known. An agent says what it reads with its first heartbeat, within half a minute of its start.'
        )}
      </Blind>
    ) : (
      <table className="rows">
        <thead>
          <tr>
            <th scope="col">Host</th>
            <th scope="col">Source</th>
            <th scope="col" className="wide">
              Dataset
            </th>
            <th scope="col" className="right">
              Behind
            </th>
            <th scope="col" className="right wide">
              Redacted
            </th>
            <th scope="col" className="right">
              Read up to
            </th>
          </tr>
        </thead>
        <tbody>
          {state.streams.slice(0, SHOWN).map((one) => (
            <tr key={`${one.host} ${one.stream}`}>
              <td className="mono">
                <Link className="plain" to={searchFor(`host.name: ${literalOf(one.host)}`)}>
                  {shown(one.host)}
                </Link>
              </td>
              <td className="mono anywhere">
                <Link className="plain" to={searchFor(`vigil.stream: ${literalOf(one.stream)}`)}>
                  {shown(one.stream.replace(/^file:/, ''))}
                </Link>
              </td>
              <td className="mono wide second">{one.dataset}</td>
              <td className="right">{one.behindBytes === 0 ? <span className="third">nothing</span> : bytesText(one.behindBytes)}</td>
              <td className="right wide">
                {one.redacted === 0 ? <span className="third">nothing</span> : `${countText(one.redacted)} records`}
              </td>
              <td className="right mono">
                {one.readUpTo === null ? (
                  <span className="unknown-cell hatch" role="img" aria-label="Not known" />
                ) : (
                  <Time at={one.readUpTo} />
                )}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    )}
  </Section>
);

/** What is seen of what there is; silent hosts and sources nobody can read are hatched. */
export const Sight = ({ state: { hosts, sources, records, lost } }: { readonly state: Status }): ReactNode => (
  <Section title="What we see" coverage="now">
    <Measure
      name="Hosts"
      text={hosts.expected === 0 ? 'none enrolled' : `${countText(hosts.reporting)} of ${countText(hosts.expected)} report`}
      parts={[
        { name: 'reporting', count: hosts.reporting, kind: 'good' },
        { name: 'silent', count: Math.max(0, hosts.expected - hosts.reporting), kind: 'hatch' },
      ]}
    />
    <Measure
      name="Sources"
      text={
        sources.reading + sources.unreadable === 0
          ? 'not known'
          : `${countText(sources.reading)} of ${countText(sources.reading + sources.unreadable)} read`
      }
      parts={[
        { name: 'read', count: sources.reading, kind: 'good' },
        { name: 'not readable', count: sources.unreadable, kind: 'hatch' },
      ]}
    />
    <Measure
      name="Records"
      text={`${countText(records)} of ${countText(records + lost)} kept`}
      parts={[
        { name: 'kept', count: records, kind: 'good' },
        { name: 'lost', count: lost, kind: 'bad' },
      ]}
    />
  </Section>
);

const Measure = ({
  name,
  text,
  parts,
}: {
  readonly name: string;
  readonly text: string;
  readonly parts: Parameters<typeof ShareBar>[0]['parts'];
}): ReactNode => (
  <div className="measure">
    <span className="medium">{name}</span>
    <span className="second">{text}</span>
    <ShareBar parts={parts} />
  </div>
);

type Gap = Status['conditions'][number];

/** Gaps that the counts show, before those that the collector names. */
const gapsOf = ({ hosts, conditions }: Status): readonly Gap[] => {
  const silent = hosts.expected - hosts.reporting;
  const own = { code: 'HOSTS', about: plural(silent, 'host'), text: `${silent === 1 ? 'does' : 'do'} not report.` };
  const none = { code: 'HOSTS', about: 'Every host.', text: 'None is enrolled.' };
  const listed = '`vigil agent list --silent` names them; what they have to say waits on them and is not lost.';
  const create = '`vigil agent token create` prints the one command for the next one.';
  return [...(hosts.expected === 0 ? [{ ...none, hint: create }] : silent > 0 ? [{ ...own, hint: listed }] : []), ...conditions];
};

export const CannotSee = ({ state }: { readonly state: Status }): ReactNode => {
  const gaps = gapsOf(state);
  return (
    <Section title="What we cannot see" coverage={plural(gaps.length, 'gap')}>
      {gaps.length === 0 ? (
        <Empty>No gap is known: every source that was found is read, every host reports.</Empty>
      ) : (
        <ul className="gaps">
          {gaps.map((one) => (
            <li key={`${one.code} ${one.about}`}>
              <StateMark state="unknown" label="Not known" />
              <span className="anywhere">
                <b className="medium">{one.about}</b> <Sentence text={one.text} />{' '}
                <span className="second">
                  <Sentence text={one.hint} />
                </span>
              </span>
            </li>
          ))}
        </ul>
      )}
    </Section>
  );
};

export const Kept = ({ state }: { readonly state: Status }): ReactNode => (
  <Section title="Kept" coverage={`running for ${ageText(Date.parse(state.time) - Date.parse(state.startedAt))}`}>
    <dl className="pairs">
      <dt>Events</dt>
      <dd>{countText(state.store.events)}</dd>
      <dt>On disk</dt>
      <dd>
        {state.store.files === 0
          ? 'nothing yet; the newest wait in memory, safe in the journal'
          : `${plural(state.store.files, 'file')}, ${bytesText(state.store.bytes)}`}
      </dd>
      <dt>Signed blocks</dt>
      <dd>{bytesText(state.journal.bytes)} in the journal</dd>
      <dt>Not loaded</dt>
      <dd>{state.store.deadLetters === 0 ? 'none' : plural(state.store.deadLetters, 'event')}</dd>
      <dt>Memory</dt>
      <dd>
        {bytesText(state.process.rssBytes)}, engine {bytesText(state.store.engineRssBytes)}
      </dd>
      <dt>Version</dt>
      <dd>{state.version}</dd>
    </dl>
  </Section>
);
