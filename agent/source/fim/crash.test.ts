// SPDX-License-Identifier: Apache-2.0
/** Real processes ended by SIGKILL: a finding that was not yet safe is told again, and none is swallowed. */
import { spawn, spawnSync } from 'node:child_process';
import { appendFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { systemClock } from '../../../core/clock.ts';
import { type Fact, parseFact } from '../../../core/fact.ts';
import { type Agent, startAgent } from '../../../test/support/agent.ts';
import { type SmallCollector, startSmallCollector } from '../../../test/support/small-collector.ts';
import { enrol } from '../../enrol/enrol.ts';
import { writeIdentity } from '../../enrol/identity.ts';
import { openStateFolder } from '../../enrol/state.ts';
import { readToken } from '../../enrol/token.ts';

const FILES = 400;
const ROUNDS = 8;
let root: string;
let tree: string;
let collector: SmallCollector | undefined;
let agent: Agent | undefined;

const file = (n: number): string => join(tree, `d${Math.floor(n / 20)}`, `f${n}`);
const until = async (what: string, test: () => boolean, limitMs = 20_000): Promise<void> => {
  const end = performance.now() + limitMs;
  while (!test()) {
    if (performance.now() > end) throw new Error(`${what} did not come; the agent said: ${agent?.said() ?? ''}`);
    await pause(20);
  }
};

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'vigil-fim-'));
  tree = join(root, 'tree');
  for (const folder of ['ca', 'state']) openStateFolder(join(root, folder));
  for (let n = 0; n < FILES; n++) {
    if (n % 20 === 0) mkdirSync(join(tree, `d${n / 20}`), { recursive: true });
    writeFileSync(file(n), `file ${n}\n`);
  }
});
afterEach(async () => {
  await agent?.kill();
  await collector?.close();
  agent = collector = undefined;
  rmSync(root, { recursive: true, force: true });
});

it('a scan that was killed before its facts were safe is repeated', async () => {
  const script = join(import.meta.dirname, '..', '..', '..', 'test', 'support', 'fim-scan.ts');
  const scan = () => {
    const { stdout } = spawnSync(process.execPath, [script, join(root, 'state'), tree], { encoding: 'utf8', timeout: 20_000 });
    return (JSON.parse(stdout) as { readonly items: readonly string[] }).items;
  };
  scan();
  appendFileSync(file(7), 'x');
  const held = spawn(process.execPath, [script, join(root, 'state'), tree, 'hold'], { stdio: ['ignore', 'pipe', 'inherit'] });
  let said = '';
  held.stdout.on('data', (piece: Buffer) => (said += piece.toString()));
  await until('the finding', () => said.endsWith('\n'));
  held.kill('SIGKILL');
  await new Promise((resolve) => held.once('exit', resolve));
  expect([said.includes(file(7)), scan(), scan()]).toEqual([true, [file(7), 'file'], ['file']]);
});

it('an agent that is killed at any moment swallows no change', async () => {
  collector = await startSmallCollector(join(root, 'ca'));
  const state = join(root, 'state');
  writeIdentity(state, await enrol(readToken(collector.token), { host: 'h1', machineId: '', zone: 'UTC', version: '0' }, systemClock));
  const config = join(root, 'agent.yml');
  writeFileSync(config, 'inventory.enabled: false\nposture.enabled: false\n');
  const start = (): Agent => startAgent({ state, tail: [], args: ['--config', config, '--fim', tree] });
  const facts = (): readonly Fact[] => collector!.lines('fim').flatMap((text) => parseFact(text) ?? []);
  const changed = (): readonly string[] =>
    facts().flatMap(({ kind, change, item }) => (kind === 'file' && change === 'changed' ? [item] : []));
  agent = start();
  await until('the baseline', () => facts().some(({ kind }) => kind === 'scan'));
  const written: string[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    for (let n = 0; n < 10; n++) {
      const path = file((round * 37 + n * 20) % FILES);
      appendFileSync(path, 'x');
      written.push(path);
    }
    // From before the wake-up to behind the seal.
    await pause((round * 1_500) / ROUNDS);
    await agent.kill();
    agent = start();
    await until('the changes of a round', () => written.every((path) => changed().includes(path)));
  }
  expect(facts().filter(({ change }) => change === 'added' || change === 'removed')).toEqual([]);
  expect(new Set(changed())).toEqual(new Set(written));
}, 180_000);
