// SPDX-License-Identifier: Apache-2.0
/** What a query cannot mean is refused with the field, its type and what to write; names that are not known are told. */
import { describe, expect, test } from 'vitest';
import { unixMs } from '../../core/units.ts';
import { unknownFields } from './field.ts';
import { fold, likePattern, matchParts } from './fold.ts';
import { parseOrThrow } from './parse.ts';
import { resolve } from './resolve.ts';
import { readWindow } from './window.ts';

const NOW = unixMs(Date.UTC(2026, 10, 24));
const meaning = (query: string) => resolve(parseOrThrow(query), { of: 'events', now: NOW });

describe('a value', () => {
  test.each([
    ['source.port: ssh', 'source.port', 'a number'],
    ['source.port: 2*', 'source.port', 'a number'],
    ['source.port > 99999999999999999999', 'source.port', 'a number'],
    ['@timestamp: yesterday', '@timestamp', 'a time'],
    ['@timestamp >= 2026-*', '@timestamp', 'compared'],
    ['vigil.maybe_repeated: maybe', 'vigil.maybe_repeated', 'a boolean'],
    ['vigil.maybe_repeated > true', 'vigil.maybe_repeated', 'a boolean'],
    ['source.ip > bastion', 'source.ip', 'an address'],
    ['user.name > r*', 'user.name', 'compared'],
    ['vigil.extra: x', 'vigil.extra', 'a map'],
  ])('%s is refused', (query, field, type) => {
    expect(() => meaning(query)).toThrow(
      expect.objectContaining({ code: 'QUERY_BAD_VALUE', details: expect.objectContaining({ field, type }) }),
    );
  });

  test('that only some fields of a pattern can hold is asked of those', () => {
    const found = meaning('source.*: ssh');
    expect(found.kind).toBe('or');
    expect(JSON.stringify(found)).not.toContain('"name":"source.port"');
    expect(JSON.stringify(found)).toContain('"name":"source.domain"');
  });

  test('of a document’s field must have a name that can be a path', () => {
    expect(() => resolve(parseOrThrow('"a b": c'), { of: 'documents', now: NOW })).toThrow(
      expect.objectContaining({ code: 'QUERY_BAD_VALUE' }),
    );
  });
});

describe('names that are not known', () => {
  test('are told with the nearest one and their place, extra fields by their full name are not', () => {
    expect(unknownFields(parseOrThrow('user.name: a and (not usr.name: b or app.mode > c)'))).toEqual([
      { field: 'usr.name', nearest: 'user.name', at: 22 },
      { field: 'app.mode', nearest: expect.any(String), at: 37 },
    ]);
    expect(unknownFields(parseOrThrow('vigil.extra.app.mode: c or source.*: x or foo'))).toEqual([]);
  });
});

describe('text', () => {
  test('is folded as the engines fold it', () => {
    expect(fold('ΑΣ')).toBe('ασ');
    expect(fold('İ')).toBe('i');
    expect(fold('MÜLLER ẞ')).toBe('müller ß');
  });

  test('matches parts in order, without using a letter twice', () => {
    expect(matchParts('abc', ['a', 'c'])).toBe(true);
    expect(matchParts('ac', ['a', 'c'])).toBe(true);
    expect(matchParts('a', ['a', 'a'])).toBe(false);
    expect(matchParts('aba', ['a', 'b', 'ba'])).toBe(false);
    expect(matchParts('xaxbx', ['', 'a', 'b', ''])).toBe(true);
    expect(likePattern(['a%', 'b_\\'])).toBe('a\\%%b\\_\\\\');
  });
});

describe('a window', () => {
  test('is the last day, to the present moment, unless it is said', () => {
    expect(readWindow(undefined, undefined, NOW)).toEqual({ from: NOW + 1 - 86_400_000, to: NOW + 1 });
    expect(readWindow('2026-11-20', '2026-11-21', NOW)).toEqual({ from: Date.UTC(2026, 10, 20), to: Date.UTC(2026, 10, 21) });
    expect(readWindow('now-1h', 'now', NOW)).toEqual({ from: NOW - 3_600_000, to: NOW + 1 });
    expect(() => readWindow('2026-11-21', '2026-11-20', NOW)).toThrow(expect.objectContaining({ code: 'REQUEST_BAD' }));
    expect(() => readWindow('soon', undefined, NOW)).toThrow(expect.objectContaining({ code: 'QUERY_BAD_VALUE' }));
  });
});
