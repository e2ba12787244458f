// SPDX-License-Identifier: Apache-2.0
/**
 * An enrolled agent that lies: impossible times, a clock far ahead, headers that are too long. It harms nobody but itself.
 * Input: blocks that it signed itself. Output: a coded refusal, or an effect on its own streams alone.
 */
import { afterAll, describe, expect, test } from 'vitest';
import { compileRuleSet } from '../../collector/detect/ruleset.ts';
import { decideBlock } from '../../collector/ingest/verdict.ts';
import { verifyBlock } from '../../collector/ingest/verify.ts';
import { Streams } from '../../collector/journal/streams.ts';
import { makePass } from '../../collector/pipeline.ts';
import { random128 } from '../../core/ids.ts';
import type { HeartbeatBody } from '../../core/protocol.ts';
import { LAST_TIME_MS, unixMs } from '../../core/units.ts';
import { type BlockDraft, decodeBlock, encodeBlock, seal, sealBlock, sealJson } from '../../core/wire.ts';
import { openDoors } from '../support/agent-doors.ts';
import { temporaryFolder, testAgent } from '../support/blocks.ts';

const NOW = unixMs(Date.UTC(2026, 10, 26, 1));
const agent = testAgent();
const keys = new Set([agent.signer.publicKey]);
const draft = (over: Partial<BlockDraft> = {}): BlockDraft => ({
  agent: agent.id,
  host: 'evil',
  stream: 'file:/var/log/x',
  kind: 'lines',
  dataset: 'syslog',
  zone: 'UTC',
  epoch: random128(),
  from: 0,
  first: 1,
  prev: null,
  ...over,
});
const line = (text: string, readAt: number, end = 10) => ({ bytes: Buffer.from(text), readAt: unixMs(readAt), end, flags: 0 });
const beat = (readUpTo: number, epoch = 'a'.repeat(32)): HeartbeatBody => ({
  version: '1',
  uptimeMs: 1,
  cost: { cpuMs: 0, rssBytes: 0, spoolBytes: 0, sentBytes: 0 },
  streams: [{ stream: 'file:/var/log/x', dataset: 'syslog', epoch, seq: 1, readUpTo: unixMs(readUpTo), behindBytes: 0, counts: {} }],
  conditions: [],
});

describe('a time that no date has', () => {
  test('does not stand in a header', () => {
    expect(() => sealBlock(draft({ at: unixMs(LAST_TIME_MS + 1) }), [line('x', LAST_TIME_MS + 1)], agent.signer)).toThrow(/wrong at/);
  });

  test('is refused in a record, however it is reached', async () => {
    const block = sealBlock(draft({ at: unixMs(1) }), [line('x', 9e15)], agent.signer);
    expect(await verifyBlock(decodeBlock(encodeBlock(block)), agent.id, keys)).toMatchObject({ kind: 'bad', code: 'BODY' });
  });

  test('is refused in a heartbeat, which status would show to everybody', async () => {
    const body = Buffer.from(JSON.stringify(beat(Number.MAX_SAFE_INTEGER)));
    const block = seal(draft({ kind: 'heartbeat', stream: 'heartbeat' }), NOW, 1, body, agent.signer);
    expect(await verifyBlock(decodeBlock(encodeBlock(block)), agent.id, keys)).toMatchObject({ kind: 'bad', code: 'BODY' });
    const sound = seal(draft({ kind: 'heartbeat', stream: 'heartbeat' }), NOW, 1, Buffer.from(JSON.stringify(beat(NOW))), agent.signer);
    expect(await verifyBlock(decodeBlock(encodeBlock(sound)), agent.id, keys)).toMatchObject({ kind: 'ok' });
  });
});

test('an agent whose clock is far ahead moves no watermark beyond the arrival of its blocks', () => {
  const pass = makePass({ collector: 'c', ruleset: compileRuleSet([]), hostOf: () => undefined });
  const heard: number[] = [];
  const events: unknown[] = [];
  let offset = 0;
  const epoch = random128();
  const send = (encoded: Uint8Array, flags = 0): void =>
    pass.block(
      { kind: 'block', encoded, at: NOW, offset: offset++, end: offset, agent: agent.id, incarnation: 'i', flags } as unknown as Parameters<
        typeof pass.block
      >[0],
      { event: (event) => events.push(event), watermark: (_, time) => heard.push(time) },
    );
  send(encodeBlock(sealBlock(draft({ epoch }), [line('Nov 26 01:00:00 h p: x', LAST_TIME_MS)], agent.signer)));
  send(encodeBlock(sealJson({ ...draft({ kind: 'heartbeat', stream: 'heartbeat' }), at: NOW }, beat(LAST_TIME_MS, epoch), agent.signer)));
  expect(events).toHaveLength(1);
  expect(heard.length).toBeGreaterThan(0);
  for (const time of heard) expect(time).toBeLessThanOrEqual(NOW);
});

describe('the agents’ door', () => {
  const opened: (() => Promise<void>)[] = [];
  afterAll(async () => {
    for (const close of opened) await close();
  });

  test('says that headers are too long, and takes the next connection', async () => {
    const { dir, remove } = await temporaryFolder();
    const doors = await openDoors(dir);
    opened.push(doors.close, remove);
    const known = await doors.enrol();
    const long = await doors.call('/agent/v1/heads', {}, known.identity, { headers: { 'x-long': 'a'.repeat(9_000) } });
    expect(long).toMatchObject({ status: 431, body: { code: 'REQUEST_TOO_LARGE', status: 431 } });
    expect((await doors.blocks(known.identity)).status).toBe(200);
  });
});

describe('an agent of endless streams', () => {
  const view = { otherEpoch: false, overlaps: false, same: null, waiting: null, gone: false, closedAt: null, parent: null };
  const header = sealBlock(draft({ first: 5 }), [line('x', NOW)], agent.signer).header;

  test('is refused new ones, and what it had goes on', () => {
    const streams = new Streams({ streams: 2, epochs: 2 });
    const last = { seq: 4, end: 40, hash: 'a'.repeat(64), at: NOW };
    const known = (stream: string, epoch: string): void =>
      streams.restore({ agent: agent.id, stream, epoch, ranges: [[1, 4]], last, after: null } as unknown as Parameters<
        typeof streams.restore
      >[0]);
    known('one', 'a'.repeat(32));
    expect(streams.view({ ...header, stream: 'two' }).crowded).toBe(false);
    known('two', 'b'.repeat(32));
    expect(decideBlock(header, streams.view({ ...header, stream: 'three' }))).toMatchObject({ kind: 'refuse', code: 'TOO_MANY_STREAMS' });
    expect(decideBlock(header, streams.view({ ...header, stream: 'one', epoch: 'a'.repeat(32) }))).toEqual({ kind: 'accept' });
    known('one', 'c'.repeat(32));
    expect(decideBlock(header, streams.view({ ...header, stream: 'one', epoch: 'd'.repeat(32) }))).toMatchObject({ kind: 'refuse' });
    const stranger = testAgent();
    expect(streams.view({ ...header, agent: stranger.id, stream: 'three' }).crowded).toBe(false);
  });

  test('is told that what is held already is held', () => {
    const same = { first: 5, count: 1, hash: header.hash, end: 1 } as never;
    expect(decideBlock(header, { ...view, crowded: true, overlaps: true, same })).toMatchObject({ kind: 'have' });
  });
});
