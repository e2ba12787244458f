// SPDX-License-Identifier: Apache-2.0
/**
 * What is measured on a host: answers of checks with their fix, sources, people who can sign in, files that changed, packages.
 * Input: the host. Output: sections, each with its coverage; what no agent reads is said so.
 */
import { useQuery } from '@tanstack/react-query';
import { type ReactNode, useState } from 'react';
import { Link } from 'react-router';
import type { Status } from '../api/calls.ts';
import { access, checks, factItems, type HostFacts, type Observation, observations } from '../api/ground.ts';
import { useClock } from './clock.ts';
import { type Mark, StateMark } from './marks.tsx';
import { ProblemLine, Sentence } from './problem.tsx';
import { Blind, Empty, Section, ShareBar, Skeleton } from './section.tsx';
import { shown } from './shown.ts';
import { Time } from './time.tsx';
import { bytesText, countText, plural, spanText } from './words.ts';

const RESULT: Readonly<Record<Observation['result'], Mark>> = {
  pass: 'good',
  fail: 'bad',
  error: 'unknown',
  unknown: 'unknown',
  'not-applicable': 'unknown',
};
const FEW = 8;

/** The search of one event, wherever in time it lies. */
const eventSearch = (event: string, at: string): string =>
  `/search?${new URLSearchParams({ q: `event.id: "${event}"`, from: 'now-365d', to: 'now', event, at })}`;

export const CheckSection = ({ host }: { readonly host: string }): ReactNode => {
  const found = useQuery({ queryKey: ['observations', host], queryFn: () => observations({ host, limit: 1000 }) });
  const known = useQuery({ queryKey: ['checks'], queryFn: checks, staleTime: 300_000 });
  const [all, setAll] = useState(false);
  if (!found.data || known.isPending) return found.error ? <ProblemLine error={found.error} /> : <Skeleton rows={6} />;
  const titles = new Map(known.data?.items.map((one) => [one.id, one]));
  const items = found.data.items.filter(({ result }) => result !== 'not-applicable');
  const excepted = items.filter(({ waiver, result }) => result === 'fail' && waiver !== undefined);
  const failed = items.filter((one) => one.result === 'fail' && one.waiver === undefined);
  const passed = items.filter(({ result }) => result === 'pass');
  const rest = items.length - excepted.length - failed.length - passed.length;
  const listed = [...failed, ...excepted, ...items.filter(({ result }) => result === 'unknown' || result === 'error'), ...passed];
  return (
    <Section title="Checks" coverage={`${countText(items.length - rest)} of ${countText(items.length)} answered`}>
      {items.length === 0 ? (
        <Blind>Not known. No check was answered on this host; its agent reports them where posture.enabled is true.</Blind>
      ) : (
        <>
          <ShareBar
            parts={[
              { name: 'pass', count: passed.length, kind: 'good' },
              { name: 'fail', count: failed.length, kind: 'bad' },
              { name: 'not known or excepted', count: rest + excepted.length, kind: 'hatch' },
            ]}
          />
          <p className="levels">
            <span>{countText(passed.length)} pass</span> <span>{countText(failed.length)} fail</span>{' '}
            <span>{countText(excepted.length)} excepted</span> <span>{countText(rest)} not known</span>
          </p>
          <ul className="answers">
            {(all ? listed : listed.slice(0, FEW)).map((one) => (
              <li key={one.id}>
                <StateMark state={one.waiver && one.result === 'fail' ? 'except' : RESULT[one.result]} label={one.result} />
                <div>
                  {one.event === undefined ? (
                    shown(titles.get(one.check)?.title ?? one.check)
                  ) : (
                    <Link className="plain" to={eventSearch(one.event, one.last)}>
                      {shown(titles.get(one.check)?.title ?? one.check)}
                    </Link>
                  )}
                  {one.result === 'pass' ? null : (
                    <div className="small third">
                      {one.actual === '' ? null : (
                        <>
                          found <span className="mono">{shown(one.actual)}</span>,{' '}
                        </>
                      )}
                      wanted <span className="mono">{shown(one.expected)}</span>
                      {one.reason === undefined ? '' : `; ${shown(one.reason)}`}
                      {one.waiver ? (
                        <>
                          ; excepted to <Time at={one.waiver.until} />, <span className="serif">{shown(one.waiver.reason)}</span>
                        </>
                      ) : null}
                    </div>
                  )}
                  {one.result === 'fail' && one.waiver === undefined && titles.get(one.check)?.fix !== undefined ? (
                    <div className="small">
                      <b>Fix:</b> <Sentence text={titles.get(one.check)?.fix ?? ''} />
                    </div>
                  ) : null}
                </div>
              </li>
            ))}
          </ul>
          {!all && listed.length > FEW ? (
            <button type="button" className="evidence" onClick={() => setAll(true)}>
              all {countText(listed.length)}
            </button>
          ) : null}
        </>
      )}
    </Section>
  );
};

export const SourceSection = ({ streams, name }: { readonly streams: Status['streams']; readonly name: string }): ReactNode => (
  <Section title="Sources" coverage={plural(streams.length, 'source')}>
    {streams.length === 0 ? (
      <Blind>Not known. No source of {shown(name)} is read now.</Blind>
    ) : (
      <table className="rows">
        <thead>
          <tr>
            <th scope="col">Source</th>
            <th scope="col" className="right">
              Read to
            </th>
            <th scope="col" className="right">
              Records
            </th>
          </tr>
        </thead>
        <tbody>
          {streams.map((one) => (
            <tr key={one.stream}>
              <td>
                <Link
                  className="mono plain"
                  to={`/search?${new URLSearchParams({ q: `host.name: "${name}" and event.dataset: "${one.dataset}"` })}`}
                >
                  {shown(one.stream.replace(/^file:/, ''))}
                </Link>
                <div className="small third">{one.dataset}</div>
              </td>
              <td className="right">
                {one.readUpTo === null ? <span className="third">nothing yet</span> : <Time at={one.readUpTo} />}
                {one.behindBytes > 0 ? <div className="small third">{bytesText(one.behindBytes)} behind</div> : null}
              </td>
              <td className="right">{countText(one.seq)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    )}
  </Section>
);

export const AccessSection = ({ host }: { readonly host: string }): ReactNode => {
  const found = useQuery({ queryKey: ['facts', host, 'access'], queryFn: () => access(host), retry: false });
  const items = found.data?.items ?? [];
  return (
    <Section title="People who can sign in" coverage={found.data ? plural(items.length, 'account') : 'not known'}>
      {items.length === 0 ? (
        <Blind>Not known. No inventory of accounts came from this host.</Blind>
      ) : (
        <ul className="answers">
          {items.map((one) => (
            <li key={one.user}>
              <div>
                <Link
                  className="mono plain"
                  to={`/search?${new URLSearchParams({ q: `user.name: "${one.user}"`, from: 'now-30d', to: 'now' })}`}
                >
                  {shown(one.user)}
                </Link>{' '}
                {one.admin ? <span className="chip">admin, {shown(one.through.join(', '))}</span> : null}
                <div className="small third">
                  {[one.password ? 'password' : null, one.keys.length > 0 ? plural(one.keys.length, 'key') : null]
                    .filter(Boolean)
                    .join(', ') || 'no way in known'}
                  ;{' '}
                  {one.lastLogin === null ? (
                    'never signed in'
                  ) : (
                    <>
                      last <Time at={one.lastLogin} />
                    </>
                  )}
                </div>
              </div>
            </li>
          ))}
        </ul>
      )}
    </Section>
  );
};

export const FileSection = ({ host }: { readonly host: string }): ReactNode => {
  const since = useClock()() - 7 * 86_400_000;
  const found = useQuery({
    queryKey: ['facts', host, 'files'],
    queryFn: () => factItems(host, { kind: 'file', limit: 1000 }),
    retry: false,
  });
  const items = found.data?.items ?? [];
  const changed = items
    .filter((one) => Date.parse(one.changed) > since && (one.lives.length > 0 || one.removed !== null))
    .sort((a, b) => (a.changed < b.changed ? 1 : -1));
  return (
    <Section title="Files that changed in 7 days" coverage={found.data ? `${countText(found.data.total)} watched` : 'not known'}>
      {items.length === 0 ? (
        <Blind>Not known. No file of this host is watched; its agent does where fim.enabled is true.</Blind>
      ) : changed.length === 0 ? (
        <Empty>None of them changed.</Empty>
      ) : (
        <ul className="answers">
          {changed.slice(0, FEW).map((one) => (
            <li key={one.item}>
              <div>
                <Link className="mono plain" to={eventSearch(one.event, one.changed)}>
                  {shown(one.item)}
                </Link>
                <div className="small third">
                  <Time at={one.changed} />
                </div>
              </div>
            </li>
          ))}
        </ul>
      )}
    </Section>
  );
};

export const PackageSection = ({ host, kinds }: { readonly host: string; readonly kinds: HostFacts['kinds'] }): ReactNode => {
  const now = useClock();
  const [filter, setFilter] = useState('');
  const found = useQuery({
    queryKey: ['facts', host, 'packages'],
    queryFn: () => factItems(host, { kind: 'package', limit: 1000 }),
    retry: false,
  });
  const items = (found.data?.items ?? []).filter(({ item }) => item.includes(filter.trim()));
  const total = found.data?.total ?? 0;
  const [newest] = kinds.flatMap(({ scanned }) => (scanned === null ? [] : [Date.parse(scanned)])).sort((a, b) => b - a);
  return (
    <Section title="Packages" coverage={total > 0 ? `${countText(total)} installed` : 'not known'}>
      {total === 0 ? (
        <Blind>Not known. No inventory of packages came from this host.</Blind>
      ) : (
        <>
          <label className="hidden-visually" htmlFor="package-filter">
            Only packages whose name holds
          </label>
          <input
            id="package-filter"
            className="ctl find"
            placeholder="name of a package"
            value={filter}
            onChange={({ currentTarget }) => setFilter(currentTarget.value)}
          />
          <table className="rows">
            <tbody>
              {items.slice(0, FEW).map((one) => (
                <tr key={one.item}>
                  <td className="mono">{shown(one.item)}</td>
                  <td className="mono right">{shown(String(one.fields['version'] ?? ''))}</td>
                </tr>
              ))}
            </tbody>
          </table>
          {items.length > FEW ? <p className="small third">and {countText(items.length - FEW)} more</p> : null}
          <p className="small third">
            {kinds
              .filter(({ kind, count }) => count > 0 && kind !== 'package')
              .map(({ kind, count }) => `${countText(count)} ${kind.replace('-', ' ')}`)
              .join(', ')}
            {newest === undefined ? '' : `; read ${spanText(Math.max(0, now() - newest))} ago`}
          </p>
        </>
      )}
    </Section>
  );
};
