// SPDX-License-Identifier: Apache-2.0
/**
 * The report as a document: words, tables and marks, without a word of HTML.
 * Input: sections are built from figures. Output: render/html and render/text say the same thing in two forms.
 */
import type { Level } from '../model/rule.ts';
import type { QueryName } from './query.ts';

export type Tone = 'mono' | 'strong' | 'bad' | 'serif' | 'dim';
export type Mark = Level | 'pass' | 'fail' | 'excepted' | 'unknown' | 'warn';

/** A piece of a line: plain, in a tone, a mark with its word beside it, or a link to the query behind a figure. */
export type Piece =
  | string
  | { readonly text: string; readonly tone: Tone }
  | { readonly mark: Mark }
  | { readonly query: QueryName }
  | { readonly bar: readonly BarPart[]; readonly label: string };
export type Line = readonly Piece[];

export interface BarPart {
  readonly state: 'good' | 'bad' | 'except' | 'plain' | 'unknown' | Level;
  readonly n: number;
}

export interface Column {
  readonly title: string;
  readonly mark?: Mark;
  readonly end?: true;
  /** Its text may break over lines; others do not. */
  readonly wrap?: true;
}

export type Block =
  | {
      readonly kind: 'table';
      readonly columns: readonly Column[];
      readonly rows: readonly (readonly Line[])[];
      /** The last row is the sum. */
      readonly total?: true;
    }
  | { readonly kind: 'pair'; readonly of: readonly [Block, Block] }
  | { readonly kind: 'note'; readonly line: Line }
  /** Not measured, with the reason and what would change that. */
  | { readonly kind: 'hatch'; readonly line: Line }
  | {
      readonly kind: 'days';
      readonly caption: string;
      readonly days: readonly { readonly label: string; readonly parts: readonly BarPart[] }[];
    }
  | { readonly kind: 'queries'; readonly of: readonly { readonly name: QueryName; readonly title: string; readonly command: string }[] }
  | { readonly kind: 'signatures'; readonly of: readonly string[] };

export interface Section {
  readonly n: number;
  readonly title: string;
  /** How much of it was measured, under the title. */
  readonly coverage: readonly string[];
  /** One or two sentences; read alone they are the report. */
  readonly takeaway: string;
  readonly blocks: readonly Block[];
}

export interface Decision {
  readonly text: string;
  readonly who: string;
  readonly by: string;
  readonly why: string;
}

/** Something that changed against the week before: a bold word or two, and the sentence. */
export interface Movement {
  readonly head: string;
  readonly text: string;
}

export interface PosturePoint {
  readonly week: string;
  /** Null where it was not measured. */
  readonly percent: number | null;
}

export interface Front {
  readonly headline: string;
  readonly standfirst: string;
  readonly story: readonly Line[];
  readonly posture: {
    readonly percent: number | null;
    readonly line: Line;
    readonly counts: { readonly satisfied: number; readonly failing: number; readonly unmeasured: number };
    readonly points: readonly PosturePoint[];
    readonly note: string;
  };
  readonly better: readonly Movement[];
  readonly worse: readonly Movement[];
  /** The week before was heard, so that there is something to compare with. */
  readonly compared: boolean;
  readonly decisions: readonly Decision[];
}

export interface ReportDocument {
  readonly week: string;
  readonly organisation: string;
  readonly range: string;
  readonly made: string;
  readonly revision: number;
  /** What changed against the revision before. */
  readonly revised: readonly string[];
  readonly front: Front;
  readonly sections: readonly Section[];
}

export const strong = (text: string): Piece => ({ text, tone: 'strong' });
export const mono = (text: string): Piece => ({ text, tone: 'mono' });
export const bad = (text: string): Piece => ({ text, tone: 'bad' });
export const query = (name: QueryName): Piece => ({ query: name });
export const note = (...line: Line): Block => ({ kind: 'note', line });
/** Words between backticks are evidence: commands, names of settings. */
export const ticked = (text: string): Line =>
  text
    .split('`')
    .map((part, i): Piece => (i % 2 === 1 ? mono(part) : part))
    .filter((part) => part !== '');
export const hatch = (text: string): Block => ({ kind: 'hatch', line: ticked(text) });
export const table = (columns: readonly (Column | string)[], rows: readonly (readonly (Line | string)[])[], total?: true): Block => ({
  kind: 'table',
  columns: columns.map((one) => (typeof one === 'string' ? { title: one } : one)),
  rows: rows.map((row) => row.map((cell) => (typeof cell === 'string' ? [cell] : cell))),
  ...(total ? { total } : {}),
});
export const end = (title: string): Column => ({ title, end: true });
export const wide = (title: string): Column => ({ title, wrap: true });
