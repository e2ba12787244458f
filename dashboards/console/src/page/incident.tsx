// SPDX-License-Identifier: Apache-2.0
/**
 * One incident: its clocks, evidence and people in one line of time, why its alerts stand together, and what can be done now.
 * Input: an id or number from the address. Output: a page that ends in lines as they were found.
 */
import { useQuery } from '@tanstack/react-query';
import { type ReactNode, useRef } from 'react';
import { Link, useNavigate, useParams } from 'react-router';
import { explainIncident, type IncidentItem, incident, type Me } from '../api/calls.ts';
import { CaseHead } from '../part/case-head.tsx';
import { type Clock, Clocks } from '../part/clocks.tsx';
import { NoteForm, useComments } from '../part/comments.tsx';
import { EntityLinks } from '../part/entity-links.tsx';
import { EvidenceLines } from '../part/evidence-lines.tsx';
import { useIncidentActs } from '../part/incident-acts.tsx';
import { useKeys } from '../part/keys.ts';
import { type Level, SeverityMark } from '../part/marks.tsx';
import { usePeople } from '../part/people.ts';
import { ProblemLine } from '../part/problem.tsx';
import { Section, Skeleton } from '../part/section.tsx';
import { shown } from '../part/shown.ts';
import { type Entry, Timeline } from '../part/timeline.tsx';
import { verdictText } from '../part/verdicts.ts';
import { begun, countText, plural } from '../part/words.ts';
import '../look/triage.css';

const REFRESH = { refetchInterval: 15_000 };
const LINES = 6;

export const IncidentPage = ({ who }: { readonly who: Me }): ReactNode => {
  const { id = '' } = useParams();
  const navigate = useNavigate();
  const found = useQuery({ queryKey: ['incident', id], queryFn: () => incident(id), ...REFRESH });
  const chain = useQuery({ queryKey: ['incident', id, 'chain'], queryFn: () => explainIncident(id), ...REFRESH });
  const one = found.data;
  const said = useComments('incident', one?.id ?? id);
  const acts = useIncidentActs(who, one);
  const { nameOf } = usePeople();
  const note = useRef<HTMLTextAreaElement>(null);
  const leave = (): void => void navigate('/incidents');
  useKeys({
    Escape: leave,
    ...(acts.mayWrite ? { a: acts.own, e: () => acts.ask('close'), n: () => note.current?.focus() } : {}),
  });
  const error = found.error ?? chain.error;
  if (!one || !chain.data) return error ? <ProblemLine error={error} /> : <Skeleton rows={10} />;
  const alerts = chain.data.alerts;
  const entries: readonly Entry[] = [
    ...alerts.map(
      (part): Entry => ({
        key: part.id,
        at: part.first,
        by: 'machine',
        mark: <SeverityMark level={part.level as Level} bare />,
        body: (
          <>
            <Link className="plain medium" to={`/alerts/${part.id}`}>
              {shown(part.title)}
            </Link>{' '}
            <span className="small third">
              about <span className="mono">{shown(part.entityName)}</span>,{' '}
              {part.more > 0 ? `${countText(part.lines.length)} of ${plural(part.count, 'line')}` : plural(part.count, 'line')}
            </span>{' '}
            {acts.mayWrite && alerts.length > 1 ? (
              <button type="button" className="evidence take-out" onClick={() => acts.takeOut(part.id)}>
                take out
              </button>
            ) : null}
            <EvidenceLines lines={part.lines} few={LINES} />
          </>
        ),
      }),
    ),
    ...(one.declared === undefined
      ? []
      : [
          {
            key: 'declared',
            at: one.declared.at,
            by: 'person',
            body: (
              <>
                <span className="small third">{nameOf(one.declared.by)} declared it</span>
                <p className="said">{shown(one.declared.reason)}</p>
              </>
            ),
          } as const,
        ]),
    ...(one.moves ?? []).map(
      (move, i): Entry => ({
        key: `move ${i}`,
        at: move.at,
        by: 'person',
        body: (
          <span className="second">
            {nameOf(move.by)} marked it {move.to}
          </span>
        ),
      }),
    ),
    ...said,
  ];
  return (
    <>
      <CaseHead reference={one.reference} level={one.severity} state={one.state} title={one.title} voice="person">
        {one.mergedInto === undefined ? null : (
          <p>
            It went into <Link to={`/incidents/${one.mergedInto}`}>another incident</Link>.
          </p>
        )}
        {one.verdict === undefined ? null : (
          <p className="serif title">
            {verdictText(one.verdict)}
            {one.reason === undefined ? '' : `: ${shown(one.reason)}`}
          </p>
        )}
        {acts.buttons}
      </CaseHead>
      <Clocks clocks={clocksOf(one)} />
      <div className="split">
        <div className="stack">
          <Section
            title="Evidence and people"
            coverage={`${plural(alerts.length, 'alert')}, ${plural(entries.length - alerts.length, 'step or note', 'steps and notes')}`}
          >
            <Timeline entries={entries} />
            {acts.mayWrite ? <NoteForm what="incident" id={one.id} input={note} /> : null}
          </Section>
        </div>
        <div className="stack">
          <Section title="Why these stand together">
            <ul className="whys">
              {one.why.map((text) => (
                <li key={text}>{shown(begun(text))}</li>
              ))}
            </ul>
          </Section>
          <Section title="Facts">
            <dl className="pairs">
              <dt>Owner</dt>
              <dd>{one.owner === undefined ? <span className="third">nobody yet</span> : nameOf(one.owner)}</dd>
              <dt>Alerts</dt>
              <dd>{countText(one.alerts.length)}</dd>
              {one.techniques.length === 0 ? null : (
                <>
                  <dt>ATT&CK</dt>
                  <dd className="mono">{[...one.tactics, ...one.techniques].join(' ')}</dd>
                </>
              )}
              <dt>About</dt>
              <dd className="mono">
                <EntityLinks entities={one.entities} />
              </dd>
            </dl>
          </Section>
        </div>
      </div>
      {acts.dialog}
    </>
  );
};

/** When each state was reached last. */
const clocksOf = (one: IncidentItem): readonly Clock[] => {
  const reached = (to: string): string | undefined => one.moves?.findLast((move) => move.to === to)?.at;
  const noted = one.moves?.[0]?.at;
  return [
    { name: 'First sign', at: one.first },
    { name: 'Detected', at: one.detected, since: one.first },
    { name: 'Noted', at: noted, since: one.detected },
    { name: 'Contained', at: reached('contained'), since: one.detected },
    { name: 'Eradicated', at: reached('eradicated'), since: one.detected },
    { name: 'Recovered', at: reached('recovered'), since: one.detected },
    {
      name: one.state === 'dismissed' ? 'Dismissed' : 'Closed',
      at: reached(one.state === 'dismissed' ? 'dismissed' : 'closed'),
      since: one.detected,
    },
  ];
};
