// SPDX-License-Identifier: Apache-2.0
/**
 * The small marks: severity as bars with a word, state as a shape with a word, the sign of Vigil. Never colour alone.
 * Input: a level or state. Output: an inline drawing and its word.
 */
import type { ReactNode } from 'react';
import { capital } from './words.ts';

/** Most severe first. */
export const LEVELS = ['critical', 'high', 'medium', 'low', 'informational'] as const;
export type Level = (typeof LEVELS)[number];

const BARS = [
  { x: 0, y: 7, h: 4 },
  { x: 3.2, y: 5, h: 6 },
  { x: 6.4, y: 2.5, h: 8.5 },
  { x: 9.6, y: 0, h: 11 },
] as const;

/** How many of the four bars are filled. */
export const RANK: Readonly<Record<Level, number>> = { informational: 0, low: 1, medium: 2, high: 3, critical: 4 };

export const SeverityMark = ({ level, bare = false }: { readonly level: Level; readonly bare?: boolean }): ReactNode => (
  <span className="nowrap">
    <svg
      className="mark"
      width="12"
      height="12"
      viewBox="0 0 12 12"
      aria-hidden={!bare}
      role="img"
      aria-label={capital(level)}
      style={{ color: `var(--${level})` }}
    >
      {BARS.map(({ x, y, h }, i) => (
        <rect key={x} x={x} y={y} width="2.4" height={h} fill={i < RANK[level] ? 'currentColor' : 'var(--line)'} />
      ))}
    </svg>
    {bare ? null : <>&ensp;{capital(level)}</>}
  </span>
);

export type Mark = 'good' | 'bad' | 'warn' | 'except' | 'unknown';

/** Disc with tick, diamond with cross, triangle, half disc, dashed ring with a question mark. */
export const StateMark = ({ state, label }: { readonly state: Mark; readonly label: string }): ReactNode => (
  <svg className="mark" width="12" height="12" viewBox="0 0 12 12" role="img" aria-label={label} style={{ color: `var(--${state})` }}>
    {SHAPES[state]}
  </svg>
);

const stroke = { fill: 'none', stroke: 'var(--canvas)', strokeWidth: 1.4 } as const;

const SHAPES: Readonly<Record<Mark, ReactNode>> = {
  good: (
    <>
      <circle cx="6" cy="6" r="5.5" fill="currentColor" />
      <path d="M3.4 6.2l1.8 1.8 3.4-3.8" {...stroke} />
    </>
  ),
  bad: (
    <>
      <path d="M6 .2L11.8 6 6 11.8.2 6z" fill="currentColor" />
      <path d="M4.2 4.2l3.6 3.6M7.8 4.2L4.2 7.8" {...stroke} />
    </>
  ),
  warn: (
    <>
      <path d="M6 .8l5.6 10H.4z" fill="currentColor" />
      <path d="M6 4.2v3.2" {...stroke} />
      <circle cx="6" cy="9" r=".75" fill="var(--canvas)" />
    </>
  ),
  except: (
    <>
      <circle cx="6" cy="6" r="5" fill="none" stroke="currentColor" strokeWidth="1.2" />
      <path d="M6 1a5 5 0 0 1 0 10z" fill="currentColor" />
    </>
  ),
  unknown: (
    <>
      <circle cx="6" cy="6" r="5.2" fill="none" stroke="currentColor" strokeWidth="1.1" strokeDasharray="1.7 1.57" />
      <path
        d="M4.6 4.9c0-1.9 2.9-1.9 2.9-.1 0 1.2-1.4 1.1-1.4 2.3"
        fill="none"
        stroke="currentColor"
        strokeWidth="1.15"
        strokeLinecap="round"
      />
      <circle cx="6.1" cy="8.8" r=".75" fill="currentColor" />
    </>
  ),
};

/** The sign: an eye that is a gauge, its unmeasured part dashed. In the page itself, so that it follows the scheme. */
export const Sign = ({ size = 22 }: { readonly size?: number }): ReactNode => (
  <svg width={size} height={size} viewBox="0 0 22 22" aria-hidden="true">
    <path d="M11 2.5A8.5 8.5 0 1 1 3.64 6.75" fill="none" stroke="currentColor" strokeWidth="2.6" />
    <path d="M3.64 6.75A8.5 8.5 0 0 1 11 2.5" fill="none" stroke="currentColor" strokeWidth="2.6" strokeDasharray="1.15 1.4" />
    <circle cx="11" cy="11" r="2.6" fill="currentColor" />
  </svg>
);
