// SPDX-License-Identifier: Apache-2.0
import { zstdCompressSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readU32, writeU32 } from './bytes.ts';
import { sha256 } from './hash.ts';
import { headerText } from './header.ts';
import { makeId, random128 } from './ids.ts';
import { BLOCK_DOMAIN, type Block, type BlockHeader, type HeartbeatBody, LIMITS } from './protocol.ts';
import type { SourceRecord } from './record.ts';
import { generateSigner } from './sign.ts';
import { unixMs } from './units.ts';
import {
  type BlockDraft,
  checkBlock,
  checkBlockAsync,
  decodeBlock,
  decodeRequest,
  encodeBlock,
  encodeRequest,
  readJsonBody,
  readRecords,
  sealBlock,
  sealJson,
} from './wire.ts';

const signer = generateSigner();
const draft: BlockDraft = {
  agent: makeId('agt'),
  host: 'bastion',
  stream: 'file:/var/log/auth.log',
  kind: 'lines',
  dataset: 'syslog',
  zone: 'Europe/Berlin',
  epoch: random128(),
  from: 100,
  first: 1,
  prev: null,
};
const record = (bytes: Uint8Array | string, end = 200, readAt = 5): SourceRecord => ({
  bytes: Buffer.from(bytes),
  readAt: unixMs(readAt),
  end,
  flags: 0,
});
const block = sealBlock(draft, [record('one'), record('two')], signer);
const encoded = encodeBlock(block);

/** A block whose header was changed by somebody who holds a key, signed again. */
const resign = (change: (header: Record<string, unknown>) => string | Record<string, unknown>, body = block.body): Uint8Array => {
  const changed = change(JSON.parse(headerText(block.header)) as Record<string, unknown>);
  const headerBytes = Buffer.from(typeof changed === 'string' ? changed : JSON.stringify(changed));
  return encodeBlock({ ...block, headerBytes, body, signature: signer.sign(BLOCK_DOMAIN, headerBytes) });
};
const reasonOf = (bytes: Uint8Array): string => {
  const decoded = decodeBlock(bytes);
  return decoded.kind === 'bad' ? decoded.reason : (checkBlock(decoded.block) ?? 'ok');
};
const withBody = (plain: Uint8Array, over: Partial<BlockHeader> = {}, body: Uint8Array = zstdCompressSync(plain)): Block => {
  const header: BlockHeader = { ...block.header, plain: plain.length, packed: body.length, hash: sha256(body), ...over };
  const headerBytes = Buffer.from(headerText(header));
  return { header, headerBytes, body, signature: signer.sign(BLOCK_DOMAIN, headerBytes) };
};

describe('a block', () => {
  test('comes back as it was sealed, whatever bytes its records hold', async () => {
    const records = fc.array(
      fc.record({
        bytes: fc.oneof(fc.uint8Array({ maxLength: 200 }), fc.constant(Uint8Array.from([0, 0xff, 0xed, 0xa0, 0x80, 10, 13]))),
        readAt: fc.nat(2 ** 45).map(unixMs),
        end: fc.integer({ min: 100, max: Number.MAX_SAFE_INTEGER }),
        flags: fc.nat(255),
      }),
      { minLength: 1, maxLength: 40 },
    );
    fc.assert(
      fc.property(records, fc.integer({ min: 1, max: 2 ** 50 }), (list, first) => {
        const decoded = decodeBlock(encodeBlock(sealBlock({ ...draft, first }, list, signer)));
        if (decoded.kind !== 'ok') throw new Error(decoded.reason);
        expect(checkBlock(decoded.block)).toBeNull();
        expect(readRecords(decoded.block)).toEqual(list.map((one, i) => ({ ...one, seq: first + i, bytes: Buffer.from(one.bytes) })));
      }),
    );
    expect(await checkBlockAsync(block)).toBeNull();
  });

  test('with a clock that was set back keeps its records, read at its own time', () => {
    const sealed = sealBlock({ ...draft, at: unixMs(1_000) }, [record('a', 200, 900), record('b', 200, 1_100)], signer);
    expect(readRecords(sealed).map((one) => one.readAt)).toEqual([1_000, 1_100]);
  });

  test('is read only whole: every prefix is bad, and the bytes behind it are another block', () => {
    for (let length = 0; length < encoded.length; length++) expect(decodeBlock(encoded.subarray(0, length)).kind).toBe('bad');
    const two = Buffer.concat([encoded, encoded]);
    const first = decodeBlock(two);
    expect(first.kind === 'ok' && first.end).toBe(encoded.length);
    expect(decodeBlock(two, encoded.length).kind).toBe('ok');
  });

  test('shows every flipped bit', () => {
    const copy = Uint8Array.from(encoded);
    for (let bit = 0; bit < copy.length * 8; bit++) {
      copy[bit >> 3]! ^= 1 << (bit & 7);
      expect(reasonOf(copy), `bit ${bit}`).not.toBe('ok');
      copy[bit >> 3]! ^= 1 << (bit & 7);
    }
  });

  test('never throws on bytes that are none', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => decodeBlock(bytes).kind === 'bad'));
  });

  test.each<[string, (header: Record<string, unknown>) => string | Record<string, unknown>, string]>([
    ['an unknown version', (h) => ({ ...h, v: 9 }), 'its header has a wrong v'],
    ['no agent', ({ agent: _, ...h }) => h, 'its header has a wrong agent'],
    ['an id that is a path', (h) => ({ ...h, agent: 'agt_../../../../etc/x' }), 'its header has a wrong agent'],
    ['a key in another spelling', (h) => ({ ...h, key: `${String(h['key'])}=` }), 'its header has a wrong key'],
    ['a host with a newline', (h) => ({ ...h, host: 'a\nb' }), 'its header has a wrong host'],
    ['a stream with NUL', (h) => ({ ...h, stream: 'file:/a\0b' }), 'its header has a wrong stream'],
    ['a lone surrogate', (h) => ({ ...h, stream: '\ud800' }), 'its header has a wrong stream'],
    ['a dataset that is an index name', (h) => ({ ...h, dataset: '../x"' }), 'its header has a wrong dataset'],
    ['an epoch in capitals', (h) => ({ ...h, epoch: 'A'.repeat(32) }), 'its header has a wrong epoch'],
    ['a sequence of 0', (h) => ({ ...h, first: 0 }), 'its header has a wrong first'],
    ['a sequence past all numbers', (h) => ({ ...h, first: Number.MAX_SAFE_INTEGER }), 'its header has a wrong first'],
    ['a fraction', (h) => ({ ...h, from: 1.5 }), 'its header has a wrong from'],
    ['no records', (h) => ({ ...h, count: 0 }), 'its header has a wrong count'],
    ['too many records', (h) => ({ ...h, count: LIMITS.recordsPerBlock + 1 }), 'its header has a wrong count'],
    ['a bomb', (h) => ({ ...h, plain: 4_000_000 }), 'its body would unpack to more than is allowed'],
    ['a longer after', (h) => ({ ...h, after: { epoch: random128(), seq: 1, x: 1 } }), 'its header has a wrong after'],
    ['fields in another order', ({ v, ...h }) => ({ ...h, v }), 'its header is not in its one spelling'],
    ['an unknown field', (h) => ({ ...h, extra: 1 }), 'its header is not in its one spelling'],
    ['a field twice', (h) => JSON.stringify(h).replace('{', '{"v":1,'), 'its header is not in its one spelling'],
    ['a space', (h) => JSON.stringify(h).replace(',', ', '), 'its header is not in its one spelling'],
    ['an escape', (h) => JSON.stringify(h).replace('bastion', '\\u0062astion'), 'its header is not in its one spelling'],
    ['__proto__', (h) => JSON.stringify(h).replace('}', ',"__proto__":{"v":1}}'), 'its header is not in its one spelling'],
    ['a list', () => '[]', 'its header is not an object'],
    ['null', () => 'null', 'its header is not an object'],
    ['deep nesting', () => '['.repeat(8_000), 'its header is nested too deep'],
    ['8 KiB and more', (h) => JSON.stringify(h) + ' '.repeat(8_192), 'its header is too long'],
    ['another body length', (h) => ({ ...h, packed: 9 }), 'its body is not as long as its header says'],
    ['another hash', (h) => ({ ...h, hash: '0'.repeat(64) }), 'its body does not have its hash'],
  ])('with %s in its header is bad', (_, change, reason) => {
    expect(reasonOf(resign(change))).toBe(reason);
    expect({}).not.toHaveProperty('v');
  });

  test('with invalid UTF-8 in its header is bad, and the place of the next block is known', () => {
    const bytes = Uint8Array.from(encoded);
    bytes[bytes.indexOf('b'.charCodeAt(0), 60)] = 0xff;
    const decoded = decodeBlock(bytes);
    expect(decoded).toMatchObject({ kind: 'bad', reason: 'its header is not UTF-8', end: encoded.length, hash: block.header.hash });
  });

  test("with another key's signature is bad", () => {
    const other = generateSigner();
    const forged = encodeBlock({ ...block, signature: other.sign(BLOCK_DOMAIN, block.headerBytes) });
    expect(reasonOf(forged)).toBe('its signature does not hold');
    const otherDomain = encodeBlock({ ...block, signature: signer.sign('vigil-renew-v1', block.headerBytes) });
    expect(reasonOf(otherDomain)).toBe('its signature does not hold');
  });
});

describe('the records of a block', () => {
  const one = Buffer.from([3, 0, 0, 0, 0, 0, 0, 97, 98, 99]);
  const bad = (sealed: Block): void => {
    expect(checkBlock(sealed)).toBeNull();
    expect(() => readRecords(sealed)).toThrow(expect.objectContaining({ code: 'WIRE_BAD_BLOCK' }));
  };

  test('are refused where the body is not what the header says', () => {
    expect(readRecords(withBody(one, { count: 1 }))).toHaveLength(1);
    bad(withBody(one, { count: 2 }));
    bad(withBody(Buffer.concat([one, one]), { count: 1 }));
    bad(withBody(one.subarray(0, 9), { count: 1 }));
    bad(withBody(Buffer.from([255, 255, 255, 255, 0, 0, 0, 97]), { count: 1 }));
    bad(withBody(Buffer.from([0, 0, 0, 0, 0, 255, 255, 255, 255, 255, 255, 255, 255, 255, 1]), { count: 1 }));
    bad(withBody(one, { count: 1, plain: 9 }));
    bad(withBody(one, { count: 1, plain: 11 }));
    bad(withBody(one, { count: 1 }, Buffer.from('no zstd at all')));
    bad(withBody(one, { count: 1 }, zstdCompressSync(one).subarray(0, -1)));
  });

  test('are never unpacked beyond what the header allows', () => {
    const bomb = zstdCompressSync(Buffer.alloc(200_000_000));
    const before = process.memoryUsage().rss;
    bad(withBody(Buffer.alloc(1_000_000), {}, bomb));
    expect(process.memoryUsage().rss - before).toBeLessThan(64_000_000);
  });

  test('may be one letter a megabyte long', () => {
    const sealed = sealBlock(draft, [record(Buffer.alloc(1_048_576, 65)), record(Buffer.alloc(1_048_576, 65))], signer);
    const decoded = decodeBlock(encodeBlock(sealed));
    expect(decoded.kind).toBe('ok');
    expect(sealed.body.length).toBeLessThan(10_000);
    expect(readRecords(sealed).map((r) => r.bytes.length)).toEqual([1_048_576, 1_048_576]);
  });

  test('are refused by the sealer where a limit is passed: a 10 MB line, too many, or an end before the beginning', () => {
    const code = expect.objectContaining({ code: 'WIRE_BAD_BLOCK' });
    expect(() => sealBlock(draft, [record(Buffer.alloc(10_000_000))], signer)).toThrow(code);
    expect(() => sealBlock(draft, Array(LIMITS.recordsPerBlock + 1).fill(record('')), signer)).toThrow(code);
    expect(() => sealBlock(draft, [record('a', 99)], signer)).toThrow(code);
    expect(() => sealBlock(draft, [], signer)).toThrow(code);
    expect(() => sealBlock({ ...draft, host: '' }, [record('a')], signer)).toThrow(code);
  });
});

const beat: HeartbeatBody = {
  version: '0.1.0',
  uptimeMs: 10,
  cost: { cpuMs: 1.5, rssBytes: 2, spoolBytes: 3, sentBytes: 4 },
  streams: [{ stream: 's', dataset: 'syslog', epoch: random128(), seq: 1, readUpTo: unixMs(4), behindBytes: 0, counts: { cut: 1 } }],
  conditions: [{ code: 'SPOOL_FULL', about: '/var', hint: 'x' }],
};

describe('gaps and heartbeats', () => {
  test('come back as they were sealed, and take one sequence number', () => {
    const gap = { from: 1, to: 9, cause: 'spool-full', count: 9 } as const;
    const sealed = sealJson({ ...draft, kind: 'gap', at: unixMs(5) }, gap, signer);
    expect(sealed.header.count).toBe(1);
    expect(checkBlock(sealed)).toBeNull();
    expect(readJsonBody(sealed)).toEqual({ kind: 'gap', body: gap });
    const heart = sealJson({ ...draft, kind: 'heartbeat', at: unixMs(5) }, beat, signer);
    expect(readJsonBody(heart)).toEqual({ kind: 'heartbeat', body: beat });
    expect(() => readRecords(heart)).toThrow(expect.objectContaining({ code: 'WIRE_BAD_BLOCK' }));
    expect(readJsonBody(block).kind).toBe('bad');
  });

  test.each<[string, string]>([
    ['no JSON', 'x'],
    ['a repeated key', '{"from":1,"from":2,"to":3,"cause":"spool-full","count":1}'],
    ['an unknown cause', '{"from":1,"to":3,"cause":"other","count":1}'],
    ['a text for a number', '{"from":"1","to":3,"cause":"spool-full","count":1}'],
    ['deep nesting', `${'['.repeat(100_000)}${']'.repeat(100_000)}`],
  ])('with %s are bad', (_, text) => {
    expect(readJsonBody(withBody(Buffer.from(text), { kind: 'gap', count: 1 })).kind).toBe('bad');
    expect(readJsonBody(withBody(Buffer.from(text), { kind: 'heartbeat', count: 1 })).kind).toBe('bad');
  });

  test.each([1.5, '1', Number.MAX_SAFE_INTEGER])(
    'with %s as the difference of clocks are bad, with one in whole milliseconds are not',
    (wrong) => {
      const kind = (clockOffsetMs: unknown): string =>
        readJsonBody(withBody(Buffer.from(JSON.stringify({ ...beat, clockOffsetMs })), { kind: 'heartbeat', count: 1 })).kind;
      expect([kind(wrong), kind(-86_400_000)]).toEqual(['bad', 'heartbeat']);
    },
  );

  test('with more streams or counts than allowed are bad', () => {
    const many = { ...beat, streams: Array(4_097).fill(beat.streams[0]) };
    expect(readJsonBody(withBody(Buffer.from(JSON.stringify(many)), { kind: 'heartbeat', count: 1 })).kind).toBe('bad');
    const text = JSON.stringify(beat).replace('"counts":{', '"counts":{"__proto__":1,');
    expect(readJsonBody(withBody(Buffer.from(text), { kind: 'heartbeat', count: 1 })).kind).toBe('bad');
  });
});

describe('a request', () => {
  const preamble = { v: 1, journal: { incarnation: random128(), offset: 7, hash: 'a'.repeat(64) }, blocks: 2 };
  const two = encodeRequest(preamble, [encoded, encoded]);

  test('comes back as it was made', () => {
    const decoded = decodeRequest(two);
    expect(decoded).toMatchObject({ kind: 'ok', preamble });
    expect(decoded.kind === 'ok' && decoded.blocks.map((b) => b.kind)).toEqual(['ok', 'ok']);
  });

  test('keeps its good blocks where one is bad', () => {
    const bad = resign((h) => ({ ...h, extra: 1 }));
    const decoded = decodeRequest(encodeRequest({ ...preamble, blocks: 3 }, [encoded, bad, encoded]));
    expect(decoded.kind === 'ok' && decoded.blocks.map((b) => b.kind)).toEqual(['ok', 'bad', 'ok']);
    const cut = decodeRequest(two.subarray(0, two.length - 5));
    expect(cut.kind === 'ok' && cut.blocks.map((b) => b.kind)).toEqual(['ok', 'bad']);
  });

  test('is refused where its preamble, length or number of blocks is wrong', () => {
    const refuse = (bytes: Uint8Array): void => expect(decodeRequest(bytes).kind).toBe('bad');
    refuse(new Uint8Array(0));
    refuse(encodeRequest({ ...preamble, v: 2 }, [encoded, encoded]));
    refuse(encodeRequest({ ...preamble, blocks: 3 }, [encoded, encoded]));
    refuse(encodeRequest({ ...preamble, blocks: 1 }, [encoded, encoded]));
    refuse(encodeRequest({ ...preamble, journal: { ...preamble.journal, incarnation: '..' } }, [encoded, encoded]));
    refuse(new Uint8Array(LIMITS.requestBytes + 1));
    const long = Uint8Array.from(two);
    writeU32(long, 0, 4_097);
    refuse(long);
    expect(readU32(long, 0)).toBe(4_097);
    refuse(encodeRequest({ ...preamble, blocks: 300 }, Array(300).fill(encoded)));
  });
});
