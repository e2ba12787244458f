// SPDX-License-Identifier: Apache-2.0
/** The whole agent against a small collector with real TLS: enrolment, lines, faults, restarts, renewal. */
import { appendFileSync, mkdirSync, mkdtempSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../core/clock.ts';
import { type Fact, parseFact } from '../core/fact.ts';
import { openLog } from '../core/log.ts';
import type { HeartbeatBody } from '../core/protocol.ts';
import { ms } from '../core/units.ts';
import { readJsonBody } from '../core/wire.ts';
import { type SmallCollector, startSmallCollector } from '../test/support/small-collector.ts';
import { type RunningAgent, startAgent } from './agent.ts';
import { type AgentConfig, readConfig } from './config.ts';
import { enrol, renew } from './enrol/enrol.ts';
import { type Identity, readIdentity, writeIdentity } from './enrol/identity.ts';
import { openStateFolder } from './enrol/state.ts';
import { readToken } from './enrol/token.ts';
import { makeScanners } from './source/inventory/scanners.ts';

let root: string;
let collector: SmallCollector;
let identity: Identity;
let agent: RunningAgent | undefined;
const log = openLog({ program: 'vigil-agent', level: 'silent' });

const until = async <T>(what: string, test: () => T | false | undefined, limitMs = 10_000): Promise<T> => {
  const end = performance.now() + limitMs;
  for (;;) {
    const value = test();
    if (value !== false && value !== undefined) return value;
    if (performance.now() > end) throw new Error(`${what} did not come`);
    await systemClock.sleep(ms(20));
  }
};

const file = (name: string): string => join(root, 'logs', name);
const stream = (name: string): string => `file:${file(name)}`;

const start = async (paths: readonly string[], flags: Record<string, string | boolean> = {}): Promise<RunningAgent> => {
  const off = { 'inventory.enabled': false, 'posture.enabled': false, 'fim.discover': false };
  const only = { 'tail.paths': paths, 'tail.discover': false, ...off };
  const { config } = readConfig({ flags: { state: join(root, 'state'), ...only, ...flags }, env: {} });
  agent = await startAgent({
    config: config as AgentConfig,
    dir: config.state,
    from: root,
    identity: readIdentity(config.state) ?? identity,
    version: '0.0.0',
    clock: systemClock,
    log,
  });
  return agent;
};

const stop = async (): Promise<void> => {
  await agent?.stop();
  agent = undefined;
};

beforeEach(async () => {
  root = mkdtempSync(join(tmpdir(), 'vigil-agent-'));
  for (const folder of ['logs', 'ca']) openStateFolder(join(root, folder));
  collector = await startSmallCollector(join(root, 'ca'));
  openStateFolder(join(root, 'state'));
  identity = await enrol(readToken(collector.token), { host: 'h1', machineId: '', zone: 'UTC', version: '0.0.0' }, systemClock);
  writeIdentity(join(root, 'state'), identity);
});

afterEach(async () => {
  await stop();
  await collector.close();
  rmSync(root, { recursive: true, force: true });
});

describe('a running agent', () => {
  it('brings a new line to the collector well under two seconds', async () => {
    writeFileSync(file('a.log'), 'old\n');
    await start([file('*.log')]);
    await until('the old line', () => collector.lines(stream('a.log')).length === 1);
    const began = performance.now();
    appendFileSync(file('a.log'), 'new\n');
    await until('the new line', () => collector.lines(stream('a.log')).length === 2);
    expect(performance.now() - began).toBeLessThan(1_500);
  });

  it('sends a signed heartbeat with its cost and every stream', async () => {
    writeFileSync(file('a.log'), 'one\ntwo\n');
    writeFileSync(file('empty.log'), '');
    await start([file('*.log')]);
    const block = await until('the heartbeat', () => collector.blocks.find(({ header }) => header.kind === 'heartbeat'));
    const read = readJsonBody(block);
    const body = (read.kind === 'heartbeat' ? read.body : undefined) as HeartbeatBody;
    expect(body.cost.rssBytes).toBeGreaterThan(10_000_000);
    expect(body.streams.map((one) => one.stream).sort()).toEqual([stream('a.log'), stream('empty.log')]);
    expect(body.streams.find((one) => one.stream === stream('a.log'))).toMatchObject({ seq: 2, behindBytes: 0 });
  });

  it('tells its inventory once, and after a restart only what changed', async () => {
    const tree = join(root, 'tree');
    mkdirSync(join(tree, 'etc'), { recursive: true });
    writeFileSync(join(tree, 'etc', 'passwd'), 'root:x:0:0:root:/root:/bin/sh\n');
    const facts = (): readonly Fact[] => collector.lines('inventory').flatMap((line) => parseFact(line) ?? []);
    const scans = (): number => facts().filter(({ kind }) => kind === 'scan').length;
    const flags = { 'inventory.enabled': true, 'inventory.root': tree };
    await start([], flags);
    const first = await until('a scan of every kind', () => scans() >= makeScanners().length && facts());
    expect(first.filter(({ kind }) => kind === 'user')).toMatchObject([{ item: 'root', change: 'baseline' }]);
    expect(agent?.status().streams.find(({ stream: one }) => one === 'inventory')?.seq).toBe(first.length);
    await stop();
    appendFileSync(join(tree, 'etc', 'passwd'), 'eve:x:0:0::/:/bin/sh\n');
    await start([], flags);
    await until('a second scan of every kind', () => scans() >= 2 * makeScanners().length);
    expect(
      facts()
        .slice(first.length)
        .filter(({ kind }) => kind !== 'scan'),
    ).toMatchObject([{ kind: 'user', item: 'eve', change: 'added', fields: { uid: 0, admin: true } }]);
  });

  it('loses and doubles nothing over restarts, rotations and refusals', async () => {
    const written: string[] = [];
    const write = (n: number): void => {
      for (let i = 0; i < n; i++) {
        written.push(`line ${written.length}`);
        appendFileSync(file('a.log'), `${written.at(-1)}\n`);
      }
    };
    write(10);
    collector.answerNext(503, 'hang-up', { status: 429, retryAfter: 0 }, 500);
    await start([file('a.log')]);
    write(10);
    await until('all lines', () => collector.lines(stream('a.log')).length === written.length);
    await stop();
    write(5);
    renameSync(file('a.log'), file('a.log.1'));
    write(7);
    await start([file('a.log')]);
    await until('the lines of both files', () => collector.lines(stream('a.log')).length === written.length);
    renameSync(file('a.log'), file('a.log.2'));
    write(3);
    await until('the lines after a rotation', () => collector.lines(stream('a.log')).length === written.length);
    expect(collector.lines(stream('a.log'))).toEqual(written);
  });

  it('keeps what it read while the collector is away and sends it after a restart', async () => {
    writeFileSync(file('a.log'), 'one\n');
    collector.answerNext(...Array.from({ length: 50 }, () => 'hang-up' as const));
    await start([file('a.log')]);
    await until('the sealed line', () => agent?.status().streams[0]?.seq === 1);
    await stop();
    rmSync(file('a.log'));
    collector.answerNext();
    await start([file('a.log')]);
    await until('the line of a file that is gone', () => collector.lines(stream('a.log')).length === 1);
  });

  it('goes on with a new epoch after its spool was put back from a copy (W11)', async () => {
    const { cpSync } = await import('node:fs');
    writeFileSync(file('a.log'), 'one\ntwo\n');
    await start([file('a.log')]);
    await until('two lines', () => collector.lines(stream('a.log')).length === 2);
    await stop();
    cpSync(join(root, 'state', 'spool'), join(root, 'copy'), { recursive: true });
    appendFileSync(file('a.log'), 'three\n');
    await start([file('a.log')]);
    await until('three lines', () => collector.lines(stream('a.log')).length === 3);
    await stop();
    rmSync(join(root, 'state', 'spool'), { recursive: true });
    cpSync(join(root, 'copy'), join(root, 'state', 'spool'), { recursive: true });
    appendFileSync(file('a.log'), 'four\nfive\n');
    await start([file('a.log')]);
    await until('five lines', () => collector.lines(stream('a.log')).length >= 5);
    expect(collector.lines(stream('a.log'))).toEqual(['one', 'two', 'three', 'four', 'five']);
  });

  it('finds its place again when its spool is lost (W11)', async () => {
    writeFileSync(file('a.log'), 'one\ntwo\n');
    await start([file('a.log')]);
    await until('two lines', () => collector.lines(stream('a.log')).length === 2);
    await stop();
    rmSync(join(root, 'state', 'spool'), { recursive: true });
    appendFileSync(file('a.log'), 'three\n');
    await start([file('a.log')]);
    await until('three lines', () => collector.lines(stream('a.log')).length >= 3);
    appendFileSync(file('a.log'), 'four\n');
    await until('four lines', () => collector.lines(stream('a.log')).length >= 4);
    expect(collector.lines(stream('a.log'))).toEqual(['one', 'two', 'three', 'four']);
  });

  it('sends again what a collector lost that was put back (W6)', async () => {
    writeFileSync(file('a.log'), 'one\n');
    await start([file('a.log')]);
    await until('one line', () => collector.lines(stream('a.log')).length === 1);
    const kept = collector.blocks.length;
    appendFileSync(file('a.log'), 'two\n');
    await until('two lines', () => collector.lines(stream('a.log')).length === 2);
    collector.restore(kept);
    appendFileSync(file('a.log'), 'three\n');
    await until('all three again', () => collector.lines(stream('a.log')).length === 3);
    expect(collector.lines(stream('a.log')).toSorted()).toEqual(['one', 'three', 'two']);
  });

  it('sends blocks again that the collector asks back (W9)', async () => {
    writeFileSync(file('a.log'), 'one\n');
    await start([file('a.log')]);
    await until('one line', () => collector.lines(stream('a.log')).length === 1);
    const { epoch } = collector.blocks.find(({ header }) => header.stream === stream('a.log'))!.header;
    let again = 0;
    collector.judge = ({ header }) => {
      if (header.stream === stream('a.log') && header.first === 1) again += 1;
      return undefined;
    };
    collector.missing = [{ stream: stream('a.log'), epoch, from: 1, to: 1 }];
    appendFileSync(file('a.log'), 'two\n');
    await until('the block again', () => again > 0 && collector.lines(stream('a.log')).length === 2);
    expect(collector.lines(stream('a.log'))).toEqual(['one', 'two']);
  });

  it('tells its status and where it is in a path', async () => {
    writeFileSync(file('a.log'), 'one\n');
    await start([file('a.log')]);
    const running = agent as RunningAgent;
    await until('the ack', () => running.status().streams[0]?.ackedSeq === 1);
    expect(running.status()).toMatchObject({ agent: identity.agent, connected: true });
    expect(running.explain(file('a.log'))).toMatchObject({ read: true, offset: 4, behindBytes: 0, seq: 1, ackedSeq: 1 });
    expect(running.explain(file('a.log'))).toMatchObject({ why: `tail.paths names it (${file('a.log')})` });
    expect(running.explain(file('b.log'))).toMatchObject({ read: false });
  });
});

describe('an identity', () => {
  it('lies in a file of mode 0600 and is read back', () => {
    expect(statSync(join(root, 'state', 'identity.json')).mode & 0o777).toBe(0o600);
    expect(readIdentity(join(root, 'state'))).toEqual(identity);
  });

  it('is renewed with a new key, and blocks go on under it', async () => {
    const next = await renew(identity, systemClock);
    expect(next.privatePem).not.toBe(identity.privatePem);
    expect(next.agent).toBe(identity.agent);
    writeIdentity(join(root, 'state'), next);
    writeFileSync(file('a.log'), 'one\n');
    await start([file('a.log')]);
    await until('one line', () => collector.lines(stream('a.log')).length === 1);
    expect(collector.blocks[0]?.header.key).toBe(collector.keys.at(-1));
  });

  it('is not asked for when the pin is not the collector’s', async () => {
    const token = { ...readToken(collector.token), pin: 'a'.repeat(64) };
    const before = collector.requests();
    await expect(enrol(token, { host: 'h', machineId: '', zone: 'UTC', version: '0' }, systemClock)).rejects.toMatchObject({
      code: 'ENROL_PIN_MISMATCH',
    });
    expect(collector.requests()).toBe(before);
  });

  it('is refused with the collector’s reason when the secret is wrong', async () => {
    const token = { ...readToken(collector.token), secret: 'x'.repeat(32) };
    await expect(enrol(token, { host: 'h', machineId: '', zone: 'UTC', version: '0' }, systemClock)).rejects.toMatchObject({
      code: 'ENROL_REFUSED',
    });
  });
});
