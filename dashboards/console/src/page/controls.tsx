// SPDX-License-Identifier: Apache-2.0
/**
 * Controls: how much can be measured, how much of that is satisfied, one square a control, and beside them how each is known.
 * Input: catalogue, category and control from the address. Output: a page that ends in the line an answer was read from.
 */
import { useQuery } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { useSearchParams } from 'react-router';
import { type ControlItem, controls } from '../api/ground.ts';
import { ControlAside } from '../part/control-aside.tsx';
import { percent, STANDING, type Standing, standingOf } from '../part/control-states.ts';
import { ProblemLine } from '../part/problem.tsx';
import { Section, ShareBar, Skeleton } from '../part/section.tsx';
import { shown } from '../part/shown.ts';
import { Time } from '../part/time.tsx';
import { countText, plural } from '../part/words.ts';
import '../look/ground.css';

const CATALOGUE = 'csf:2.0';
const WEEK = 7 * 86_400_000;

const countOf = (items: readonly ControlItem[], standing: Standing): number => items.filter((one) => standingOf(one) === standing).length;

export const ControlsPage = (): ReactNode => {
  const [params, setParams] = useSearchParams();
  const found = useQuery({ queryKey: ['controls', CATALOGUE], queryFn: () => controls(CATALOGUE), refetchInterval: 60_000 });
  if (!found.data) return found.error ? <ProblemLine error={found.error} /> : <Skeleton rows={12} />;
  const { items, at } = found.data;
  const leaves = items.filter(({ kind }) => kind === 'subcategory');
  const measured = leaves.filter((one) => one.measured);
  const satisfied = countOf(leaves, 'satisfied');
  const failing = countOf(leaves, 'not-satisfied');
  const answered = satisfied + failing;
  const changed = leaves.filter(({ since }) => since !== null && Date.parse(at) - Date.parse(since) < WEEK);
  const chosen = params.get('control');
  const firstBad = leaves.find((one) => standingOf(one) === 'not-satisfied') ?? measured[0] ?? leaves[0];
  const openCategory = params.get('category') ?? leaves.find(({ id }) => id === chosen)?.parent ?? firstBad?.parent ?? null;
  const category = items.find(({ id, ref }) => id === openCategory || ref === openCategory);
  const childrenOf = (parent: ControlItem): readonly ControlItem[] =>
    items.filter((one) => one.parent === parent.id || one.parent === parent.ref);
  const open = (next: Readonly<Record<string, string>>): void => setParams(next, { replace: true });
  return (
    <div className="with-column">
      <div>
        <h2 className="lead">
          {answered === 0 ? (
            <b>No control is answered yet.</b>
          ) : (
            <>
              <b>{percent(satisfied, answered)} of what is answered is satisfied</b>, and checks of Vigil measure{' '}
              {percent(measured.length, leaves.length)} of the controls.
            </>
          )}{' '}
          {changed.length === 0 ? 'Nothing turned within a week.' : `${plural(changed.length, 'control')} turned within a week.`}
        </h2>
        <div className="figures">
          <p>
            <b>{countText(satisfied)}</b> of {countText(answered)} answered
            <span className="small third block">satisfied, {percent(satisfied, answered)}</span>
          </p>
          <p>
            <b>{countText(measured.length)}</b> of {countText(leaves.length)}
            <span className="small third block">measured, {percent(measured.length, leaves.length)}</span>
          </p>
          <p>
            <b>{countText(changed.length)}</b> turned
            <span className="small third block">in seven days</span>
          </p>
          <ul className="key">
            {(['satisfied', 'not-satisfied', 'unknown', 'not-measured'] as const).map((standing) => (
              <li key={standing}>
                <Square standing={standing} /> {countText(countOf(leaves, standing))} {STANDING[standing].text.toLowerCase()}
              </li>
            ))}
          </ul>
        </div>
        <Section
          title="NIST Cybersecurity Framework 2.0"
          coverage={
            <>
              as of <Time at={at} />
            </>
          }
        >
          {items
            .filter(({ kind }) => kind === 'function')
            .map((part) => {
              const under = childrenOf(part).flatMap((one) => (one.kind === 'category' ? childrenOf(one) : [one]));
              const good = countOf(under, 'satisfied');
              const bad = countOf(under, 'not-satisfied');
              return (
                <div key={part.id} className="function">
                  <div>
                    <h3>
                      <span className="mono third">{part.id}</span> {shown(part.title)}
                    </h3>
                    <p>
                      <span className="figure">{percent(good, good + bad)}</span>{' '}
                      <span className="small third">
                        {countText(good)} of {countText(good + bad)} answered
                      </span>
                    </p>
                    <ShareBar
                      parts={[
                        { name: 'satisfied', count: good, kind: 'good' },
                        { name: 'not satisfied', count: bad, kind: 'bad' },
                        { name: 'not known', count: under.length - good - bad, kind: 'hatch' },
                      ]}
                    />
                    <span className="small third">
                      {countText(under.filter((one) => one.measured).length)} of {countText(under.length)} measured
                    </span>
                  </div>
                  <div className="categories">
                    {childrenOf(part).map((one) => (
                      <button
                        key={one.id}
                        type="button"
                        className={one === category ? 'category open' : 'category'}
                        aria-pressed={one === category}
                        onClick={() => open({ category: one.id })}
                      >
                        <span>
                          <span className="mono">{one.id.split('.').pop()}</span> {shown(one.title)}
                        </span>
                        <span className="squares">
                          {childrenOf(one).map((leaf) => (
                            <Square key={leaf.id} standing={standingOf(leaf)} title={`${leaf.id}: ${STANDING[standingOf(leaf)].text}`} />
                          ))}
                        </span>
                      </button>
                    ))}
                  </div>
                </div>
              );
            })}
        </Section>
        {changed.length === 0 ? null : (
          <Section title="Turned within a week" coverage={`${countText(changed.length)} of ${countText(leaves.length)}`}>
            <table className="rows">
              <tbody>
                {changed.map((one) => (
                  <tr key={one.id}>
                    <td className="mono nowrap">{one.id}</td>
                    <td>
                      <button type="button" className="evidence" onClick={() => open({ category: one.parent ?? '', control: one.id })}>
                        {STANDING[standingOf(one)].text}
                      </button>{' '}
                      {shown(one.title === '' ? one.statement : one.title)}
                    </td>
                    <td className="right">{one.since === null ? null : <Time at={one.since} />}</td>
                  </tr>
                ))}
              </tbody>
            </table>
          </Section>
        )}
      </div>
      {category ? (
        <ControlAside
          category={category}
          items={childrenOf(category)}
          chosen={chosen}
          onChoose={(id) => open({ category: category.id, ...(id === chosen ? {} : { control: id }) })}
        />
      ) : null}
    </div>
  );
};

const Square = ({ standing, title }: { readonly standing: Standing; readonly title?: string }): ReactNode => (
  <i className={`cell ${standing}${standing === 'unknown' || standing === 'not-measured' ? ' hatch' : ''}`} title={title}>
    {title === undefined ? null : <span className="hidden-visually">{title}</span>}
  </i>
);
