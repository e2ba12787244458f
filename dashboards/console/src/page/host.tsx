// SPDX-License-Identifier: Apache-2.0
/**
 * One host: both scores with their shares, its checks with their fixes, sources, packages, people and files, and what was decided about it.
 * Input: an id or name from the address. Output: a page; what is not measured is hatched, with the reason.
 */
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { type ReactNode, useState } from 'react';
import { Link, useParams } from 'react-router';
import { type Me, status } from '../api/calls.ts';
import { decideHost, host, hostFacts, observations, score, scoreHistory, setCriticality } from '../api/ground.ts';
import { retireAgent } from '../api/system.ts';
import { ReasonDialog } from '../part/act-dialogs.tsx';
import { useClock } from '../part/clock.ts';
import { AccessSection, CheckSection, FileSection, PackageSection, SourceSection } from '../part/host-sections.tsx';
import { StateMark } from '../part/marks.tsx';
import { ProblemLine } from '../part/problem.tsx';
import { ScoreSection } from '../part/score-section.tsx';
import { Blind, Section, Skeleton } from '../part/section.tsx';
import { shown } from '../part/shown.ts';
import { Time } from '../part/time.tsx';
import { useToast } from '../part/toast.tsx';
import { ageText, capital, plural } from '../part/words.ts';
import '../look/ground.css';

const WINDOW = 21 * 86_400_000;

type Asked = { readonly what: 'retire' } | { readonly what: 'criticality'; readonly to: 'low' | 'normal' | 'high' | 'critical' };

export const HostPage = ({ who }: { readonly who: Me }): ReactNode => {
  const { id = '' } = useParams();
  const client = useQueryClient();
  const toast = useToast();
  const found = useQuery({ queryKey: ['hosts', id], queryFn: () => host(id), refetchInterval: 15_000 });
  const one = found.data;
  const asset = one?.id ?? null;
  const entity = `host:${asset}`;
  const scored = useQuery({ queryKey: ['scores', entity], queryFn: () => score(entity), enabled: asset !== null, retry: false });
  const clock = useClock();
  const now = Math.floor(clock() / 60_000) * 60_000;
  const history = useQuery({
    queryKey: ['scores', entity, 'history'],
    queryFn: () => scoreHistory(entity, new Date(now - WINDOW).toISOString()),
    enabled: asset !== null,
    retry: false,
  });
  const facts = useQuery({ queryKey: ['facts', asset], queryFn: () => hostFacts(asset ?? ''), enabled: asset !== null, retry: false });
  const observed = useQuery({
    queryKey: ['observations', asset],
    queryFn: () => observations({ host: asset ?? '', limit: 1000 }),
    enabled: asset !== null,
  });
  const answers = observed.data?.items.length;
  const self = useQuery({ queryKey: ['status'], queryFn: status });
  const [asked, setAsked] = useState<Asked | null>(null);
  const mayWrite = who.permissions.includes('fleet.write');
  if (!one) return found.error ? <ProblemLine error={found.error} /> : <Skeleton rows={12} />;
  const renew = (): void => void client.invalidateQueries({ queryKey: ['hosts'] });
  const streams = (self.data?.streams ?? []).filter((stream) => stream.host === one.name);
  const counted = facts.data?.kinds ?? [];
  return (
    <>
      <div className="marks">
        <h2 className="host-name">{shown(one.name)}</h2>
        <span className="chip">
          <StateMark state={one.standing === 'reporting' ? 'good' : one.standing === 'silent' ? 'bad' : 'unknown'} label={one.standing} />
          &ensp;{capital(one.standing.replace('-', ' '))}
          {one.lastSeen === null ? '' : `, heard ${ageText(clock() - Date.parse(one.lastSeen))} ago`}
        </span>
        <span className="chip">Matters: {one.criticality}</span>
        {facts.data?.os ? <span className="chip">{shown(String(facts.data.os.fields['name'] ?? facts.data.os.item))}</span> : null}
        <span className="grow" />
        <span className="buttons">
          <Link className="ctl" to={`/search?${new URLSearchParams({ q: `host.name: "${one.name}"` })}`}>
            Search its events
          </Link>
          {mayWrite ? (
            <>
              <select
                className="ctl"
                aria-label="How much it matters"
                value={one.criticality}
                onChange={({ currentTarget }) =>
                  setAsked({ what: 'criticality', to: currentTarget.value as 'low' | 'normal' | 'high' | 'critical' })
                }
              >
                {['low', 'normal', 'high', 'critical'].map((word) => (
                  <option key={word} value={word}>
                    {capital(word)}
                  </option>
                ))}
              </select>
              {one.standing === 'retired' ? null : (
                <button type="button" className="ctl" onClick={() => setAsked({ what: 'retire' })}>
                  Retire…
                </button>
              )}
            </>
          ) : null}
        </span>
      </div>
      <p className="second">
        Group {shown(one.group)}; known by {shown(one.origin)}
        {one.since === null ? (
          ''
        ) : (
          <>
            {' '}
            since <Time at={one.since} />
          </>
        )}
        .{' '}
        {one.decisions.map((decision) => (
          <span key={decision.at} className="serif">
            “{shown(decision.reason)}” {decision.kind.replace('-', ' ')}, <Time at={decision.at} />.{' '}
          </span>
        ))}
      </p>
      {scored.data ? (
        <div className="two">
          <ScoreSection
            side="threat"
            score={scored.data}
            history={history.data}
            from={now - WINDOW}
            to={now}
            coverage={`weights ${scored.data.weights}`}
          />
          <ScoreSection
            side="exposure"
            score={scored.data}
            history={history.data}
            from={now - WINDOW}
            to={now}
            coverage={answers === undefined ? 'reading' : `${plural(answers, 'answer')} behind it`}
          />
          <p className="second">
            {scored.data.how.map((text) => `${capital(text)}${/[.]$/.test(text) ? '' : '.'}`).join(' ')}{' '}
            {scored.data.lowers.length > 0 ? <b>What lowers it: </b> : null}
            {scored.data.lowers.map((text) => text.replace(/[.]$/, '')).join('; ')}
            {scored.data.lowers.length > 0 ? '.' : ''}
          </p>
        </div>
      ) : (
        <div className="two">
          <Section title="Threat and exposure" coverage="not known">
            <Blind>Not known. Nothing was heard of this host that a score could rest on.</Blind>
          </Section>
        </div>
      )}
      {asset === null ? null : (
        <div className="three">
          <CheckSection host={asset} />
          <SourceSection streams={streams} name={one.name} />
          <AccessSection host={asset} />
          <FileSection host={asset} />
          <PackageSection host={asset} kinds={counted} />
        </div>
      )}
      {asked?.what === 'retire' ? (
        <ReasonDialog
          name={one.name}
          onLeave={() => setAsked(null)}
          title={`Retire ${one.name}`}
          act="Retire it"
          onReason={async (reason) => {
            // An agent that is let in would bring its host back: both go, and nobody takes that back but by enrolling again.
            for (const agent of one.agents) await retireAgent(agent, reason);
            if (one.agents.length > 0) {
              toast({ text: `${one.name} and its agent are retired.` });
              renew();
              return;
            }
            await decideHost(one.id ?? one.name, { kind: 'retired', reason });
            toast({
              text: `${one.name} is retired.`,
              undo: () => decideHost(one.id ?? one.name, { kind: 'expected', reason: 'Undone' }).then(renew),
            });
            renew();
          }}
        >
          <p className="second">
            {one.agents.length > 0 ? 'Its agent is no longer let in. ' : ''}It is no longer expected, its silence raises nothing, and its{' '}
            {plural(streams.length, 'source')} and {plural(answers ?? 0, 'answer')} no longer count for controls. What came so far stays.
          </p>
        </ReasonDialog>
      ) : null}
      {asked?.what === 'criticality' ? (
        <ReasonDialog
          name={one.name}
          onLeave={() => setAsked(null)}
          title={`${one.name} matters: ${asked.to}`}
          act={`Set to ${asked.to}`}
          onReason={async (reason) => {
            await setCriticality(one.id ?? one.name, { criticality: asked.to, reason });
            toast({
              text: `${one.name} matters: ${asked.to}. Its scores follow.`,
              undo: () => setCriticality(one.id ?? one.name, { criticality: one.criticality, reason: 'Undone' }).then(renew),
            });
            renew();
          }}
        />
      ) : null}
    </>
  );
};
