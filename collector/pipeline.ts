// SPDX-License-Identifier: Apache-2.0
/**
 * The river on one screen, and the only place that knows the order: decode, enrich, store and detect; then correlate, alert, incident.
 * Input: blocks of the journal, in the river worker; pages of signals, in the state worker. Output: rows and signals; one commit a page.
 */
import type { UnixMs } from '../core/units.ts';
import { unixMs } from '../core/units.ts';
import { decodeBlock, readJsonBody, readRecords } from '../core/wire.ts';
import { groupAlerts } from './alert/group.ts';
import { makeCorrelator } from './correlate/correlate.ts';
import { makeHeard } from './correlate/heard.ts';
import { type JoinState, makeJoin, mayJoin } from './decode/auditd/join.ts';
import { declarations, decode } from './decode/decode.ts';
import { factOf } from './decode/facts/fact.ts';
import { type FailedShape, takeFailedShapes } from './decode/shapes.ts';
import { makeDetector } from './detect/detect.ts';
import type { CompiledRuleSet } from './detect/ruleset.ts';
import { makeSignaller, streamOf } from './detect/signal.ts';
import { type AssetFacts, makeEnrich } from './enrich/enrich.ts';
import { groupIncidents } from './incident/group.ts';
import { REPLAY_END } from './ingest/replay.ts';
import type { JournalBlock } from './journal/reader.ts';
import type { HostView } from './model/agent.ts';
import type { AlertReader, IncidentReader } from './model/alerts.ts';
import type { Decoded, Event, Provenance } from './model/event.ts';
import type { FactAt } from './model/fact.ts';
import { FRAME_FLAGS } from './model/journal.ts';
import type { Page } from './model/page.ts';
import type { RuleSet } from './model/rule.ts';
import type { Signal } from './model/signal.ts';
import type { SignalTable } from './model/signals.ts';
import type { Write } from './store/store.ts';

// ─── In the river worker: one block to rows and signals ────────────────────────────────────────

/** What a block is needed for; a sink that has it already is absent (J2). */
export interface PassOut {
  readonly event?: (event: Event) => void;
  readonly signal?: (signal: Signal) => void;
  readonly watermark?: (stream: string, time: UnixMs) => void;
  readonly fact?: (fact: FactAt) => void;
}

export interface Pass {
  block(block: JournalBlock, out: PassOut): void;
  counts(): { readonly events: number; readonly failed: number; readonly signals: number };
  takeQuarantined(): readonly { readonly rule: string; readonly reason: string }[];
  /** Lines that no decoder understood, by shape; null where none came since the last call. */
  takeFailedShapes(): readonly FailedShape[] | null;
  /** Records that wait for others behind the last block; saved with each sink's position (J2). Null when none does. */
  joins(): JoinState | null;
}

export interface PassParts {
  readonly collector: string;
  readonly ruleset: CompiledRuleSet;
  /** By agent id, or `name:<host>` for a host that others speak for. */
  readonly hostOf: (key: string) => HostView | undefined;
  /** What waited for others at the position where the pass begins. */
  readonly joins?: JoinState | null;
  /** Of what is decoded; 1 when absent (P5). */
  readonly generation?: number;
}

export const makePass = ({ collector, ruleset, hostOf, joins, generation = 1 }: PassParts): Pass => {
  const detector = makeDetector(ruleset, { sources: declarations() });
  const signaller = makeSignaller(detector);
  const facts = new Map<string, AssetFacts>();
  const enrich = makeEnrich((asset) => facts.get(asset));
  const counts = { events: 0, failed: 0, signals: 0 };
  const join = makeJoin(joins);
  const heard = makeHeard();
  /** Enriches, stores and matches; gives the event time. */
  const take = ({ outcome, event: bare }: Decoded, out: PassOut): number => {
    const event = enrich(bare);
    counts.events += 1;
    if (outcome === 'failed') counts.failed += 1;
    out.event?.(event);
    if (out.signal)
      for (const signal of signaller.toSignals(event)) {
        counts.signals += 1;
        out.signal(signal);
      }
    return event['@timestamp'] ?? 0;
  };
  return {
    block: (frame, out) => {
      for (const event of join.passed(frame.at)) take(event, out);
      const decoded = decodeBlock(frame.encoded);
      if (decoded.kind !== 'ok') return;
      const { block } = decoded;
      const { header } = block;
      const streamName = (stream: string): string => streamOf({ 'vigil.agent.id': frame.agent, 'vigil.stream': stream });
      if (header.kind === 'heartbeat') {
        const read = readJsonBody(block);
        if (read.kind === 'heartbeat')
          for (const { stream, time } of heard.moved(frame.agent, read.body))
            out.watermark?.(streamName(stream), unixMs(Math.min(time, frame.at)));
        return;
      }
      if (header.kind === 'gap') return;
      heard.note(frame.agent, header);
      const received = (frame.flags & FRAME_FLAGS.received) !== 0;
      const host = hostOf(received ? `name:${header.host}` : frame.agent);
      const from: Provenance = {
        collector,
        incarnation: frame.incarnation,
        offset: frame.offset,
        generation,
        agent: frame.agent,
        host: host ? { id: host.asset, name: host.name } : { id: `ast_${frame.agent.slice(4)}` as HostView['asset'], name: header.host },
        stream: header.stream,
        epoch: header.epoch,
        ingested: frame.at,
        replay: (frame.flags & FRAME_FLAGS.replay) !== 0,
        ...(header.stream.startsWith('file:') ? { path: header.stream.slice(5) } : {}),
      };
      if (host?.criticality !== undefined)
        facts.set(host.asset, { criticality: host.criticality as NonNullable<AssetFacts['criticality']> });
      let reached = 0;
      const { fact: takeFact } = out;
      const joining = mayJoin(header.dataset);
      for (const one of readRecords(block)) {
        const record = { ...one, dataset: header.dataset, zone: header.zone, from };
        let time = 0;
        if (!joining) {
          const decoded = decode(record);
          time = take(decoded, out);
          if (takeFact && header.kind === 'facts') {
            const fact = factOf(textOfRecord(one.bytes), header.dataset);
            const event = decoded.event['event.id'] as FactAt['event'];
            if (fact) takeFact({ host: from.host.id, event, received: frame.at, replay: from.replay, fact });
          }
        } else for (const event of join.push(record)) time = Math.max(time, take(event, out));
        // A live stream has reached the time it was read, which is never after it arrived: an agent that names a later one
        // would make every other stream late for ever. A replayed one has reached the time it speaks of.
        reached = Math.max(reached, from.replay ? time : Math.min(one.readAt, frame.at));
      }
      const isEnd = from.replay && header.cursor === REPLAY_END;
      if (joining) for (const event of join.settle(isEnd)) take(event, out);
      if (reached > 0) out.watermark?.(streamName(header.stream), unixMs(reached));
    },
    counts: () => counts,
    takeQuarantined: () => detector.takeQuarantined(),
    takeFailedShapes,
    joins: () => join.state(),
  };
};

const textOfRecord = (bytes: Uint8Array): string => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString();

// ─── In the state worker: one page to one commit ───────────────────────────────────────────────

export interface JudgeParts {
  readonly rules: RuleSet;
  readonly table: SignalTable;
  readonly reader: AlertReader & IncidentReader;
  readonly nameOf: (entity: string) => string | null;
  readonly nextNumber: () => number;
  /** Writes documents inside the transaction, so that the next step sees them. */
  readonly write: (writes: readonly Write[]) => void;
}

export interface Changed {
  readonly alerts: readonly string[];
  readonly incidents: readonly string[];
  /** New ones that somebody should hear of: not from old or replayed lines (S8). */
  readonly news: readonly string[];
}

export interface Judge {
  /** Correlations that cannot be run, with the reason. */
  readonly refused: readonly { readonly rule: string; readonly message: string }[];
  /** MUST be called inside the transaction that commits the page's position (C1). */
  page(page: Page): Changed;
}

export const makeJudge = (parts: JudgeParts): Judge => {
  const correlator = makeCorrelator(parts.rules);
  return {
    refused: correlator.refused,
    page: (page) => {
      const satisfied = correlator.judge(page, parts.table);
      const alerts = groupAlerts(satisfied, parts);
      parts.write(alerts.writes);
      const incidents = groupIncidents([...alerts.opened, ...alerts.changed, ...alerts.merged], parts);
      parts.write(incidents.writes);
      const idsOf = (...lists: readonly (readonly { readonly id: string }[])[]): string[] =>
        lists.flatMap((list) => list.map(({ id }) => id));
      return {
        alerts: idsOf(alerts.opened, alerts.changed, alerts.merged),
        incidents: idsOf(incidents.opened, incidents.changed, incidents.merged),
        news: idsOf(...[alerts.opened, incidents.opened].map((list) => list.filter(({ backlog, replay }) => !backlog && !replay))),
      };
    },
  };
};
