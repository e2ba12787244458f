// SPDX-License-Identifier: Apache-2.0
/**
 * Counts over time as bars from zero, with gaps between them; a bar opens its own window.
 * Input: buckets of equal width. Output: an SVG with a finding for screen readers, and the same as a table for those who ask.
 */
import { type ReactNode, useContext } from 'react';
import { countText, plural, timeText, ZoneContext } from './time.tsx';

interface Bucket {
  readonly key: string;
  readonly count: number;
}

const HEIGHT = 56;
const WIDTH = 1000;

export const HistogramChart = ({
  buckets,
  onWindow,
}: {
  readonly buckets: readonly Bucket[];
  readonly onWindow: (from: string, to: string) => void;
}): ReactNode => {
  const zone = useContext(ZoneContext);
  if (buckets.length < 2) return null;
  const most = Math.max(1, ...buckets.map(({ count }) => count));
  const step = WIDTH / buckets.length;
  const width = Date.parse(buckets[1]!.key) - Date.parse(buckets[0]!.key);
  const total = buckets.reduce((sum, { count }) => sum + count, 0);
  const peak = buckets.find(({ count }) => count === most);
  const say =
    total === 0
      ? 'No event in the window.'
      : `${plural(total, 'event')}; most at ${timeText(Date.parse(peak!.key), zone)}: ${countText(most)}.`;
  const label = (key: string): string => timeText(Date.parse(key), zone);
  return (
    <figure style={{ marginBottom: 6 }}>
      <svg
        className="histogram"
        viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
        preserveAspectRatio="none"
        role="img"
        aria-label={say}
        style={{ height: HEIGHT }}
      >
        {buckets.map(({ key, count }, i) => {
          const h = count === 0 ? 0 : Math.max(1.5, (count / most) * (HEIGHT - 2));
          return (
            // biome-ignore lint/a11y/noStaticElementInteractions: the same windows can be chosen by the select above
            <g
              key={key}
              onClick={() => onWindow(key, new Date(Date.parse(key) + width).toISOString())}
              style={{ cursor: count === 0 ? 'default' : 'pointer' }}
            >
              <title>{`${label(key)}: ${countText(count)}`}</title>
              <rect x={i * step} y={0} width={step} height={HEIGHT} fill="transparent" />
              <rect x={i * step + 1} y={HEIGHT - h} width={Math.max(1, step - 2)} height={h} fill="var(--low)" />
            </g>
          );
        })}
        <line x1="0" x2={WIDTH} y1={HEIGHT - 0.5} y2={HEIGHT - 0.5} stroke="var(--line)" vectorEffect="non-scaling-stroke" />
      </svg>
      <figcaption className="small third" style={{ display: 'flex', justifyContent: 'space-between' }}>
        <span>{label(buckets[0]!.key)}</span>
        <span>most {countText(most)}</span>
        <span>{label(buckets[buckets.length - 1]!.key)}</span>
      </figcaption>
    </figure>
  );
};
