// SPDX-License-Identifier: Apache-2.0
/**
 * How a control stands, in one word, one shape and one colour.
 * Input: the control as the API says it. Output: its state; what nobody measures is neither good nor bad.
 */
import type { ControlItem } from '../api/ground.ts';
import type { Mark } from './marks.tsx';

export type Standing = 'satisfied' | 'not-satisfied' | 'unknown' | 'not-measured';

export const standingOf = ({ state, measured }: Pick<ControlItem, 'state' | 'measured'>): Standing => (measured ? state : 'not-measured');

export const STANDING: Readonly<Record<Standing, { readonly mark: Mark; readonly text: string }>> = {
  satisfied: { mark: 'good', text: 'Satisfied' },
  'not-satisfied': { mark: 'bad', text: 'Not satisfied' },
  unknown: { mark: 'unknown', text: 'Not known' },
  'not-measured': { mark: 'unknown', text: 'Not measured' },
};

/** A whole percentage; never 100 while one is missing. */
export const percent = (part: number, whole: number): string => {
  if (whole === 0) return '–';
  const exact = (part / whole) * 100;
  return `${part < whole ? Math.min(99, Math.round(exact)) : Math.round(exact)} %`;
};
