// SPDX-License-Identifier: Apache-2.0
/**
 * A score over time as a line of steps from 0 to 100; what was not measured is hatched.
 * Input: values with their times, oldest first. Output: a chart whose label says the finding; its table stands beside it.
 */
import { type ReactNode, useContext, useEffect, useRef, useState } from 'react';
import { timeAs, ZoneContext } from './time.tsx';

interface Props {
  readonly name: string;
  readonly points: readonly { readonly at: number; readonly value: number }[];
  readonly from: number;
  readonly to: number;
  readonly colour: string;
}

/** Until the place is measured, in px. */
const WIDTH = 600;
const HEIGHT = 78;

export const StepLine = ({ name, points, from, to, colour }: Props): ReactNode => {
  const zone = useContext(ZoneContext);
  const box = useRef<SVGSVGElement>(null);
  const [width, setWidth] = useState(WIDTH);
  // Drawn as wide as it stands, so that words keep their form on a phone.
  useEffect(() => {
    const seen = new ResizeObserver(([entry]) => setWidth(Math.max(200, Math.round(entry?.contentRect.width ?? WIDTH))));
    if (box.current) seen.observe(box.current);
    return () => seen.disconnect();
  }, []);
  const x = (at: number): number => 26 + ((Math.min(to, Math.max(from, at)) - from) / Math.max(1, to - from)) * (width - 32);
  const y = (value: number): number => HEIGHT - (value / 100) * (HEIGHT - 8);
  const [first] = points;
  const last = points[points.length - 1];
  const path = points.map(({ at, value }, i) => (i === 0 ? `M${x(at)} ${y(value)}` : `H${x(at)}V${y(value)}`)).join('');
  const ticks = width < 420 ? 3 : 4;
  const days = Array.from({ length: ticks }, (_, i) => from + (i * (to - from)) / (ticks - 1));
  return (
    <svg
      className="step-line"
      ref={box}
      viewBox={`0 0 ${width} ${HEIGHT + 18}`}
      preserveAspectRatio="none"
      role="img"
      aria-label={
        last ? `${name} is ${last.value.toFixed(1)}, ${first?.value.toFixed(1)} at the beginning of the window` : `${name} was not measured`
      }
    >
      {[0, 50, 100].map((value) => (
        <g key={value}>
          <line className="grid" x1="26" x2={width} y1={y(value)} y2={y(value)} />
          <text x="20" y={y(value) + 4} textAnchor="end">
            {value}
          </text>
        </g>
      ))}
      {first && first.at > from ? (
        <rect x={x(from)} y={y(100)} width={Math.max(0, x(first.at) - x(from))} height={y(0) - y(100)} fill="url(#step-hatch)" />
      ) : null}
      {last ? (
        <>
          <path d={`${path}H${x(to)}`} fill="none" stroke={colour} strokeWidth="1.6" vectorEffect="non-scaling-stroke" />
          <circle cx={x(to)} cy={y(last.value)} r="3" fill={colour} />
        </>
      ) : null}
      {days.map((at, i) => (
        <text key={at} x={x(at)} y={HEIGHT + 15} textAnchor={i === 0 ? 'start' : i === ticks - 1 ? 'end' : 'middle'}>
          {timeAs('day', at, zone)}
        </text>
      ))}
      <defs>
        <pattern id="step-hatch" width="4" height="4" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">
          <line x1="0" y1="0" x2="0" y2="4" stroke="var(--unknown)" strokeWidth="0.8" />
        </pattern>
      </defs>
    </svg>
  );
};
