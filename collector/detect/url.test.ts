// SPDX-License-Identifier: Apache-2.0
/**
 * Undoing percent-encoding before matching.
 * Input: URLs as attackers write them. Output: the forms that rules see.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { urlForms } from './url.ts';

describe('urlForms', () => {
  it.each<[string, string | readonly string[]]>([
    ['/plain?a=b', '/plain?a=b'],
    ['/?q=a%20b', ['/?q=a%20b', '/?q=a b']],
    ['/?q=a+b', ['/?q=a+b', '/?q=a b']],
    ['/%252e%252e/', ['/%252e%252e/', '/../']],
    ['/caf%C3%A9', ['/caf%C3%A9', '/café']],
    ['/%c0%af', ['/%c0%af', '/\u00c0\u00af']],
    ['/100%', '/100%'],
    ['/%zz', '/%zz'],
  ])('%s gives %j', (url, forms) => {
    expect(urlForms(url)).toEqual(forms);
  });

  it('always keeps the text as it stands, and never throws', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom('%', '2', '5', 'e', 'c', '0', '+', '/', 'é', '\ud800') }), (url) => {
        expect([urlForms(url)].flat()[0]).toBe(url);
      }),
    );
  });
});
