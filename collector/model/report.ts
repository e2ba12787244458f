// SPDX-License-Identifier: Apache-2.0
/**
 * A row of the register of reports: which revision of which week was made when, and the hashes of its files.
 * Input: report. Output: lists, the console, `vigil report weekly`.
 */
import type { UnixMs } from '../../core/units.ts';

export interface ReportEntry {
  /** `2026-W47`. */
  readonly week: string;
  /** 0 at first; one more each time late facts changed it. */
  readonly revision: number;
  readonly made: UnixMs;
  readonly headline: string;
  /** What changed against the revision before. */
  readonly revised: readonly string[];
  /** SHA-256 of each file. */
  readonly hashes: { readonly json: string; readonly html: string; readonly text: string };
  /** SHA-256 of the key that signed it. */
  readonly key: string;
}
