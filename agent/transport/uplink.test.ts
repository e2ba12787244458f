// SPDX-License-Identifier: Apache-2.0
/** Every answer a collector can give, and what the uplink makes of it (W5, W6, W9, W11). */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BLOCK_RESULTS, type BlockAnswer, type BlocksAnswer } from '../../core/protocol.ts';
import { unixMs } from '../../core/units.ts';
import { decide, initialUplink, REQUEST_BLOCKS, type SentBlock, type UplinkState } from './uplink.ts';

const EPOCH = '0'.repeat(32);
const hash = (n: number): string => n.toString(16).padStart(64, '0');
const block = (n: number, stream = 's'): SentBlock => ({ stream, epoch: EPOCH, hash: hash(n) });
const answers = (list: readonly BlockAnswer[], more: Partial<Extract<BlocksAnswer, { kind: 'answers' }>> = {}) =>
  ({ kind: 'answer', answer: { kind: 'answers', incarnation: 'a'.repeat(32), serverTime: unixMs(0), answers: list, ...more } }) as const;
const fresh = initialUplink(null);
const kinds = (effects: readonly { readonly kind: string }[]): readonly string[] => effects.map(({ kind }) => kind);

describe('one result a block', () => {
  it('settles what is accepted or held already, and remembers the furthest place', () => {
    const sent = [block(1), block(2), block(3)];
    const { state, effects, waitMs } = decide(
      fresh,
      sent,
      answers([
        { hash: hash(1), result: 'accepted', offset: 100 },
        { hash: hash(2), result: 'have', offset: 900 },
        { hash: hash(3), result: 'accepted', offset: 300 },
      ]),
      0,
    );
    expect(kinds(effects)).toEqual(['settle', 'settle', 'settle']);
    expect(state.journal).toEqual({ incarnation: 'a'.repeat(32), offset: 900, hash: hash(2) });
    expect(waitMs).toBe(0);
  });

  it('keeps what is held or bad, and does not send it again', () => {
    const { effects } = decide(
      fresh,
      [block(1), block(2)],
      answers([
        { hash: hash(1), result: 'held', code: 'OLDER_KEY', reason: 'r' },
        { hash: hash(2), result: 'bad' },
      ]),
      0,
    );
    expect(effects).toMatchObject([
      { kind: 'keep', why: 'held', code: 'OLDER_KEY' },
      { kind: 'keep', why: 'bad' },
    ]);
  });

  it('has a block sealed anew whose key is not known there, unless it was asked back; what is settled counts first (I5)', () => {
    const sent: SentBlock[] = [block(1), block(2), { ...block(3, 't'), extra: true }];
    const { effects } = decide(
      fresh,
      sent,
      answers([
        { hash: hash(1), result: 'bad', code: 'UNKNOWN_KEY' },
        { hash: hash(2), result: 'accepted', offset: 5 },
        { hash: hash(3), result: 'bad', code: 'UNKNOWN_KEY' },
      ]),
      0,
    );
    expect(kinds(effects)).toEqual(['settle', 'reseal', 'keep']);
  });

  it('hears of a conflict once a stream, and leaves the refused ones for later', () => {
    const ends = [{ epoch: EPOCH, seq: 4, hash: hash(9), end: 7 }];
    const { effects, state } = decide(
      fresh,
      [block(1), block(2), block(3, 't')],
      answers([
        { hash: hash(1), result: 'conflict', ends },
        { hash: hash(2), result: 'refused' },
        { hash: hash(3), result: 'accepted', offset: 5 },
      ]),
      0,
    );
    expect(kinds(effects)).toEqual(['settle', 'conflict']);
    expect(effects[1]).toMatchObject({ ends });
    expect(state.failures).toBe(0);
  });

  it('tells blocks of one hash apart by their place', () => {
    const sent = [block(1, 'a'), block(1, 'b')];
    const { effects } = decide(
      fresh,
      sent,
      answers([
        { hash: hash(1), result: 'accepted' },
        { hash: hash(1), result: 'bad' },
      ]),
      0,
    );
    expect(effects).toMatchObject([
      { kind: 'settle', block: { stream: 'a' } },
      { kind: 'keep', block: { stream: 'b' } },
    ]);
  });

  it('backs off when nothing moves, so that no request runs in a circle', () => {
    let state: UplinkState = fresh;
    for (let i = 1; i <= 4; i++) {
      const next = decide(state, [block(1)], answers([{ hash: hash(1), result: 'refused' }]), 0.999);
      expect(next.waitMs).toBeGreaterThan(0);
      expect(next.state.failures).toBe(i);
      state = next.state;
    }
  });

  it('passes on what is asked back', () => {
    const missing = [{ stream: 's', epoch: EPOCH, from: 3, to: 5 }];
    const { effects } = decide(fresh, [block(1)], answers([{ hash: hash(1), result: 'accepted' }], { missing }), 0);
    expect(effects.at(-1)).toEqual({ kind: 'missing', ranges: missing });
  });
});

describe('the whole request', () => {
  it('waits slowly and keeps everything when the identity is refused', () => {
    const { state, effects, waitMs } = decide(fresh, [block(1)], { kind: 'status', status: 401 }, 0.9);
    expect([state.trouble, effects, waitMs > 5_000]).toEqual(['IDENTITY_REFUSED', [], true]);
  });

  it('waits for a refusal anew after a long silence', () => {
    let state: UplinkState = fresh;
    for (let i = 0; i < 20; i++)
      ({ state } = decide(state, [block(1)], { kind: 'failed', code: 'COLLECTOR_UNREACHABLE', reason: 'r' }, 0.5));
    const first = decide(state, [block(1)], { kind: 'status', status: 401 }, 0.999);
    const second = decide(first.state, [block(1)], { kind: 'status', status: 401 }, 0.999);
    expect([first.waitMs <= 10_000, second.waitMs > 10_000]).toEqual([true, true]);
  });

  it('halves what is too large until one block stands alone, which is then kept', () => {
    let state: UplinkState = fresh;
    let sent = [1, 2, 3, 4, 5].map((n) => block(n));
    for (;;) {
      const next = decide(state, sent, { kind: 'status', status: 413 }, 0);
      state = next.state;
      if (sent.length === 1) {
        expect(next.effects).toMatchObject([{ kind: 'keep', why: 'bad', code: 'TOO_LARGE' }]);
        break;
      }
      expect(next.effects).toEqual([]);
      sent = sent.slice(0, state.maxBlocks);
    }
    const after = decide(state, [block(9)], answers([{ hash: hash(9), result: 'accepted' }]), 0);
    expect(after.state.maxBlocks).toBe(2);
  });

  it('waits as long as a busy collector says, and never less', () => {
    for (const status of [429, 503])
      expect(decide(fresh, [block(1)], { kind: 'status', status, retryAfterMs: 7_000 }, 0).waitMs).toBeGreaterThanOrEqual(7_000);
  });

  it('waits longer with every failure, and forgets them with the first success', () => {
    let state: UplinkState = fresh;
    const waits = [1, 2, 3, 4, 5, 6].map(() => {
      const next = decide(state, [block(1)], { kind: 'failed', code: 'COLLECTOR_UNREACHABLE', reason: 'r' }, 0.999);
      state = next.state;
      return next.waitMs;
    });
    expect(waits).toEqual([...waits].sort((a, b) => a - b));
    expect(decide(state, [block(1)], answers([{ hash: hash(1), result: 'accepted' }]), 0).state).toMatchObject({ failures: 0 });
  });

  it('begins anew with a journal that was put back, at once the first time and slowly after (W6)', () => {
    const marked = initialUplink({ incarnation: 'b'.repeat(32), offset: 10, hash: hash(1) });
    const resync = { kind: 'answer', answer: { kind: 'resync', incarnation: 'c'.repeat(32), serverTime: unixMs(0), held: [] } } as const;
    const first = decide(marked, [block(1)], resync, 0.5);
    expect([first.state.journal, kinds(first.effects), first.waitMs]).toEqual([
      { incarnation: 'c'.repeat(32), offset: 0, hash: '0'.repeat(64) },
      ['resync'],
      0,
    ]);
    expect(decide(first.state, [block(1)], resync, 0.5).waitMs).toBeGreaterThan(0);
  });
});

describe('any answer', () => {
  it('settles each block at most once, never one that was not sent, and never grows past the limit', () => {
    const anyAnswer = fc.record({
      hash: fc.integer({ min: 0, max: 5 }).map(hash),
      result: fc.constantFrom(...BLOCK_RESULTS),
      offset: fc.option(fc.nat(), { nil: undefined }),
    });
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 5 }), { maxLength: 6 }), fc.array(anyAnswer, { maxLength: 8 }), (numbers, list) => {
        const sent = numbers.map((n) => block(n));
        const { effects, state } = decide(fresh, sent, answers(list as BlockAnswer[]), 0.5);
        const touched = effects.flatMap((effect) => ('block' in effect ? [effect.block] : []));
        expect(new Set(touched).size).toBe(touched.length);
        expect(touched.every((one) => sent.includes(one))).toBe(true);
        expect(state.maxBlocks).toBeLessThanOrEqual(REQUEST_BLOCKS);
      }),
    );
  });
});
