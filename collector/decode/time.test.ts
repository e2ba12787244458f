// SPDX-License-Identifier: Apache-2.0
/**
 * Stamps: every form, years and zones inferred, the two hours that clocks repeat and leave out.
 * Input: written stamps. Output: claims.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readAny, readClf, readRfc3164, stamp, type TimeContext } from './time.ts';
import { isZone, wallToUtc } from './zone.ts';

const context = (readAt: string, zone = 'UTC', year?: number): TimeContext => ({ zone, readAt: Date.parse(readAt), year });
const iso = (text: string, at: TimeContext): string | undefined => (readAny(text, 0, at) ? new Date(stamp.ms).toISOString() : undefined);
const NOW = context('2026-11-24T12:00:00Z');

describe('readAny', () => {
  it.each([
    ['Nov 24 09:14:02 x', '2026-11-24T09:14:02.000Z', 'year-inferred'],
    ['Nov  4 09:14:02.250 x', '2026-11-04T09:14:02.250Z', 'year-inferred'],
    ['Nov 4 2025 09:14:02 x', '2025-11-04T09:14:02.000Z', 'zone-inferred'],
    ['2026-11-24T09:14:02.123456789+01:00 x', '2026-11-24T08:14:02.123Z', undefined],
    ['2026-11-24 09:14:02,5 x', '2026-11-24T09:14:02.500Z', 'zone-inferred'],
    ['2026-11-24 09:14:02 -0330 x', '2026-11-24T12:44:02.000Z', undefined],
    ['2026-11-24 09:14:02 UTC x', '2026-11-24T09:14:02.000Z', undefined],
    ['2026/11/24 09:14:02 x', '2026-11-24T09:14:02.000Z', 'zone-inferred'],
    ['2026-11-24  9:14:02 x', '2026-11-24T09:14:02.000Z', 'zone-inferred'],
    ['24/Nov/2026:09:14:02 -0700] x', '2026-11-24T16:14:02.000Z', undefined],
    ['Tue Nov 24 09:14:02.880562 2026] x', '2026-11-24T09:14:02.880Z', 'zone-inferred'],
    ['Tue Nov 24 09:14:02 CET 2026 x', '2026-11-24T09:14:02.000Z', 'zone-inferred'],
    ['24-Nov-2026 09:14:02.425 x', '2026-11-24T09:14:02.425Z', 'zone-inferred'],
    ['261124  9:14:02 x', '2026-11-24T09:14:02.000Z', 'zone-inferred'],
    ['1764000000.579 x', '2025-11-24T16:00:00.579Z', undefined],
    ['1764000000579 x', '2025-11-24T16:00:00.579Z', undefined],
    ['@400000004c91b044077a9e94 x', '2010-09-16T05:50:50.125Z', undefined],
  ])('reads %s', (text, expected, quality) => {
    expect(iso(text, NOW)).toBe(expected);
    expect(stamp.quality).toBe(quality);
    expect(text.slice(stamp.end)).toMatch(/^[\] ]/);
  });

  it.each([
    'Nov 31 09:14:02',
    'Nov 24 24:14:02',
    'Nox 24 09:14:02',
    '2026-13-24 09:14:02',
    '2026-11-24',
    '1',
    '',
    'Nov',
    '99/Nov/2026:09:14:02',
    'Nov 24 09-14-02',
  ])('takes %j for no stamp', (text) => {
    expect(readAny(text, 0, NOW)).toBe(false);
  });

  it('reads no stamp beyond the end of any text', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        if (readAny(text, 0, NOW)) expect(stamp.end).toBeLessThanOrEqual(text.length);
      }),
    );
  });
});

describe('the year of a year-less stamp', () => {
  it('is the last one that is not later than a day after the line was read', () => {
    expect(iso('Dec 31 23:59:59', context('2027-01-01T00:00:05Z'))).toBe('2026-12-31T23:59:59.000Z');
    expect(iso('Jan  1 00:00:03', context('2026-12-31T23:59:58Z'))).toBe('2027-01-01T00:00:03.000Z');
    expect(iso('Nov 26 12:00:00', NOW)).toBe('2025-11-26T12:00:00.000Z');
    expect(iso('Feb 29 12:00:00', NOW)).toBe('2024-02-29T12:00:00.000Z');
  });

  it('is the one a person gave', () => {
    expect(iso('Nov 26 12:00:00', context('2026-11-24T12:00:00Z', 'UTC', 2019))).toBe('2019-11-26T12:00:00.000Z');
  });

  it('holds for lines read in any order', () => {
    const day = 86_400_000;
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.integer({ min: 0, max: 3_000 }), fc.integer({ min: 0, max: 363 })), { minLength: 2, maxLength: 20 }),
        (pairs) => {
          for (const [after, before] of pairs) {
            const readAt = Date.UTC(2020, 0, 1, 12) + after * day;
            const true_ = new Date(readAt - before * day);
            const [, month, date] = /^\w+, (\d+) (\w+)/.exec(true_.toUTCString())?.reverse() ?? [];
            const text = `${true_.toUTCString().slice(8, 11)} ${String(true_.getUTCDate()).padStart(2)} 12:00:00`;
            expect(readRfc3164(text, 0, { zone: 'UTC', readAt, year: undefined }), `${month} ${date}`).toBe(true);
            expect(stamp.ms).toBe(true_.getTime());
          }
        },
      ),
    );
  });
});

describe('a wall time in a zone', () => {
  const ZONE = 'Europe/Berlin';
  const late = Date.UTC(2027, 0, 1);

  it('follows daylight saving', () => {
    expect(wallToUtc(ZONE, Date.UTC(2026, 6, 1, 12), late)).toBe(Date.UTC(2026, 6, 1, 10));
    expect(wallToUtc(ZONE, Date.UTC(2026, 11, 1, 12), late)).toBe(Date.UTC(2026, 11, 1, 11));
  });

  it('takes the later reading of the repeated hour, unless that has not happened yet', () => {
    const wall = Date.UTC(2026, 9, 25, 2, 30);
    expect(wallToUtc(ZONE, wall, late)).toBe(Date.UTC(2026, 9, 25, 1, 30));
    expect(wallToUtc(ZONE, wall, Date.UTC(2026, 9, 25, 0, 31))).toBe(Date.UTC(2026, 9, 25, 0, 30));
  });

  it('lets the clock run on through the hour that spring leaves out', () => {
    expect(wallToUtc(ZONE, Date.UTC(2026, 2, 29, 2, 30), late)).toBe(Date.UTC(2026, 2, 29, 1, 30));
  });

  it('is undone by the zone itself, at any minute of the year and in odd zones', () => {
    const zones = ['Europe/Berlin', 'America/New_York', 'Asia/Kolkata', 'Australia/Lord_Howe', 'America/St_Johns', 'Pacific/Apia', 'UTC'];
    fc.assert(
      fc.property(
        fc.constantFrom(...zones),
        fc.integer({ min: Date.UTC(1990, 0, 1) / 60_000, max: Date.UTC(2030, 0, 1) / 60_000 }),
        (zone, minutes) => {
          const utc = minutes * 60_000;
          const parts = new Intl.DateTimeFormat('sv-SE', { timeZone: zone, dateStyle: 'short', timeStyle: 'medium' }).format(utc);
          const back = wallToUtc(zone, Date.parse(`${parts.replace(' ', 'T')}Z`), Number.POSITIVE_INFINITY);
          // Of a repeated hour the later is taken: at most the size of the change away.
          expect([0, 1_800_000, 3_600_000, 86_400_000]).toContain(back - utc);
        },
      ),
      { numRuns: 500 },
    );
  });

  it('is read as UTC where the zone is unknown', () => {
    expect(isZone('Mars/Olympus')).toBe(false);
    expect(isZone('Europe/Berlin')).toBe(true);
    expect(wallToUtc('Mars/Olympus', 5_000, late)).toBe(5_000);
  });

  it('is the same for stamps of one minute and for the next zone asked', () => {
    const at = (zone: string): number =>
      readClf('24/Nov/2026:09:14:02]', 0, context('2026-11-24T12:00:00Z', zone)) ? stamp.ms : Number.NaN;
    expect(at('Europe/Berlin')).toBe(Date.UTC(2026, 10, 24, 8, 14, 2));
    expect(at('UTC')).toBe(Date.UTC(2026, 10, 24, 9, 14, 2));
    expect(at('America/New_York')).toBe(Date.UTC(2026, 10, 24, 14, 14, 2));
    expect(at('Europe/Berlin')).toBe(Date.UTC(2026, 10, 24, 8, 14, 2));
  });
});
