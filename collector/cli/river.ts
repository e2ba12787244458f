// SPDX-License-Identifier: Apache-2.0
/**
 * The river for offline tools: files to events to signals, with the functions that the running pipeline uses.
 * Input: log files, or raw lines of rule cases. Output: signals in the order of the lines, events for rule cases, coverage.
 */
import { type AgentId, type AssetId, hashId } from '../../core/ids.ts';
import { type UnixMs, unixMs } from '../../core/units.ts';
import { OWN_RULES } from '../collector.ts';
import { makeJoin } from '../decode/auditd/join.ts';
import { declarations } from '../decode/decode.ts';
import { makeDetector } from '../detect/detect.ts';
import { readRuleFolders } from '../detect/folder.ts';
import { compileRuleSet } from '../detect/ruleset.ts';
import { makeSignaller } from '../detect/signal.ts';
import type { StatusView } from '../http/status.ts';
import { readBytes } from '../ingest/lines.ts';
import type { Alert } from '../model/alert.ts';
import type { Event, Provenance, RecordIn } from '../model/event.ts';
import type { Signal } from '../model/signal.ts';
import { raiseAlerts, runAlerts } from './alerts.ts';
import { callCollector, type Target } from './client.ts';
import { checkLines, fileTime, splitLines } from './decode.ts';
import { type DecodeLines, rulesCoverage } from './rules.ts';
import type { Terminal } from './terminal.ts';

export interface FilesInput {
  readonly files: readonly string[];
  readonly dataset: string;
  readonly host: string;
  readonly rules?: readonly string[];
  readonly zone?: string;
  readonly year?: number;
}

/** Who an offline line is from. */
const provenance = (host: string, stream: string, ingested: UnixMs): Provenance => ({
  collector: 'local',
  incarnation: '',
  offset: 0,
  generation: 1,
  agent: hashId('agt', 'offline') as AgentId,
  host: { id: hashId('ast', 'offline', host) as AssetId, name: host },
  stream,
  epoch: '',
  ingested,
  replay: true,
});

async function* eventsOf({ files, dataset, host, zone = 'UTC', year }: FilesInput, stdin: NodeJS.ReadableStream): AsyncGenerator<Event> {
  for (const file of files) {
    const readAt = file === '-' ? unixMs(Date.now()) : await fileTime(file);
    const from = provenance(host, file, readAt);
    const stream = file === '-' ? (stdin as AsyncIterable<Uint8Array>) : readBytes(file);
    const join = makeJoin();
    let seq = 0;
    for await (const bytes of splitLines(stream)) {
      seq += 1;
      const record = { bytes, seq, flags: 0, readAt, dataset, zone, from, ...(year === undefined ? {} : { year }) };
      for (const { event } of join.push(record)) yield event;
    }
    for (const { event } of join.flush()) yield event;
  }
}

/** Events of lines at hand, joined as in the river. */
const eventsOfLines = (lines: readonly string[], dataset: string, readAt: UnixMs, from: Provenance): readonly Event[] => {
  const join = makeJoin();
  const record = (line: string, i: number): RecordIn => ({
    bytes: Buffer.from(line),
    seq: i + 1,
    flags: 0,
    readAt,
    dataset,
    zone: 'UTC',
    from,
  });
  const events = lines.flatMap((line, i) => join.push(record(line, i)).map(({ event }) => event));
  return [...events, ...join.flush().map(({ event }) => event)];
};

/** The river over lines at hand: what stands in the end. The rules are compiled once for all calls. */
export const openRiver = async (rules: readonly string[] = [OWN_RULES]) => {
  const ruleset = compileRuleSet(await readRuleFolders(rules));
  return async (lines: readonly string[], dataset: string, readAt: UnixMs): Promise<readonly Alert[]> => {
    const signaller = makeSignaller(makeDetector(ruleset, { sources: declarations() }));
    const from = provenance('host', 'lines', readAt);
    const signals = eventsOfLines(lines, dataset, readAt, from).flatMap((event) => signaller.toSignals(event));
    return (await raiseAlerts({ rules: ruleset, signals })).alerts;
  };
};

/** `vigil alerts`. @throws CodedError USAGE for an unknown dataset or zone, FILE_UNREADABLE. */
export const runFiles = async (input: FilesInput, terminal: Terminal): Promise<void> => {
  checkLines(input.dataset, input.zone);
  const ruleset = compileRuleSet(await readRuleFolders(input.rules ?? [OWN_RULES]));
  const signaller = makeSignaller(makeDetector(ruleset, { sources: declarations() }));
  async function* signals(): AsyncGenerator<Signal> {
    for await (const event of eventsOf(input, terminal.stdin)) yield* signaller.toSignals(event);
  }
  const asset = hashId('ast', 'offline', input.host);
  await runAlerts(
    {
      rules: ruleset,
      signals: signals(),
      nameOf: (entity) => (entity.includes(asset) ? entity.slice(entity.indexOf(':') + 1).replace(asset, input.host) : null),
    },
    terminal,
  );
};

/** Decodes raw lines of rule cases, as if they were read in their own year. */
export const decodeForRules: DecodeLines = (dataset, lines) => {
  const readAt = unixMs(Date.now());
  const from = provenance('case', 'case', readAt);
  return eventsOfLines(lines, dataset, readAt, from);
};

/** What agents read, and what was decoded from it: a `syslog` stream brings sshd, sudo and more. */
const heardDatasets = async (target: Target): Promise<ReadonlySet<string>> => {
  const query = { query: '', from: '1970-01-01', to: 'now', field: 'event.dataset', limit: 1000 };
  const [{ streams }, { buckets }] = await Promise.all([
    callCollector<StatusView>(target, { path: '/api/v1/status' }),
    callCollector<{ buckets: readonly { readonly key: string }[] }>(target, { path: '/api/v1/events/top', query }),
  ]);
  return new Set([...streams.map(({ dataset }) => dataset), ...buckets.map(({ key }) => key)]);
};

/** `vigil rules coverage`: with a running collector, sources it hears are live, others silent. */
export const coverage = async (dirs: readonly string[], data: string | undefined, terminal: Terminal): Promise<void> => {
  const heard = data === undefined ? undefined : await heardDatasets({ dir: data });
  await rulesCoverage(dirs.length > 0 ? dirs : [OWN_RULES], declarations(), terminal, heard);
};
