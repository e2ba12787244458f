// SPDX-License-Identifier: Apache-2.0
/**
 * Evidence and people in one line of time, oldest first: what machines measured in sans, what people said in serif.
 * Input: entries. Output: an ordered list.
 */
import type { ReactNode } from 'react';
import { Time } from './time.tsx';

export interface Entry {
  readonly key: string;
  readonly at: string;
  readonly by: 'machine' | 'person';
  /** A severity mark or nothing. */
  readonly mark?: ReactNode;
  readonly body: ReactNode;
}

const DOT: Readonly<Record<Entry['by'], ReactNode>> = {
  machine: <circle cx="6" cy="6" r="2.5" fill="var(--ink3)" />,
  person: <circle cx="6" cy="6" r="4" fill="none" stroke="var(--ink)" strokeWidth="1.4" />,
};

export const Timeline = ({ entries }: { readonly entries: readonly Entry[] }): ReactNode => (
  <ol className="timeline">
    {[...entries]
      .sort((a, b) => Date.parse(a.at) - Date.parse(b.at))
      .map(({ key, at, by, mark, body }) => (
        <li key={key}>
          <span className="mono second">
            <Time at={at} />
          </span>
          <span className="mark-cell">
            {mark ?? (
              <svg className="mark" width="12" height="12" viewBox="0 0 12 12" aria-hidden="true">
                {DOT[by]}
              </svg>
            )}
          </span>
          <div>{body}</div>
        </li>
      ))}
  </ol>
);
