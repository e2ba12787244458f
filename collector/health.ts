// SPDX-License-Identifier: Apache-2.0
/**
 * How the collector is, gathered from its parts: the status for the sight line, and coded conditions with what to do.
 * Input: readings of journal, store, fleet, rules, lag. Output: StatusView and conditions, from memory but for the store's counts.
 */
import type { Clock } from '../core/clock.ts';
import { isoTime, type UnixMs } from '../core/units.ts';
import type { FailedShape } from './decode/shapes.ts';
import { fleetFigures, sourceFigures } from './fleet/figures.ts';
import type { Registry } from './fleet/registry.ts';
import type { Figure } from './http/metrics.ts';
import type { Condition, StatusView } from './http/status.ts';
import type { Quarantine } from './ingest/quarantine.ts';
import type { Journal } from './journal/journal.ts';
import type { Lag } from './lag.ts';
import type { Refusals } from './refusals.ts';
import type { RulesView } from './river.ts';
import type { EventStore, EventStoreStatus } from './store/store.ts';

export interface HealthParts {
  readonly clock: Clock;
  readonly version: string;
  readonly startedAt: UnixMs;
  readonly silentAfterMs: number;
  readonly journal: Journal;
  readonly registry: Registry;
  readonly quarantine: Quarantine;
  readonly events: EventStore;
  readonly storeLag: () => Lag;
  readonly detectLag: () => Lag;
  readonly factsLag: () => Lag;
  readonly rules: () => RulesView;
  readonly counts: () => { readonly events: number; readonly failed: number; readonly signals: number };
  readonly shapes: () => readonly FailedShape[];
  readonly longestBlockMs: () => number;
  readonly refusals: Refusals;
  /** Conditions of single parts, e.g. a console that could not be built. */
  readonly notes: () => readonly Condition[];
}

export interface Health {
  status(): Promise<StatusView>;
  conditions(): readonly Condition[];
  figures(): readonly Figure[];
}

/** Counts of an agent that mean records are gone for good. */
const LOSSES: ReadonlySet<string> = new Set(['dropped', 'lost', 'gap']);
/** Shapes of lines not understood that are shown. */
const SHAPES = 20;
/** Searchable this late is worth saying: acks stay fast long after search has fallen behind. */
const LAG_MS = 10_000;

export const makeHealth = (parts: HealthParts): Health => {
  let store: EventStoreStatus | null = null;
  const fleet = () => parts.registry.all().map((agent) => ({ agent, presence: parts.registry.presenceOf(agent.id) ?? null }));

  const conditions = (): readonly Condition[] => [
    ...parts.notes(),
    ...parts.refusals.conditions(parts.journal.failure),
    ...lagConditions(parts),
    ...silentConditions(parts),
    // What an agent said before this start may be mended by now.
    ...fleet()
      .filter(({ agent }) => parts.registry.heardAt(agent.id) !== undefined)
      .flatMap(({ agent, presence }) =>
        (presence?.heartbeat?.conditions ?? []).map(({ code, about, hint }) => ({
          code,
          about,
          text: SOURCES.test(code) ? `(on ${agent.host}).` : `on ${agent.host}: needs a look.`,
          hint,
        })),
      ),
    ...parts.rules().refused.map(({ file, line, code, message }) => ({
      code,
      about: `${file}:${line}`,
      text: `is not loaded: ${message}.`,
      hint: 'Mend the rule; `vigil rules check` shows every place.',
    })),
    ...(parts.quarantine.status().entries > 0
      ? [
          {
            code: 'QUARANTINE',
            about: `${parts.quarantine.status().entries} blocks`,
            text: 'were not accepted and are kept aside.',
            hint: 'An alert says which agent; the blocks are in the quarantine folder.',
          },
        ]
      : []),
    ...((store?.deadLetters ?? 0) > 0
      ? [
          {
            code: 'DEAD_LETTERS',
            about: `${store?.deadLetters} events`,
            text: 'could not be loaded into the store.',
            hint: 'Their raw lines are in the journal; the dead letters lie beside the events.',
          },
        ]
      : []),
  ];

  return {
    conditions,
    status: async () => {
      store = await parts.events.status();
      const now = parts.clock.now();
      const list = fleet();
      const figures = fleetFigures(list, now, parts.silentAfterMs);
      const streams = list
        .filter(({ agent }) => agent.state === 'active' || agent.state === 'held')
        .flatMap(({ agent, presence }) =>
          (presence?.heartbeat?.streams ?? []).map((s) => ({
            host: agent.host,
            stream: s.stream,
            dataset: s.dataset,
            seq: s.seq,
            behindBytes: s.behindBytes,
            readUpTo: s.readUpTo > 0 ? isoTime(s.readUpTo) : null,
            redacted: s.counts['redacted'] ?? 0,
          })),
        );
      const { unreadable } = unreadableOf(list);
      return {
        time: isoTime(now),
        version: parts.version,
        startedAt: isoTime(parts.startedAt),
        hosts: { reporting: figures.reporting, expected: figures.expected },
        sources: { reading: streams.length, unreadable },
        lost: sourceFigures(list).reduce((sum, { counts }) => sum + lossOf(counts), 0),
        records: store.events,
        lag: { storeMs: parts.storeLag().now(), detectMs: parts.detectLag().now() },
        rules: { loaded: parts.rules().loaded, refused: parts.rules().refused.length },
        streams,
        failed: [...parts.shapes()].sort((a, b) => b.count - a.count).slice(0, SHAPES),
        conditions: [...conditions()],
        store: {
          events: store.events,
          bytes: store.bytes,
          files: store.files,
          deadLetters: store.deadLetters,
          engineRssBytes: store.engine.rssBytes,
          engineRestarts: store.engine.restarts,
        },
        journal: { bytes: parts.journal.status().bytes },
        process: { rssBytes: process.memoryUsage.rss(), longestBlockMs: parts.longestBlockMs() },
      };
    },
    figures: () => {
      const journal = parts.journal.status();
      const { events, failed, signals } = parts.counts();
      const one = (name: string, help: string, value: number): Figure => ({ name, help, values: [{ value }] });
      return [
        one('vigil_journal_bytes', 'Bytes of signed blocks kept.', journal.bytes),
        one('vigil_journal_end_offset', 'End of the journal.', journal.end),
        one('vigil_journal_blocks_total', 'Blocks journaled since the start.', journal.blocks),
        one('vigil_journal_commit_slowest_seconds', 'Slowest write and fsync since the last scrape.', journal.slowestCommitMs / 1000),
        one('vigil_store_lag_seconds', 'How far search is behind the journal.', parts.storeLag().now() / 1000),
        one('vigil_detect_lag_seconds', 'How far detection is behind the journal.', parts.detectLag().now() / 1000),
        one('vigil_facts_lag_seconds', 'How far what is known of hosts is behind the journal.', parts.factsLag().now() / 1000),
        one('vigil_events_total', 'Events decoded since the start.', events),
        one('vigil_events_failed_total', 'Lines that no decoder understood since the start; kept raw.', failed),
        one('vigil_signals_total', 'Signals since the start.', signals),
        one('vigil_event_loop_longest_block_seconds', 'Longest block of the main thread since the start.', parts.longestBlockMs() / 1000),
        one('vigil_quarantine_blocks', 'Blocks kept aside.', parts.quarantine.status().entries),
      ];
    },
  };
};

const lossOf = (counts: Readonly<Record<string, number>>): number =>
  Object.entries(counts).reduce((sum, [name, n]) => sum + (LOSSES.has(name) ? n : 0), 0);

const unreadableOf = (
  fleet: readonly { readonly presence: { readonly heartbeat?: { readonly conditions: readonly { readonly code: string }[] } } | null }[],
) => ({
  unreadable: fleet.reduce(
    (sum, { presence }) => sum + (presence?.heartbeat?.conditions.filter(({ code }) => UNREADABLE.has(code)).length ?? 0),
    0,
  ),
});

const UNREADABLE: ReadonlySet<string> = new Set(['FILE_DENIED', 'FOLDER_DENIED', 'FILE_FAILED', 'FILE_UNTRUSTED_LINK']);

/** Conditions of a source say themselves what is wrong with it. */
const SOURCES = /^(?:FILE|FOLDER|GLOB|WATCH)_/;

const lagConditions = (parts: HealthParts): readonly Condition[] =>
  (
    [
      ['search', parts.storeLag()],
      ['detection', parts.detectLag()],
      ['what is known of hosts', parts.factsLag()],
    ] as const
  )
    .filter(([, lag]) => lag.now() > LAG_MS)
    .map(([name, lag]) => ({
      code: 'LAG',
      about: name,
      text: `is ${Math.round(lag.now() / 1000)} s behind what is acknowledged.`,
      hint: 'Nothing is lost; it catches up, or the machine needs more room.',
    }));

const silentConditions = ({ registry }: HealthParts): readonly Condition[] =>
  registry
    .all()
    .filter((agent) => (agent.state === 'active' || agent.state === 'held') && registry.presenceOf(agent.id)?.silentSince !== undefined)
    .map((agent) => ({
      code: 'AGENT_SILENT',
      about: agent.host,
      text: 'does not report.',
      hint: 'Its records wait on the host and nothing is lost. Check that the agent runs and reaches the agents’ port.',
    }));
