// SPDX-License-Identifier: Apache-2.0
import { copyFile, mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openSegment, readSegment } from '../../../core/segment.ts';
import { generateSigner, type Signer } from '../../../core/sign.ts';
import { handClock } from '../../../test/support/memory-state.ts';
import { LOCAL_OWNER } from '../permissions.ts';
import { checkpointHolds, keyFingerprint, readCheckpoint, signCheckpoint, verifierKey } from './checkpoint.ts';
import { type AuditLog, openAudit } from './log.ts';
import { EMPTY_TREE, grow, inclusionHolds, inclusionProof, leafHash, rootOf } from './merkle.ts';
import { canonicalJson, checkpointPayload, entryBytes, entryPayload, readPayload } from './record.ts';
import { base64Root, checkpointFile, logName, verifyAudit } from './verify.ts';

const EDITS = 1_000;
let dir = '';
const folder = (): Promise<string> => mkdtemp(join(dir, 'log-'));
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'vigil-audit-'));
});
afterAll(() => rm(dir, { recursive: true, force: true }));

const open = (
  where: string,
  signer: Signer,
  extra: { onBroken?: (at: unknown, reason: string) => void; checkpointEvery?: number; rotateEvery?: number } = {},
): Promise<AuditLog> => openAudit({ dir: where, signer, clock: handClock(), ...extra });

const fill = async (log: AuditLog, acts: number, from = 0): Promise<void> => {
  for (let i = from; i < from + acts; i++)
    await log.act({ actor: LOCAL_OWNER, act: 'user.create', on: `usr_${i}`, details: { n: i } }, async () => i);
};

const made = async (
  acts = 60,
  signer = generateSigner(),
  checkpointEvery = 20,
): Promise<{ where: string; file: string; signer: Signer; origin: string }> => {
  const where = await folder();
  const log = await open(where, signer, { checkpointEvery });
  await fill(log, acts);
  const { origin } = log.identity();
  await log.close();
  return { where, file: join(where, logName(1)), signer, origin };
};

/** The payloads of a log, to write a forged one with checksums that hold. */
const payloads = async (file: string): Promise<Uint8Array[]> => {
  const found: Uint8Array[] = [];
  for await (const item of readSegment(file)) if (item.kind === 'frame') found.push(Uint8Array.from(item.payload));
  return found;
};
const forge = async (file: string, all: readonly Uint8Array[]): Promise<void> => {
  await rm(file);
  const segment = await openSegment(file);
  await segment.append(all);
  await segment.sync();
  await segment.close();
};
const isEntry = (payload: Uint8Array): boolean => readPayload(payload).kind === 'entry';
const entryIndex = (all: readonly Uint8Array[], n: number): number => all.map((p, i) => [isEntry(p), i] as const).filter(([e]) => e)[n]![1];
const edited = (payload: Uint8Array, act: string): Uint8Array => {
  const frame = readPayload(payload);
  if (frame.kind !== 'entry') throw new Error('no entry');
  return entryPayload(entryBytes({ ...frame.entry, act }));
};

describe('the tree', () => {
  it('gives the roots of RFC 6962', () => {
    // Test vectors of the certificate-transparency reference implementation.
    const inputs = ['', '00', '10', '2021', '3031', '40414243', '5051525354555657', '606162636465666768696a6b6c6d6e6f'];
    const roots = [
      'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
      '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
      'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125',
      'aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77',
      'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
      '4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4',
      '76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef',
      'ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c',
      '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328',
    ];
    let tree = EMPTY_TREE;
    expect(Buffer.from(rootOf(tree)).toString('hex')).toBe(roots[0]);
    for (const [i, input] of inputs.entries()) {
      tree = grow(tree, leafHash(Buffer.from(input, 'hex')));
      expect(Buffer.from(rootOf(tree)).toString('hex')).toBe(roots[i + 1]);
    }
  });

  it('proves that a record is in it, and nothing else', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 70 }), fc.nat(), fc.nat(), (size, pick, other) => {
        const leaves = Array.from({ length: size }, (_, i) => leafHash(Buffer.from(String(i))));
        const tree = leaves.reduce(grow, EMPTY_TREE);
        const index = pick % size;
        const proof = inclusionProof(leaves, index);
        expect(inclusionHolds(leaves[index]!, index, size, proof, rootOf(tree))).toBe(true);
        const wrong = other % size;
        if (wrong !== index) expect(inclusionHolds(leaves[index]!, wrong, size, proof, rootOf(tree))).toBe(false);
        expect(inclusionHolds(leafHash(Buffer.from('x')), index, size, proof, rootOf(tree))).toBe(false);
        expect(inclusionHolds(leaves[index]!, index, size + 1, proof, rootOf(grow(tree, leafHash(Buffer.from('y')))))).toBe(false);
      }),
      { numRuns: 300 },
    );
  });
});

describe('a checkpoint', () => {
  it('has the C2SP form and holds only for its key', () => {
    const signer = generateSigner();
    const text = signCheckpoint({ origin: 'vigil-audit-x', size: 3, root: base64Root(EMPTY_TREE) }, signer);
    expect(text).toMatch(/^vigil-audit-x\n3\n[A-Za-z0-9+/=]{44}\n\n— vigil-audit-x [A-Za-z0-9+/=]{92}\n$/);
    const read = readCheckpoint(text);
    if (read.kind !== 'ok') throw new Error(read.reason);
    expect(checkpointHolds(read, signer.publicKey)).toBe(true);
    expect(checkpointHolds(read, generateSigner().publicKey)).toBe(false);
    for (let i = 0; i < text.length; i++) {
      const changed = readCheckpoint(`${text.slice(0, i)}${text[i] === 'A' ? 'B' : 'A'}${text.slice(i + 1)}`);
      expect(changed.kind === 'ok' && checkpointHolds(changed, signer.publicKey)).toBe(false);
    }
  });
});

describe('the canonical spelling', () => {
  it('depends on the value alone', () => {
    expect(canonicalJson({ b: 1, a: [{ d: null, c: 'é\n' }], u: undefined })).toBe('{"a":[{"c":"é\\n","d":null}],"b":1}');
  });
});

describe('the trail', () => {
  it('writes the intent before the act and the outcome after, each durable', async () => {
    const where = await folder();
    const log = await open(where, generateSigner());
    const seen: string[] = [];
    const before = await log.act({ actor: LOCAL_OWNER, act: 'user.create', on: 'usr_1', from: '192.0.2.1' }, async () => {
      for await (const item of readSegment(join(where, logName(1)))) {
        const frame = item.kind === 'frame' ? readPayload(item.payload) : null;
        if (frame?.kind === 'entry') seen.push(`${frame.entry.act} ${frame.entry.phase}`);
      }
      return 7;
    });
    expect(before).toBe(7);
    expect(seen).toEqual(['audit.open done', 'user.create intent']);
    await expect(
      log.act({ actor: LOCAL_OWNER, act: 'user.disable', on: 'usr_1' }, () => Promise.reject(new RangeError('no'))),
    ).rejects.toThrow('no');
    await log.refused({ actor: LOCAL_OWNER, act: 'user.role', on: 'usr_1' });
    const entries = await log.read(10);
    expect(entries.map(({ seq, act, phase, intent }) => [seq, act, phase, intent])).toEqual([
      [6, 'user.role', 'refused', undefined],
      [5, 'user.disable', 'failed', 4],
      [4, 'user.disable', 'intent', undefined],
      [3, 'user.create', 'done', 2],
      [2, 'user.create', 'intent', undefined],
      [1, 'audit.open', 'done', undefined],
    ]);
    expect((await log.read(2, 5)).map(({ seq }) => seq)).toEqual([4, 3]);
    await log.close();
    await expect(log.refused({ actor: LOCAL_OWNER, act: 'x', on: 'y' })).rejects.toMatchObject({ code: 'AUDIT_FAILED' });
  });

  it('goes on where it stood, numbers without holes, and verifies', async () => {
    const signer = generateSigner();
    const where = await folder();
    for (let run = 0; run < 3; run++) {
      const log = await open(where, signer, { checkpointEvery: 10 });
      await Promise.all(Array.from({ length: 40 }, (_, i) => log.refused({ actor: LOCAL_OWNER, act: 'x.y', on: `t${run}.${i}` })));
      await log.close();
    }
    const unknown = await verifyAudit(where);
    expect(unknown).toMatchObject({ kind: 'holds', entries: 121, signer: 'unknown', unsigned: 0 });
    if (unknown.kind !== 'holds') throw new Error('broken');
    for (const known of [signer.publicKey, keyFingerprint(signer.publicKey), verifierKey(unknown.origin, signer.publicKey)])
      expect(await verifyAudit(where, { knownKey: known })).toMatchObject({ kind: 'holds', signer: 'known' });
    expect(await verifyAudit(where, { knownKey: generateSigner().publicKey })).toMatchObject({ kind: 'broken', at: { seq: 1 } });
  });

  it('goes on after a crash that left a torn frame and an unsigned tail, and says what it cut', async () => {
    const { where, file, signer } = await made(5);
    const bytes = await readFile(file);
    await writeFile(file, Buffer.concat([bytes, Buffer.from([40, 0, 0, 0, 1, 2, 3, 4, 5])]));
    const log = await open(where, signer);
    expect((await log.read(1))[0]).toMatchObject({ act: 'audit.repair', details: { cut_from: bytes.length, cut_bytes: 9 } });
    await log.close();
    expect((await verifyAudit(where)).kind).toBe('holds');
  });

  it('never signs on over a log that does not hold: it begins another and says so', async () => {
    const { where, file, signer } = await made(30);
    const all = await payloads(file);
    await forge(file, all.slice(0, -12));
    let said = '';
    const log = await open(where, signer, {
      onBroken: (_, reason) => {
        said = reason;
      },
    });
    expect(said).toContain('cut off');
    await fill(log, 3);
    await log.close();
    expect((await stat(join(where, logName(2)))).size).toBeGreaterThan(0);
    expect(await verifyAudit(join(where, logName(2)))).toMatchObject({ kind: 'holds', entries: 7 });
    expect(await verifyAudit(where)).toMatchObject({ kind: 'broken', at: { file } });
  });
});

describe('a chain of logs', () => {
  const chained = async (): Promise<{ readonly where: string; readonly signer: Signer; readonly log: AuditLog }> => {
    const [where, signer] = [await folder(), generateSigner()];
    const log = await open(where, signer, { rotateEvery: 20 });
    await fill(log, 40);
    return { where, signer, log };
  };

  it('is one trail: numbered without holes, read across files, verified as a whole', async () => {
    const { where, signer, log } = await chained();
    const all = await log.read(1_000);
    expect(all.map(({ seq }) => seq)).toEqual(Array.from({ length: all.length }, (_, i) => all.length - i));
    expect(all.filter(({ act }) => act === 'user.create')).toHaveLength(80);
    expect((await log.read(7, 30)).map(({ seq }) => seq)).toEqual([29, 28, 27, 26, 25, 24, 23]);
    await log.close();
    const again = await open(where, signer, { rotateEvery: 20 });
    await fill(again, 10);
    await again.close();
    expect(await verifyAudit(where, { knownKey: signer.publicKey })).toMatchObject({
      kind: 'holds',
      signer: 'known',
      entries: all.length + 20 + 1,
    });
  });

  it('does not hold when a whole log is taken out, cut back or put back', async () => {
    const { where, log } = await chained();
    await log.close();
    const [second, third] = [join(where, logName(2)), join(where, logName(3))];
    const [kept, head] = [await readFile(second), await readFile(checkpointFile(second), 'utf8')];
    await rm(second);
    expect(await verifyAudit(where)).toMatchObject({ kind: 'broken', at: { file: third }, reason: expect.stringContaining('missing') });
    await writeFile(second, kept);
    expect((await verifyAudit(where)).kind).toBe('holds');
    // Cut back to its opening entry and first checkpoint, with that checkpoint beside it: alone it holds, the next log knows better.
    const all = await payloads(second);
    await forge(second, all.slice(0, 2));
    const early = readPayload(all[1]!);
    await writeFile(checkpointFile(second), early.kind === 'checkpoint' ? early.text : head);
    expect((await verifyAudit(second)).kind).toBe('holds');
    expect(await verifyAudit(where)).toMatchObject({ kind: 'broken', at: { file: third } });
  });
});

describe('a disk that fails', () => {
  it('fails the act before it is done, and the trail goes on when the disk does', async () => {
    const [where, signer] = [await folder(), generateSigner()];
    const log = await open(where, signer, { checkpointEvery: 1 });
    await fill(log, 3);
    const blocked = `${checkpointFile(join(where, logName(1)))}.new`;
    await mkdir(blocked);
    let done = false;
    const act = (): Promise<boolean> => log.act({ actor: LOCAL_OWNER, act: 'x', on: 'y' }, async () => (done = true));
    await expect(act()).rejects.toMatchObject({ code: 'AUDIT_FAILED' });
    await expect(act()).rejects.toMatchObject({ code: 'AUDIT_FAILED' });
    expect(done).toBe(false);
    await rm(blocked, { recursive: true });
    expect(await act()).toBe(true);
    await log.close();
    expect((await verifyAudit(where)).kind).toBe('holds');
  });
});

describe('an edit', () => {
  it(`of one byte is detected with its place, ${EDITS} times out of ${EDITS}`, async () => {
    const { file } = await made(60);
    const bytes = await readFile(file);
    const head = await readFile(checkpointFile(file));
    const missed: number[] = [];
    for (let i = 0; i < EDITS; i++) {
      const inLog = i % 10 !== 0;
      const [path, whole] = inLog ? [file, bytes] : [checkpointFile(file), head];
      const at = Math.floor(Math.random() * whole.length);
      const copy = Buffer.from(whole);
      copy[at] = copy[at]! ^ (1 + Math.floor(Math.random() * 255));
      await writeFile(path, copy);
      const verdict = await verifyAudit(file);
      if (verdict.kind !== 'broken' || (inLog && verdict.at.offset > at)) missed.push(at);
      await writeFile(path, whole);
    }
    expect(missed).toEqual([]);
    expect((await verifyAudit(file)).kind).toBe('holds');
  }, 60_000);

  it.each<[string, (all: Uint8Array[]) => Uint8Array[], number]>([
    ['flip with a checksum made anew', (all) => all.with(entryIndex(all, 25), edited(all[entryIndex(all, 25)]!, 'user.delete')), 26],
    ['delete', (all) => all.toSpliced(entryIndex(all, 25), 1), 26],
    [
      'reorder',
      (all) => {
        const [a, b] = [entryIndex(all, 25), entryIndex(all, 26)];
        return all.with(a, all[b]!).with(b, all[a]!);
      },
      26,
    ],
    ['truncate', (all) => all.slice(0, entryIndex(all, 110)), 111],
    [
      'append',
      (all) => [...all, entryPayload(entryBytes({ seq: 200, at: 0, actor: LOCAL_OWNER, act: 'x', on: 'y', phase: 'refused' } as never))],
      122,
    ],
    ['a malformed entry', (all) => all.with(entryIndex(all, 3), entryPayload(Buffer.from('{"seq":4}'))), 4],
    [
      'an entry in another spelling',
      (all) => {
        const i = entryIndex(all, 3);
        return all.with(i, entryPayload(Buffer.from(` ${Buffer.from(all[i]!.subarray(1)).toString()}`)));
      },
      4,
    ],
    ['no opening entry', (all) => all.slice(1), 0],
  ])('(%s) is detected at its entry', async (name, forgery, seq) => {
    const { file } = await made(60);
    await forge(file, forgery(await payloads(file)));
    const verdict = await verifyAudit(file);
    if (verdict.kind !== 'broken') throw new Error('it was not detected');
    // A forged checksum is told by the next checkpoint: the place is the first entry since the one before.
    expect(verdict.at.seq).toBeGreaterThanOrEqual(name.startsWith('flip') ? 7 : seq);
    expect(verdict.at.seq).toBeLessThanOrEqual(seq);
  });

  it('that puts an old checkpoint back, or takes it away, is detected', async () => {
    const signer = generateSigner();
    const { where, file } = await made(30, signer);
    const old = await readFile(checkpointFile(file), 'utf8');
    const log = await open(where, signer);
    await fill(log, 10);
    await log.close();
    await writeFile(checkpointFile(file), old);
    expect(await verifyAudit(file)).toMatchObject({ kind: 'broken', reason: expect.stringContaining('an old one') });
    await rm(checkpointFile(file));
    expect(await verifyAudit(file)).toMatchObject({ kind: 'broken', reason: expect.stringContaining('missing') });
  });

  it('that puts the whole folder back or forks it is detected by a checkpoint kept elsewhere', async () => {
    const signer = generateSigner();
    const { where, file } = await made(30, signer);
    const backup = join(await folder(), 'copy.seg');
    await copyFile(file, backup);
    await copyFile(checkpointFile(file), checkpointFile(backup));
    const log = await open(where, signer);
    await fill(log, 10);
    const kept = log.latest()!;
    await log.checkpoint();
    const newer = log.latest()!;
    await log.close();
    expect((await verifyAudit(file, { witnesses: [kept, newer] })).kind).toBe('holds');
    await copyFile(backup, file);
    await copyFile(checkpointFile(backup), checkpointFile(file));
    expect((await verifyAudit(file)).kind).toBe('holds');
    expect(await verifyAudit(file, { witnesses: [newer] })).toMatchObject({ kind: 'broken', reason: expect.stringContaining('cut off') });
    // The holder of the key writes another history of the same length.
    const fork = await open(where, signer);
    await fill(fork, 40, 500);
    await fork.close();
    expect((await verifyAudit(file)).kind).toBe('holds');
    expect(await verifyAudit(file, { witnesses: [newer] })).toMatchObject({ kind: 'broken', reason: expect.stringContaining('forked') });
  });

  it('by somebody without the key, who signs with an own one, is detected by the known key', async () => {
    const { file, signer, origin } = await made(10);
    const thief = generateSigner();
    const all = (await payloads(file)).filter(isEntry);
    const first = readPayload(all[0]!);
    if (first.kind !== 'entry') throw new Error('no entry');
    const forged = [entryPayload(entryBytes({ ...first.entry, details: { origin, key: thief.publicKey } })), ...all.slice(1)];
    const tree = forged.reduce((t, p) => grow(t, leafHash(p.subarray(1))), EMPTY_TREE);
    const text = signCheckpoint({ origin, size: tree.size, root: base64Root(tree) }, thief);
    await forge(file, [...forged, checkpointPayload(text)]);
    await writeFile(checkpointFile(file), text);
    expect(await verifyAudit(file)).toMatchObject({ kind: 'holds', signer: 'unknown' });
    expect(await verifyAudit(file, { knownKey: signer.publicKey })).toMatchObject({ kind: 'broken', at: { seq: 1 } });
  });
});
