// SPDX-License-Identifier: Apache-2.0
/**
 * One alert: what it says, why, the raw lines it rests on, what people did and said, and what can be done now.
 * Input: an id from the address. Output: a page that ends in lines as they were found.
 */
import { useQuery } from '@tanstack/react-query';
import { type ReactNode, useRef } from 'react';
import { Link, useNavigate, useParams } from 'react-router';
import { alert, explainAlert, type Me } from '../api/calls.ts';
import { useAlertActs } from '../part/alert-acts.tsx';
import { AlertButtons } from '../part/alert-buttons.tsx';
import { CaseHead } from '../part/case-head.tsx';
import { Clocks } from '../part/clocks.tsx';
import { NoteForm, useComments } from '../part/comments.tsx';
import { EntityLinks } from '../part/entity-links.tsx';
import { EvidenceLines } from '../part/evidence-lines.tsx';
import { useKeys } from '../part/keys.ts';
import { usePeople } from '../part/people.ts';
import { ProblemLine } from '../part/problem.tsx';
import { Section, Skeleton } from '../part/section.tsx';
import { shown } from '../part/shown.ts';
import { type Entry, Timeline } from '../part/timeline.tsx';
import { verdictText } from '../part/verdicts.ts';
import { begun, countText, plural } from '../part/words.ts';
import '../look/triage.css';

const REFRESH = { refetchInterval: 15_000 };

export const AlertPage = ({ who }: { readonly who: Me }): ReactNode => {
  const { id = '' } = useParams();
  const navigate = useNavigate();
  const found = useQuery({ queryKey: ['alert', id], queryFn: () => alert(id), ...REFRESH });
  const chain = useQuery({ queryKey: ['alert', id, 'chain'], queryFn: () => explainAlert(id), ...REFRESH });
  const said = useComments('alert', id);
  const acts = useAlertActs(who);
  const { nameOf } = usePeople();
  const note = useRef<HTMLTextAreaElement>(null);
  const one = found.data;
  const list = one ? [one] : [];
  const leave = (): void => void navigate('/alerts');
  useKeys({
    Escape: leave,
    ...(acts.mayWrite
      ? {
          a: () => acts.assignToMe(list),
          e: () =>
            acts.ask(
              'close',
              list.filter(({ state }) => state !== 'closed'),
            ),
          n: () => note.current?.focus(),
        }
      : {}),
    ...(acts.mayDeclare ? { i: () => acts.ask('join', list) } : {}),
  });
  const error = found.error ?? chain.error;
  if (!one || !chain.data) return error ? <ProblemLine error={error} /> : <Skeleton rows={10} />;
  const [links] = chain.data.alerts;
  const entries: readonly Entry[] = [
    { key: 'first', at: one.first, by: 'machine', body: 'First sign' },
    { key: 'detected', at: one.detected, by: 'machine', body: `Known to the collector: ${plural(one.count, 'line')} by now` },
    ...(one.moves ?? []).map(
      (move): Entry => ({
        key: `${move.at} ${move.to}`,
        at: move.at,
        by: 'person',
        body: (
          <>
            <span className="small third">
              {nameOf(move.by)} {move.to === 'acknowledged' ? 'took note' : move.to === 'closed' ? 'closed it' : 'opened it again'}
            </span>
            {move.verdict === undefined && move.reason === undefined ? null : (
              <p className="said">
                {shown([move.verdict ? verdictText(move.verdict) : null, move.reason].filter((text) => text != null).join(': '))}
              </p>
            )}
          </>
        ),
      }),
    ),
    ...said,
  ];
  return (
    <>
      <CaseHead reference={one.entityName} level={one.level} state={one.state} title={one.title} voice="machine">
        {one.verdict === undefined ? null : (
          <p className="serif title">
            {verdictText(one.verdict)}
            {one.reason === undefined ? '' : `: ${shown(one.reason)}`}
          </p>
        )}
        <AlertButtons list={[one]} acts={acts} />
      </CaseHead>
      <Clocks
        clocks={[
          { name: 'First sign', at: one.first },
          { name: 'Detected', at: one.detected, since: one.first },
          { name: 'Noted', at: one.acknowledgedAt, since: one.detected },
          { name: 'Closed', at: one.closedAt, since: one.detected },
        ]}
      />
      <div className="split">
        <div className="stack">
          {links ? (
            <Section
              title="Lines it rests on"
              coverage={links.more > 0 ? `${countText(links.lines.length)} of ${plural(links.count, 'line')}` : plural(links.count, 'line')}
            >
              <EvidenceLines lines={links.lines} few={50} />
            </Section>
          ) : null}
          <Section title="What happened and what people did" coverage={plural(entries.length, 'entry', 'entries')}>
            <Timeline entries={entries} />
            {acts.mayWrite ? <NoteForm what="alert" id={one.id} input={note} /> : null}
          </Section>
        </div>
        <div className="stack">
          <Section title="Why">
            <ul className="whys">
              {one.why.map((text) => (
                <li key={text}>{shown(begun(text))}</li>
              ))}
            </ul>
          </Section>
          <Section title="Facts">
            <dl className="pairs">
              <dt>Person</dt>
              <dd>{one.assignee === undefined ? <span className="third">nobody yet</span> : nameOf(one.assignee)}</dd>
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
