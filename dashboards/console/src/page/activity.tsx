// SPDX-License-Identifier: Apache-2.0
/**
 * The activity log: who did what to what, when and from where, as the chained audit trail has it; refused acts too.
 * Input: a filter from the address. Output: rows, newest first, read on as far as they go.
 */
import { useInfiniteQuery } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { useSearchParams } from 'react-router';
import { type AuditItem, audit } from '../api/system.ts';
import { type Mark, StateMark } from '../part/marks.tsx';
import { ProblemLine, Sentence } from '../part/problem.tsx';
import { Empty, Section, Skeleton } from '../part/section.tsx';
import { shown } from '../part/shown.ts';
import { Time } from '../part/time.tsx';
import { countText } from '../part/words.ts';
import '../look/ground.css';

const PHASES: Readonly<Record<AuditItem['phase'], { readonly mark: Mark; readonly text: string }>> = {
  done: { mark: 'good', text: 'done' },
  refused: { mark: 'bad', text: 'refused' },
  failed: { mark: 'warn', text: 'failed' },
  intent: { mark: 'unknown', text: 'begun, no outcome' },
};

const detailsOf = ({ details }: AuditItem): string =>
  Object.entries(details ?? {})
    .map(([name, value]) => `${name} ${typeof value === 'string' ? value : JSON.stringify(value)}`)
    .join(', ');

export const ActivityPage = (): ReactNode => {
  const [params, setParams] = useSearchParams();
  const filter = params.get('q') ?? '';
  const found = useInfiniteQuery({
    queryKey: ['audit'],
    queryFn: ({ pageParam }) => audit(pageParam),
    initialPageParam: null as number | null,
    getNextPageParam: (page) => page.next,
    refetchInterval: false,
  });
  const read = found.data?.pages.flatMap(({ items }) => items) ?? [];
  // An intent whose outcome follows says nothing of its own.
  const ended = new Set(read.flatMap(({ intent }) => (intent === undefined ? [] : [intent])));
  const begun = new Map(read.map((one) => [one.seq, one]));
  /** With what its intent said. */
  const whole = (one: AuditItem): AuditItem => {
    const before = one.intent === undefined ? undefined : begun.get(one.intent);
    return before ? { ...before, ...one, details: { ...before.details, ...one.details } } : one;
  };
  const items = read
    .filter(({ phase, seq }) => phase !== 'intent' || !ended.has(seq))
    .map(whole)
    .filter((one) =>
      `${one.actor.name} ${one.act} ${one.on} ${one.phase} ${one.from ?? ''} ${detailsOf(one)}`
        .toLowerCase()
        .includes(filter.toLowerCase()),
    );
  return (
    <Section
      title="What was done"
      note={<Sentence text="chained: `vigil verify` shows that nothing was taken out" />}
      coverage={found.data ? `${countText(items.length)} of ${countText(read.length)} entries read` : 'reading'}
    >
      <p className="asking">
        <label className="hidden-visually" htmlFor="audit-filter">
          Only entries that hold
        </label>
        <input
          id="audit-filter"
          className="ctl find"
          placeholder="person, act, object, refused"
          value={filter}
          onChange={({ currentTarget }) => setParams(currentTarget.value === '' ? {} : { q: currentTarget.value }, { replace: true })}
        />
        <button type="button" className="ctl" onClick={() => void found.refetch()}>
          Read anew
        </button>
      </p>
      <ProblemLine error={found.error} />
      {found.isPending ? (
        <Skeleton rows={10} />
      ) : items.length === 0 ? (
        <Empty>{filter === '' ? 'Nothing yet.' : `No entry read so far holds “${shown(filter)}”.`}</Empty>
      ) : (
        <table className="rows">
          <thead>
            <tr>
              <th scope="col" className="right">
                No.
              </th>
              <th scope="col">When</th>
              <th scope="col">Who</th>
              <th scope="col">Act</th>
              <th scope="col" className="wide">
                On
              </th>
              <th scope="col">Outcome</th>
              <th scope="col" className="wide">
                From
              </th>
            </tr>
          </thead>
          <tbody>
            {items.map((one) => (
              <tr key={one.seq}>
                <td className="right mono third">{one.seq}</td>
                <td>
                  <Time at={one.at} />
                </td>
                <td>
                  {shown(one.actor.name)} <span className="small third">{one.actor.kind === 'user' ? '' : one.actor.kind}</span>
                </td>
                <td>
                  <span className="mono">{one.act}</span>
                  <div className="small third">{shown(detailsOf(one))}</div>
                </td>
                <td className="mono wide">{shown(one.on)}</td>
                <td>
                  <span className="nowrap">
                    <StateMark state={PHASES[one.phase].mark} label={PHASES[one.phase].text} /> {PHASES[one.phase].text}
                  </span>
                </td>
                <td className="mono wide third">{shown(one.from ?? '')}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      {found.hasNextPage ? (
        <p className="more">
          <button type="button" className="ctl" disabled={found.isFetchingNextPage} onClick={() => void found.fetchNextPage()}>
            Read earlier entries
          </button>
        </p>
      ) : null}
    </Section>
  );
};
