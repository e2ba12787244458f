// SPDX-License-Identifier: Apache-2.0
/**
 * The small readers: addresses, escapes, coercion, key-value texts, request targets, enrichment of nothing.
 * Input: arbitrary text. Output: claims.
 */
import { isIPv4, isIPv6 } from 'node:net';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { EventDraft } from '../model/event.ts';
import { ipOf, isHostName, isIpv4, portOf, setSource, setSourceWithPort } from './address.ts';
import { clip, coerce, FIELD_LIMIT_BYTES, line, readLine, setField, unescapeOriginal, wellFormed } from './build.ts';
import { isShallow, parseObject } from './json.ts';
import { eachPair } from './kv.ts';
import { percentDecoded, quoteEnd, setRequest, setTarget } from './web/request.ts';

describe('addresses', () => {
  it('are what the runtime takes for addresses', () => {
    fc.assert(
      fc.property(fc.oneof(fc.ipV4(), fc.string(), fc.stringMatching(/^[0-9.]{1,16}$/)), (text) => {
        expect(isIpv4(text)).toBe(isIPv4(text));
      }),
      { numRuns: 2_000 },
    );
    fc.assert(
      fc.property(fc.ipV6(), (text) => {
        const ip = ipOf(text);
        expect(ip === undefined ? isIPv6(text) : isIPv4(ip) || isIPv6(ip)).toBe(ip !== undefined || text.indexOf(':') < 0);
      }),
    );
  });

  it('lose brackets, zone index and the mapped form', () => {
    expect(ipOf('::ffff:203.0.113.9')).toBe('203.0.113.9');
    expect(ipOf('[2001:DB8::1]')).toBe('2001:db8::1');
    expect(ipOf('fe80::1%eth0')).toBe('fe80::1');
    expect(ipOf('192.030.0.6')).toBeUndefined();
  });

  it('become source.ip only when they are valid, a name source.domain, the rest source.address', () => {
    const event: EventDraft = {};
    setSource(event, 'host.example.org');
    expect(event).toEqual({ 'source.address': 'host.example.org', 'source.domain': 'host.example.org' });
    const odd: EventDraft = {};
    setSource(odd, '192.030.0.6', '70000');
    expect(odd['source.ip']).toBeUndefined();
    expect(odd['source.port']).toBeUndefined();
    expect(isHostName('a b')).toBe(false);
  });

  it.each([
    ['1.2.3.4:80', '1.2.3.4', 80],
    ['[2001:db8::1]:443', '2001:db8::1', 443],
    ['2001:db8::1', '2001:db8::1', undefined],
    ['2001:db8:1:2:3:4:5:6:8080', '2001:db8:1:2:3:4:5:6', 8080],
    ['1.2.3.4', '1.2.3.4', undefined],
  ])('with a port: %s', (text, ip, port) => {
    const event: EventDraft = {};
    setSourceWithPort(event, text);
    expect([event['source.ip'], event['source.port']]).toEqual([ip, port]);
  });

  it('have ports of 0 to 65535', () => {
    expect(portOf('65535')).toBe(65_535);
    expect(portOf('65536')).toBeUndefined();
    expect(portOf('')).toBeUndefined();
    expect(portOf('8o')).toBeUndefined();
  });
});

describe('readLine', () => {
  it('keeps any bytes, by a reversible escape where they are not UTF-8 or hold NUL', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
        readLine(bytes);
        expect(line.original.isWellFormed()).toBe(true);
        expect(line.text).not.toContain('\0');
        expect((line.escaped ? unescapeOriginal(line.original) : Buffer.from(line.original)).equals(Buffer.from(bytes))).toBe(true);
      }),
      { numRuns: 3_000 },
    );
  });

  it('escapes overlong forms, surrogates and what lies beyond Unicode, and leaves U+FFFD that was sent', () => {
    readLine(Buffer.from([0x61, 0xc0, 0x80, 0xed, 0xa0, 0x80, 0xf4, 0x90, 0x80, 0x80, 0x5c]));
    expect(line.original).toBe('a\\xc0\\x80\\xed\\xa0\\x80\\xf4\\x90\\x80\\x80\\\\');
    readLine(Buffer.from('fine \ufffd \\x00'));
    expect(line.escaped).toBe(false);
  });
});

describe('values', () => {
  it('are cut to the limit inside no character', () => {
    fc.assert(
      fc.property(
        fc.constantFrom('a', 'é', '€', '😀', '\ud800'),
        fc.integer({ min: 0, max: 3 }),
        fc.integer({ min: 10_000, max: 40_000 }),
        (unit, pad, count) => {
          const cut = clip('x'.repeat(pad) + unit.repeat(count));
          expect(Buffer.byteLength(cut)).toBeLessThanOrEqual(FIELD_LIMIT_BYTES);
          if (unit !== '\ud800') expect(cut.isWellFormed()).toBe(true);
        },
      ),
      { numRuns: 60 },
    );
    expect(clip('short')).toBe('short');
  });

  it('take the type of their field or none', () => {
    expect(coerce('source.port', '44')).toBe(44);
    expect(coerce('source.port', '44x')).toBeUndefined();
    expect(coerce('source.port', Number.NaN)).toBeUndefined();
    expect(coerce('source.ip', '1.2.3.4')).toBe('1.2.3.4');
    expect(coerce('source.ip', '1.2.3')).toBeUndefined();
    expect(coerce('tags', 'one')).toEqual(['one']);
    expect(coerce('tags', [])).toBeUndefined();
    expect(coerce('vigil.maybe_repeated', 'true')).toBe(true);
    expect(coerce('vigil.maybe_repeated', 'yes')).toBeUndefined();
    expect(coerce('file.mtime', '2026-11-24T00:00:00Z')).toBe(Date.UTC(2026, 10, 24));
    expect(coerce('file.mtime', 1e18)).toBeUndefined();
    expect(coerce('user.name', '')).toBeUndefined();
    expect(coerce('user.name', 7)).toBe('7');
    expect(setField({}, 'no.such.field', 1)).toBe(false);
    expect(wellFormed('a\ud800\0')).toBe('a\ufffd\\x00');
  });
});

describe('eachPair', () => {
  const read = (text: string, limit = 10): string[] => {
    const found: string[] = [];
    eachPair(text, 0, limit, (key, value) => {
      found.push(`${key}:${value}`);
      return undefined;
    });
    return found;
  };

  it('reads bare, double and single quotes, and passes over bare words', () => {
    expect(read(`a=1 word b="two \\" words" c='x=y z' d=`)).toEqual(['a:1', 'b:two \\" words', 'c:x=y z', 'd:']);
  });

  it('ends on any text and keeps to its limit', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom('a', '=', '"', "'", ' ', '\\') }), (text) => {
        expect(read(text, 5).length).toBeLessThanOrEqual(5);
      }),
    );
  });
});

describe('requests', () => {
  const fields = (request: string): EventDraft => {
    const event: EventDraft = {};
    setRequest(event, request);
    return event;
  };

  it('are split into method, target and version, and kept raw', () => {
    expect(fields('GET /a%20b/c.php?x=1+2 HTTP/1.1')).toEqual({
      'http.request.method': 'GET',
      'http.version': '1.1',
      'url.original': '/a%20b/c.php?x=1+2',
      'url.path': '/a%20b/c.php',
      'url.query': 'x=1+2',
      'url.extension': 'php',
      'vigil.extra': { 'url.decoded': '/a b/c.php?x=1 2' },
    });
  });

  it('that are none stand whole in url.original', () => {
    expect(fields('\\x16\\x03\\x01')).toEqual({ 'url.original': '\\x16\\x03\\x01' });
    expect(fields('hello world')).toEqual({ 'url.original': 'hello world' });
  });

  it('of absolute form give their host', () => {
    const event: EventDraft = {};
    setTarget(event, 'http://example.org:80/x?y');
    expect([event['url.domain'], event['url.path'], event['url.query']]).toEqual(['example.org:80', '/x', 'y']);
  });

  it('are decoded once, never twice, and stay well-formed', () => {
    expect(percentDecoded('/%2527%c0%af%zz%', -1)).toBe('/%27\ufffd\ufffd%zz%');
    fc.assert(
      fc.property(fc.string(), fc.integer({ min: -1, max: 5 }), (text, at) => {
        expect(percentDecoded(text.toWellFormed(), at).isWellFormed()).toBe(true);
      }),
    );
  });

  it('end at the quote that no backslash hides', () => {
    expect(quoteEnd('a\\"b"c', 0)).toBe(4);
    expect(quoteEnd('a\\\\"b"c', 0)).toBe(3);
    expect(quoteEnd('abc', 0)).toBe(-1);
    expect(quoteEnd('"', 0)).toBe(0);
  });
});

describe('JSON', () => {
  it('deeper than the limit is not parsed', () => {
    expect(isShallow('['.repeat(16) + ']'.repeat(16))).toBe(true);
    expect(isShallow('['.repeat(17))).toBe(false);
    expect(isShallow(`"${'['.repeat(50)}"`)).toBe(true);
    expect(parseObject(`{"a":${'['.repeat(100_000)}`)).toBeNull();
    expect(parseObject('[1]')).toBeNull();
    expect(parseObject('{"__proto__":{"x":1}}')).not.toBeNull();
    expect(({} as Record<string, unknown>)['x']).toBeUndefined();
  });
});
