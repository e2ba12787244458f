// SPDX-License-Identifier: Apache-2.0
/**
 * Times and numbers as the look writes them, in UTC or local time, with the offset in the tooltip.
 * Input: milliseconds or ISO text. Output: text, and the choice of zone for the whole console.
 */
import { createContext, type ReactNode, useContext } from 'react';

export type Zone = 'utc' | 'local' | 'host';

export const ZoneContext = createContext<Zone>('utc');

const DAY = 86_400_000;

type Kind = 'clock' | 'week' | 'year' | 'old' | 'minute' | 'day' | 'full';

const makeFormats = (timeZone: string | undefined): Readonly<Record<Kind, Intl.DateTimeFormat>> => {
  const zone = timeZone === undefined ? {} : { timeZone };
  const minute = { hour: '2-digit', minute: '2-digit', hourCycle: 'h23', ...zone } as const;
  const second = { ...minute, second: '2-digit' } as const;
  const of = (options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat => new Intl.DateTimeFormat('en-GB', options);
  return {
    minute: of(minute),
    clock: of(second),
    week: of({ weekday: 'short', ...second }),
    year: of({ day: 'numeric', month: 'short', ...minute }),
    old: of({ day: 'numeric', month: 'short', year: 'numeric', ...minute }),
    day: of({ weekday: 'short', day: 'numeric', month: 'short', ...zone }),
    full: of({ weekday: 'short', day: 'numeric', month: 'short', year: 'numeric', ...second }),
  };
};

const formats = new Map<string, Readonly<Record<Kind, Intl.DateTimeFormat>>>();

/** Formats of a zone, made once. Of the host's zone where one is named; without one it is UTC. */
const formatsOf = (zone: Zone, hostZone?: string): Readonly<Record<Kind, Intl.DateTimeFormat>> => {
  const name = zone === 'local' ? '' : zone === 'host' ? (hostZone ?? 'UTC') : 'UTC';
  const known = formats.get(name);
  if (known) return known;
  let made: Readonly<Record<Kind, Intl.DateTimeFormat>>;
  try {
    made = makeFormats(name === '' ? undefined : name);
  } catch {
    // A host may name a zone that this browser does not know.
    made = formatsOf('utc');
  }
  formats.set(name, made);
  return made;
};

/** Time zones of hosts by their names. */
export const HostZonesContext = createContext<ReadonlyMap<string, string>>(new Map());

/** A time in one of the forms of the look. */
export const timeAs = (kind: Kind, at: number, zone: Zone, hostZone?: string): string =>
  formatsOf(zone, hostZone)[kind].format(at).replaceAll(',', '');

/** `Thu 02:14:09` within the week, `19 Nov 02:14` within the year, with the year before that. */
export const timeText = (at: number, zone: Zone, now = Date.now(), hostZone?: string): string => {
  const age = Math.abs(now - at);
  return timeAs(age < 6 * DAY ? 'week' : age < 300 * DAY ? 'year' : 'old', at, zone, hostZone);
};

/** Minutes a zone is ahead of UTC at a time. */
export const offsetMinutes = (at: number, zone: Zone): number => (zone !== 'local' ? 0 : -new Date(at).getTimezoneOffset());

/** `UTC+02:00`. */
export const offsetText = (at: number, zone: Zone): string => {
  const minutes = offsetMinutes(at, zone);
  const two = (n: number): string => String(Math.floor(n)).padStart(2, '0');
  return `UTC${minutes < 0 ? '−' : '+'}${two(Math.abs(minutes) / 60)}:${two(Math.abs(minutes) % 60)}`;
};

/** `Wed 25 Nov 00:11 to Thu 26 Nov 00:11`, the day said once when it is one. */
export const rangeText = (from: number, to: number, zone: Zone): string => {
  const day = (at: number): string => timeAs('day', at, zone);
  const kind = to - from < 10 * 60_000 ? 'clock' : 'minute';
  const clock = (at: number): string => timeAs(kind, at, zone);
  const end = day(from) === day(to) ? clock(to) : `${day(to)} ${clock(to)}`;
  return `${day(from)} ${clock(from)} to ${end}`;
};

export const Time = ({ at, host }: { readonly at: number | string; readonly host?: string }): ReactNode => {
  const zone = useContext(ZoneContext);
  const zones = useContext(HostZonesContext);
  const hostZone = host === undefined ? undefined : zones.get(host);
  const ms = typeof at === 'string' ? Date.parse(at) : at;
  if (Number.isNaN(ms)) return <span className="nowrap">{String(at)}</span>;
  const iso = new Date(ms).toISOString();
  return (
    <time dateTime={iso} title={iso} className="nowrap">
      {timeText(ms, zone, Date.now(), hostZone)}
    </time>
  );
};
