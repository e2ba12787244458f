// SPDX-License-Identifier: Apache-2.0
/**
 * What is not known never becomes a pass, whatever it is put together with.
 * Input: answers. Output: one answer.
 */
import { describe, expect, it } from 'vitest';
import { type Answer, all, any, fail, none, pass, unknown } from './answer.ts';

const error: Answer = { result: 'error', actual: 'e', items: [] };
const [p, f, u] = [pass('p'), fail('f', ['x']), unknown('u')];

describe('answers put together', () => {
  it.each([
    ['all', all, [p, p], 'pass'],
    ['all', all, [p, u], 'unknown'],
    ['all', all, [p, error, u], 'error'],
    ['all', all, [u, f], 'fail'],
    ['any', any, [f, p], 'pass'],
    ['any', any, [u, p], 'pass'],
    ['any', any, [f, u], 'unknown'],
    ['any', any, [f, f], 'fail'],
    ['none', none, [f, f], 'pass'],
    ['none', none, [f, u], 'unknown'],
    ['none', none, [u, p], 'fail'],
  ] as const)('%s of them', (_, combine, answers, result) => {
    expect(combine([...answers]).result).toBe(result);
  });

  it('keep what is wrong by name', () => {
    expect(all([f, p, fail('g', ['y'])])).toMatchObject({ actual: 'f; g', items: ['x', 'y'] });
  });
});
