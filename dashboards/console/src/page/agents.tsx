// SPDX-License-Identifier: Apache-2.0
/**
 * Agents: what each runs, reads, costs and complains of; those held until a person decides; tokens that let new ones in.
 * Input: nothing. Output: rows and acts.
 */
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { type ReactNode, useState } from 'react';
import { Link } from 'react-router';
import { type Me, status } from '../api/calls.ts';
import { type AgentItem, agents, retireAgent, revokeAgent } from '../api/system.ts';
import { ReasonDialog } from '../part/act-dialogs.tsx';
import { useClock } from '../part/clock.ts';
import { EnrolSection } from '../part/enrol-section.tsx';
import { HeldSection } from '../part/held-section.tsx';
import { StateMark } from '../part/marks.tsx';
import { ProblemLine } from '../part/problem.tsx';
import { Empty, Section, Skeleton } from '../part/section.tsx';
import { shown } from '../part/shown.ts';
import { useToast } from '../part/toast.tsx';
import { ageText, bytesText, countText, plural, spanText } from '../part/words.ts';
import '../look/ground.css';

const isGone = ({ state }: AgentItem): boolean => state === 'retired' || state === 'revoked';

export const AgentsPage = ({ who }: { readonly who: Me }): ReactNode => {
  const now = useClock();
  const client = useQueryClient();
  const toast = useToast();
  const found = useQuery({ queryKey: ['agents'], queryFn: agents, refetchInterval: 10_000 });
  const self = useQuery({ queryKey: ['status'], queryFn: status });
  const [ending, setEnding] = useState<{ readonly agent: AgentItem; readonly as: 'retire' | 'revoke' } | null>(null);
  const mayWrite = who.permissions.includes('fleet.write');
  const items = found.data?.items ?? [];
  const living = items.filter((one) => !isGone(one));
  const held = items.filter(({ state }) => state === 'held');
  const version = self.data?.version;
  const outdated = living.filter((one) => version !== undefined && one.version !== version).length;
  const act = async (run: () => Promise<unknown>, done: string): Promise<void> => {
    try {
      await run();
      toast({ text: done });
    } catch (error) {
      toast({ text: error instanceof Error ? error.message : 'It was refused.', bad: true });
    }
    await client.invalidateQueries({ queryKey: ['agents'] });
  };
  if (!found.data) return found.error ? <ProblemLine error={found.error} /> : <Skeleton rows={8} />;
  return (
    <div className="stack">
      <HeldSection held={held} mayWrite={mayWrite} act={act} />
      <Section
        title={plural(living.length, 'agent')}
        note={outdated > 0 ? `${countText(outdated)} outdated` : undefined}
        coverage={`${countText(living.filter(({ silent }) => !silent).length)} of ${countText(living.length)} report`}
      >
        {living.length === 0 ? (
          <Empty>No agent yet. Make a token below and paste its line on a host.</Empty>
        ) : (
          <table className="rows">
            <thead>
              <tr>
                <th scope="col">Host</th>
                <th scope="col">Last heard</th>
                <th scope="col" className="wide">
                  Version
                </th>
                <th scope="col" className="right wide">
                  Sources
                </th>
                <th scope="col" className="right wide">
                  Lag
                </th>
                <th scope="col" className="right wide">
                  Spool
                </th>
                <th scope="col" className="right wide">
                  Memory
                </th>
                <th scope="col" className="right wide">
                  Clock
                </th>
                <th scope="col">
                  <span className="hidden-visually">Acts</span>
                </th>
              </tr>
            </thead>
            <tbody>
              {living.map((one) => (
                <tr key={one.id}>
                  <td>
                    <Link className="plain medium" to={`/hosts/${encodeURIComponent(one.asset)}`}>
                      {shown(one.host)}
                    </Link>{' '}
                    <span className="small third">{shown(one.group)}</span>
                    {one.conditions.map(({ code, about, hint }) => (
                      <div key={`${code} ${about}`} className="small">
                        <StateMark state="warn" label="Condition" /> <span className="mono">{code}</span> {shown(about)}{' '}
                        <span className="third">{shown(hint)}</span>
                      </div>
                    ))}
                  </td>
                  <td>
                    <span className="nowrap">
                      <StateMark state={one.silent ? 'unknown' : 'good'} label={one.silent ? 'Silent' : 'Reports'} />{' '}
                      {one.lastSeen === null ? 'never' : `${ageText(now() - Date.parse(one.lastSeen))} ago`}
                    </span>
                  </td>
                  <td className="wide mono">
                    {one.version}
                    {version !== undefined && one.version !== version ? <div className="small">now {version}</div> : null}
                  </td>
                  <td className="right wide">{countText(one.sources.length)}</td>
                  <td className="right wide">{one.lagMs === null ? <Unknown /> : spanText(one.lagMs)}</td>
                  <td className="right wide">{one.cost === null ? <Unknown /> : bytesText(one.cost.spoolBytes)}</td>
                  <td className="right wide">{one.cost === null ? <Unknown /> : bytesText(one.cost.rssBytes)}</td>
                  <td className="right wide">
                    {one.clockOffsetMs === null ? (
                      <Unknown />
                    ) : (
                      `${one.clockOffsetMs < 0 ? '−' : '+'}${spanText(Math.abs(one.clockOffsetMs))}`
                    )}
                  </td>
                  <td className="right">
                    {mayWrite ? (
                      <span className="acts">
                        <button type="button" className="evidence" onClick={() => setEnding({ agent: one, as: 'retire' })}>
                          retire
                        </button>
                        <button type="button" className="evidence" onClick={() => setEnding({ agent: one, as: 'revoke' })}>
                          revoke
                        </button>
                      </span>
                    ) : null}
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        )}
      </Section>
      <EnrolSection who={who} />
      {ending ? <EndDialog {...ending} act={act} onLeave={() => setEnding(null)} /> : null}
    </div>
  );
};

const Unknown = (): ReactNode => <i className="unknown-cell hatch short" title="Not measured" />;

/** The end of an agent: retired with its host, or shut out because its key is no longer its own. */
const EndDialog = ({
  agent,
  as,
  act,
  onLeave,
}: {
  readonly agent: AgentItem;
  readonly as: 'retire' | 'revoke';
  readonly act: (run: () => Promise<unknown>, done: string) => Promise<void>;
  readonly onLeave: () => void;
}): ReactNode =>
  as === 'retire' ? (
    <ReasonDialog
      name={agent.host}
      onLeave={onLeave}
      title={`Retire the agent of ${agent.host}`}
      act="Retire it"
      onReason={(reason) => act(() => retireAgent(agent.id, reason), `The agent of ${agent.host} is retired.`)}
    >
      <p className="second">
        It is no longer let in, and the host is no longer expected to report. The {plural(agent.sources.length, 'source')} it reads end
        here; what came so far stays.
      </p>
    </ReasonDialog>
  ) : (
    <ReasonDialog
      name={agent.host}
      onLeave={onLeave}
      title={`Revoke the key of ${agent.host}`}
      act="Revoke it"
      onReason={(reason) => act(() => revokeAgent(agent.id, reason), `The key of ${agent.host} is revoked.`)}
    >
      <p className="second">
        For a key that somebody else may hold. Nothing signed with it is let in from now on; the host stays expected, so it counts as silent
        until an agent is enrolled on it again.
      </p>
    </ReasonDialog>
  );
