// SPDX-License-Identifier: Apache-2.0
/**
 * What the source and its worker say to each other. The worker works blocking, so it looks for messages itself.
 * Input: nothing. Output: shapes, and the words of the shared gate.
 */
import type { UnixMs } from '../../../core/units.ts';
import type { SourceProblem } from '../source.ts';
import type { WatchEntry } from './entries.ts';

/** Places in the shared gate. */
export const GATE = {
  /** Grows with each message to the worker. */
  messages: 0,
  /** 1: end as soon as possible. */
  stop: 1,
} as const;

export interface FimWorkerData {
  readonly gate: SharedArrayBuffer;
  /** The baseline's file. */
  readonly file: string;
  readonly entries: readonly WatchEntry[];
  readonly exclude: readonly string[];
  /** Folders that are never looked at. */
  readonly refuse: readonly string[];
  readonly limitBytes: number;
  readonly maxItems: number;
  readonly cpuPercent: number;
  /** After so long a scan hashes and tells everything again. */
  readonly fullMs: number;
  /** Where the package managers keep their state: `/`, or another tree in a test. */
  readonly packageRoot: string;
}

export type Job = {
  /** Findings that may be told in this job. */
  readonly allowance: number;
  /** A package manager at work is waited for. */
  readonly patient: boolean;
} /** `closes`: with a closing fact; else a scan between the scheduled ones. */ & (
  | { readonly kind: 'scan'; readonly full: boolean; readonly closes: boolean }
  | { readonly kind: 'look'; readonly folders: readonly string[] }
);

export type ToFimWorker =
  | { readonly kind: 'job'; readonly job: Job }
  | { readonly kind: 'sealed'; readonly chunks: readonly number[] }
  | { readonly kind: 'end' };

export interface JobFigures {
  readonly items: number;
  readonly folders: number;
  /** Told as changed, added or removed. */
  readonly findings: number;
  /** Over the rate: found again by the next scan. */
  readonly withheld: number;
  /** A package manager was at work: found again when it is done. */
  readonly deferred: number;
  /** Went with their package, which no fact says: a full scan tells what stands now. */
  readonly left: number;
  readonly unreadable: number;
  readonly tookMs: number;
  readonly cpuMs: number;
  /** A scan over everything, which a look becomes after an upgrade. */
  readonly whole: boolean;
}

/** Facts that become one block. */
export interface Chunk {
  readonly id: number;
  readonly at: UnixMs;
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Where each text ends. */
  readonly ends: Uint32Array<ArrayBuffer>;
  /** Of each text, a record's flags. */
  readonly flags: Uint8Array<ArrayBuffer>;
}

export type FromFimWorker =
  | { readonly kind: 'chunk'; readonly chunk: Chunk }
  /** Folders to watch, with what tells one that was put in another's place. `whole`: all of them. */
  | { readonly kind: 'folders'; readonly whole: boolean; readonly folders: readonly (readonly [path: string, id: string])[] }
  | { readonly kind: 'done'; readonly figures: JobFigures; readonly problems: readonly SourceProblem[] }
  | { readonly kind: 'broken'; readonly reason: string };
