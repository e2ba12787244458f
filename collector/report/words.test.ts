// SPDX-License-Identifier: Apache-2.0
/**
 * How the report prints numbers, spans and times.
 * Input: figures. Output: text.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { unixMs } from '../../core/units.ts';
import { WEEK } from '../../test/support/report.ts';
import { count, listed, percent, percentText, points, quantiles, share, span, target, timesOf } from './words.ts';

describe('numbers', () => {
  it('are whole per cent, with one decimal under one and over 99', () => {
    expect([percent(58, 71), percent(1, 400), percent(1, 100_000), percent(1999, 2000), percent(0, 9), percent(9, 9)]).toEqual([
      82, 0.3, 0.1, 99.9, 0, 100,
    ]);
  });

  it('are never 100 % when one is missing, nor 0 % when one is there, nor any without a population', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 5_000_000 }), fc.nat(), (of, n) => {
        const part = n % (of + 1);
        const value = percent(part, of) as number;
        expect(value === 100).toBe(part === of);
        expect(value === 0).toBe(part === 0);
      }),
    );
    expect([percent(0, 0), percentText(0, 0), share(0, 0)]).toEqual([null, 'no figure', 'none']);
  });

  it('grow no better by one more that fails', () => {
    fc.assert(
      fc.property(fc.nat(10_000), fc.integer({ min: 1, max: 10_000 }), (pass, fail) => {
        expect(percent(pass, pass + fail + 1) as number).toBeLessThanOrEqual(percent(pass, pass + fail) as number);
      }),
    );
  });

  it('are grouped, and changes have a sign', () => {
    expect([count(2_018_094), count(999), points(2), points(-1), points(0)]).toEqual([
      '2,018,094',
      '999',
      '+ 2 points',
      '− 1 point',
      '0 points',
    ]);
    expect([listed(['a']), listed(['a', 'b']), listed(['a', 'b', 'c']), listed(['a', 'b', 'c', 'd'])]).toEqual([
      'a',
      'a and b',
      'a, b and c',
      'a, b and two more',
    ]);
  });
});

describe('spans and times', () => {
  it('have two units', () => {
    expect([span(91_000), span(5 * 3_600_000 + 7 * 60_000), span(159 * 3_600_000), span(170 * 3_600_000), span(400)]).toEqual([
      ...['1 min 31 s', '5 h 07 min', '159 h 00 min', '7 d 2 h', '0 s'],
    ]);
    expect([target(30 * 60_000), target(4 * 3_600_000), target(14 * 86_400_000)]).toEqual(['30 min', '4 h', '14 d']);
  });

  it('name the day within the week and the date outside it, by the clocks of the zone', () => {
    const times = timesOf(WEEK);
    const at = unixMs(WEEK.from + 74 * 3_600_000 + 840_000);
    expect([times.moment(at), times.weekday(at), times.moment(unixMs(WEEK.to)), times.long(WEEK.to)]).toEqual([
      ...['Thu 02:14', 'Thursday', '23 Nov 00:00', 'Monday 23 November 2026 00:00'],
    ]);
    expect(timesOf({ ...WEEK, zone: 'Asia/Kathmandu' }).moment(at)).toBe('Thu 07:59');
    expect(times.range(WEEK)).toBe('Monday 16 to Sunday 22 November 2026');
  });

  it('have their middle and nine tenths by nearest rank', () => {
    expect(quantiles([3, 1, 2])).toEqual({ median: 2, p90: 3 });
    expect(quantiles(Array.from({ length: 10 }, (_, i) => i + 1))).toEqual({ median: 5, p90: 9 });
    expect(quantiles([])).toBeNull();
  });
});
