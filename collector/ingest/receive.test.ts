// SPDX-License-Identifier: Apache-2.0
import { cp, open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { zstdCompressSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { systemFiles } from '../../core/files.ts';
import { sha256 } from '../../core/hash.ts';
import { headerText } from '../../core/header.ts';
import { random128 } from '../../core/ids.ts';
import { BLOCK_DOMAIN, type Block, type BlocksAnswer, LIMITS } from '../../core/protocol.ts';
import { generateSigner } from '../../core/sign.ts';
import { minutes, unixMs } from '../../core/units.ts';
import { encodeBlock, encodeRequest, sealJson } from '../../core/wire.ts';
import {
  blockChain,
  handClock,
  requestOf,
  type TestAgent,
  temporaryFolder,
  testAgent,
  testDirectory,
  testNotices,
} from '../../test/support/blocks.ts';
import { type Journal, openJournal } from '../journal/journal.ts';
import { Admission } from './admit.ts';
import { keptGroups } from './held.ts';
import { openQuarantine, type Quarantine } from './quarantine.ts';
import { type Identity, type ReceiveParts, receiveBlocks } from './receive.ts';
import { releaseHeld } from './release.ts';

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let journal: Journal;
let quarantine: Quarantine;
let agent: TestAgent;
let other: TestAgent;
let notices: ReturnType<typeof testNotices>;
let directory: ReturnType<typeof testDirectory>;
let parts: ReceiveParts;
const clock = handClock();
/** Set to make fsync of the journal wait or fail. */
const disk = { gate: null as Promise<void> | null, broken: false, syncs: 0 };

const openSlow = (async (...args: Parameters<typeof open>) => {
  const file = await open(...args);
  const real = file.datasync.bind(file);
  Object.defineProperty(file, 'datasync', {
    value: async () => {
      disk.syncs++;
      await disk.gate;
      if (disk.broken) throw Object.assign(new Error('no'), { code: 'EIO' });
      await real();
    },
  });
  return file;
}) as typeof open;

const begin = async (): Promise<void> => {
  journal = await openJournal({ dir: join(folder.dir, 'journal'), collector: 'a', clock, files: { ...systemFiles, open: openSlow } });
  parts = { journal, directory, quarantine, admission: new Admission({ clock }), notices, clock, told: new Map() };
};

beforeEach(async () => {
  folder = await temporaryFolder();
  quarantine = await openQuarantine({ dir: join(folder.dir, 'quarantine'), clock });
  agent = testAgent();
  other = testAgent();
  notices = testNotices();
  directory = testDirectory(agent, other);
  Object.assign(disk, { gate: null, broken: false, syncs: 0 });
  await begin();
});
afterEach(async () => {
  await journal.close();
  await quarantine.close();
  await folder.remove();
});

const identity = (over: Partial<Identity> = {}): Identity => ({ agent: agent.id, key: agent.signer.publicKey, ...over });
const send = (bytes: Uint8Array, over: Partial<Identity> = {}): Promise<BlocksAnswer> => receiveBlocks(bytes, identity(over), parts);
const results = (answer: BlocksAnswer): string[] =>
  answer.kind === 'resync' ? ['resync'] : answer.answers.map(({ result, code }) => (code === undefined ? result : `${result} ${code}`));
const code = (name: string, status: number) => expect.objectContaining({ code: name, status });

describe('a block (W5)', () => {
  test('is accepted once, and had after that, with its end in the journal', async () => {
    const next = blockChain(agent);
    const [one, two] = [next(3), next(2)];
    const answer = await send(requestOf([one, two]));
    expect(results(answer)).toEqual(['accepted', 'accepted']);
    const again = await send(requestOf([one, two]));
    expect(results(again)).toEqual(['have', 'have']);
    if (answer.kind !== 'answers' || again.kind !== 'answers') throw new Error('no answers');
    expect(again.answers.map(({ offset }) => offset)).toEqual(answer.answers.map(({ offset }) => offset));
    expect(answer.answers[1]!.offset).toBe(journal.end);
    expect(journal.heads(agent.id)[0]!.last).toMatchObject({ seq: 5, end: 50, hash: two.header.hash });
  });

  test('that waits for its fsync is answered `have` only after it', async () => {
    const block = blockChain(agent)();
    const gate = Promise.withResolvers<void>();
    disk.gate = gate.promise;
    const answered: string[] = [];
    const first = send(requestOf([block])).then((answer) => answered.push(...results(answer)));
    while (disk.syncs === 0) await new Promise((resolve) => setImmediate(resolve));
    const second = send(requestOf([block])).then((answer) => answered.push(...results(answer)));
    while (parts.admission.underWayBytes < 2 * requestOf([block]).length) await new Promise((resolve) => setImmediate(resolve));
    for (let i = 0; i < 20; i++) await new Promise((resolve) => setImmediate(resolve));
    expect(answered).toEqual([]);
    gate.resolve();
    await Promise.all([first, second]);
    expect(answered.sort()).toEqual(['accepted', 'have']);
  });

  test('whose fsync fails makes the request fail, and is accepted when it comes again', async () => {
    const block = blockChain(agent)();
    disk.broken = true;
    await expect(send(requestOf([block]))).rejects.toThrow(code('JOURNAL_FAILED', 503));
    disk.broken = false;
    expect(results(await send(requestOf([block])))).toEqual(['accepted']);
    expect(parts.admission.underWayBytes).toBe(0);
  });

  test('with a held sequence and another hash is a conflict; what follows it in its stream is refused, other streams go on', async () => {
    const next = blockChain(agent);
    await send(requestOf([next(), next()]));
    const forked = blockChain(agent, { epoch: journal.heads(agent.id)[0]!.epoch });
    const aside = blockChain(agent, { stream: 'file:/other' });
    const [bad, after] = [forked(2), forked()];
    const answer = await send(requestOf([bad, after, aside()]));
    expect(results(answer)).toEqual(['conflict SAME_SEQUENCE', 'refused AFTER_CONFLICT', 'accepted']);
    const ends = answer.kind === 'answers' ? answer.answers[0]!.ends : [];
    expect(ends?.map(({ seq }) => seq)).toEqual([2, 1]);
    expect(quarantine.list(agent.id, 'conflict')).toMatchObject([{ hash: bad.header.hash, code: 'SAME_SEQUENCE' }]);
    expect(notices.said).toMatchObject([{ action: 'block-conflict', agent: agent.id, stream: bad.header.stream }]);
    expect(results(await send(requestOf([bad])))).toEqual(['conflict SAME_SEQUENCE']);
    expect(quarantine.list()).toHaveLength(1);
  });

  test('cut differently below the head is a conflict, never `have`', async () => {
    const next = blockChain(agent);
    const epoch = next(4).header.epoch;
    await send(requestOf([blockChain(agent, { epoch })(4)]));
    const answer = await send(requestOf([blockChain(agent, { epoch, first: 2, prev: '0'.repeat(64) })(2)]));
    expect(results(answer)).toEqual(['conflict UNKNOWN_BELOW_HEAD']);
  });

  test('from far behind the head is found on disk', async () => {
    const next = blockChain(agent);
    const blocks = Array.from({ length: 60 }, () => next());
    await send(requestOf(blocks));
    expect(results(await send(requestOf([blocks[3]!])))).toEqual(['have']);
    const forked = blockChain(agent, { epoch: blocks[0]!.header.epoch })(2);
    expect(results(await send(requestOf([forked])))).toEqual(['conflict SAME_SEQUENCE']);
  });

  test.each<[string, (good: Uint8Array) => Uint8Array, string]>([
    ['a flipped bit in its body', (b) => flip(b, b.length - 1), 'HASH_OR_SIGNATURE'],
    ['a flipped bit in its signature', (b) => flip(b, 4 + new DataView(b.buffer, b.byteOffset).getUint32(0, true)), 'HASH_OR_SIGNATURE'],
    ['a header that is no header', (b) => flip(b, 4), 'FORM'],
    ['its end cut off', (b) => b.subarray(0, b.length - 1), 'FORM'],
  ])('with %s is bad, kept here and told of', async (_, damage, reason) => {
    const good = encodeBlock(blockChain(agent)());
    const answer = await send(encodeRequest({ v: 1, journal: null, blocks: 1 }, [damage(Uint8Array.from(good))]));
    expect(results(answer)).toEqual([`bad ${reason}`]);
    expect(quarantine.list(agent.id, 'bad')).toHaveLength(1);
    expect(notices.said).toMatchObject([{ action: 'block-bad', agent: agent.id }]);
    expect(journal.heads(agent.id)).toEqual([]);
  });

  test('of another agent, by a strange key, or in the collector’s own dataset is bad', async () => {
    const [strange, own] = [generateSigner(), blockChain(agent, { dataset: 'vigil', stream: 'vigil' })()];
    const blocks = [
      blockChain(other)(),
      blockChain({ ...agent, signer: strange })(),
      blockChain({ ...other, signer: agent.signer })(),
      own,
    ];
    expect(results(await send(requestOf(blocks)))).toEqual([
      'bad OTHER_AGENT',
      'bad UNKNOWN_KEY',
      'bad OTHER_AGENT',
      'bad RESERVED_DATASET',
    ]);
    expect(journal.heads(agent.id)).toEqual([]);
    expect(journal.heads(other.id)).toEqual([]);
  });

  test('whose body is a bomb, is no body, or nests a thousandfold is bad, in little memory', async () => {
    const forge = (kind: 'lines' | 'heartbeat', body: Uint8Array, plain: number): Block => {
      const { header } = blockChain(agent)();
      const forged = { ...header, kind, plain, packed: body.length, hash: sha256(body) };
      const headerBytes = Buffer.from(headerText(forged));
      return { header: forged, headerBytes, body, signature: agent.signer.sign(BLOCK_DOMAIN, headerBytes) };
    };
    const deep = Buffer.from('['.repeat(1_000_000));
    const before = process.memoryUsage().rss;
    const blocks = [
      forge('lines', zstdCompressSync(Buffer.alloc(200_000_000)), 2_000_000),
      forge('lines', Buffer.from('nothing'), 100),
      forge('heartbeat', zstdCompressSync(deep), deep.length),
    ];
    expect(results(await send(requestOf(blocks)))).toEqual(['bad BODY', 'bad BODY', 'bad BODY']);
    expect(process.memoryUsage().rss - before).toBeLessThan(96_000_000);
  });

  test('signed for another purpose is bad', async () => {
    const block = blockChain(agent)();
    const signature = agent.signer.sign(`${BLOCK_DOMAIN}x`, block.headerBytes);
    expect(results(await send(requestOf([{ ...block, signature }])))).toEqual(['bad HASH_OR_SIGNATURE']);
  });

  test('by an older key of the agent is accepted over the newest, and held over the older (I5)', async () => {
    const old = agent.signer;
    const fresh = generateSigner();
    const keys = [...agent.record.keys, { ...agent.record.keys[0]!, key: fresh.publicKey }];
    directory = testDirectory({ ...agent, record: { ...agent.record, keys } });
    parts = { ...parts, directory };
    const next = blockChain({ ...agent, signer: old });
    const [one, two] = [next(), next()];
    expect(results(await send(requestOf([one]), { key: fresh.publicKey }))).toEqual(['accepted']);
    expect(results(await send(requestOf([two]), { key: old.publicKey, held: true }))).toEqual(['held OLDER_KEY']);
    expect(notices.said).toMatchObject([{ action: 'identity-held' }]);
    expect(journal.heads(agent.id)[0]!.ranges).toEqual([[1, 1]]);
    const judged = { ...agent.record, keys };
    expect(await keptGroups(quarantine, agent.id)).toMatchObject([
      { why: 'held', code: 'OLDER_KEY', key: old.publicKey, blocks: 1, records: two.header.count, stream: two.header.stream },
    ]);
    expect(await releaseHeld(judged, 'another key', { journal, quarantine })).toEqual({ released: 0, left: 0 });
    expect(await releaseHeld(judged, old.publicKey, { journal, quarantine })).toEqual({ released: 1, left: 0 });
    expect(journal.heads(agent.id)[0]!.ranges).toEqual([[1, 2]]);
    expect(quarantine.list()).toEqual([]);
    expect(await releaseHeld(judged, old.publicKey, { journal, quarantine })).toEqual({ released: 0, left: 0 });
  });
});

const flip = (bytes: Uint8Array, at: number): Uint8Array => {
  bytes[at]! ^= 1;
  return bytes;
};

describe('epochs (W10)', () => {
  const stream = 'file:/var/log/auth.log';
  const follow = (epoch: string, seq: number) => blockChain(agent, { stream, after: { epoch, seq } });

  test('a known stream takes a new epoch only after the end of the one before, and only one', async () => {
    const old = blockChain(agent, { stream });
    const [one, two] = [old(), old()];
    await send(requestOf([one]));
    const { epoch } = one.header;
    expect(results(await send(requestOf([blockChain(agent, { stream })()])))).toEqual(['conflict EPOCH_UNNAMED']);
    expect(results(await send(requestOf([follow(epoch, 0)()])))).toEqual(['conflict EPOCH_MOVED_ON']);
    const next = follow(epoch, 1);
    expect(results(await send(requestOf([next(), next()])))).toEqual(['accepted', 'accepted']);
    expect(results(await send(requestOf([two])))).toEqual(['conflict EPOCH_CLOSED']);
    expect(results(await send(requestOf([follow(epoch, 1)()])))).toEqual(['conflict EPOCH_FOLLOWED']);
    expect(results(await send(requestOf([one])))).toEqual(['have']);
  });

  test('the first end that a conflict lists is one that a new epoch may name', async () => {
    const old = blockChain(agent, { stream });
    const blocks = [old(), old(), old()];
    await send(requestOf([blocks[0]!, blocks[2]!]));
    await send(requestOf([blocks[1]!]));
    const answer = await send(requestOf([blockChain(agent, { stream })()]));
    const [head] = answer.kind === 'answers' ? answer.answers[0]!.ends! : [];
    expect(results(await send(requestOf([follow(head!.epoch, head!.seq)()])))).toEqual(['accepted']);
  });

  test('two new epochs at once are one accepted and one conflict, before either is durable', async () => {
    const one = blockChain(agent, { stream })();
    await send(requestOf([one]));
    const both = await Promise.all([send(requestOf([follow(one.header.epoch, 1)()])), send(requestOf([follow(one.header.epoch, 1)()]))]);
    expect(both.flatMap(results).sort()).toEqual(['accepted', 'conflict EPOCH_FOLLOWED']);
  });
});

describe('holes (W9)', () => {
  test('are asked back at once and told of once, after the grace time', async () => {
    const next = blockChain(agent);
    const blocks = Array.from({ length: 6 }, () => next());
    const answer = await send(requestOf([blocks[0]!, blocks[3]!]));
    expect(results(answer)).toEqual(['accepted', 'accepted']);
    const { stream, epoch } = blocks[0]!.header;
    expect(answer).toMatchObject({ missing: [{ stream, epoch, from: 2, to: 3 }] });
    expect(notices.said).toEqual([]);
    clock.advance(minutes(10));
    await send(requestOf([blocks[4]!]));
    await send(requestOf([blocks[5]!]));
    expect(notices.said).toMatchObject([{ action: 'records-missing', stream, from: 2, to: 3, count: 2 }]);
    expect(await send(requestOf([blocks[1]!, blocks[2]!]))).not.toHaveProperty('missing');
  });

  test('that a gap declares are lost, not missing', async () => {
    const next = blockChain(agent);
    const blocks = [next(), next(), next()];
    await send(requestOf([blocks[0]!, blocks[2]!]));
    const { epoch, stream, hash } = blocks[2]!.header;
    const draft = {
      agent: agent.id,
      host: 'h',
      stream,
      dataset: 'syslog',
      zone: 'UTC',
      epoch,
      from: 0,
      first: 4,
      prev: hash,
      at: unixMs(1),
    };
    const gap = sealJson({ ...draft, kind: 'gap' }, { from: 2, to: 2, cause: 'spool-full', count: 1 }, agent.signer);
    const answer = await send(requestOf([gap]));
    expect(results(answer)).toEqual(['accepted']);
    expect(answer).not.toHaveProperty('missing');
    expect(notices.said).toMatchObject([{ action: 'records-lost', reason: 'spool-full', from: 2, to: 2 }]);
  });
});

test('a heartbeat reaches the directory after it is durable', async () => {
  const body = {
    version: '0.1.0',
    uptimeMs: 1,
    cost: { cpuMs: 1, rssBytes: 1, spoolBytes: 1, sentBytes: 1 },
    streams: [],
    conditions: [],
  };
  const draft = { agent: agent.id, host: 'h', stream: 'heartbeat', dataset: 'agent', zone: 'UTC', epoch: random128(), from: 0, first: 1 };
  const beat = sealJson({ ...draft, kind: 'heartbeat', prev: null, at: unixMs(1) }, body, agent.signer);
  expect(results(await send(requestOf([beat])))).toEqual(['accepted']);
  expect(directory.beats).toEqual([body]);
});

describe('a restored journal (W6)', () => {
  test('is seen by the first mark behind its end, makes a new incarnation once, and takes nothing before the resync', async () => {
    const next = blockChain(agent);
    const [one, two, three] = [next(), next(), next()];
    await send(requestOf([one]));
    await journal.close();
    await cp(journal.dir, join(folder.dir, 'copy'), { recursive: true });
    await begin();
    const mark = { incarnation: journal.incarnation, hash: two.header.hash };
    const answer = await send(requestOf([two]));
    const offset = answer.kind === 'answers' ? answer.answers[0]!.offset! : 0;
    await journal.close();
    await rm(journal.dir, { recursive: true });
    await cp(join(folder.dir, 'copy'), journal.dir, { recursive: true });
    await begin();
    const before = journal.incarnation;
    const told = await send(requestOf([three], { ...mark, offset }));
    expect(told).toMatchObject({ kind: 'resync', held: [{ ranges: [[1, 1]], last: { seq: 1, hash: one.header.hash } }] });
    expect(told.incarnation).not.toBe(before);
    expect(notices.said).toMatchObject([{ action: 'collector-restored' }]);
    expect(journal.heads(agent.id)[0]!.ranges).toEqual([[1, 1]]);
    // The agent sends again what is missing; its own mark of the old incarnation is gone.
    expect(results(await send(requestOf([two, three])))).toEqual(['accepted', 'accepted']);
    const lie = { incarnation: journal.incarnation, offset: 1e12, hash: 'a'.repeat(64) };
    expect(results(await send(requestOf([next()], lie)))).toEqual(['resync']);
    expect(journal.incarnation).toBe(told.incarnation);
    expect(notices.said).toHaveLength(1);
  });

  test('a mark with the wrong hash, or of another incarnation, is a resync; the right one goes on', async () => {
    const next = blockChain(agent);
    const [one, two] = [next(), next()];
    const answer = await send(requestOf([one]));
    const offset = answer.kind === 'answers' ? answer.answers[0]!.offset! : 0;
    const mark = { incarnation: journal.incarnation, offset, hash: one.header.hash };
    expect(results(await send(requestOf([two], { ...mark, hash: two.header.hash })))).toEqual(['resync']);
    expect(results(await send(requestOf([two], { ...mark, incarnation: random128() })))).toEqual(['resync']);
    expect(results(await send(requestOf([two], mark)))).toEqual(['accepted']);
  });
});

describe('a whole request', () => {
  test('is refused where the agent is unknown, revoked or retired', async () => {
    const bytes = requestOf([blockChain(agent)()]);
    await expect(send(bytes, { agent: testAgent().id })).rejects.toThrow(code('IDENTITY_REFUSED', 401));
    parts = { ...parts, directory: testDirectory({ ...agent, record: { ...agent.record, state: 'revoked' } }) };
    await expect(send(bytes)).rejects.toThrow(code('IDENTITY_REFUSED', 401));
  });

  test('is refused where it is no request, too large, too fast, or too much is under way', async () => {
    await expect(send(Buffer.from('x'))).rejects.toThrow(code('INGEST_MALFORMED', 400));
    await expect(send(new Uint8Array(LIMITS.requestBytes + 1))).rejects.toThrow(code('INGEST_TOO_LARGE', 413));
    const next = blockChain(agent);
    const bytes = requestOf([next()]);
    parts = { ...parts, admission: new Admission({ clock, bytesPerSecond: 100, burstBytes: bytes.length }) };
    expect(results(await send(bytes))).toEqual(['accepted']);
    const refused = await send(bytes).catch((error: unknown) => error);
    expect(refused).toMatchObject({ code: 'INGEST_QUOTA', status: 429, details: { retryAfterMs: bytes.length * 10 } });
    clock.advance(bytes.length * 10);
    expect(results(await send(bytes))).toEqual(['have']);
    const admission = new Admission({ clock, bytesUnderWay: bytes.length });
    const leave = admission.enter(other.id, 1);
    parts = { ...parts, admission };
    await expect(send(bytes)).rejects.toThrow(code('INGEST_BUSY', 503));
    leave();
    leave();
    expect(admission.underWayBytes).toBe(0);
    expect(results(await send(bytes))).toEqual(['have']);
  });
});
