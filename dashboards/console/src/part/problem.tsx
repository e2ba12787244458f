// SPDX-License-Identifier: Apache-2.0
/**
 * A problem as people read it: what happened, its code, what to do.
 * Input: whatever a call threw. Output: one line, announced to screen readers; nothing when there is no error.
 */
import type { ReactNode } from 'react';
import { isProblem } from '../api/client.ts';
import { StateMark } from './marks.tsx';

export const ProblemLine = ({ error }: { readonly error: unknown }): ReactNode => {
  if (error === null || error === undefined) return null;
  const [text, hint, code] = isProblem(error)
    ? [error.message, error.hint, error.code]
    : ['The collector does not answer.', 'Check that it runs, then try again.', ''];
  return (
    <p className="problem" role="alert">
      <StateMark state="bad" label="Problem" />
      <span>
        {text} <span className="second">{hint}</span> {code === '' ? null : <span className="mono third">{code}</span>}
      </span>
    </p>
  );
};
