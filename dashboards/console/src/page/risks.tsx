// SPDX-License-Identifier: Apache-2.0
/**
 * The register of risks: what a person judged, what telemetry indicates, and how far that is known; read, not changed here.
 * Input: the risk from the address. Output: a register sorted by the higher figure, and beside it where both figures come from.
 */
import { useQuery } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { Link, useSearchParams } from 'react-router';
import { type RiskItem, risks } from '../api/ground.ts';
import { StateMark } from '../part/marks.tsx';
import { usePeople } from '../part/people.ts';
import { ProblemLine, Sentence } from '../part/problem.tsx';
import { RiskLine, RiskMatrix, rank } from '../part/risk-line.tsx';
import { Blind, Empty, Section, Skeleton } from '../part/section.tsx';
import { shown } from '../part/shown.ts';
import { Time } from '../part/time.tsx';
import { capital, countText, plural } from '../part/words.ts';
import '../look/ground.css';

const known = ({ indicated }: RiskItem): boolean => indicated.coverage.measured > 0;
const higher = (one: RiskItem): number => Math.max(rank(one.level.assessed), known(one) ? rank(one.level.indicated) : 0);
const words = (grade: string): string => grade.replace('-', ' ');

export const RisksPage = (): ReactNode => {
  const [params, setParams] = useSearchParams();
  const { nameOf } = usePeople();
  const found = useQuery({ queryKey: ['risks'], queryFn: risks, refetchInterval: 60_000 });
  if (!found.data) return found.error ? <ProblemLine error={found.error} /> : <Skeleton rows={10} />;
  const items = [...found.data.items].sort((a, b) => higher(b) - higher(a) || (a.reference < b.reference ? -1 : 1));
  const above = items.filter(({ aboveTolerance }) => aboveTolerance);
  const chosen = items.find(({ reference }) => reference === params.get('risk')) ?? items[0];
  if (items.length === 0 || !chosen) return <Empty>No risk stands in the register yet.</Empty>;
  return (
    <div className="with-column">
      <div>
        <h2 className="lead">
          <b>
            {above.length === 0
              ? 'No risk stands above what was accepted.'
              : `${countText(above.length)} of ${plural(items.length, 'risk')} ${above.length === 1 ? 'stands' : 'stand'} above what was accepted.`}
          </b>{' '}
          {items.some((one) => !known(one))
            ? `For ${countText(items.filter((one) => !known(one)).length)} nothing is measured, and they could stand anywhere.`
            : 'All are measured.'}
        </h2>
        <ul className="key row">
          <li>
            <svg width="12" height="12" viewBox="0 0 12 12" aria-hidden="true">
              <circle cx="6" cy="6" r="4" fill="var(--canvas)" stroke="var(--ink)" strokeWidth="1.6" />
            </svg>{' '}
            <b className="serif">Assessed</b> a person’s judgement
          </li>
          <li>
            <svg width="12" height="12" viewBox="0 0 12 12" aria-hidden="true">
              <path d="M6 1L11 6 6 11 1 6z" fill="var(--ink)" />
            </svg>{' '}
            <b>Indicated</b> what incidents and checks say
          </li>
          <li>
            <i className="cell hatch" aria-hidden="true" /> <b>Not known</b> could stand anywhere in the range
          </li>
        </ul>
        <Section
          title="Register"
          note={`${plural(items.length, 'risk')}, by the higher figure`}
          coverage={`indicated for ${countText(items.filter(known).length)} of ${countText(items.length)}; likelihood × impact, NIST SP 800-30`}
        >
          <table className="rows register">
            <thead>
              <tr>
                <th scope="col">
                  <span className="hidden-visually">Number</span>
                </th>
                <th scope="col">Risk</th>
                <th scope="col" className="right">
                  Assessed
                </th>
                <th scope="col" className="wide" style={{ width: 190 }}>
                  Level and tolerance
                </th>
                <th scope="col" className="right">
                  Indicated
                </th>
                <th scope="col">State</th>
              </tr>
            </thead>
            <tbody>
              {items.map((one) => (
                <tr key={one.id} className={one === chosen ? 'open' : undefined}>
                  <td className="mono nowrap">{one.reference}</td>
                  <td>
                    <button
                      type="button"
                      className="plain-button serif title"
                      aria-pressed={one === chosen}
                      onClick={() => setParams({ risk: one.reference }, { replace: true })}
                    >
                      {shown(one.title)}
                    </button>
                    <div className="small third">
                      {shown(one.indicated.because[0]?.text ?? (known(one) ? 'nothing speaks for it' : 'nothing measures it'))}
                    </div>
                  </td>
                  <td className="right">
                    <b className="serif">{words(one.level.assessed)}</b>
                    <div className="small third">
                      {words(one.assessed.likelihood)} × {words(one.assessed.impact)}
                    </div>
                  </td>
                  <td className="wide">
                    <RiskLine one={one} known={known(one)} />
                  </td>
                  <td className="right">
                    <b>{known(one) ? words(one.level.indicated) : '?'}</b>
                    <div className="small third">
                      {known(one) ? `${words(one.indicated.likelihood)} × ${words(one.assessed.impact)}` : 'not known'}
                    </div>
                  </td>
                  <td>
                    <span className="nowrap">
                      {one.aboveTolerance ? (
                        <>
                          <StateMark state="warn" label="Above" /> <b className="bad">Above</b>
                        </>
                      ) : known(one) ? (
                        <>
                          <StateMark state="good" label="Within" /> Within
                        </>
                      ) : (
                        <>
                          <StateMark state="unknown" label="Not known" /> Not known
                        </>
                      )}
                    </span>
                    <div className="small third">{capital(one.status)}</div>
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
          <p className="small third more">
            Telemetry may raise an indicated figure. Lowering one needs a person with a reason. It never moves impact.
          </p>
        </Section>
      </div>
      <div className="stack">
        <Section title={chosen.reference} coverage={chosen.aboveTolerance ? 'above tolerance' : `tolerance ${words(chosen.tolerance)}`}>
          <h3 className="lead small-lead">{shown(chosen.title)}</h3>
          <p className="serif second">{shown(chosen.scenario)}</p>
          <RiskMatrix one={chosen} known={known(chosen)} />
        </Section>
        <Section title="Assessed" coverage={`${words(chosen.assessed.likelihood)} × ${words(chosen.assessed.impact)}`}>
          {chosen.assessed.reason === undefined ? null : <p className="serif">{shown(chosen.assessed.reason)}</p>}
          <p className="small third">
            {nameOf(chosen.assessed.by)}, <Time at={chosen.assessed.at} />
          </p>
        </Section>
        <Section
          title="Indicated"
          coverage={`${countText(chosen.indicated.coverage.measured)} of ${countText(chosen.indicated.coverage.expected)} checks answer`}
        >
          {known(chosen) ? (
            <>
              <p>
                {capital(words(chosen.indicated.likelihood))} since <Time at={chosen.indicated.since} />
                {chosen.indicated.now === chosen.indicated.likelihood
                  ? ''
                  : `; telemetry alone would say ${words(chosen.indicated.now)} now`}
                .
              </p>
              {chosen.indicated.rate === null ? null : (
                <p className="small third">
                  {plural(chosen.indicated.rate.incidents, 'incident')} in {chosen.indicated.rate.years.toFixed(2)} years;{' '}
                  {chosen.indicated.rate.indicated.toFixed(2)} a year now, {chosen.indicated.rate.expected.toFixed(2)} by the assessment.
                </p>
              )}
              <ul className="whys">
                {chosen.indicated.because.map((why) => (
                  <li key={`${why.kind} ${why.id}`}>
                    <BecauseLink why={why} />
                  </li>
                ))}
              </ul>
            </>
          ) : (
            <Blind>
              <Sentence text={`Not known. No check behind it answers yet; \`vigil explain ${chosen.reference}\` names them.`} />
            </Blind>
          )}
        </Section>
        <Section title="Behind it" coverage={plural(chosen.controls.length, 'control')}>
          <p className="mono">
            {chosen.controls.map((ref) => (
              <Link key={ref} className="ref" to={`/controls?${new URLSearchParams({ control: ref.split('/').pop() ?? ref })}`}>
                {ref}
              </Link>
            ))}
          </p>
        </Section>
      </div>
    </div>
  );
};

const BecauseLink = ({ why }: { readonly why: RiskItem['indicated']['because'][number] }): ReactNode => {
  const text = shown(capital(why.text));
  if (why.kind === 'incident') return <Link to={`/incidents/${encodeURIComponent(why.id)}`}>{text}</Link>;
  if (why.kind === 'alert') return <Link to={`/alerts/${encodeURIComponent(why.id)}`}>{text}</Link>;
  if (why.kind === 'control')
    return <Link to={`/controls?${new URLSearchParams({ control: why.id.split('/').pop() ?? why.id })}`}>{text}</Link>;
  return text;
};
