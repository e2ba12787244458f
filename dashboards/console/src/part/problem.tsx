// SPDX-License-Identifier: Apache-2.0
/**
 * A problem as people read it: what happened, its code, what to do.
 * Input: whatever a call threw. Output: one line, announced to screen readers; nothing when there is no error.
 */
import type { ReactNode } from 'react';
import { isProblem } from '../api/client.ts';
import { StateMark } from './marks.tsx';

/** A sentence of the collector, in which commands stand between backticks. */
export const Sentence = ({ text }: { readonly text: string }): ReactNode =>
  text.split('`').map((piece, i) =>
    i % 2 === 1 ? (
      // biome-ignore lint/suspicious/noArrayIndexKey: pieces of one text have no other name
      <span key={i} className="mono nowrap">
        {piece}
      </span>
    ) : (
      piece
    ),
  );

export const ProblemLine = ({ error, place = '' }: { readonly error: unknown; readonly place?: '' | 'over' | 'under' }): ReactNode => {
  if (error === null || error === undefined) return null;
  const [text, hint, code] = isProblem(error)
    ? [error.message, error.hint, error.code]
    : ['The collector does not answer.', 'Check that it runs; this page asks again by itself.', ''];
  return (
    <p className={`problem ${place}`} role="alert">
      <StateMark state="bad" label="Problem" />
      <span>
        <Sentence text={text} />{' '}
        <span className="second">
          <Sentence text={hint} />
        </span>{' '}
        {code === '' ? null : <span className="mono third">{code}</span>}
      </span>
    </p>
  );
};
