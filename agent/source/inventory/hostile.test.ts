// SPDX-License-Identifier: Apache-2.0
/** Every file that the inventory reads, with any bytes in it: each look ends soon, throws nothing, and tells facts that arrive. */
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { factText, parseFact } from '../../../core/fact.ts';
import { unixMs } from '../../../core/units.ts';
import { makeScanners } from './scanners.ts';
import { openTree } from './tree.ts';

const KEY = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJm4W1oVjX0zq1rC1b8cJr3Vw3o4Wq0m5uH1m8n0cJ1E ann@laptop\n';
const FILES: Readonly<Record<string, string>> = {
  'etc/os-release': 'NAME="Debian"\nID=debian\nVERSION_ID="12"\n',
  'etc/passwd': 'root:x:0:0:root:/root:/bin/bash\nann:x:1000:1000:Ann:/home/ann:/bin/sh\n',
  'etc/shadow': 'root:!:19000:0:99999:7:::\nann:$y$x:19700:0:99999:7::20000:\n',
  'etc/group': 'root:x:0:\nsudo:x:27:ann\n',
  'etc/sudoers': 'Defaults env_reset\nUser_Alias A = ann, %ops\n@includedir /etc/sudoers.d\nA ALL=(ALL:ALL) NOPASSWD: /bin/a, /bin/b\n',
  'etc/sudoers.d/ops': '%ops h1 = /bin/c : h2 = (x) PASSWD: ALL\n',
  'etc/ssh/sshd_config': 'Include /etc/ssh/sshd_config.d/*.conf\nAuthorizedKeysFile .ssh/authorized_keys /etc/keys/%u\n',
  'home/ann/.ssh/authorized_keys': `# keys\nfrom="10.0.0.0/8",command="x \\"y\\"" ${KEY}${KEY}`,
  'var/lib/dpkg/status': 'Package: a\nStatus: install ok installed\nArchitecture: amd64\nVersion: 1\nSource: b (2)\nDescription: x\n y\n\n',
  'var/lib/dpkg/info/a.list': '/.\n/usr/sbin/sshd\n',
  'lib/apk/db/installed': 'P:musl\nV:1.2\nA:x86_64\no:musl\nF:usr/sbin\nR:sshd\n\n',
  'usr/lib/systemd/system/a.service': '[Service]\nExecStart=-/bin/a \\\n --b\n[Install]\nWantedBy=multi-user.target\n',
  'usr/lib/systemd/system/a.timer': '[Timer]\nOnCalendar=daily\n',
  'etc/crontab': 'A=b\n5 * * * * root /bin/a\n@daily root /bin/b\n',
  'etc/anacrontab': '1 5 daily run-parts /etc/cron.daily\n',
  'var/log/lastlog': '\u0001\u0002\u0003\u0004'.repeat(100),
  'var/log/wtmp': '\u0007\u0000\u0000\u0000'.repeat(200),
  'proc/net/tcp': '  sl\n   0: 00000000:0016 00000000:0000 0A 0:0 00:0 0 0 0 1001 1\n',
  'proc/net/udp6': '  sl\n   0: 00000000000000000000000001000000:0035 0:0 07 0:0 00:0 0 0 0 1002 1\n',
  'proc/1/mounts': '/dev/sda1 / ext4 rw 0 0\ntmpfs /tmp\\040x tmpfs rw 0 0\n',
  'proc/modules': 'ext4 1000 1 jbd2, Live 0x0\n',
  'proc/stat': 'cpu 1\nbtime 1700000000\n',
  'sys/block/sda/size': '1000\n',
  'sys/class/net/eth0/address': '00:11:22:33:44:55\n',
  'proc/net/if_inet6': '00000000000000000000000000000001 01 80 10 80       lo\n',
  'etc/nginx/nginx.conf': 'ssl_certificate /etc/ssl/own.pem;\n',
  'etc/ssl/own.pem': '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n',
};
const NAMES = Object.keys(FILES);

/** Bytes put, taken out, said again, or in place of others. */
const damaged = (content: Buffer, acts: readonly (readonly [number, number, Uint8Array])[]): Buffer => {
  let bytes = content;
  for (const [at, length, put] of acts) {
    const from = bytes.length === 0 ? 0 : at % bytes.length;
    bytes = Buffer.concat([bytes.subarray(0, from), put, bytes.subarray(Math.min(bytes.length, from + (length % 64)))]);
  }
  return bytes;
};

describe('an inventory of damaged files', () => {
  it('ends, throws nothing, and tells facts that arrive as they were told', () => {
    const root = mkdtempSync(join(tmpdir(), 'vigil-hostile-'));
    for (const name of NAMES) mkdirSync(dirname(join(root, name)), { recursive: true });
    const act = fc.tuple(
      fc.nat(4_096),
      fc.nat(64),
      fc.oneof(
        fc.uint8Array({ maxLength: 40 }),
        fc.constantFrom(':', '\n', '\n\n', '=', '"', '\\\n', '\0', '(', 'ALL', '../', '%', '\ud800').map((text) => Buffer.from(text)),
      ),
    );
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.constantFrom(...NAMES), fc.array(act, { maxLength: 6 })), { maxLength: 8 }), (damages) => {
        for (const name of NAMES) writeFileSync(join(root, name), FILES[name]!);
        for (const [name, acts] of damages) writeFileSync(join(root, name), damaged(Buffer.from(FILES[name]!), acts));
        const tree = openTree(root);
        const began = performance.now();
        for (const { kind, look, mark } of makeScanners()) {
          mark?.(tree);
          for (const found of look(tree, (text) => text)) {
            if (found.kind !== 'item') continue;
            const fact = { kind, item: found.item, change: 'baseline', at: unixMs(1), fields: found.fields } as const;
            expect(parseFact(factText(fact))).toEqual(fact);
          }
        }
        expect(performance.now() - began).toBeLessThan(2_000);
      }),
      { numRuns: 40, examples: [[[['proc/modules', [[0, 4, Buffer.from('')]]]]]] },
    );
  });

  it('costs its length: lines and lists of half a megabyte in every file', () => {
    for (const filler of ['a', '"', 'a,', '\\\n', '=']) {
      const root = mkdtempSync(join(tmpdir(), 'vigil-hostile-'));
      for (const name of NAMES) {
        mkdirSync(dirname(join(root, name)), { recursive: true });
        writeFileSync(join(root, name), `${FILES[name]}${filler.repeat(Math.floor(500_000 / filler.length))}\n${FILES[name]}`);
      }
      const tree = openTree(root);
      for (const { kind, look } of makeScanners()) {
        const began = performance.now();
        for (const found of look(tree, (text) => text)) if (found.kind === 'item') expect(found.item.length).toBeLessThanOrEqual(1_024);
        expect([filler, kind, performance.now() - began < 3_000]).toEqual([filler, kind, true]);
      }
    }
  }, 60_000);
});
