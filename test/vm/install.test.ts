// SPDX-License-Identifier: Apache-2.0
/** A bare server: one pasted line makes a service of the agent, which starts with the machine; a second changes nothing; uninstalling leaves nothing. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ROOT } from '../support/repository.ts';
import { type Collector, failedLogin, removeDir, startCollector, tempDir, until } from '../support/vigil.ts';
import { DISTRIBUTIONS, HOST_ADDRESS, type Machine, machineProblem, openMachine } from './machine.ts';

const problem = machineProblem();
if (problem !== null) process.stdout.write(`Machines are passed over: ${problem}.\n`);

const UNIT = 'vigil-agent.service';
/** Of the unit, by `systemd-analyze security`. */
const EXPOSURE = 2.1;
/** Of the agent alone, 10 s after its start. */
const RSS_KB = 120_000;

describe.skipIf(problem !== null).each(DISTRIBUTIONS)('a bare server of $name', (distribution) => {
  let root: string;
  let collector: Collector;
  let machine: Machine;
  let line: string;

  const shown = async (property: string): Promise<string> => (await machine.sh(`systemctl show -p ${property} --value ${UNIT}`)).out.trim();
  const host = async (): Promise<Record<string, unknown>> =>
    JSON.parse((await collector.vigil(['agent', 'list', '--json'])).out.trim().split('\n')[0] as string) as Record<string, unknown>;
  /** A line of sshd in a log that only root and adm may read. */
  const attack = async (address: string): Promise<void> => {
    const text = failedLogin(address, 'root').trimEnd();
    expect((await machine.sh(`echo '${text}' >> /var/log/auth.log`)).code).toBe(0);
    await until(`the line from ${address}`, async () => (await collector.count(`source.ip: ${address}`)) === 1, 60_000);
  };

  beforeAll(async () => {
    root = tempDir();
    machine = await openMachine(distribution, root);
    await machine.sh('touch /var/log/auth.log; chown root:adm /var/log/auth.log; chmod 640 /var/log/auth.log');
    collector = await startCollector({ dir: join(root, 'collector'), localAgent: false, agents: '127.0.0.1:0' });
    const { port } = new URL(collector.agents);
    await collector.stop();
    collector = await startCollector({
      dir: join(root, 'collector'),
      localAgent: false,
      agents: `127.0.0.1:${port}`,
      args: ['--public-url', `https://${HOST_ADDRESS}:${port}`],
    });
    const made = await collector.vigil(['agent', 'token', 'create']);
    expect(made.code, made.err).toBe(0);
    line = made.out.trim();
  });

  afterAll(async () => {
    await machine?.end();
    await collector?.stop();
    removeDir(root);
  });

  it('installs the agent as a service with an account of its own and one capability', async () => {
    const answer = await machine.sh(line);
    expect(answer.code, answer.err).toBe(0);
    expect(answer.out).toContain('It runs as the service vigil-agent');
    expect(answer.out).toMatch(/WOULD READ|Expected/);
    expect(await shown('ActiveState')).toBe('active');
    const status = (await machine.sh(`cat /proc/${await shown('MainPID')}/status`)).out;
    const uid = (await machine.sh('id -u vigil-agent')).out.trim();
    expect(status).toMatch(new RegExp(`^Uid:\\t${uid}\\t`, 'm'));
    // CAP_DAC_READ_SEARCH is the third.
    expect(status).toMatch(/^CapEff:\t0{15}4$/m);
    expect(status).toMatch(/^CapBnd:\t0{15}4$/m);
    const security = await machine.sh(`systemd-analyze security ${UNIT} --no-pager | tail -n 1`);
    expect(Number(/(\d+\.\d)/.exec(security.out)?.[1]), security.out).toBeLessThanOrEqual(EXPOSURE);
  });

  it('reads a log that only root may read, and says what the host is', async () => {
    await attack('203.0.113.7');
    const os = await until('the inventory', async () => {
      const facts = await collector.vigil(['host', 'facts', `vm-${distribution.name}`, '--kind', 'os', '--json']);
      return facts.code === 0 && facts.out.includes(distribution.name) && facts.out;
    });
    expect(os).toContain(distribution.name);
    const shows = await collector.vigil(['host', 'show', `vm-${distribution.name}`, '--json']);
    expect(JSON.parse(shows.out)).toMatchObject({ standing: 'reporting' });
  });

  it('changes nothing when the line is pasted again', async () => {
    const print = 'find /opt/vigil-agent /etc/systemd/system /var/lib/vigil-agent/identity.json -printf "%p %s %T@\\n" | sort';
    const [files, pid] = [(await machine.sh(print)).out, await shown('MainPID')];
    const again = await machine.sh(line);
    expect(again.code, again.err).toBe(0);
    expect(again.out).toContain('installed in /opt/vigil-agent already');
    expect((await machine.sh(print)).out).toBe(files);
    expect(await shown('MainPID')).toBe(pid);
  });

  it('comes back with the machine, and goes on where it was', async () => {
    await machine.restart();
    expect(await shown('ActiveState')).toBe('active');
    await attack('203.0.113.8');
    expect(await collector.count('source.ip: 203.0.113.7')).toBe(1);
  });

  it('takes the place of an older version, with the identity and the spool of before', async () => {
    const before = await host();
    const older = 'cd /opt/vigil-agent && mv versions/* versions/older && ln -sfn versions/older current && systemctl restart vigil-agent';
    expect((await machine.sh(older)).code).toBe(0);
    const pid = await shown('MainPID');
    const answer = await machine.sh(line);
    expect(answer.code, answer.err).toBe(0);
    expect(answer.out).toContain('It keeps its identity and its spool.');
    expect(await shown('MainPID')).not.toBe(pid);
    expect((await machine.sh('ls /opt/vigil-agent/versions | wc -l')).out.trim()).toBe('2');
    await attack('203.0.113.9');
    expect((await host())['id']).toBe(before['id']);
    expect(await collector.count('source.ip: 203.0.113.8')).toBe(1);
  });

  it('costs little', async () => {
    const rss = Number(/VmRSS:\s+(\d+)/.exec((await machine.sh(`cat /proc/${await shown('MainPID')}/status`)).out)?.[1]);
    process.stdout.write(`${distribution.name}: the agent takes ${Math.round(rss / 1_000)} MB\n`);
    expect(rss).toBeLessThan(RSS_KB);
  });

  it('leaves nothing when it is uninstalled', async () => {
    const url = /https:\/\/[^/ ]+/.exec(line)?.[0];
    const gone = await machine.sh(`curl -fsSk ${url}/install/agent.sh | sh -s uninstall`);
    expect(gone.code, gone.err).toBe(0);
    expect((await machine.sh('find / -xdev -iname "*vigil*"')).out).toBe('');
    expect(
      (await machine.sh('getent passwd vigil-agent; getent group vigil-agent; systemctl list-unit-files --no-legend "vigil*"')).out,
    ).toBe('');
  });

  it('has the unit that the repository has', async () => {
    const unit = readFileSync(join(ROOT, 'deploy/systemd', UNIT), 'utf8');
    const fresh = await machine.sh((await collector.vigil(['agent', 'token', 'create'])).out.trim());
    expect(fresh.code, fresh.err).toBe(0);
    expect((await machine.sh(`cat /etc/systemd/system/${UNIT}`)).out).toBe(unit);
  });
});
