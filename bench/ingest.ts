// SPDX-License-Identifier: Apache-2.0
/**
 * Lane ingest: agents over real TLS to fsynced, decoded, matched, searchable; the generator is a process of its own on the same cores.
 * Input: --rate, --seconds, --agents, --profile DIR for a CPU profile of each thread; the crowdsec-hub lines repeated, all rules loaded. Output: a table and one JSON line.
 */
import { spawn } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { IN_SCOPE } from '../test/oracle/decode-map.ts';
import { ROOT } from '../test/support/repository.ts';
import { childrenOf, removeDir, rssOf, startCollector, tempDir, until } from '../test/support/vigil.ts';

const { values } = parseArgs({
  options: {
    rate: { type: 'string', default: '20000' },
    seconds: { type: 'string', default: '60' },
    agents: { type: 'string', default: '20' },
    block: { type: 'string', default: '512' },
    profile: { type: 'string' },
  },
  allowPositionals: true,
});

/** The corpus: every syslog and web line of the hub's tests, which a decoder is known to read or to leave alone. */
const corpus = (dir: string): string => {
  const data = process.env['VIGIL_DATA'] ?? join(ROOT, '..', 'shared', 'data');
  const cases = join(data, 'crowdsec-hub', 'decode-cases.jsonl');
  if (!existsSync(cases)) throw new Error(`the corpus ${cases} is missing; set VIGIL_DATA`);
  const rows = readFileSync(cases, 'utf8')
    .split('\n')
    .filter(Boolean)
    .map((text) => JSON.parse(text) as { readonly line: string; readonly log_type: string })
    .filter(({ line }) => !line.includes('\n'));
  // As on a host: each source has its dataset; what no decoder is for is left to its content.
  const lines = rows.map(({ line, log_type }) => `${IN_SCOPE[log_type] ?? 'auto'}\t${line}`);
  const file = join(dir, 'lines');
  writeFileSync(file, lines.join('\n'));
  return file;
};

const dir = tempDir();
const collector = await startCollector({
  localAgent: false,
  ...(values.profile ? { env: { NODE_OPTIONS: `--cpu-prof --cpu-prof-dir=${values.profile}` } } : {}),
});
try {
  const token = (await collector.vigil(['agent', 'token', 'create', '--local', '--uses', String(values.agents)])).out.trim();
  const generator = spawn(
    process.execPath,
    [
      join(ROOT, 'bench', 'generator.ts'),
      '--token',
      token,
      '--lines',
      corpus(dir),
      ...['rate', 'seconds', 'agents', 'block'].flatMap((name) => [`--${name}`, String(values[name as keyof typeof values])]),
    ],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  let out = '';
  generator.stdout.on('data', (piece: Buffer) => (out += piece.toString('utf8')));
  const peak = { collector: 0, engine: 0 };
  const watch = setInterval(() => {
    try {
      peak.collector = Math.max(peak.collector, rssOf(collector.pid));
      for (const child of childrenOf(collector.pid)) peak.engine = Math.max(peak.engine, rssOf(child.pid));
    } catch {
      // A process ended between listing and reading.
    }
  }, 250);
  await new Promise((resolve) => generator.on('close', resolve));
  const ended = performance.now();
  const sentBy = JSON.parse(out) as {
    acked: number;
    perSecond: number;
    p50: number;
    p99: number;
    max: number;
    failures: number;
    failure?: string;
  };
  const status = JSON.parse((await collector.vigil(['status', '--json'])).out) as {
    lag: { storeMs: number; detectMs: number };
    process: { longestBlockMs: number };
  };
  // Records of one audit event are joined, so there are fewer events than records: what counts is that no lag is left.
  const found = await until(
    'everything to be searchable and judged',
    async () => {
      const now = JSON.parse((await collector.vigil(['status', '--json'])).out) as {
        lag: { storeMs: number; detectMs: number };
        records: number;
      };
      // Each question is a process of its own: asked in a row they would take a core from what is waited for.
      if (now.lag.storeMs > 0 || now.lag.detectMs > 0) await new Promise((resolve) => setTimeout(resolve, 1000));
      return now.lag.storeMs === 0 && now.lag.detectMs === 0 ? now.records : null;
    },
    120_000,
  );
  clearInterval(watch);
  const ours = {
    perSecond: sentBy.perSecond,
    ackP50Ms: sentBy.p50,
    ackP99Ms: sentBy.p99,
    ackMaxMs: sentBy.max,
    searchLagMs: status.lag.storeMs,
    detectLagMs: status.lag.detectMs,
    settledMs: Math.round(performance.now() - ended),
    longestBlockMs: Math.round(status.process.longestBlockMs * 10) / 10,
    collectorRssMB: Math.round(peak.collector / 1e6),
    engineRssMB: Math.round(peak.engine / 1e6),
    events: found,
    failures: sentBy.failures,
  };
  for (const [name, value] of Object.entries(ours)) process.stdout.write(`${name.padEnd(16)} ${value}\n`);
  if (sentBy.failure) process.stdout.write(`first failure    ${sentBy.failure}\n`);
  process.stdout.write(`${JSON.stringify({ lane: 'ingest', ours })}\n`);
} finally {
  await collector.stop();
  removeDir(dir);
  removeDir(collector.dir);
}
