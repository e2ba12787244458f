// SPDX-License-Identifier: Apache-2.0
/**
 * The head of an alert's or incident's page: reference, severity, state; the title in the voice of whoever gave it.
 * Input: those, and the buttons. Output: marks over a title.
 */
import type { ReactNode } from 'react';
import { type Level, SeverityMark } from './marks.tsx';
import { shown } from './shown.ts';
import { capital } from './words.ts';

interface Props {
  readonly reference: string;
  readonly level: Level;
  readonly state: string;
  readonly title: string;
  /** A person gave the title or may: serif. What a rule says is sans. */
  readonly voice: 'person' | 'machine';
  readonly children?: ReactNode;
}

export const CaseHead = ({ reference, level, state, title, voice, children }: Props): ReactNode => (
  <>
    <p className="marks">
      <span className="mono medium">{shown(reference)}</span>
      <SeverityMark level={level} />
      <span className="chip">{capital(state)}</span>
    </p>
    <h2 className={voice === 'person' ? 'lead' : 'case-title'}>{shown(title)}</h2>
    {children}
  </>
);
