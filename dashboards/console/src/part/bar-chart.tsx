// SPDX-License-Identifier: Apache-2.0
/**
 * Counts over time as bars from zero, parts stacked with the worst at the base, what was not seen hatched and named.
 * Input: buckets of equal width. Output: bars with ticks, the finding as text for screen readers, the same as a table; a window when one is dragged.
 */
import { type PointerEvent, type ReactNode, useContext, useLayoutEffect, useRef, useState } from 'react';
import { countTicks, timeTicks } from './scale.ts';
import { timeText, ZoneContext } from './time.tsx';
import { countText, plural } from './words.ts';

export interface Bucket {
  readonly at: number;
  /** From the base up; colours are tokens of the look. */
  readonly parts: readonly { readonly colour: string; readonly count: number }[];
}

export interface Props {
  readonly buckets: readonly Bucket[];
  readonly from: number;
  readonly to: number;
  /** What is counted: `event`, `alert`. */
  readonly word: string;
  readonly height: number;
  /** Spans of the window that were not seen. */
  readonly unseen?: readonly { readonly from: number; readonly to: number; readonly name: string }[];
  readonly onWindow?: (from: number, to: number) => void;
}

const sum = ({ parts }: Bucket): number => parts.reduce((all, { count }) => all + count, 0);

/** Room at the right end of the times, where the table is opened; in pixels. */
const TWIN_WIDTH = 110;

export const BarChart = ({ buckets, from, to, word, height, unseen = [], onWindow }: Props): ReactNode => {
  const zone = useContext(ZoneContext);
  const plot = useRef<HTMLDivElement>(null);
  const [drag, setDrag] = useState<readonly [number, number] | null>(null);
  const [width, setWidth] = useState(600);
  useLayoutEffect(() => {
    if (!plot.current) return;
    const watcher = new ResizeObserver(([entry]) => entry && setWidth(entry.contentRect.width));
    watcher.observe(plot.current);
    return () => watcher.disconnect();
  }, []);
  const span = to - from;
  const step = span / Math.max(1, buckets.length);
  const sums = buckets.map(sum);
  const most = Math.max(0, ...sums);
  const ticks = countTicks(most);
  const top = ticks[ticks.length - 1] as number;
  const x = (at: number): number => ((at - from) / span) * 100;
  const total = sums.reduce((all, count) => all + count, 0);
  const peak = buckets[sums.indexOf(most)];
  const say =
    total === 0 || !peak ? `No ${word} in the window.` : `${plural(total, word)}; most at ${timeText(peak.at, zone)}: ${countText(most)}.`;
  // The bucket under the pointer.
  const at = (event: PointerEvent): number => {
    const box = plot.current?.getBoundingClientRect();
    return box ? Math.min(buckets.length - 1, Math.max(0, Math.floor(((event.clientX - box.left) / box.width) * buckets.length))) : 0;
  };
  const open = (a: number, b: number): void =>
    onWindow?.(Math.floor(from + Math.min(a, b) * step), Math.ceil(from + (Math.max(a, b) + 1) * step));
  const pointer = onWindow
    ? {
        onPointerDown: (event: PointerEvent<HTMLDivElement>) => {
          if (event.button !== 0) return;
          event.currentTarget.setPointerCapture(event.pointerId);
          setDrag([at(event), at(event)]);
        },
        onPointerMove: (event: PointerEvent) => drag && setDrag([drag[0], at(event)]),
        onPointerUp: () => {
          if (drag && (drag[0] !== drag[1] || (sums[drag[0]] ?? 0) > 0)) open(...drag);
          setDrag(null);
        },
        onPointerCancel: () => setDrag(null),
      }
    : {};
  return (
    <figure className="chart">
      <div className="plot" ref={plot} style={{ height, ...(onWindow ? { cursor: 'crosshair', touchAction: 'pan-y' } : {}) }} {...pointer}>
        <svg viewBox={`0 0 100 ${height}`} preserveAspectRatio="none" role="img" aria-label={say}>
          {ticks.map((tick) => (
            <line
              key={tick}
              x1="0"
              x2="100"
              y1={height - (tick / top) * (height - 1) - 0.5}
              y2={height - (tick / top) * (height - 1) - 0.5}
            />
          ))}
          {buckets.map((bucket, i) => (
            <g key={bucket.at}>
              <title>{`${timeText(bucket.at, zone)}: ${countText(sums[i] ?? 0)}`}</title>
              <rect x={i * (100 / buckets.length)} y="0" width={100 / buckets.length} height={height} fill="transparent" />
              {stack(bucket, top, height).map(({ colour, y, h }) => (
                <rect
                  key={y}
                  x={(i + 0.08) * (100 / buckets.length)}
                  width={(100 / buckets.length) * 0.84}
                  y={y}
                  height={h}
                  fill={`var(--${colour})`}
                />
              ))}
            </g>
          ))}
        </svg>
        {unseen.map((one) => (
          <span
            key={one.from}
            className="unseen hatch"
            title={one.name}
            style={{ left: `${x(one.from)}%`, width: `${x(one.to) - x(one.from)}%` }}
          />
        ))}
        {drag ? (
          <span
            className="brush"
            style={{
              left: `${(Math.min(...drag) / buckets.length) * 100}%`,
              width: `${((Math.abs(drag[1] - drag[0]) + 1) / buckets.length) * 100}%`,
            }}
          />
        ) : null}
        {ticks.map((tick) => (
          <span key={tick} className="tick-y" style={{ bottom: `${(tick / top) * 100}%` }} aria-hidden="true">
            {countText(tick)}
          </span>
        ))}
      </div>
      <div className="ticks-x" aria-hidden="true">
        {timeTicks(from, to, zone, Math.min(7, Math.max(2, Math.floor(width / 130))))
          .filter((tick) => (x(tick.at) / 100) * width < width - TWIN_WIDTH)
          .map((tick) => (
            <span key={tick.at} style={{ left: `${x(tick.at)}%` }}>
              {tick.text}
            </span>
          ))}
      </div>
      <Twin buckets={buckets} sums={sums} word={word} onOpen={onWindow ? (i) => open(i, i) : undefined} />
    </figure>
  );
};

interface Slab {
  readonly colour: string;
  readonly y: number;
  readonly h: number;
}

/** Slabs of one bar from the base up, a pixel apart; what is there is seen, however little it is. */
const stack = (bucket: Bucket, top: number, height: number): readonly Slab[] => {
  let y = height - 1;
  return bucket.parts
    .filter(({ count }) => count > 0)
    .map(({ colour, count }) => {
      const h = Math.max(1.5, (count / top) * (height - 1) - 1);
      y -= h;
      const slab = { colour, y, h };
      y -= 1;
      return slab;
    });
};

interface TwinProps {
  readonly buckets: readonly Bucket[];
  readonly sums: readonly number[];
  readonly word: string;
  readonly onOpen: ((index: number) => void) | undefined;
}

/** The same as a table, and the way to a window for those who use no pointer. */
const Twin = ({ buckets, sums, word, onOpen }: TwinProps): ReactNode => {
  const zone = useContext(ZoneContext);
  const rows = buckets.map((bucket, i) => ({ bucket, i, count: sums[i] ?? 0 })).filter(({ count }) => count > 0);
  if (rows.length === 0) return null;
  return (
    <details className="twin">
      <summary>As a table</summary>
      <table className="rows">
        <thead>
          <tr>
            <th scope="col">From</th>
            <th scope="col" className="right">
              {word}s
            </th>
          </tr>
        </thead>
        <tbody>
          {rows.map(({ bucket, i, count }) => (
            <tr key={bucket.at}>
              <td className="mono">{timeText(bucket.at, zone)}</td>
              <td className="right">
                {onOpen ? (
                  <button type="button" className="evidence" onClick={() => onOpen(i)}>
                    {countText(count)}
                  </button>
                ) : (
                  countText(count)
                )}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </details>
  );
};
