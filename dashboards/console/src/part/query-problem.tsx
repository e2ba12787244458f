// SPDX-License-Identifier: Apache-2.0
/**
 * What is wrong with a query and where; or which of its names are no fields, with the nearest one to take instead.
 * Input: the problem or the names. Output: a line under the bar.
 */
import type { ReactNode } from 'react';
import type { Found } from '../api/calls.ts';
import type { Problem } from '../api/client.ts';
import { StateMark } from './marks.tsx';
import { Sentence } from './problem.tsx';

export const QueryProblem = ({
  id,
  problem,
  onPlace,
}: {
  readonly id: string;
  readonly problem: Problem;
  readonly onPlace: (at: number) => void;
}): ReactNode => {
  const { at } = problem;
  return (
    <p className="problem under" role="alert" id={id}>
      <StateMark state="bad" label="Problem" />
      <span>
        <Sentence text={problem.message} />{' '}
        <span className="second">
          <Sentence text={problem.hint} />
        </span>{' '}
        {at === undefined ? null : (
          <button type="button" className="evidence" onClick={() => onPlace(at)}>
            go there
          </button>
        )}
      </span>
    </p>
  );
};

export const UnknownFields = ({
  unknown,
  onTake,
}: {
  readonly unknown: Found['unknown'];
  readonly onTake: (one: Found['unknown'][number]) => void;
}): ReactNode =>
  unknown.map((one) => (
    <p key={`${one.at} ${one.field}`} className="problem under warn" role="status">
      <StateMark state="warn" label="Note" />
      <span>
        <span className="mono">{one.field}</span> is no field of Vigil; it was looked for among the extra fields.{' '}
        <button type="button" className="evidence" onClick={() => onTake(one)}>
          use {one.nearest}
        </button>
      </span>
    </p>
  ));
