// SPDX-License-Identifier: Apache-2.0
/**
 * Facts as events: what people and rules see of each kind.
 * Input: facts as agents write them, and what is none. Output: claims.
 */
import { describe, expect, it } from 'vitest';
import { ECS } from '../../../core/ecs.ts';
import { FACT_CHANGES, FACT_KINDS, type Fact, type FactChange, type FactFields, type FactKind, factText } from '../../../core/fact.ts';
import { hashId } from '../../../core/ids.ts';
import { unixMs } from '../../../core/units.ts';
import { decode } from '../decode.ts';
import { DECODERS } from '../registry.ts';
import { ENVELOPE } from '../shape.ts';

const AT = unixMs(Date.UTC(2026, 10, 24, 9, 14));
const decodeText = (text: string, dataset: string) =>
  decode({
    bytes: Buffer.from(text),
    seq: 1,
    flags: 0,
    readAt: unixMs(AT + 5_000),
    dataset,
    zone: 'UTC',
    from: {
      collector: 'c',
      incarnation: 'i',
      offset: 0,
      generation: 1,
      agent: hashId('agt', 'a'),
      host: { id: hashId('ast', 'h'), name: 'web1' },
      stream: dataset,
      epoch: '0'.repeat(32),
      ingested: unixMs(AT + 6_000),
      replay: false,
    },
  });
const fact = (kind: FactKind, change: FactChange, item: string, fields: FactFields, was?: FactFields): Fact => ({
  kind,
  item,
  change,
  at: AT,
  fields,
  ...(was === undefined ? {} : { was }),
});
const eventOf = (one: Fact) => decodeText(factText(one), FACT_KINDS[one.kind].dataset).event;

describe('a fact as an event', () => {
  it('of a file that became setuid names its path, its mode and what it was', () => {
    const event = eventOf(
      fact(
        'file',
        'changed',
        '/usr/local/bin/x.sh',
        { path: '/usr/local/bin/x.sh', type: 'file', mode: '4755', uid: 0, sha256: 'ab' },
        { mode: '0755' },
      ),
    );
    expect(event).toMatchObject({
      '@timestamp': AT,
      'event.dataset': 'fim',
      'event.kind': 'event',
      'event.category': ['file'],
      'event.type': ['change'],
      'event.action': 'file-changed',
      'file.path': '/usr/local/bin/x.sh',
      'file.directory': '/usr/local/bin',
      'file.name': 'x.sh',
      'file.extension': 'sh',
      'file.mode': '4755',
      'file.uid': '0',
      'file.hash.sha256': 'ab',
      'vigil.fact': 'file',
      'vigil.item': '/usr/local/bin/x.sh',
      'vigil.change': 'changed',
      'vigil.changed': ['mode'],
      'vigil.decode': 'ok',
      message: 'File /usr/local/bin/x.sh changed: mode 0755 → 4755',
    });
    expect(event['vigil.extra']).toEqual({ 'was.mode': '0755' });
  });

  it('of a new key has its user as entity', () => {
    const event = eventOf(
      fact('ssh-key', 'added', 'root:SHA256:x', {
        user: 'root',
        path: '/root/.ssh/authorized_keys',
        type: 'ed25519',
        fingerprint: 'SHA256:x',
        comment: 'eve',
      }),
    );
    expect(event).toMatchObject({
      'event.action': 'ssh-key-added',
      'event.category': ['iam'],
      'event.type': ['user', 'creation'],
      'user.name': 'root',
      'related.user': ['root'],
      'file.path': '/root/.ssh/authorized_keys',
      message: 'SSH key SHA256:x of root (eve) was added',
    });
    expect(event['vigil.extra']).toMatchObject({ 'fact.fingerprint': 'SHA256:x', 'fact.type': 'ed25519' });
  });

  it('of a listener, a package, a sudo rule and a group stands under their ECS names', () => {
    expect(
      eventOf(fact('listener', 'added', 'tcp/0.0.0.0:4444', { transport: 'tcp', address: '0.0.0.0', port: 4444, process: 'nc' })),
    ).toMatchObject({
      'event.action': 'listener-added',
      'event.category': ['network'],
      'network.transport': 'tcp',
      'destination.ip': '0.0.0.0',
      'destination.port': 4444,
      'process.name': 'nc',
    });
    expect(eventOf(fact('package', 'removed', 'dpkg:auditd:amd64', { name: 'auditd', version: '1:4.0', arch: 'amd64' }))).toMatchObject({
      'event.action': 'package-removed',
      'event.type': ['deletion'],
      'package.name': 'auditd',
      'package.version': '1:4.0',
      message: 'Package auditd 1:4.0 is gone',
    });
    expect(eventOf(fact('package', 'added', 'dpkg:nmap:amd64', { name: 'nmap' }))['event.type']).toEqual(['installation']);
    expect(eventOf(fact('sudo-rule', 'added', 'f:1', { file: '/etc/sudoers.d/x', who: 'deploy' }))).toMatchObject({
      'user.name': 'deploy',
    });
    const wheel = eventOf(fact('sudo-rule', 'added', 'f:1', { file: '/etc/sudoers.d/x', who: '%wheel', nopasswd: true }));
    expect([wheel['user.name'], wheel['group.name'], wheel['vigil.extra']?.['fact.nopasswd']]).toEqual([undefined, 'wheel', 'true']);
    expect(eventOf(fact('group', 'changed', 'sudo', { name: 'sudo', gid: 27, members: ['a', 'b'] }, { members: ['a'] }))).toMatchObject({
      'group.name': 'sudo',
      'group.id': '27',
      'related.user': ['a', 'b'],
    });
  });

  it('of a setting that passed and fails has drifted, and the other way round it was mended', () => {
    const answer = (result: string, was: string) =>
      eventOf(
        fact(
          'observation',
          'changed',
          'ssh-root-login',
          { check: 'ssh-root-login', title: 'Root does not log in over SSH', result, actual: 'yes', expected: 'no', severity: 'high' },
          { result: was },
        ),
      );
    expect(answer('fail', 'pass')).toMatchObject({
      'event.action': 'setting-drifted',
      'event.outcome': 'failure',
      'vigil.check': 'ssh-root-login',
      'vigil.result': 'fail',
      'vigil.severity': 'high',
      'vigil.actual': 'yes',
      'vigil.expected': 'no',
      'rule.name': 'Root does not log in over SSH',
      message: 'Root does not log in over SSH: fail, found yes, expected no',
    });
    expect(answer('pass', 'fail')['event.action']).toBe('setting-mended');
    expect(answer('error', 'pass')).toMatchObject({ 'event.action': 'setting-changed', 'event.outcome': 'unknown' });
  });

  it('that is a baseline, said again or a scan is a state and no change, so that no file rule sees it', () => {
    for (const change of ['baseline', 'seen'] as const)
      expect(eventOf(fact('file', change, '/etc/passwd', { path: '/etc/passwd' }))).toMatchObject({
        'event.kind': 'state',
        'event.type': ['info'],
      });
    expect(eventOf(fact('scan', 'seen', 'package', { of: 'package', count: 3, full: true }))).toMatchObject({
      'event.kind': 'state',
      'event.action': 'scan-done',
    });
  });

  it('of an upgrade is one benign event that names its packages', () => {
    expect(
      eventOf(fact('upgrade', 'added', 'openssl 3.5', { manager: 'dpkg', packages: ['openssl', 'libssl3'], files: 47 })),
    ).toMatchObject({
      'event.action': 'packages-upgraded',
      'event.category': ['package'],
      'package.name': 'openssl, libssl3',
      message: 'Upgrade of openssl, libssl3 changed 47 files',
    });
  });

  it('keeps every field of every kind, with its type, and fills only what its decoder declares', () => {
    for (const [kind, { dataset, fields }] of Object.entries(FACT_KINDS)) {
      const all = Object.fromEntries(fields.split(' ').map((name) => [name, name === 'port' || name === 'size' ? 22 : `x-${name}`]));
      const declared = DECODERS.find((one) => one.dataset === dataset)?.emits ?? [];
      for (const change of FACT_CHANGES) {
        const event = eventOf(fact(kind as FactKind, change, 'item', all, { reason: 'before' }));
        const kept = JSON.stringify({ ...event, 'event.original': '' });
        for (const value of Object.values(all)) expect(kept, `${kind} ${value}`).toContain(String(value));
        for (const [name, value] of Object.entries(event)) {
          if (value === undefined) continue;
          expect(name in ECS, name).toBe(true);
          expect(name in ENVELOPE || (declared as readonly string[]).includes(name), `${dataset} ${name}`).toBe(true);
        }
      }
    }
  });
});

describe('what is no fact', () => {
  it('is kept raw and called failed, whatever it looks like', () => {
    const good = factText(fact('package', 'added', 'p', { name: 'p' }));
    for (const text of [
      good.slice(0, 40),
      '{}',
      '[]',
      'x',
      good.replace('"package"', '"pakage"'),
      good.replace(/"v":1/, '"v":2'),
      'Nov 24 09:14:02 h sshd[1]: Failed password for root from 1.2.3.4 port 1 ssh2',
    ]) {
      const { outcome, event } = decodeText(text, 'inventory');
      expect([outcome, event['event.original'], event['vigil.fact']]).toEqual(['failed', text, undefined]);
    }
  });

  it('a fact of another dataset is none here', () => {
    expect(decodeText(factText(fact('file', 'added', '/x', { path: '/x' })), 'inventory').outcome).toBe('failed');
    expect(decodeText(factText(fact('scan', 'seen', 'file', { of: 'file' })), 'fim').outcome).toBe('ok');
  });

  it('a log line that looks like a fact is a log line', () => {
    const text = factText(fact('ssh-key', 'added', 'root:x', { user: 'root' }));
    expect(decodeText(text, 'auto').event['vigil.fact']).toBeUndefined();
    expect(decodeText(text, 'text').event['vigil.fact']).toBeUndefined();
  });
});
