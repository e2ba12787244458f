// SPDX-License-Identifier: Apache-2.0
/**
 * What the commands speak through: streams, colour, tables, and text that cannot steer the terminal.
 * Input: values of commands. Output: stdout for answers, stderr for words and progress.
 */
import { styleText } from 'node:util';

export interface Terminal {
  readonly stdin: NodeJS.ReadableStream;
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
  readonly colour: boolean;
  /** True when stderr is a terminal, so that a moving progress line may be shown. */
  readonly live: boolean;
  /** A path as the person who typed it means it. */
  readonly here: (path: string) => string;
  /** Token for a remote collector, where there is one. */
  readonly token: string | undefined;
}

const UNSAFE =
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\ud800-\udfff\u{e0000}-\u{e007f}]/gu;

/** Data for people: control characters, escapes and direction marks stand as `\u{..}`, tab and line feed too. */
export const visible = (text: string): string =>
  text
    .replace(UNSAFE, (c) => `\\u{${c.codePointAt(0)?.toString(16)}}`)
    .replace(/\t/g, '\\t')
    .replace(/\n/g, '\\n');

/** JSON in one line that cannot steer a terminal either: what JSON itself leaves, C1 controls and direction marks, is escaped. */
export const jsonLine = (value: unknown): string =>
  `${JSON.stringify(value).replace(UNSAFE, (c) =>
    c
      .split('')
      .map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
      .join(''),
  )}\n`;

type Style = Parameters<typeof styleText>[0];

/** Text in a style where colour is wanted, else as it is. */
export const styled = (terminal: Terminal, style: Style, text: string): string =>
  terminal.colour ? styleText(style, text, { validateStream: false }) : text;

export interface Column {
  readonly title: string;
  readonly align?: 'left' | 'right';
  /** Cut to this many characters, with an ellipsis. */
  readonly max?: number;
}

/** A table with a head and aligned columns; cells are made safe. An empty table is one sentence, given by the caller. */
export const table = (terminal: Terminal, columns: readonly Column[], rows: readonly (readonly string[])[]): string => {
  const cells = rows.map((row) => row.map((cell, i) => clip(visible(cell), columns[i]?.max)));
  const widths = columns.map(({ title }, i) => Math.max(title.length, ...cells.map((row) => row[i]?.length ?? 0)));
  const line = (row: readonly string[]): string =>
    columns
      .map(({ align }, i) => (align === 'right' ? (row[i] ?? '').padStart(widths[i]!) : (row[i] ?? '').padEnd(widths[i]!)))
      .join('  ')
      .trimEnd();
  return [styled(terminal, 'bold', line(columns.map(({ title }) => title))), ...cells.map(line)].join('\n');
};

const clip = (text: string, max: number | undefined): string =>
  max === undefined || text.length <= max ? text : `${text.slice(0, max - 1)}…`;

/** 2018094 as `2,018,094`. */
export const countText = (n: number): string => n.toLocaleString('en-GB');

/** Bytes in kB, MB, GB of 1000, one decimal under 10. */
export const sizeText = (n: number): string => {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  let value = n;
  let i = 0;
  while (value >= 1000 && i < units.length - 1) {
    value /= 1000;
    i += 1;
  }
  return `${i === 0 || value >= 10 ? Math.round(value) : value.toFixed(1)} ${units[i]}`;
};

/** A span in at most two units: `5 h 07 min`, `4 s`. */
export const spanText = (ms: number): string => {
  const s = Math.max(0, Math.round(ms / 1000));
  if (s < 60) return `${s} s`;
  if (s < 3600) return `${Math.floor(s / 60)} min ${String(s % 60).padStart(2, '0')} s`;
  if (s < 86_400) return `${Math.floor(s / 3600)} h ${String(Math.floor((s % 3600) / 60)).padStart(2, '0')} min`;
  return `${Math.floor(s / 86_400)} d ${Math.floor((s % 86_400) / 3600)} h`;
};
