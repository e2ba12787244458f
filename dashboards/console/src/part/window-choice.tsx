// SPDX-License-Identifier: Apache-2.0
/**
 * The window of a search: a span up to now, or two times from a link or the histogram; earlier and later by its own width.
 * Input: the window as it stands in the address, and as it was resolved. Output: another window.
 */
import type { ReactNode } from 'react';
import { useContext } from 'react';
import { rangeText, ZoneContext } from './time.tsx';

const WINDOWS = [
  { from: 'now-15m', label: 'Last 15 minutes' },
  { from: 'now-1h', label: 'Last hour' },
  { from: 'now-24h', label: 'Last 24 hours' },
  { from: 'now-7d', label: 'Last 7 days' },
  { from: 'now-30d', label: 'Last 30 days' },
  { from: 'now-365d', label: 'Last year' },
] as const;

interface Props {
  readonly from: string;
  readonly to: string;
  /** The window in milliseconds; null until it was answered. */
  readonly resolved: { readonly from: number; readonly to: number } | null;
  readonly onWindow: (from: string, to: string) => void;
}

/** The window moved by its own width. */
export const shifted = ({ from, to }: { readonly from: number; readonly to: number }, by: -1 | 1): readonly [string, string] => {
  const width = (to - from) * by;
  return [new Date(from + width).toISOString(), new Date(to + width).toISOString()];
};

const UNITS: Readonly<Record<string, number>> = { m: 60_000, h: 3_600_000, d: 86_400_000 };

const placeOf = (text: string, now: number): number => {
  const ago = /^now-(\d{1,4})([mhd])$/.exec(text);
  return text === 'now' ? now : ago ? now - Number(ago[1]) * (UNITS[ago[2] ?? ''] ?? 0) : Date.parse(text);
};

/** A window of words in milliseconds, at a time; null where one of them is no time. */
export const resolvedAt = (from: string, to: string, now: number): { readonly from: number; readonly to: number } | null => {
  const window = { from: placeOf(from, now), to: placeOf(to, now) };
  return Number.isNaN(window.from + window.to) || window.from >= window.to ? null : window;
};

export const WindowChoice = ({ from, to, resolved, onWindow }: Props): ReactNode => {
  const zone = useContext(ZoneContext);
  const named = to === 'now' ? WINDOWS.find((one) => one.from === from) : undefined;
  const step = (by: -1 | 1): void => {
    if (resolved) onWindow(...shifted(resolved, by));
  };
  return (
    <div className="window">
      <button
        type="button"
        className="ctl square"
        aria-label="Earlier window"
        title="Earlier  ["
        disabled={!resolved}
        onClick={() => step(-1)}
      >
        ‹
      </button>
      <select
        className="ctl"
        aria-label="Time window"
        value={named ? from : ''}
        onChange={({ currentTarget }) => onWindow(currentTarget.value, 'now')}
      >
        {named ? null : <option value="">{resolved ? rangeText(resolved.from, resolved.to, zone) : `${from} to ${to}`}</option>}
        {WINDOWS.map((one) => (
          <option key={one.from} value={one.from}>
            {one.label}
          </option>
        ))}
      </select>
      <button type="button" className="ctl square" aria-label="Later window" title="Later  ]" disabled={!resolved} onClick={() => step(1)}>
        ›
      </button>
    </div>
  );
};
