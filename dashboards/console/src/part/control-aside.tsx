// SPDX-License-Identifier: Apache-2.0
/**
 * A category's controls, and of the chosen one how it is known: its checks, the hosts' answers down to the raw line, when it turned.
 * Input: the category's controls, the chosen one. Output: an aside.
 */
import { useQuery } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { Link } from 'react-router';
import { type ControlDetail, type ControlItem, control } from '../api/ground.ts';
import { STANDING, standingOf } from './control-states.ts';
import { eventLink } from './event-link.ts';
import { StateMark } from './marks.tsx';
import { ProblemLine, Sentence } from './problem.tsx';
import { Blind, Section, ShareBar, Skeleton } from './section.tsx';
import { shown } from './shown.ts';
import { Time } from './time.tsx';
import { countText, plural } from './words.ts';

interface Props {
  readonly category: ControlItem;
  readonly items: readonly ControlItem[];
  readonly chosen: string | null;
  readonly onChoose: (id: string) => void;
}

const ANSWERS = { pass: 'good', fail: 'bad', excepted: 'except', unknown: 'unknown', 'not-applicable': 'unknown' } as const;

export const ControlAside = ({ category, items, chosen, onChoose }: Props): ReactNode => (
  <div className="stack">
    <Section
      title={`${category.id} ${category.title}`}
      coverage={`${countText(items.filter(({ measured }) => measured).length)} of ${countText(items.length)} measured`}
    >
      <ul className="control-list">
        {items.map((one) => {
          const { mark, text } = STANDING[standingOf(one)];
          return (
            <li key={one.id} className={one.id === chosen ? 'open' : undefined}>
              <button type="button" aria-expanded={one.id === chosen} onClick={() => onChoose(one.id)}>
                <span className="mono">{one.id}</span>
                <span>
                  {shown(one.title === '' ? one.statement : one.title)}
                  <span className="small third block">
                    {one.measured
                      ? `${countText(one.counts.pass)} of ${plural(one.counts.expected, 'answer')} pass`
                      : 'nothing here measures it yet'}
                  </span>
                </span>
                <span className="nowrap">
                  <StateMark state={mark} label={text} /> {text}
                </span>
              </button>
            </li>
          );
        })}
      </ul>
    </Section>
    {chosen === null ? null : <HowWeKnow id={chosen} />}
  </div>
);

const HowWeKnow = ({ id }: { readonly id: string }): ReactNode => {
  const found = useQuery({ queryKey: ['control', id], queryFn: () => control(id) });
  const one = found.data;
  if (!one) return found.error ? <ProblemLine error={found.error} /> : <Skeleton rows={4} />;
  return (
    <Section
      title={`${one.id}, how we know`}
      coverage={`${countText(one.counts.expected - one.counts.unknown)} of ${countText(one.counts.expected)} answered`}
    >
      <p className="serif">{shown(one.statement)}</p>
      {one.checks.length === 0 ? (
        <Blind>No check measures it. It is judged by people alone; a statement of theirs will stand here.</Blind>
      ) : (
        one.checks.map((check) => <CheckPart key={check.check} check={check} />)
      )}
      {one.turns.length === 0 ? null : (
        <>
          <h3 className="label">When it turned</h3>
          <ul>
            {one.turns.slice(-6).map((turn) => (
              <li key={turn.at}>
                <Time at={turn.at} /> <StateMark state={STANDING[turn.state].mark} label={STANDING[turn.state].text} />{' '}
                {STANDING[turn.state].text}
              </li>
            ))}
          </ul>
        </>
      )}
    </Section>
  );
};

const CheckPart = ({ check }: { readonly check: ControlDetail['checks'][number] }): ReactNode => (
  <div className="check-part">
    <p>
      <b>{shown(check.title)}</b> <span className="mono third small">{check.check}</span>
    </p>
    <ShareBar
      parts={[
        { name: 'pass', count: check.counts.pass, kind: 'good' },
        { name: 'fail', count: check.counts.fail, kind: 'bad' },
        { name: 'not known', count: check.counts.unknown + check.counts.excepted, kind: 'hatch' },
      ]}
    />
    <ul className="answers">
      {check.answers.map((answer) => (
        <li key={answer.host}>
          <StateMark state={ANSWERS[answer.answer]} label={answer.answer} />
          <div>
            <Link className="plain" to={`/hosts/${encodeURIComponent(answer.host)}`}>
              {shown(answer.name)}
            </Link>{' '}
            <span className="second">{answer.answer}</span>
            {answer.observation ? (
              <div className="small third">
                found <span className="mono">{shown(answer.observation.actual)}</span>, wanted{' '}
                <span className="mono">{shown(answer.observation.expected)}</span>, valid to <Time at={answer.observation.expires} />
                {answer.observation.waiver ? `; excepted: ${shown(answer.observation.waiver.reason)}` : ''}
              </div>
            ) : (
              <div className="small third">no answer</div>
            )}
            {answer.line ? (
              <Link className="evidence" to={eventLink(answer.line.event, answer.line.time)}>
                the line it was read from
              </Link>
            ) : null}
          </div>
        </li>
      ))}
    </ul>
    {check.more > 0 ? <p className="small third">and {plural(check.more, 'more host')}</p> : null}
    {check.fix === undefined || check.counts.fail === 0 ? null : (
      <p className="small">
        <b>To satisfy it:</b> <Sentence text={check.fix} />
      </p>
    )}
  </div>
);
