// SPDX-License-Identifier: Apache-2.0
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '../../core/clock.ts';
import { openLog } from '../../core/log.ts';
import { OWNER, openDoors } from '../../test/support/agent-doors.ts';
import { handClock } from '../../test/support/memory-state.ts';
import { revokeAgent } from './commands.ts';
import { type LocalAgent, type LocalEnrolment, openLocalEnrolment, startLocalAgent } from './local.ts';

const log = openLog({ program: 'vigil', level: 'silent' });
const AGENT = [process.execPath, join(import.meta.dirname, '..', '..', 'bin', 'vigil-agent.js')];

let root = '';
const open: { close(): Promise<void> }[] = [];
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'vigil-local-'));
});
afterEach(async () => {
  for (const one of open.splice(0).reverse()) await one.close();
});
afterAll(() => rm(root, { recursive: true, force: true }));

const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    // No such process: that is the answer.
    return false;
  }
};

describe('the agent of this host', () => {
  it('enrols by itself over the listener, sends, keeps its id when the address changes, and ends with the collector', async () => {
    const dir = await mkdtemp(join(root, 'real-'));
    const stateDir = join(dir, 'agent');
    const tail = join(dir, 'app.log');
    await writeFile(tail, 'one line\n');
    const start = (doors: Awaited<ReturnType<typeof openDoors>>, localUrl: () => string): LocalAgent => {
      const enrolment = openLocalEnrolment(stateDir, { registry: doors.registry, tokens: doors.tokens, pin: doors.ca.pin, localUrl });
      const agent = startLocalAgent({
        program: AGENT,
        stateDir,
        tails: [`${tail}=syslog`],
        args: ['--no-discover'],
        enrolment,
        clock: systemClock,
        log,
      });
      open.push(agent);
      return agent;
    };
    const doors = await openDoors(dir);
    open.push(doors);
    const first = start(doors, () => doors.url());
    await expect
      .poll(() => doors.received.length, { timeout: 20_000 })
      .toBeGreaterThan(0)
      .catch((error: Error) => {
        throw new Error(`${error.message}: ${first.state()} ${first.lastWords()}`);
      });
    const sender = doors.received[0]?.sender;
    expect(sender).toMatchObject({ held: false, agent: { local: true, state: 'active' } });
    expect(doors.audit.entries.filter(({ act }) => act === 'agent.token.create').map(({ actor }) => actor.id)).toContain('collector');
    const pid = first.pid() ?? 0;
    await first.close();
    expect([first.state(), isAlive(pid)]).toEqual(['stopped', false]);
    // The same collector behind another address: the identity is given again, not a second one made.
    doors.setUrl(`https://localhost:${doors.listener.port}`);
    const before = doors.received.length;
    const second = start(doors, () => doors.url());
    await expect.poll(() => doors.received.length, { timeout: 20_000 }).toBeGreaterThan(before);
    expect(doors.received.at(-1)?.sender.agent.id).toBe(sender?.agent.id);
    expect(doors.registry.all()).toHaveLength(1);
    await second.close();
    // A person's word holds: a revoked agent is not enrolled anew behind their back.
    await revokeAgent(doors.fleet, OWNER, sender!.agent.id);
    const third = start(doors, () => doors.url());
    await expect.poll(() => third.state()).toBe('stopped');
    expect(third.pid()).toBeNull();
    expect(doors.registry.all()).toHaveLength(1);
  }, 60_000);

  const script = async (
    text: string,
  ): Promise<{ readonly program: readonly string[]; readonly dir: string; readonly runs: () => Promise<readonly string[]> }> => {
    const dir = await mkdtemp(join(root, 'script-'));
    const file = join(dir, 'program.mjs');
    const out = join(dir, 'runs');
    await writeFile(
      file,
      `import { appendFileSync } from 'node:fs';\nappendFileSync(${JSON.stringify(out)}, JSON.stringify(process.argv.slice(2)) + '\\n');\n${text}\n`,
    );
    const runs = async (): Promise<readonly string[]> =>
      (await readFile(out, 'utf8').catch(() => '')).split('\n').filter((line) => line !== '');
    return { program: [process.execPath, file], dir, runs };
  };
  const enrolled: LocalEnrolment = { state: async () => 'enrolled', makeToken: async () => 'no token' };

  it('is started again with growing waits when it ends, and its last words are kept', async () => {
    const { program, dir, runs } = await script(`process.stderr.write('no such key\\n'); process.exit(3);`);
    const clock = handClock();
    const agent = startLocalAgent({
      program,
      stateDir: join(dir, 'agent'),
      tails: ['/a=b'],
      enrolment: enrolled,
      clock,
      log,
      random: () => 1,
    });
    open.push(agent);
    for (const [n, wait] of [1_000, 2_000, 4_000].entries()) {
      await expect.poll(() => agent.state(), { timeout: 10_000 }).toBe('waiting');
      expect([(await runs()).length, agent.restarts()]).toEqual([n + 1, n + 1]);
      clock.advance(wait - 1);
      expect(agent.state()).toBe('waiting');
      clock.advance(1);
      await expect.poll(async () => (await runs()).length, { timeout: 10_000 }).toBe(n + 2);
    }
    expect(agent.lastWords()).toContain('no such key');
    expect(JSON.parse((await runs())[0]!)).toEqual([
      'run',
      '--state',
      join(dir, 'agent'),
      '--tail',
      '/a=b',
      '--parent-pid',
      String(process.pid),
    ]);
  });

  it('is killed when it does not hear SIGTERM', async () => {
    const { program, dir, runs } = await script(
      `process.on('SIGTERM', () => {}); setInterval(() => {}, 1000); appendFileSync(process.argv[4] + '/up', 'x');`,
    );
    const clock = handClock();
    const agent = startLocalAgent({ program, stateDir: join(dir, 'agent'), tails: [], enrolment: enrolled, clock, log });
    open.push(agent);
    await expect.poll(() => readFile(join(dir, 'agent', 'up'), 'utf8').catch(() => ''), { timeout: 10_000 }).toBe('x');
    const pid = agent.pid() ?? 0;
    const closed = agent.close();
    await expect.poll(() => isAlive(pid)).toBe(true);
    clock.advance(10_000);
    await closed;
    expect([isAlive(pid), (await runs()).length, agent.state()]).toEqual([false, 1, 'stopped']);
  });
});
