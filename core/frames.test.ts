// SPDX-License-Identifier: Apache-2.0
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { FRAME_LIMIT_BYTES, frameHead, readSegmentHeader, SEGMENT_START, type SegmentItem, scanFrames, segmentHeader } from './frames.ts';

const SALT = 0x5eed1234;

const build = (payloads: readonly Uint8Array[], salt = SALT): Uint8Array =>
  Buffer.concat([segmentHeader(salt), ...payloads.flatMap((payload) => [frameHead(payload, salt), payload])]);

/** Reads a whole file from memory, header included, as `readSegment` does. */
const scan = (bytes: Uint8Array, size = bytes.length): SegmentItem[] => {
  const header = readSegmentHeader(bytes.subarray(0, SEGMENT_START));
  if (header.kind === 'short') return [{ kind: 'torn', offset: 0, end: bytes.length }];
  if (header.kind === 'bad') return [{ kind: 'unreadable', offset: 0, end: bytes.length }];
  const items: SegmentItem[] = header.whole ? [] : [{ kind: 'corrupt', offset: 0, end: SEGMENT_START }];
  const frames = scanFrames(SEGMENT_START, size, header.salt);
  let step = frames.next();
  while (!step.done) {
    if (step.value.kind === 'need') step = frames.next(bytes.subarray(step.value.at, step.value.at + step.value.length));
    else {
      items.push(step.value);
      step = frames.next();
    }
  }
  return items;
};

const text = (items: readonly SegmentItem[]): string[] =>
  items.flatMap((item) => (item.kind === 'frame' ? [Buffer.from(item.payload).toString('latin1')] : []));
const kinds = (items: readonly SegmentItem[]): string => items.map((item) => item.kind[0]).join('');

// 4 KiB of frames of many lengths, the shortest empty.
const payloads: Uint8Array[] = [];
for (let n = 0, left = 4_096 - SEGMENT_START; left > 8; n++) {
  const length = Math.min((n * 37) % 211, left - 8);
  payloads.push(Uint8Array.from({ length }, (_, i) => (i * 31 + n) & 255));
  left -= length + 8;
}
const file = build(payloads);
const whole = text(scan(file));

describe('a segment of 4 KiB', () => {
  test('reads back what was written', () => {
    expect(file.length).toBeGreaterThan(4_080);
    expect(whole).toEqual(payloads.map((p) => Buffer.from(p).toString('latin1')));
  });

  test('gives every frame that is whole in it, for every prefix', () => {
    let frames = 0;
    const ends = scan(file).flatMap((item) => (item.kind === 'frame' ? [item.end] : []));
    for (let length = 0; length <= file.length; length++) {
      while (ends[frames] !== undefined && ends[frames]! <= length) frames++;
      const items = scan(file.subarray(0, length));
      expect(text(items).length).toBe(frames);
      const clean = length === SEGMENT_START || ends.includes(length);
      expect(items.filter((item) => item.kind !== 'frame').map((item) => item.kind)).toEqual(clean ? [] : ['torn']);
    }
  });

  test('shows every flipped bit, and loses at most the frame that holds it', () => {
    const copy = Uint8Array.from(file);
    for (let bit = 0; bit < file.length * 8; bit++) {
      const at = bit >> 3;
      copy[at]! ^= 1 << (bit & 7);
      const items = scan(copy);
      const damage = items.filter((item) => item.kind !== 'frame');
      expect(damage.length, `bit ${bit}`).toBe(1);
      expect(damage[0]!.offset <= at && at < damage[0]!.end, `bit ${bit}`).toBe(true);
      expect(text(items).length, `bit ${bit}`).toBe(at < SEGMENT_START ? whole.length : whole.length - 1);
      copy[at]! ^= 1 << (bit & 7);
    }
  });
});

describe('a damaged segment', () => {
  test('is never answered with a payload that was not written, and every loss is shown', () => {
    const damage = fc.array(fc.record({ at: fc.nat(4_000), bytes: fc.uint8Array({ minLength: 1, maxLength: 64 }) }), { maxLength: 4 });
    fc.assert(
      fc.property(
        fc.array(fc.uint8Array({ maxLength: 300 }), { minLength: 1, maxLength: 20 }),
        damage,
        fc.nat(4_000),
        (list, hits, cut) => {
          const clean = build(list);
          const bytes = Uint8Array.from(clean);
          for (const { at, bytes: hit } of hits) bytes.set(hit.subarray(0, Math.max(0, bytes.length - at)), Math.min(at, bytes.length));
          const items = scan(bytes.subarray(0, Math.max(1, bytes.length - (cut % 50))));
          const written = list.map((p) => Buffer.from(p).toString('latin1'));
          const read = text(items);
          let from = 0;
          for (const payload of read) {
            const found = written.indexOf(payload, from);
            expect(found).toBeGreaterThanOrEqual(0);
            from = found + 1;
          }
          // Frames and damage cover the file from end to end (or the header is gone).
          let at = SEGMENT_START;
          for (const item of items) {
            if (item.kind === 'unreadable' || item.offset === 0) continue;
            expect(item.offset).toBe(at);
            at = item.end;
          }
          if (read.length < written.length) expect(kinds(items)).toMatch(/[ctu]|^f*$/);
        },
      ),
      { numRuns: 500 },
    );
  });

  test('takes no frame out of a payload that was made to look like one', () => {
    const forged = Buffer.concat([frameHead(Buffer.from('forged'), 0), Buffer.from('forged')]);
    const bytes = build([Buffer.from('one'), Buffer.concat([forged, forged]), Buffer.from('two')]);
    bytes[SEGMENT_START + 11 + 2] = 0x70;
    expect(text(scan(bytes))).toEqual(['one', 'two']);
    expect(kinds(scan(bytes))).toBe('fcf');
  });

  test('is searched in bounded time when every place looks like a frame', () => {
    const hostile = new Uint8Array(4_194_304).fill(0);
    for (let i = 1; i < hostile.length; i += 4) hostile[i] = 0x10;
    const bytes = build([Buffer.from('one'), hostile, Buffer.from('two')]);
    bytes[SEGMENT_START + 11 + 3] = 0x70;
    const begun = performance.now();
    const items = scan(bytes);
    expect(performance.now() - begun).toBeLessThan(20_000);
    expect(kinds(items)).toMatch(/^f(cf|u)$/);
  });

  test('with a length beyond the limit is not read as one huge frame', () => {
    const bytes = build([Buffer.from('one'), Buffer.from('two'), Buffer.from('three')]);
    new DataView(bytes.buffer, bytes.byteOffset).setUint32(SEGMENT_START + 11, FRAME_LIMIT_BYTES + 1, true);
    expect(kinds(scan(bytes))).toBe('fcf');
  });

  test('reads with one copy of its header, and says which version it cannot read', () => {
    const bytes = build([Buffer.from('one')]);
    const copy = Uint8Array.from(bytes);
    copy[3]! ^= 1;
    expect(kinds(scan(copy))).toBe('cf');
    copy[19]! ^= 1;
    expect(scan(copy)).toEqual([{ kind: 'unreadable', offset: 0, end: copy.length }]);
  });
});
