// SPDX-License-Identifier: Apache-2.0
/**
 * Weeks by ISO 8601 in any zone, and the ones that are refused.
 * Input: names, times, zones. Output: bounds.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isCoded } from '../../core/errors.ts';
import { unixMs } from '../../core/units.ts';
import { isZone, lastFullWeek, readWeek, wallClock, weekAfter, weekAt } from './week.ts';

const now = unixMs(Date.UTC(2026, 10, 26, 4));
const iso = (at: number): string => new Date(at).toISOString();

describe('a week', () => {
  it('runs from Monday to Monday', () => {
    const week = readWeek('2026-W47', 'UTC', now);
    expect([iso(week.from), iso(week.to)]).toEqual(['2026-11-16T00:00:00.000Z', '2026-11-23T00:00:00.000Z']);
    expect(lastFullWeek(now, 'UTC').name).toBe('2026-W47');
  });

  it('begins at midnight of its zone, on days of 23 and 25 hours too', () => {
    const autumn = readWeek('2026-W43', 'Europe/Berlin', now);
    expect([iso(autumn.from), iso(autumn.to)]).toEqual(['2026-10-18T22:00:00.000Z', '2026-10-25T23:00:00.000Z']);
    expect((autumn.to - autumn.from) / 3_600_000).toBe(169);
    const spring = readWeek('2026-W13', 'Europe/Berlin', now);
    expect((spring.to - spring.from) / 3_600_000).toBe(167);
    expect(wallClock(unixMs(Date.UTC(2026, 10, 23, 5, 30)), 'Europe/Berlin')).toEqual({ weekday: 0, hour: 6 });
  });

  it('is named by the year of its Thursday', () => {
    expect(weekAt(unixMs(Date.UTC(2027, 0, 1)), 'UTC').name).toBe('2026-W53');
    expect(weekAt(unixMs(Date.UTC(2024, 11, 30)), 'UTC').name).toBe('2025-W01');
    expect(readWeek('2020-W53', 'UTC', now).name).toBe('2020-W53');
  });

  it.each(['2026-W54', '2025-W53', '2026-W00', '2026-47', 'last', '', '2026-W47 ', '26-W47', '0001-W01', `2026-W${'4'.repeat(500)}`])(
    'is not %j',
    (name) => {
      expect(() => readWeek(name, 'UTC', now)).toThrow(expect.toSatisfy((error) => isCoded(error, 'WEEK_MALFORMED')));
    },
  );

  it('that is not over is refused with its end', () => {
    for (const name of ['2026-W48', '2030-W01'])
      expect(() => readWeek(name, 'UTC', now)).toThrow(expect.toSatisfy((error) => isCoded(error, 'WEEK_NOT_OVER')));
    expect(readWeek('2026-W47', 'Pacific/Auckland', now).name).toBe('2026-W47');
  });

  it('follows the one before without a gap in every zone, and its name leads back to it', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: Date.UTC(1975, 0, 1), max: Date.UTC(2090, 0, 1) }),
        fc.constantFrom('UTC', 'Europe/Berlin', 'America/St_Johns', 'Pacific/Apia', 'Asia/Kathmandu', 'Africa/Cairo', 'America/Havana'),
        (at, zone) => {
          const week = weekAt(unixMs(at), zone);
          expect(week.from <= at && at < week.to).toBe(true);
          expect(weekAfter(week, 1).from).toBe(week.to);
          expect(weekAfter(week, -1).to).toBe(week.from);
          expect(readWeek(week.name, zone, week.to)).toEqual(week);
          expect(week.days).toEqual([...week.days].sort((a, b) => a - b));
        },
      ),
    );
  });

  it('needs a zone that the platform knows', () => {
    expect([isZone('Europe/Berlin'), isZone('UTC'), isZone('Mars/Olympus'), isZone('')]).toEqual([true, true, false, false]);
  });
});
