// SPDX-License-Identifier: Apache-2.0
/**
 * `vigil detect`: rules over NDJSON events, without a collector; the same engine as the river.
 * Input: rule folders, a file or stdin. Output: one JSON line for each match, in the order of the events.
 */
import { createReadStream } from 'node:fs';
import { flatten } from '../detect/adapt.ts';
import { type Detector, makeDetector } from '../detect/detect.ts';
import type { FlatEvent } from '../detect/fields.ts';
import { readRuleFolders } from '../detect/folder.ts';
import { type CompiledRuleSet, compileRuleSet } from '../detect/ruleset.ts';
import { foreignSignal, makeForeignFields } from '../detect/signal.ts';
import type { SourceDeclaration } from '../detect/source.ts';
import { fault } from '../errors.ts';
import { unreadable } from '../ingest/lines.ts';
import type { RuleSet } from '../model/rule.ts';
import type { Satisfied } from '../model/satisfied.ts';
import type { Signal } from '../model/signal.ts';
import type { Terminal } from './terminal.ts';

/** Correlations over the signals of one run, in event time. */
export interface OfflineCorrelator {
  judge(signals: readonly Signal[]): readonly Satisfied[];
  /** What only the end of the input decides. */
  end(): readonly Satisfied[];
}

export interface DetectOptions {
  readonly rules: readonly string[];
  /** A file, or `-` for stdin. */
  readonly events: string;
  readonly logsource?: 'auto' | 'strict' | 'any';
  readonly stats?: boolean;
  readonly correlate?: (set: RuleSet) => OfflineCorrelator;
  readonly sources?: readonly SourceDeclaration[];
  /** Worker threads; 1 by default. Correlations run on one. */
  readonly threads?: number;
}

export type DetectIo = Pick<Terminal, 'stdin' | 'out' | 'err'>;

/** Signals are judged in pages of so many events. */
const PAGE = 500;
const FLUSH = 65_536;
const MAX_COMPLAINTS = 5;

/** @throws CodedError FILE_UNREADABLE, USAGE. */
export const runDetect = async (options: DetectOptions, io: DetectIo): Promise<void> => {
  const files = await readRuleFolders(options.rules);
  if (files.length === 0) throw fault('USAGE', { reason: `No rule file stands in ${options.rules.join(', ')}` });
  const ruleset = compileRuleSet(files);
  for (const refused of ruleset.findings.filter((f) => f.outcome === 'refused')) {
    io.err(`${refused.file}:${refused.line}:${refused.column}: ${refused.code}: ${refused.message}\n`);
  }
  const detector = makeDetector(ruleset, { logsource: options.logsource ?? 'auto', sources: options.sources ?? [] });
  const start = performance.now();
  const totals =
    (options.threads ?? 1) > 1 && options.events !== '-' && !options.correlate
      ? await (await import('./detect-threads.ts')).detectThreads(options, io)
      : await detectStream(detector, inputOf(options, io), io, options.correlate?.(ruleset));
  if (options.stats) {
    const seconds = Math.round(performance.now() - start) / 1000;
    io.err(`${JSON.stringify({ loaded: ruleset.loaded, refused: ruleset.refused, ...totals, seconds })}\n`);
  }
  for (const { rule, reason } of detector.takeQuarantined()) io.err(`rule ${rule} was put in quarantine: ${reason}\n`);
};

const inputOf = (options: DetectOptions, io: DetectIo): AsyncIterable<string> => {
  const stream = options.events === '-' ? io.stdin : createReadStream(options.events, { highWaterMark: 1_048_576 });
  stream.setEncoding('utf8');
  return stream as unknown as AsyncIterable<string>;
};

export interface DetectTotals {
  events: number;
  bad: number;
  matches: number;
}

/** Runs the detector over a stream of NDJSON. */
export const detectStream = async (
  detector: Detector,
  input: AsyncIterable<string>,
  io: Pick<DetectIo, 'out' | 'err'>,
  correlator?: OfflineCorrelator,
): Promise<DetectTotals> => {
  const totals: DetectTotals = { events: 0, bad: 0, matches: 0 };
  const heads = headsOf(detector.ruleset);
  const fields = makeForeignFields(detector.ruleset);
  let out = '';
  let signals: Signal[] = [];
  const flush = (): void => {
    if (out !== '') io.out(out);
    out = '';
  };
  const satisfied = (all: readonly Satisfied[]): void => {
    for (const one of all) out += `${JSON.stringify(correlationLine(one, detector.ruleset))}\n`;
  };
  const one = (line: string): void => {
    if (line === '' || (line.length < 4 && line.trim() === '')) return;
    totals.events++;
    const event = parseEvent(line);
    if (event === null) {
      if (totals.bad++ < MAX_COMPLAINTS) io.err(`event ${totals.events} is no JSON object and was passed over\n`);
      return;
    }
    const n = totals.events;
    totals.matches += detector.detect(event, (match) => {
      const why = match.why();
      out += `{"event":${n},${heads.get(match.rule.id)},"why":${JSON.stringify(why)}}\n`;
      if (correlator) signals.push(foreignSignal(event, match.rule, n, fields(match.rule.id, event), why));
    });
    if (correlator && n % PAGE === 0 && signals.length > 0) {
      satisfied(correlator.judge(signals));
      signals = [];
    }
    if (out.length > FLUSH) flush();
  };
  try {
    await eachLine(input, one);
  } catch (thrown) {
    throw unreadable('the events', thrown);
  }
  if (correlator) {
    satisfied(correlator.judge(signals));
    satisfied(correlator.end());
  }
  flush();
  return totals;
};

const parseEvent = (line: string): FlatEvent | null => {
  try {
    return flatten(JSON.parse(line));
  } catch {
    // Said and counted by the caller; one bad line is no reason to stop.
    return null;
  }
};

const eachLine = async (input: AsyncIterable<string>, one: (line: string) => void): Promise<void> => {
  let rest = '';
  for await (const chunk of input) {
    const text = rest === '' ? chunk : rest + chunk;
    let from = 0;
    for (let at = text.indexOf('\n', from); at >= 0; at = text.indexOf('\n', from)) {
      one(text.slice(from, at));
      from = at + 1;
    }
    rest = text.slice(from);
  }
  one(rest);
};

/** The constant part of each rule's line. */
const headsOf = (ruleset: CompiledRuleSet): ReadonlyMap<string, string> =>
  new Map(
    ruleset.events.map(({ rule }) => [
      rule.id,
      `"rule":${JSON.stringify(rule.id)},"title":${JSON.stringify(rule.title)},"level":${JSON.stringify(rule.level)}`,
    ]),
  );

const correlationLine = (one: Satisfied, ruleset: CompiledRuleSet): Readonly<Record<string, unknown>> => {
  const rule = ruleset.rules.get(one.rule);
  return {
    correlation: one.rule,
    title: rule?.title,
    level: rule?.level,
    entity: one.entity,
    group: one.group.split('\u001f'),
    from: new Date(one.from).toISOString(),
    to: new Date(one.to).toISOString(),
  };
};
