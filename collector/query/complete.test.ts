// SPDX-License-Identifier: Apache-2.0
/** Completion follows the grammar at the cursor. */
import { describe, expect, test } from 'vitest';
import { complete, valueSuggestions } from './complete.ts';

const kinds = (text: string): readonly string[] => [...new Set(complete(text, text.length).suggestions.map(({ kind }) => kind))];
const texts = (text: string, cursor = text.length): readonly string[] => complete(text, cursor).suggestions.map((one) => one.text);

describe('at the cursor', () => {
  test.each([
    ['', ['field']],
    ['source.i', ['field']],
    ['source.ip', ['field', 'operator']],
    ['source.ip ', ['operator', 'conjunction']],
    ['user.name: root ', ['conjunction']],
    ['user.name: "root"', ['conjunction']],
    ['user.name: root and ', ['field']],
    ['not ', ['field']],
    ['(', ['field']],
    ['@timestamp > ', ['value']],
    ['vigil.maybe_repeated: ', ['value']],
    ['user.name: root an', ['conjunction']],
    ['user.name: ', []],
    ['a: b: c', []],
    ['\\', []],
  ])('%j expects %j', (text, expected) => {
    expect(kinds(text)).toEqual(expected);
  });

  test('fields that begin with what is written come first, and replace it', () => {
    const { suggestions } = complete('event.outcome: failure and ip', 29);
    expect(suggestions.length).toBeGreaterThan(0);
    expect(suggestions[0]).toMatchObject({ kind: 'field', from: 27, to: 29 });
    expect(texts('user.na')[0]).toBe('user.name');
    expect(texts('name')).toContain('user.name');
  });

  test('an open value names its field and what is written of it', () => {
    expect(complete('user.name: ro', 13).value).toEqual({ field: 'user.name', prefix: 'ro', from: 11, to: 13 });
    expect(complete('user.name: "ro', 14).value).toEqual({ field: 'user.name', prefix: 'ro', from: 11, to: 14 });
    expect(complete('user.name: (root or ', 20).value).toEqual({ field: 'user.name', prefix: '', from: 20, to: 20 });
    expect(complete('user.name: ro and x', 13).value).toMatchObject({ prefix: 'ro' });
    expect(complete('user.name: root ', 16).value).toBeNull();
  });

  test('a group can be closed only inside it', () => {
    expect(texts('user.name: (root ')).toContain(')');
    expect(texts('(user.name: root ')).toContain(')');
    expect(texts('user.name: root ')).not.toContain(')');
  });

  test('only ordered fields are compared', () => {
    expect(texts('source.port ')).toContain(' >= ');
    expect(texts('user.name ')).not.toContain(' >= ');
  });

  test('values that would be read otherwise are quoted', () => {
    const place = { field: 'url.path', prefix: '', from: 10, to: 10 };
    expect(valueSuggestions(place, ['/a', 'a b', '2001:db8::1', 'a*', 'and', 'a"b']).map(({ text }) => text)).toEqual([
      '/a',
      '"a b"',
      '"2001:db8::1"',
      '"a*"',
      '"and"',
      '"a\\"b"',
    ]);
  });
});
