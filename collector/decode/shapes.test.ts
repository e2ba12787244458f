// SPDX-License-Identifier: Apache-2.0
/**
 * Failed lines by shape: lines that differ only in what varies are one, and their number is bounded.
 * Input: lines. Output: claims.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { failedShapes, noteFailed, shapeOf, takeFailedShapes } from './shapes.ts';

describe('the shape of a line', () => {
  it.each([
    ['job 17 took 3.5 s at 203.0.113.7:8080', 'job <n> took <n> s at <ip>'],
    ['2026-11-24T09:14:02.123Z open /var/log/x.log for "anna" failed', '<time> open <path> for <text> failed'],
    ['peer 2001:db8::1 id 9f3cab0012 at 0xdeadbeef', 'peer <ip> id <hex> at <hex>'],
    ['GET https://example.org/a?b=1 x', 'GET <url> x'],
    ['nothing varies', 'nothing varies'],
    ['', ''],
  ])('%s', (line, shape) => expect(shapeOf(line)).toBe(shape));

  it('is bounded and well-formed, whatever the line', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 2_000, unit: 'binary' }), (line) => {
        const shape = shapeOf(line);
        expect(shape.length).toBeLessThanOrEqual(200);
        expect(shapeOf(line)).toBe(shape);
      }),
    );
  });

  it('is found quickly in hostile lines', () => {
    for (const unit of ['"', "'", '/a', 'a:', '1.', '0', 'ab12', '`', '::', ' ', 'f']) {
      const line = Buffer.from(unit.repeat(20_000)).toString();
      let best = Number.POSITIVE_INFINITY;
      for (let n = 0; n < 20; n++) {
        const start = performance.now();
        shapeOf(line);
        best = Math.min(best, performance.now() - start);
      }
      expect(best, unit).toBeLessThan(1);
    }
  });
});

describe('failed lines', () => {
  it('are counted by shape with the first as a sample; a flood of new shapes does not push out what is frequent', () => {
    for (let n = 0; n < 10; n++) noteFailed('app', `order ${n} is odd`);
    for (let n = 0; n < 1_000; n++)
      noteFailed('flood', `${'x'.repeat(1 + (n % 150))}${String.fromCharCode(97 + (n % 26)).repeat(5)} ${'y'.repeat(n % 37)}`);
    const shapes = failedShapes();
    expect(shapes.length).toBe(200);
    expect(shapes).toContainEqual({ dataset: 'app', pattern: 'order <n> is odd', count: 10, sample: 'order 0 is odd' });
    expect(takeFailedShapes()).toEqual(shapes);
    expect(takeFailedShapes()).toBeNull();
  });
});
