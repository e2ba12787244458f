// SPDX-License-Identifier: Apache-2.0
/**
 * Local wall time to UTC in an IANA zone, daylight saving included.
 * Input: a zone name and a wall time taken as if it were UTC. Output: UTC milliseconds and whether the hour was doubtful.
 */

const QUARTER_MS = 900_000;
const DAY_MS = 86_400_000;
const OFFSETS_KEPT = 8_192;

interface Zone {
  readonly format: Intl.DateTimeFormat | null;
  readonly offsets: Map<number, number>;
}

const zones = new Map<string, Zone>();

const zoneOf = (name: string): Zone => {
  const known = zones.get(name);
  if (known !== undefined) return known;
  // Zones come from enrolled agents; a bound keeps a hostile one from growing the table.
  if (zones.size > 1_024) zones.clear();
  const zone: Zone = { format: formatOf(name), offsets: new Map() };
  zones.set(name, zone);
  return zone;
};

const formatOf = (name: string): Intl.DateTimeFormat | null => {
  if (name === '' || name === 'UTC' || name === 'Etc/UTC') return null;
  try {
    return new Intl.DateTimeFormat('en-US', {
      timeZone: name,
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
      era: 'short',
    });
  } catch {
    // A zone that this runtime does not know is read as UTC: the stamp is kept, and its doubt is noted by the caller.
    return null;
  }
};

/** True when the runtime knows the zone. */
export const isZone = (name: string): boolean => name === '' || name === 'UTC' || name === 'Etc/UTC' || zoneOf(name).format !== null;

const offsetAt = (zone: Zone, utc: number): number => {
  if (zone.format === null) return 0;
  // Every change of offset since 1970 lies on a quarter of an hour, so one answer holds for its quarter.
  const quarter = Math.floor(utc / QUARTER_MS);
  const known = zone.offsets.get(quarter);
  if (known !== undefined) return known;
  if (zone.offsets.size > OFFSETS_KEPT) zone.offsets.clear();
  const at = quarter * QUARTER_MS;
  let year = 0;
  let month = 0;
  let day = 0;
  let hour = 0;
  let minute = 0;
  let second = 0;
  let before = false;
  for (const part of zone.format.formatToParts(at)) {
    if (part.type === 'year') year = Number(part.value);
    else if (part.type === 'month') month = Number(part.value);
    else if (part.type === 'day') day = Number(part.value);
    else if (part.type === 'hour') hour = Number(part.value);
    else if (part.type === 'minute') minute = Number(part.value);
    else if (part.type === 'second') second = Number(part.value);
    else if (part.type === 'era') before = part.value.startsWith('B');
  }
  const offset = Date.UTC(before ? 1 - year : year, month - 1, day, hour, minute, second) - at;
  zone.offsets.set(quarter, offset);
  return offset;
};

/**
 * UTC milliseconds of a wall time in a zone. In the hour that an autumn change repeats, the later reading that is not
 * after `notAfter` is taken; in the hour that spring leaves out, the clock before the change is assumed to have run on.
 */
export const wallToUtc = (name: string, wall: number, notAfter: number): number => {
  const zone = zoneOf(name);
  if (zone.format === null) return wall;
  const early = offsetAt(zone, wall - DAY_MS);
  const late = offsetAt(zone, wall + DAY_MS);
  if (early === late) return wall - early;
  const first = wall - Math.max(early, late);
  const second = wall - Math.min(early, late);
  const firstHolds = wall - offsetAt(zone, first) === first;
  const secondHolds = wall - offsetAt(zone, second) === second;
  if (firstHolds && secondHolds) return second <= notAfter ? second : first;
  if (firstHolds) return first;
  if (secondHolds) return second;
  return wall - early;
};
