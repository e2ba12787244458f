// SPDX-License-Identifier: Apache-2.0
/**
 * The report as plain text for a mail or a terminal, 78 columns wide: the same words and tables.
 * Input: the document. Output: text without escape codes. Pure.
 */
import type { Block, Column, Line, Mark, Piece, ReportDocument, Section } from '../document.ts';
import { queryNumber } from '../query.ts';
import { visible } from './escape.ts';

const WIDTH = 78;
const RULE = '='.repeat(WIDTH);
const HAIR = '-'.repeat(WIDTH);

const MARK_WORDS: Readonly<Record<Mark, string>> = {
  critical: '[critical]',
  high: '[high]',
  medium: '[medium]',
  low: '[low]',
  informational: '[info]',
  pass: 'pass',
  fail: 'FAIL',
  excepted: 'excepted',
  unknown: '?',
  warn: '!',
};

const piece = (one: Piece): string => {
  if (typeof one === 'string') return visible(one);
  if ('mark' in one) return MARK_WORDS[one.mark];
  if ('bar' in one) return one.label;
  return 'query' in one ? `Q${queryNumber(one.query)}` : visible(one.text);
};

const plain = (line: Line): string => {
  // A bar says in words what its neighbour says in digits: once is enough.
  const shown = line.filter((one) => typeof one === 'string' || !('bar' in one) || line.length === 1);
  return shown.map(piece).join('').replace(/\s+/g, ' ').trim();
};

const wrapped = (text: string, indent = ''): string =>
  broken(text, WIDTH - indent.length)
    .map((one) => indent + one)
    .join('\n');

const isBar = (line: Line): boolean => line.length === 1 && typeof line[0] === 'object' && 'bar' in line[0];

/** A column of bars says what its neighbours say in digits. */
const withoutBars = (columns: readonly Column[], rows: readonly (readonly Line[])[]): readonly number[] =>
  columns.flatMap((_, i) =>
    rows.length > 0 && rows.every((row) => isBar(row[i] ?? []) || plain(row[i] ?? []) === '') && rows.some((row) => isBar(row[i] ?? []))
      ? []
      : [i],
  );

const NARROWEST = 8;
const LONGEST_WORD = 16;

const tableText = (all: readonly Column[], allRows: readonly (readonly Line[])[]): string => {
  const kept = withoutBars(all, allRows);
  const columns = kept.map((i) => all[i] as Column);
  const cells = [columns.map(({ title }) => title), ...allRows.map((row) => kept.map((i) => plain(row[i] ?? [])))];
  const widths = columns.map((_, i) => Math.max(1, ...cells.map((row) => (row[i] ?? '').length)));
  // No column breaks a word that is not very long.
  const floors = columns.map((_, i) =>
    Math.min(LONGEST_WORD, Math.max(NARROWEST, ...cells.flatMap((row) => (row[i] ?? '').split(' ').map((word) => word.length)))),
  );
  // The widest column gives way first, text before figures, so that a line fits.
  for (let over = widths.reduce((sum, n) => sum + n + 2, -2) - WIDTH; over > 0; over--) {
    const at =
      widths.map((n, i) => ({ i, n: n <= (floors[i] as number) ? 0 : columns[i]?.wrap ? n * 0.65 : n })).sort((a, b) => b.n - a.n)[0]?.i ??
      0;
    widths[at] = (widths[at] as number) - 1;
  }
  const row = (values: readonly string[]): string => {
    const lines = values.map((value, i) => broken(value, widths[i] as number));
    const height = Math.max(1, ...lines.map((one) => one.length));
    return Array.from({ length: height }, (_, at) =>
      lines
        .map((one, i) => (columns[i]?.end ? (one[at] ?? '').padStart(widths[i] as number) : (one[at] ?? '').padEnd(widths[i] as number)))
        .join('  ')
        .trimEnd(),
    ).join('\n');
  };
  return [row(cells[0] as readonly string[]), HAIR, ...cells.slice(1).map(row)].filter((one) => one !== '').join('\n');
};

/** A cell's text in lines no wider than its column; a word that is wider is cut. */
const broken = (text: string, width: number): readonly string[] => {
  const lines: string[] = [];
  for (const word of text.split(/ +/).flatMap((one) => one.match(new RegExp(`.{1,${width}}`, 'gu')) ?? [])) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= width) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines;
};

const blockText = (block: Block): string => {
  switch (block.kind) {
    case 'table':
      return tableText(block.columns, block.rows);
    case 'pair':
      return block.of.map(blockText).join('\n\n');
    case 'note':
      return wrapped(plain(block.line));
    case 'hatch':
      return wrapped(`Not measured. ${plain(block.line)}`, '  / ');
    case 'days':
      return `${wrapped(visible(block.caption))}\n${block.days.map(({ label, parts }) => `  ${visible(label).padEnd(8)} ${parts.reduce((sum, { n }) => sum + n, 0)}`).join('\n')}`;
    case 'queries':
      return block.of
        .map(({ name, title, command }) => `${`Q${queryNumber(name)}`.padEnd(4)}${visible(title)}\n    ${visible(command)}`)
        .join('\n');
    case 'signatures':
      return block.of.map((who) => `Read and noted, ${who.toLowerCase()}: ____________________  ____________`).join('\n');
  }
};

const sectionText = ({ n, title, coverage, takeaway, blocks }: Section): string =>
  [
    `${RULE}\n${wrapped(`${n}. ${title.toUpperCase()} (${visible(coverage.join('; '))})`)}`,
    wrapped(visible(takeaway)),
    ...blocks.map(blockText),
  ]
    .filter((one) => one !== '')
    .join('\n\n');

const nothing = (compared: boolean, side: string): string =>
  compared ? `Nothing that is measured got ${side}.` : 'Nothing to compare with: no record of the week before was heard.';

const movements = (title: string, all: ReportDocument['front']['better'], none: string): string =>
  `${title}\n${all.length === 0 ? `  ${none}` : all.map(({ head, text }) => wrapped(visible(`${head}. ${text}`), '  ')).join('\n')}`;

export const textOf = ({ week, organisation, range, made, revision, revised, front, sections }: ReportDocument): string =>
  `${[
    `WEEKLY POSTURE REPORT ${week}\n${wrapped(visible(organisation))}\n${range}\nMade ${made}, revision ${revision}`,
    ...(revised.length === 0 ? [] : [wrapped(`Facts came after the report was made. Changed: ${visible(revised.join('; '))}.`)]),
    `${RULE}\n${wrapped(visible(front.headline))}`,
    wrapped(visible(front.standfirst)),
    ...front.story.map((one) => wrapped(plain(one))),
    wrapped(
      `Posture. ${front.posture.percent === null ? '' : `${front.posture.percent} % `}${plain(front.posture.line)}${front.posture.note === '' ? '' : ` ${front.posture.note}`}`,
    ),
    movements('What got better', front.better, nothing(front.compared, 'better')),
    movements('What got worse', front.worse, nothing(front.compared, 'worse')),
    `Decisions needed\n${
      front.decisions.length === 0
        ? '  None that this week’s figures call for.'
        : front.decisions.map(({ text, who, by, why }) => wrapped(visible(`${text} (${who}, by ${by}; ${why})`), '  ')).join('\n')
    }`,
    ...sections.map(sectionText),
  ].join('\n\n')}\n`;
