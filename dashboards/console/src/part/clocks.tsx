// SPDX-License-Identifier: Apache-2.0
/**
 * The clocks of an alert or incident: when it began, was known, was noted, ended, and how long each took.
 * Input: times by name, in their order. Output: a row of terms; what has not come is said so.
 */
import type { ReactNode } from 'react';
import { Time } from './time.tsx';
import { spanText } from './words.ts';

export interface Clock {
  readonly name: string;
  readonly at: string | undefined;
  /** From which time its span is counted. */
  readonly since?: string;
}

export const Clocks = ({ clocks }: { readonly clocks: readonly Clock[] }): ReactNode => (
  <dl className="steps">
    {clocks.map(({ name, at, since }) => (
      <div key={name}>
        <dt>{name}</dt>
        <dd>
          {at === undefined ? (
            <span className="third">not yet</span>
          ) : (
            <>
              <Time at={at} />
              {since === undefined ? null : (
                <span className="small third"> after {spanText(Math.max(0, Date.parse(at) - Date.parse(since)))}</span>
              )}
            </>
          )}
        </dd>
      </div>
    ))}
  </dl>
);
