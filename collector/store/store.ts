// SPDX-License-Identifier: Apache-2.0
/**
 * The two ports every engine implements, each obligation in MUST form with a contract test of the same wording (test/contract).
 * Input: the pass appends events; people and the machine write state. Output: searches, lists, commits. Engines: `embedded`, `elasticsearch`.
 */
import type { EcsField } from '../../core/ecs.ts';
import type { Bytes, UnixMs } from '../../core/units.ts';
import type { Agent, AgentPresence, Asset } from '../model/agent.ts';
import type { Alert, AlertWork } from '../model/alert.ts';
import type { Comment } from '../model/comment.ts';
import type { Event } from '../model/event.ts';
import type { FactTable, HostFact } from '../model/fact.ts';
import type { HostDecision } from '../model/host.ts';
import type { Incident, IncidentWork } from '../model/incident.ts';
import type { Observation } from '../model/observation.ts';
import type { JournalPosition, JournalRange, Page } from '../model/page.ts';
import type { ReportEntry } from '../model/report.ts';
import type { Risk } from '../model/risk.ts';
import type { ScoreInputs, ScoreSnapshot } from '../model/score.ts';
import type { ApiToken, EnrolToken, Session, User } from '../model/user.ts';
import type { Node } from '../query/ast.ts';

// ─── Events ────────────────────────────────────────────────────────────────────────────────────

/** Decoded events of one journal range, ready to be stored. One line of NDJSON an event, made by `eventRow`. */
export interface EventBatch {
  readonly range: JournalRange;
  readonly generation: number;
  readonly rows: number;
  readonly ndjson: Uint8Array;
  /** Which columns occur, as `eventBatch` writes it; any may when absent. */
  readonly columns?: string;
}

export interface EventQuery {
  readonly where: Node;
  /** Event time (`@timestamp`), from inclusive to exclusive. */
  readonly from: UnixMs;
  readonly to: UnixMs;
}

export interface EventPage {
  readonly events: readonly Event[];
  /** Opaque; continues after the last event. Null at the end. */
  readonly next: string | null;
  readonly state: SearchState;
}

/** What an answer covers (P4). */
export interface SearchState {
  /** End of what the answer saw. */
  readonly position: JournalPosition | null;
  /** Milliseconds between the journal's end and that position when the answer was made; 0 when it saw everything. */
  readonly lagMs: number;
}

/** What a range that was decoded again is put in place of. */
export interface Replacement {
  /** Greater than any before. */
  readonly generation: number;
  /** Ingest times between which the blocks of the range came in, both inclusive. */
  readonly from: UnixMs;
  readonly to: UnixMs;
}

export interface Bucket {
  readonly key: string;
  readonly count: number;
}

export interface FieldUse {
  readonly field: EcsField;
  readonly count: number;
}

/**
 * MUST store a journal range once: a range already held is passed over (P2).
 * MUST keep what `position` covers through a crash of any process.
 * MUST answer a search with everything appended before it began, or say by how much it is behind (P4).
 * MUST give events back equal to what was appended, sparse and extra fields included.
 * MUST order by `@timestamp` newest first, then by event id, so that pages neither repeat nor miss.
 * MUST read `not` as IS NOT TRUE: a missing field satisfies it.
 * MUST put a newer generation of a journal range in place of the older ones as a unit: a search sees all of one, never both (P5).
 * MUST bound rows, groups and time of every answer.
 */
export interface EventStore {
  append(batch: EventBatch): Promise<void>;
  /** End of the last range that a restart will still know; null when empty. */
  position(): Promise<JournalPosition | null>;
  /** `limit` 1 to 10,000; order by time newest first unless `oldest`. */
  search(
    query: EventQuery,
    options: { readonly limit: number; readonly after?: string; readonly order?: 'newest' | 'oldest' },
  ): Promise<EventPage>;
  get(ids: readonly string[]): Promise<readonly Event[]>;
  count(query: EventQuery): Promise<{ readonly count: number; readonly state: SearchState }>;
  /** Most frequent values of a field, at most `limit` (1 to 1,000). */
  top(query: EventQuery, field: EcsField, limit: number): Promise<readonly Bucket[]>;
  /** Counts over time; `buckets` 1 to 1,000 of equal width, keys ISO 8601. */
  histogram(query: EventQuery, buckets: number): Promise<readonly Bucket[]>;
  /** Which fields occur, with how many events. */
  fields(query: EventQuery): Promise<readonly FieldUse[]>;
  /**
   * Batches of the newer generation, whose ranges are replaced together when the last one was taken. Each row stands for the place that
   * its `vigil.journal` fields name. When the batches throw, nothing is changed.
   */
  replace(what: Replacement, batches: AsyncIterable<EventBatch>): Promise<{ readonly events: number }>;
  /** Removes whole files whose newest ingest is older, or the oldest beyond the bytes. Answers what went. */
  expire(keep: {
    readonly olderThan: UnixMs;
    readonly maxBytes: Bytes;
  }): Promise<{ readonly files: number; readonly events: number; readonly bytes: number }>;
  /** Seals what is in memory into files now. */
  flush(): Promise<void>;
  status(): Promise<EventStoreStatus>;
  close(): Promise<void>;
}

export interface EventStoreStatus {
  readonly events: number;
  readonly bytes: number;
  readonly files: number;
  readonly hotRows: number;
  readonly oldest: UnixMs | null;
  readonly engine: { readonly rssBytes: number; readonly restarts: number };
  /** Newest decode generation of any range, 1 at first. */
  readonly generation: number;
  /** Rows that could not be loaded and lie in the dead letters. */
  readonly deadLetters: number;
}

// ─── State ─────────────────────────────────────────────────────────────────────────────────────

/** Every collection and the shape of its documents. */
export interface Collections {
  readonly agent: Agent;
  readonly presence: AgentPresence;
  readonly asset: Asset;
  readonly enrolToken: EnrolToken;
  readonly user: User;
  readonly session: Session;
  readonly apiToken: ApiToken;
  readonly alert: Alert;
  readonly alertWork: AlertWork;
  readonly incident: Incident;
  readonly incidentWork: IncidentWork;
  readonly comment: Comment;
  /** The latest of each item of each host. */
  readonly hostFact: HostFact;
  readonly factTable: FactTable;
  readonly hostDecision: HostDecision;
  /** Spans of the same answer, newest and past. */
  readonly observation: Observation;
  readonly score: ScoreInputs;
  readonly scoreSnapshot: ScoreSnapshot;
  readonly risk: Risk;
  /** Register of the reports that were made. */
  readonly report: ReportEntry;
  /** Small facts of the installation, by name. */
  readonly setting: Readonly<Record<string, unknown>>;
}
export type Collection = keyof Collections;

const COLLECTION_NAMES = {
  agent: true,
  presence: true,
  asset: true,
  enrolToken: true,
  user: true,
  session: true,
  apiToken: true,
  alert: true,
  alertWork: true,
  incident: true,
  incidentWork: true,
  comment: true,
  hostFact: true,
  factTable: true,
  hostDecision: true,
  observation: true,
  score: true,
  scoreSnapshot: true,
  risk: true,
  report: true,
  setting: true,
} as const satisfies Readonly<Record<Collection, true>>;
/** Names of all collections; each has a table or an index of its own. */
export const COLLECTIONS = Object.keys(COLLECTION_NAMES) as readonly Collection[];

export interface Stored<T> {
  readonly id: string;
  readonly value: T;
  /** Grows with each write of this document. */
  readonly version: number;
}

/** Only documents whose version is this are written; 0 means it must not exist yet. */
export interface PutOptions {
  readonly ifVersion?: number;
}

export interface ListQuery {
  /** KQL over the document's own field names; dots reach into objects. */
  readonly where?: Node;
  /** Only documents whose id begins with this. */
  readonly prefix?: string;
  readonly limit: number;
  readonly after?: string;
  /** Field to order by, descending unless `ascending`; default id ascending. */
  readonly orderBy?: string;
  readonly ascending?: boolean;
}

export interface Listed<T> {
  readonly items: readonly Stored<T>[];
  readonly next: string | null;
  readonly total: number;
}

/** One write of a commit: the machine's documents, without version (C2). */
export type Write = {
  readonly [C in Collection]: { readonly collection: C; readonly id: string; readonly value: Collections[C] };
}[Collection];

export const SINKS = ['store', 'detect', 'facts'] as const;
export type Sink = (typeof SINKS)[number];

export interface SinkPosition extends JournalPosition {
  readonly sink: Sink;
}

/**
 * MUST refuse a put whose expected version is not the stored one (STATE_CONFLICT) and change nothing.
 * MUST make a commit all or nothing, its position included (C1).
 * MUST answer a commit whose position is not beyond the sink's own by doing nothing.
 * MUST keep what an awaited write wrote through a crash and a power cut.
 * MUST list with a stable order, so that pages neither repeat nor miss unchanged documents.
 */
export interface StateStore {
  get<C extends Collection>(collection: C, id: string): Promise<Stored<Collections[C]> | null>;
  put<C extends Collection>(collection: C, id: string, value: Collections[C], options?: PutOptions): Promise<number>;
  remove(collection: Collection, id: string): Promise<boolean>;
  list<C extends Collection>(collection: C, query: ListQuery): Promise<Listed<Collections[C]>>;
  /** `page`: the page that was judged, kept 30 days in the same transaction (J4). */
  commit(position: SinkPosition, writes: readonly Write[], page?: Page): Promise<void>;
  position(sink: Sink): Promise<SinkPosition | null>;
  /** The page that begins at this offset, where one was kept (J4). */
  page(incarnation: string, from: number): Promise<Page | null>;
  /** Next free number of a series (INC-8), counted from 1. */
  nextNumber(series: string): Promise<number>;
  close(): Promise<void>;
}
