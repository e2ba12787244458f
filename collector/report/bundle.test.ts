// SPDX-License-Identifier: Apache-2.0
/**
 * The bundle proves itself: every bit of it is under its signature, and every figure comes from its inputs.
 * Input: reports of made-up weeks. Output: what holds, and where it does not.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { generateSigner } from '../../core/sign.ts';
import { unixMs } from '../../core/units.ts';
import { busyInputs, emptyInputs, hostileInputs, quietInputs, WEEK } from '../../test/support/report.ts';
import { checkBundle, figuresOf, looksLikeBundle, makeReport } from './bundle.ts';
import { canonical, firstDifference } from './canonical.ts';
import type { ReportInputs } from './inputs.ts';

const signer = generateSigner();
const make = (inputs: ReportInputs) =>
  makeReport(figuresOf(inputs), { revision: 0, made: unixMs(WEEK.to + 21_600_000), after: null, revised: [] }, signer, null);
const check = (json: string) => checkBundle(Buffer.from(json));

describe('a bundle', () => {
  it('holds as it was made, for any week', () => {
    for (const inputs of [emptyInputs(), quietInputs(), busyInputs(), hostileInputs()]) {
      const { json, hash } = make(inputs);
      expect(check(json)).toMatchObject({ kind: 'holds', hash });
      expect(looksLikeBundle(json)).toBe(true);
    }
  });

  it('is the same for the same inputs', () => {
    expect(make(busyInputs())).toEqual(make(busyInputs()));
  });

  it('fails with any one bit turned', () => {
    const empty = emptyInputs();
    const bytes = Buffer.from(make({ ...empty, controls: { ...empty.controls, controls: [] } }).json);
    for (let at = 0; at < bytes.length; at++) {
      const bit = 1 << (at % 8);
      bytes[at] = (bytes[at] as number) ^ bit;
      expect(checkBundle(bytes).kind, `bit ${at % 8} of byte ${at}`).toBe('fails');
      bytes[at] = (bytes[at] as number) ^ bit;
    }
    expect(checkBundle(bytes).kind).toBe('holds');
  });

  it('fails with any one bit turned in a full week too', () => {
    const whole = Buffer.from(make(busyInputs()).json);
    fc.assert(
      fc.property(fc.nat(whole.length * 8 - 1), (n) => {
        const bytes = Buffer.from(whole);
        bytes[n >> 3] = (bytes[n >> 3] as number) ^ (1 << (n & 7));
        expect(checkBundle(bytes).kind).toBe('fails');
      }),
      { numRuns: 300 },
    );
  });

  it('fails when a figure is changed and everything is hashed and signed anew', () => {
    const { bundle } = make(busyInputs());
    const forged = makeReport(
      figuresOf(busyInputs()),
      { revision: 0, made: bundle.made, after: null, revised: [] },
      generateSigner(),
      null,
    ).bundle;
    const lying = { ...forged, figures: { ...forged.figures, incidents: { ...forged.figures.incidents, open: 0 } } };
    expect(check(`${canonical(lying)}\n`)).toMatchObject({ kind: 'fails', at: 'figures' });
  });

  it('says which figure is another, when its hash was changed with it', async () => {
    const { sha256 } = await import('../../core/hash.ts');
    const { bundle } = make(busyInputs());
    const figures = { ...bundle.figures, incidents: { ...bundle.figures.incidents, open: 0 } };
    const lying = { ...bundle, figures, hashes: { ...bundle.hashes, figures: sha256(canonical(figures)) } };
    expect(check(`${canonical(lying)}\n`)).toMatchObject({ kind: 'fails', at: 'figures.incidents.open' });
  });

  it.each([
    '',
    '{}',
    '[]',
    'null',
    '"x"',
    '{"kind":"vigil-weekly-report"}',
    '{"kind":"vigil-weekly-report","inputs":{"method":1}}\n',
    '['.repeat(100_000),
  ])('is not %.40j, and that is said', (text) => {
    expect(check(text).kind).toBe('fails');
  });
});

describe('canonical JSON', () => {
  it('has one spelling whatever the order of keys', () => {
    expect(canonical({ b: 1, a: [{ d: null, c: 'x' }], e: undefined })).toBe('{"a":[{"c":"x","d":null}],"b":1}');
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const text = canonical(value);
        expect(canonical(JSON.parse(text))).toBe(text);
      }),
    );
  });

  it('names the first place that differs', () => {
    expect(firstDifference({ a: { b: [1, 2] } }, { a: { b: [1, 3] } })).toBe('a.b.1');
    expect(firstDifference({ a: 1 }, { a: 1, b: 2 })).toBe('b');
    expect(firstDifference({ a: 1 }, { a: 1 })).toBeNull();
  });
});
