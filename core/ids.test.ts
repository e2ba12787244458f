// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { hashId, isId, makeId, random128 } from './ids.ts';

describe('ids', () => {
  it('say what they are of, and are told from others', () => {
    const id = makeId('agt');
    expect(isId('agt', id)).toBe(true);
    expect(isId('alr', id)).toBe(false);
    for (const text of ['agt_', 'agt_short', 'agt_../../etc/passwd....', 'agt_', 7, null, 'agt_<script>alert(1)</script>'])
      expect(isId('agt', text)).toBe(false);
  });

  it('made of the same parts are the same, and of parts that only look alike differ', () => {
    expect(hashId('sig', 'a', 'b')).toBe(hashId('sig', 'a', 'b'));
    expect(hashId('sig', 'ab')).not.toBe(hashId('sig', 'a', 'b'));
    expect(hashId('sig', 'a', 1)).not.toBe(hashId('evt', 'a', 1));
  });

  it('never repeat', () => {
    expect(new Set(Array.from({ length: 10_000 }, () => makeId('usr'))).size).toBe(10_000);
    expect(random128()).toMatch(/^[0-9a-f]{32}$/);
  });
});
