// SPDX-License-Identifier: Apache-2.0
/** A password in sudo, cron, audit and URL lines is in no byte that agent and collector keep (A3), and everything around it is. */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createZstdDecompress } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Collector, removeDir, startCollector, tempDir, until } from '../support/vigil.ts';

/** As a person might choose it; nothing else in the world holds it. */
const CANARY = 'Zq7kanarienvogel91';
/** Stands beside it in every line and must be found by the same search. */
const NEIGHBOUR = 'nachbarhafen';
/** No agent reads this one: it shows that the search finds what is there. */
const REPLAYED = 'Wx3zeisig52vogelbauer';

const hex = (text: string): string => Buffer.from(text).toString('hex').toUpperCase();
const stamp = (at: Date): string =>
  `${at.toLocaleString('en-US', { month: 'short', timeZone: 'UTC' })} ${String(at.getUTCDate()).padStart(2, ' ')} ${at.toISOString().slice(11, 19)}`;

const now = new Date();
const head = `${stamp(now)} web01`;
const audit = `msg=audit(${(now.getTime() / 1000).toFixed(3)}`;

/** A started program as the audit system writes it: the call, what is given, the end of the event. */
const auditEvent = (n: number, ...records: readonly string[]): readonly string[] => [
  `type=SYSCALL ${audit}:${n}): arch=c000003e syscall=59 success=yes exit=0 a0=1 a1=2 a2=3 a3=8 items=0 ppid=1 pid=${n} auid=1000 uid=0 gid=0 euid=0 suid=0 fsuid=0 egid=0 sgid=0 fsgid=0 tty=pts0 ses=3 comm="tool" exe="/usr/bin/tool" key=(null)`,
  ...records.map((record) => `type=${record}`),
  `type=EOE ${audit}:${n}): `,
];

const LINES = {
  syslog: [
    `${head} sudo:      bob : TTY=pts/0 ; PWD=/home/bob ; USER=root ; COMMAND=/usr/bin/mysql -u ${NEIGHBOUR} -p${CANARY} shop`,
    `${head} sudo:      bob : TTY=pts/0 ; PWD=/home/bob ; USER=root ; COMMAND=/usr/bin/tool ${NEIGHBOUR} --password=${CANARY}`,
    `${head} CRON[4711]: (root) CMD (PGPASSWORD=${CANARY} pg_dump ${NEIGHBOUR})`,
    `${head} CRON[4712]: (root) CMD (mysqldump ${NEIGHBOUR} -p${CANARY})`,
  ],
  auditd: [
    ...auditEvent(101, `EXECVE ${audit}:101): argc=4 a0="mysql" a1="-u${NEIGHBOUR}" a2="-p${CANARY}" a3="shop"`),
    ...auditEvent(102, `EXECVE ${audit}:102): argc=3 a0="tool" a1="--password" a2="${CANARY}"`),
    ...auditEvent(
      103,
      `EXECVE ${audit}:103): argc=3 a0="sh" a1="-c" a2=${hex(`curl -u ${NEIGHBOUR}:${CANARY} https://api.example/`)}`,
      `PROCTITLE ${audit}:103): proctitle=${hex(`mysql\0-u${NEIGHBOUR}\0-p${CANARY}`)}`,
    ),
  ],
  'nginx.access': [
    `203.0.113.9 - - [${String(now.getUTCDate()).padStart(2, '0')}/${now.toLocaleString('en-US', { month: 'short', timeZone: 'UTC' })}/${now.getUTCFullYear()}:${now.toISOString().slice(11, 19)} +0000] "GET /${NEIGHBOUR}?access_token=${CANARY}&page=2 HTTP/1.1" 200 512 "https://bob:${CANARY}@${NEIGHBOUR}.example/" "curl/8.5"`,
  ],
} as const;
const REDACTED = { syslog: 4, auditd: 4, 'nginx.access': 1 } as const;

let collector: Collector;
const logs = tempDir();

beforeAll(async () => {
  mkdirSync(join(logs, 'in'));
  const tail = Object.entries(LINES).map(([dataset, lines]) => {
    const file = join(logs, 'in', `${dataset}.log`);
    writeFileSync(file, lines.map((line) => `${line}\n`).join(''));
    return `${file}=${dataset}`;
  });
  collector = await startCollector({ tail });
});

afterAll(async () => {
  await collector.stop('SIGKILL');
  removeDir(collector.dir);
  removeDir(logs);
});

/** A text as it may stand in a file: plain, in hexadecimal digits, in base64 at each of the three places of its groups. */
const formsOf = (text: string): readonly string[] => [
  text,
  hex(text),
  hex(text).toLowerCase(),
  Buffer.from(text, 'utf16le').toString('latin1'),
  ...[0, 1, 2].map((shift) =>
    Buffer.from('\0'.repeat(shift) + text)
      .toString('base64')
      .slice(shift === 0 ? 0 : 4, -4),
  ),
];

const filesUnder = (folder: string): readonly string[] =>
  readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));

const MAGIC = Buffer.from([0x28, 0xb5, 0x2f, 0xfd]);

/** What a zstd frame at the beginning of these bytes unpacks to; what follows it is ignored. */
const unpacked = (bytes: Buffer): Promise<Buffer> =>
  new Promise((resolve) => {
    const out: Buffer[] = [];
    const stream = createZstdDecompress();
    const end = (): void => resolve(Buffer.concat(out));
    stream.on('data', (piece: Buffer) => out.push(piece));
    // Bytes behind the frame are no frame: all that came before stands.
    stream.on('error', end);
    stream.on('end', end);
    stream.end(bytes);
  });

/** The files that hold a text in any form, packed or not. */
const holding = async (folder: string, text: string): Promise<readonly string[]> => {
  const forms = formsOf(text);
  const holds = (bytes: Buffer): boolean => {
    const plain = bytes.toString('latin1');
    return forms.some((form) => plain.includes(form));
  };
  const found: string[] = [];
  for (const file of filesUnder(folder)) {
    const bytes = readFileSync(file);
    let here = holds(bytes);
    for (let at = bytes.indexOf(MAGIC); at >= 0 && !here; at = bytes.indexOf(MAGIC, at + 1))
      here = holds(await unpacked(bytes.subarray(at)));
    if (here) found.push(file.slice(folder.length + 1));
  }
  return found;
};

describe('a password in the lines of a host', () => {
  it('is not in what is searched, and its neighbours are', async () => {
    // What stands in each line beside the secret, by the events of each dataset: audit records of one event are one event.
    for (const [dataset, events] of [
      ['syslog', 4],
      ['auditd', 3],
      ['nginx.access', 1],
    ] as const)
      await until(`the events of ${dataset}`, async () => {
        const n = await collector.count(`vigil.stream: "file:${join(logs, 'in', `${dataset}.log`)}" and vigil.flags: redacted`);
        return n >= events ? n : Promise.reject(new Error(`${n} of ${events}`));
      });
    const events = JSON.stringify(await collector.query('*'));
    for (const form of formsOf(CANARY)) expect(events).not.toContain(form);
    expect(events).toContain('-p[mysql-password:18] shop');
    expect(events).toContain('[curl-password:18] https://api.example/');
    expect(await collector.count(`process.command_line: *${CANARY}*`)).toBe(0);
  });

  it('is counted for each source', async () => {
    await until(
      'a heartbeat that says so',
      async () => {
        const { out } = await collector.vigil(['status', '--json']);
        const { streams } = JSON.parse(out) as { readonly streams: readonly { readonly dataset: string; readonly redacted: number }[] };
        const seen = Object.fromEntries(streams.map(({ dataset, redacted }) => [dataset, redacted]));
        expect(seen).toMatchObject(REDACTED);
        return true;
      },
      60_000,
    );
    expect((await collector.vigil(['status'])).out).toMatch(/redacted/);
  }, 90_000);

  it('is in no byte of spool, journal, store and state', async () => {
    const file = join(logs, 'replayed.log');
    writeFileSync(file, `${head} sudo:      bob : TTY=pts/0 ; PWD=/home/bob ; USER=root ; COMMAND=/usr/bin/mysql -p${REPLAYED} shop\n`);
    expect((await collector.vigil(['replay', file, '--dataset', 'syslog', '--host', 'old-host'])).code).toBe(0);
    await until('the replayed line', async () => (await collector.count('host.name: "old-host"')) > 0);
    await collector.stop();
    expect(await holding(collector.dir, CANARY)).toEqual([]);
    // The same search finds what stands beside it in the agent's spool, the journal and the store, and what a replay brought (no agent, not redacted).
    const beside = await holding(collector.dir, NEIGHBOUR);
    for (const place of [/spool/, /journal/, /^events\//]) expect(beside.filter((name) => place.test(name))).not.toEqual([]);
    expect((await holding(collector.dir, REPLAYED)).filter((name) => /journal/.test(name))).not.toEqual([]);
  }, 60_000);
});
