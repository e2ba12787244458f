// SPDX-License-Identifier: Apache-2.0
/**
 * A risk drawn: on a line from 1 to 25 with its tolerance, and in the matrix of likelihood and impact.
 * Input: the risk. Output: a ring where a person put it, a diamond where telemetry does, hatching where it could stand.
 */
import type { ReactNode } from 'react';
import type { RiskItem } from '../api/ground.ts';

export const GRADES = ['very-low', 'low', 'moderate', 'high', 'very-high'] as const;
type Grade = (typeof GRADES)[number];

export const rank = (grade: Grade): number => GRADES.indexOf(grade);

/** NIST SP 800-30, table I-2, as the collector has it: rows likelihood from very low, columns impact from very low. */
const MATRIX: readonly (readonly number[])[] = [
  [0, 0, 0, 1, 1],
  [0, 1, 1, 1, 2],
  [0, 1, 2, 2, 3],
  [0, 1, 2, 3, 4],
  [0, 1, 2, 3, 4],
];

const levelRank = (likelihood: Grade, impact: Grade): number => MATRIX[rank(likelihood)]?.[rank(impact)] ?? 0;

const X = (level: number): number => 12 + level * 39;

interface Props {
  readonly one: RiskItem;
  readonly known: boolean;
}

/** Levels from very low to very high; the dotted line is where what was accepted ends. */
export const RiskLine = ({ one, known }: Props): ReactNode => {
  const assessed = rank(one.level.assessed);
  const indicated = rank(one.level.indicated);
  const highest = levelRank('very-high', one.assessed.impact);
  const tolerance = Math.min(174, X(rank(one.tolerance)) + 19);
  const colour = one.aboveTolerance ? 'var(--bad)' : 'var(--ink)';
  return (
    <svg
      className="risk-line"
      viewBox="0 0 180 22"
      role="img"
      aria-label={`assessed ${one.level.assessed}, ${known ? `indicated ${one.level.indicated}` : `not known, up to ${GRADES[highest]}`}, tolerance ${one.tolerance}`}
    >
      <line x1="6" x2="174" y1="11" y2="11" stroke="var(--hair)" />
      <line x1={tolerance} x2={tolerance} y1="2" y2="20" stroke="var(--ink3)" strokeDasharray="2 2" />
      {known ? (
        <line x1={X(assessed)} x2={X(indicated)} y1="11" y2="11" stroke={colour} strokeWidth="1.6" />
      ) : (
        <rect
          x={X(0) - 6}
          y="7"
          width={X(highest) - X(0) + 12}
          height="8"
          fill="url(#hatch)"
          stroke="var(--unknown)"
          strokeWidth="0.6"
          strokeDasharray="2 2"
        />
      )}
      {known ? <path d={`M${X(indicated)} 5l6 6-6 6-6-6z`} fill={colour} /> : null}
      <circle cx={X(assessed)} cy="11" r="4" fill="var(--canvas)" stroke="var(--ink)" strokeWidth="1.6" />
      <defs>
        <pattern id="hatch" width="4" height="4" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">
          <line x1="0" y1="0" x2="0" y2="4" stroke="var(--unknown)" strokeWidth="1" />
        </pattern>
      </defs>
    </svg>
  );
};

const SHORT = ['v. low', 'low', 'mod.', 'high', 'v. high'] as const;

const CELL = { width: 48, height: 30 } as const;
const LEFT = 74;

export const RiskMatrix = ({ one, known }: Props): ReactNode => {
  const impact = rank(one.assessed.impact) + 1;
  const place = (likelihood: Grade): { readonly x: number; readonly y: number } => ({
    x: LEFT + (impact - 0.5) * CELL.width,
    y: (4 - rank(likelihood) + 0.5) * CELL.height,
  });
  const ring = place(one.assessed.likelihood);
  const diamond = place(one.indicated.likelihood);
  const limit = rank(one.tolerance);
  return (
    <svg
      className="matrix"
      viewBox="0 0 318 176"
      role="img"
      aria-label={`likelihood by impact: assessed ${one.assessed.likelihood} by ${one.assessed.impact}${known ? `, indicated ${one.indicated.likelihood}` : ', indicated not known'}`}
    >
      {GRADES.flatMap((likelihood) =>
        GRADES.map((harm) => {
          const level = levelRank(likelihood, harm);
          const [x, y] = [LEFT + rank(harm) * CELL.width, (4 - rank(likelihood)) * CELL.height];
          return (
            <g key={`${likelihood} ${harm}`}>
              <rect
                x={x + 1}
                y={y + 1}
                width={CELL.width - 2}
                height={CELL.height - 2}
                rx="2"
                className={level > limit ? 'over' : 'within'}
              />
              <text x={x + CELL.width - 5} y={y + 11} textAnchor="end">
                {SHORT[level]}
              </text>
            </g>
          );
        }),
      )}
      {GRADES.map((grade) => (
        <text key={grade} x={LEFT - 8} y={(4 - rank(grade) + 0.5) * CELL.height + 4} textAnchor="end">
          {grade.replace('-', ' ')}
        </text>
      ))}
      {GRADES.map((grade) => (
        <text key={grade} x={LEFT + (rank(grade) + 0.5) * CELL.width} y="163" textAnchor="middle">
          {SHORT[rank(grade)]}
        </text>
      ))}
      <text x="314" y="175" textAnchor="end">
        likelihood, by impact
      </text>
      {known ? (
        <line
          x1={ring.x}
          x2={diamond.x}
          y1={ring.y}
          y2={diamond.y}
          stroke={one.aboveTolerance ? 'var(--bad)' : 'var(--ink)'}
          strokeWidth="1.6"
        />
      ) : null}
      <circle cx={ring.x} cy={ring.y} r="5" fill="var(--canvas)" stroke="var(--ink)" strokeWidth="1.8" />
      {known ? <path d={`M${diamond.x} ${diamond.y - 6}l6 6-6 6-6-6z`} fill={one.aboveTolerance ? 'var(--bad)' : 'var(--ink)'} /> : null}
    </svg>
  );
};
