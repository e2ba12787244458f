// SPDX-License-Identifier: Apache-2.0
/**
 * The small marks: severity as bars with a word, state as a shape with a word. Never colour alone.
 * Input: a level or state. Output: an inline drawing and its word.
 */
import type { ReactNode } from 'react';

export type Level = 'informational' | 'low' | 'medium' | 'high' | 'critical';

const BARS = [
  { x: 0, y: 7, h: 4 },
  { x: 3.2, y: 5, h: 6 },
  { x: 6.4, y: 2.5, h: 8.5 },
  { x: 9.6, y: 0, h: 11 },
] as const;

const RANK: Readonly<Record<Level, number>> = { informational: 0, low: 1, medium: 2, high: 3, critical: 4 };

const title = (word: string): string => word.charAt(0).toUpperCase() + word.slice(1);

export const SeverityMark = ({ level, bare }: { readonly level: Level; readonly bare?: boolean }): ReactNode => (
  <span className="nowrap">
    <svg
      className="mark"
      width="12"
      height="12"
      viewBox="0 0 12 12"
      role="img"
      aria-label={title(level)}
      style={{ color: `var(--${level})` }}
    >
      {BARS.map(({ x, y, h }, i) => (
        <rect key={x} x={x} y={y} width="2.4" height={h} fill={i < RANK[level] ? 'currentColor' : 'var(--line)'} />
      ))}
    </svg>
    {bare ? null : <>&ensp;{title(level)}</>}
  </span>
);

export type Mark = 'good' | 'bad' | 'warn' | 'unknown';

/** Disc with tick, diamond with cross, triangle, dashed ring with a question mark. */
export const StateMark = ({ state, label }: { readonly state: Mark; readonly label: string }): ReactNode => (
  <svg className="mark" width="12" height="12" viewBox="0 0 12 12" role="img" aria-label={label} style={{ color: `var(--${state})` }}>
    {SHAPES[state]}
  </svg>
);

const stroke = { fill: 'none', stroke: 'var(--canvas)', strokeWidth: 1.4 } as const;

const SHAPES: Readonly<Record<Mark, ReactNode>> = {
  good: (
    <>
      <circle cx="6" cy="6" r="6" fill="currentColor" />
      <path d="M3.2 6.2l2 2 3.6-4" {...stroke} />
    </>
  ),
  bad: (
    <>
      <path d="M6 0l6 6-6 6-6-6z" fill="currentColor" />
      <path d="M4.2 4.2l3.6 3.6M7.8 4.2L4.2 7.8" {...stroke} />
    </>
  ),
  warn: (
    <>
      <path d="M6 .6l6 10.8H0z" fill="currentColor" />
      <path d="M6 4.4v3.4M6 8.9v1" {...stroke} />
    </>
  ),
  unknown: (
    <>
      <circle cx="6" cy="6" r="5.2" fill="none" stroke="currentColor" strokeWidth="1.2" strokeDasharray="1.6 1.4" />
      <path d="M4.6 4.7a1.4 1.4 0 1 1 2 1.3c-.5.2-.6.5-.6 1M6 8.4v.7" fill="none" stroke="currentColor" strokeWidth="1.1" />
    </>
  ),
};
