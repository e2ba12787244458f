// SPDX-License-Identifier: Apache-2.0
/**
 * Marks, bars and charts as inline SVG: a shape and a word for each state, never colour alone.
 * Input: marks and counts of the document. Output: SVG text. Pure.
 */
import type { BarPart, Mark, PosturePoint } from '../document.ts';
import { escaped } from './escape.ts';

const bars = (filled: number): string =>
  [4, 6, 8.5, 11]
    .map(
      (height, i) =>
        `<rect x="${i * 3.2}" y="${11 - height}" width="2.4" height="${height}" ${i < filled ? 'fill="currentColor"' : 'fill="none" stroke="currentColor" stroke-width=".6" opacity=".55"'}/>`,
    )
    .join('');

const SHAPES: Readonly<Record<Mark, string>> = {
  critical: bars(4),
  high: bars(3),
  medium: bars(2),
  low: bars(1),
  informational: bars(0),
  pass: '<circle cx="6" cy="6" r="5.5" fill="currentColor"/><path d="M3.4 6.2l1.8 1.8 3.4-3.8" stroke="var(--canvas)" stroke-width="1.5" fill="none"/>',
  fail: '<path d="M6 .2L11.8 6 6 11.8.2 6z" fill="currentColor"/><path d="M4.2 4.2l3.6 3.6M7.8 4.2L4.2 7.8" stroke="var(--canvas)" stroke-width="1.4"/>',
  excepted:
    '<circle cx="6" cy="6" r="5.2" fill="none" stroke="currentColor" stroke-width="1.1"/><path d="M6 .8a5.2 5.2 0 0 1 0 10.4z" fill="currentColor"/>',
  unknown:
    '<circle cx="6" cy="6" r="5.2" fill="none" stroke="currentColor" stroke-width="1.1" stroke-dasharray="1.7 1.57"/><path d="M4.6 4.9c0-1.9 2.9-1.9 2.9-.1 0 1.2-1.4 1.1-1.4 2.3" stroke="currentColor" fill="none" stroke-width="1.15"/><circle cx="6.1" cy="8.8" r=".75" fill="currentColor"/>',
  warn: '<path d="M6 .8L11.8 11.2H.2z" fill="currentColor"/><path d="M6 4.4v3.2" stroke="var(--canvas)" stroke-width="1.4"/><circle cx="6" cy="9.4" r=".8" fill="var(--canvas)"/>',
};

const COLOURS: Readonly<Record<Mark, string>> = {
  critical: 'critical',
  high: 'high',
  medium: 'medium',
  low: 'low',
  informational: 'info',
  pass: 'good',
  fail: 'bad',
  excepted: 'except',
  unknown: 'unknown',
  warn: 'warn',
};

/** The shape; its word is read out, and shown on pointing. */
export const markSvg = (mark: Mark): string =>
  `<svg class="g" width="12" height="12" viewBox="0 0 12 12" role="img" aria-label="${mark}" style="color:var(--${COLOURS[mark]})"><title>${mark}</title>${SHAPES[mark]}</svg>`;

const fillOf = (state: BarPart['state']): string => {
  if (state === 'unknown') return 'fill="url(#rh)" stroke="var(--unknown)" stroke-width=".7"';
  if (state === 'plain') return 'fill="var(--ink2)"';
  if (state === 'informational') return 'fill="var(--info)"';
  return `fill="var(--${state})"`;
};

/** Parts of one population, from zero, with a gap between. */
export const barSvg = (parts: readonly BarPart[], label: string, width: number, height: number): string => {
  const total = parts.reduce((sum, { n }) => sum + n, 0);
  let x = 0;
  const shapes = parts
    .filter(({ n }) => n > 0)
    .map(({ state, n }) => {
      const size = (n / total) * width;
      const shape = `<rect x="${x.toFixed(2)}" y=".4" width="${Math.max(0.6, size - 0.8).toFixed(2)}" height="${height - 0.8}" ${fillOf(state)}/>`;
      x += size;
      return shape;
    });
  return `<svg class="bar" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" preserveAspectRatio="none" role="img" aria-label="${escaped(label)}">${shapes.join('')}</svg>`;
};

/** Ticks from zero: at most four, round numbers. */
const ticksOf = (most: number): readonly number[] => {
  const rough = Math.max(1, most / 3);
  const unit = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((n) => n * unit).find((n) => n >= rough) as number;
  const size = Math.max(1, step);
  return Array.from({ length: Math.floor(most / size) + 1 }, (_, i) => i * size);
};

/** Counts by day, the gravest at the base. */
export const daysSvg = (caption: string, days: readonly { readonly label: string; readonly parts: readonly BarPart[] }[]): string => {
  const [width, height, left, base] = [620, 118, 30, 96];
  const totals = days.map(({ parts }) => parts.reduce((sum, { n }) => sum + n, 0));
  const most = Math.max(1, ...totals);
  const y = (n: number): number => base - (n / most) * (base - 16);
  const slot = (width - left) / days.length;
  const grid = ticksOf(most).map(
    (tick) =>
      `<path d="M${left} ${y(tick).toFixed(1)}H${width}" stroke="var(--hair)"/><text x="${left - 6}" y="${(y(tick) + 3.5).toFixed(1)}" text-anchor="end">${tick}</text>`,
  );
  const columns = days.map(({ label, parts }, i) => {
    const x = left + i * slot + slot * 0.22;
    let at = 0;
    const shapes = parts
      .filter(({ n }) => n > 0)
      .map(({ state, n }) => {
        const [top, bottom] = [y(at + n), y(at)];
        at += n;
        return `<rect x="${x.toFixed(1)}" y="${top.toFixed(1)}" width="${(slot * 0.56).toFixed(1)}" height="${Math.max(0.8, bottom - top - 0.8).toFixed(1)}" ${fillOf(state)}/>`;
      });
    const middle = (x + slot * 0.28).toFixed(1);
    const total = totals[i] as number;
    return `${shapes.join('')}<text class="v" x="${middle}" y="${(y(total) - 4).toFixed(1)}" text-anchor="middle">${total}</text><text x="${middle}" y="${base + 14}" text-anchor="middle">${escaped(label)}</text>`;
  });
  return `<svg class="days" viewBox="0 0 ${width} ${height}" role="img" aria-label="${escaped(`${caption}. ${days.map(({ label }, i) => `${label}: ${totals[i]}`).join(', ')}.`)}">${grid.join('')}${columns.join('')}</svg>`;
};

/** Posture by week; what was not measured is hatched and named. The range of the axis is printed, as it does not begin at zero. */
export const postureSvg = (points: readonly PosturePoint[]): string => {
  const known = points.flatMap(({ percent }, i) => (percent === null ? [] : [{ percent, i }]));
  const low = Math.max(0, Math.floor((Math.min(100, ...known.map(({ percent }) => percent)) - 5) / 20) * 20);
  const [left, right, top, base] = [8, 286, 12, 76];
  const x = (i: number): number => left + ((right - left) * i) / Math.max(1, points.length - 1);
  const y = (percent: number): number => base - ((percent - low) / (100 - low)) * (base - top);
  const first = known[0]?.i ?? points.length;
  const hatched = first > 0 ? x(Math.max(0, first - 1)) + (first < points.length ? (right - left) / (points.length - 1) / 2 : 0) : 0;
  const ticks = [low, (low + 100) / 2, 100];
  const describe = points.map(({ week, percent }) => `${week} ${percent === null ? 'not measured' : percent}`).join(', ');
  return `<svg class="line" viewBox="0 0 330 96" role="img" aria-label="${escaped(`Posture by week in per cent: ${describe}.`)}">${
    first > 0
      ? `<rect x="${left}" y="${top - 4}" width="${Math.max(0, hatched - left).toFixed(1)}" height="${base - top + 4}" fill="url(#rh)" opacity=".55"/>`
      : ''
  }${
    hatched - left > 150
      ? `<rect x="${(left + hatched) / 2 - 42}" y="33" width="84" height="17" fill="var(--canvas)"/><text x="${(left + hatched) / 2}" y="45" text-anchor="middle">not measured</text>`
      : ''
  }${ticks.map((tick) => `<path d="M${left} ${y(tick).toFixed(1)}H302" stroke="var(--hair)"/><text x="306" y="${(y(tick) + 3.5).toFixed(1)}">${tick}</text>`).join('')}<polyline points="${known
    .map(({ percent, i }) => `${x(i).toFixed(1)},${y(percent).toFixed(1)}`)
    .join(' ')}" fill="none" stroke="var(--ink)" stroke-width="1.6"/>${known
    .map(({ percent, i }, n) => {
      const told = n >= known.length - 3 || n === 0;
      const dot = `<circle cx="${x(i).toFixed(1)}" cy="${y(percent).toFixed(1)}" r="2.6" fill="var(--ink)"/>`;
      return told
        ? `${dot}<text class="v" x="${x(i).toFixed(1)}" y="${(y(percent) - 6).toFixed(1)}" text-anchor="middle">${percent}</text>`
        : dot;
    })
    .join(
      '',
    )}<text x="${left}" y="91">${escaped(short(points[0]?.week))}</text><text x="${right}" y="91" text-anchor="end">${escaped(short(points.at(-1)?.week))}</text></svg>`;
};

const short = (week: string | undefined): string => (week ?? '').slice(5);
