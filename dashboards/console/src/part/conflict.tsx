// SPDX-License-Identifier: Apache-2.0
/**
 * Two people on one thing: the second hears who was first and keeps what was typed; the next try is against what stands now.
 * Input: a refused change, the thing as it is now. Output: a sentence.
 */
import type { ReactNode } from 'react';
import { isProblem } from '../api/client.ts';
import { StateMark } from './marks.tsx';
import { ageText } from './words.ts';

export const isConflict = (error: unknown): boolean => isProblem(error) && error.code === 'STATE_CONFLICT';

interface Props {
  readonly name: string;
  /** The newest step of somebody, where one is known. */
  readonly step: { readonly at: string; readonly by: string; readonly to: string } | undefined;
  readonly nameOf: (id: string) => string;
}

export const ConflictLine = ({ name, step, nameOf }: Props): ReactNode => (
  <p className="problem warn" role="alert">
    <StateMark state="warn" label="Note" />
    <span>
      {step
        ? `${nameOf(step.by)} changed ${name} ${ageText(Date.now() - Date.parse(step.at))} ago: it is ${step.to}.`
        : `Somebody changed ${name} meanwhile.`}{' '}
      <span className="second">What you wrote is kept; look at both, then press the button again.</span>
    </span>
  </p>
);
