// SPDX-License-Identifier: Apache-2.0
/**
 * Times and numbers as the look writes them, in UTC or local time, with the offset in the tooltip.
 * Input: milliseconds or ISO text. Output: text, and the choice of zone for the whole console.
 */
import { createContext, type ReactNode, useContext } from 'react';

export type Zone = 'utc' | 'local';

export const ZoneContext = createContext<Zone>('utc');

const DAY = 86_400_000;

const formats: Readonly<Record<Zone, Readonly<Record<'week' | 'year' | 'old', Intl.DateTimeFormat>>>> = {
  utc: makeFormats('UTC'),
  local: makeFormats(undefined),
};

function makeFormats(timeZone: string | undefined): Readonly<Record<'week' | 'year' | 'old', Intl.DateTimeFormat>> {
  const base = { hour: '2-digit', minute: '2-digit', hourCycle: 'h23', ...(timeZone === undefined ? {} : { timeZone }) } as const;
  return {
    week: new Intl.DateTimeFormat('en-GB', { weekday: 'short', second: '2-digit', ...base }),
    year: new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short', ...base }),
    old: new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short', year: 'numeric', ...base }),
  };
}

/** `Thu 02:14:09` within the week, `19 Nov 02:14` within the year, with the year before that. */
export const timeText = (at: number, zone: Zone, now = Date.now()): string => {
  const kind = Math.abs(now - at) < 6 * DAY ? 'week' : Math.abs(now - at) < 300 * DAY ? 'year' : 'old';
  return formats[zone][kind].format(at).replace(',', '');
};

export const Time = ({ at }: { readonly at: number | string }): ReactNode => {
  const zone = useContext(ZoneContext);
  const ms = typeof at === 'string' ? Date.parse(at) : at;
  const iso = new Date(ms).toISOString();
  return (
    <time dateTime={iso} title={iso} className="nowrap">
      {timeText(ms, zone)}
    </time>
  );
};

/** 2018094 as `2,018,094`. */
export const countText = (n: number): string => n.toLocaleString('en-GB');

/** `0.3 s`, `4 min 07 s`, `5 h 07 min`, `3 d 8 h`. */
export const spanText = (ms: number): string => {
  const s = Math.max(0, ms / 1000);
  if (s < 10) return `${s.toFixed(1)} s`;
  if (s < 60) return `${Math.round(s)} s`;
  if (s < 3600) return `${Math.floor(s / 60)} min ${String(Math.round(s % 60)).padStart(2, '0')} s`;
  if (s < 86_400) return `${Math.floor(s / 3600)} h ${String(Math.floor((s % 3600) / 60)).padStart(2, '0')} min`;
  return `${Math.floor(s / 86_400)} d ${Math.floor((s % 86_400) / 3600)} h`;
};

/** `1 alert`, `2 alerts`. */
export const plural = (n: number, word: string, many = `${word}s`): string => `${countText(n)} ${n === 1 ? word : many}`;
