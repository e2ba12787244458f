// SPDX-License-Identifier: Apache-2.0
/**
 * The report as one HTML file: no script, no request, every text of others escaped.
 * Input: the document, fonts where there are some. Output: HTML. Pure.
 */
import type { Block, Column, Front, Line, Piece, ReportDocument, Section, Tone } from '../document.ts';
import { queryNumber } from '../query.ts';
import { escaped } from './escape.ts';
import { barSvg, daysSvg, markSvg, postureSvg } from './mark.ts';
import { type Fonts, styleOf } from './style.ts';

const TAGS: Readonly<Record<Tone, readonly [open: string, close: string]>> = {
  mono: ['<span class="mono">', '</span>'],
  strong: ['<b>', '</b>'],
  bad: ['<b class="bad">', '</b>'],
  serif: ['<span class="serif">', '</span>'],
  dim: ['<span class="dim">', '</span>'],
};

const piece = (one: Piece): string => {
  if (typeof one === 'string') return escaped(one);
  if ('mark' in one) return markSvg(one.mark);
  if ('bar' in one) return barSvg(one.bar, one.label, 110, 8);
  if ('query' in one) {
    const n = queryNumber(one.query);
    return `<a class="q" href="#q${n}">Q${n}</a>`;
  }
  const [open, close] = TAGS[one.tone];
  return `${open}${escaped(one.text)}${close}`;
};

const line = (of: Line): string => of.map(piece).join('');

/** Longer text breaks in a column that otherwise does not: others' names are of any length. */
const LONG_TEXT = 26;
const lengthOf = (of: Line): number =>
  of.reduce((sum, one) => sum + (typeof one === 'string' ? one.length : 'text' in one ? one.text.length : 2), 0);

const classOf = ({ end, wrap }: Column, cell: Line): string =>
  end ? ' class="n"' : wrap || lengthOf(cell) > LONG_TEXT ? ' class="w"' : '';

/** So many columns are read sideways on a phone and not squeezed. */
const MANY_COLUMNS = 5;

const tableHtml = ({ columns, rows, total }: Extract<Block, { kind: 'table' }>, name = ''): string => {
  const head = columns
    .map(
      (column) =>
        `<th scope="col"${column.end ? ' class="n"' : ''}>${column.mark === undefined ? '' : markSvg(column.mark)} ${escaped(column.title)}</th>`,
    )
    .join('');
  const body = rows
    .map((row, i) => {
      const cells = row.map((cell, at) => `<td${classOf(columns[at] as Column, cell)}>${line(cell)}</td>`).join('');
      return `<tr${total && i === rows.length - 1 ? ' class="sum"' : ''}>${cells}</tr>`;
    })
    .join('');
  return `<div class="tw" tabindex="0" role="group" aria-label="${escaped(
    columns
      .map(({ title }) => title)
      .filter(Boolean)
      .join(', '),
  )}"><table class="${name}${columns.length >= MANY_COLUMNS ? ' many' : ''}"><thead><tr>${head}</tr></thead><tbody>${body}</tbody></table></div>`;
};

const blockHtml = (block: Block): string => {
  switch (block.kind) {
    case 'table':
      return tableHtml(block);
    case 'pair':
      return `<div class="two">${block.of.map(blockHtml).join('')}</div>`;
    case 'note':
      return `<p class="nt">${line(block.line)}</p>`;
    case 'hatch':
      return `<div class="hx"><p>${markSvg('unknown')}${line(block.line)}</p></div>`;
    case 'days':
      return `<figure><figcaption>${escaped(block.caption)}</figcaption>${daysSvg(block.caption, block.days)}</figure>`;
    case 'queries':
      return `<div class="qs">${block.of
        .map(
          ({ name, title, command }) =>
            `<p id="q${queryNumber(name)}"><b>Q${queryNumber(name)}</b> ${escaped(title)} <span class="mono">${escaped(command)}</span></p>`,
        )
        .join('')}</div>`;
    case 'signatures':
      return `<div class="tw"><table class="sg"><thead><tr><th scope="col">Read and noted</th><th scope="col">Name</th><th scope="col">Date</th></tr></thead><tbody>${block.of
        .map((who) => `<tr><td>${escaped(who)}</td><td></td><td></td></tr>`)
        .join('')}</tbody></table></div>`;
  }
};

/** Rows beyond which a section may break over pages. */
const LONG_ROWS = 26;
const rowsOf = (block: Block): number => {
  if (block.kind === 'table') return block.rows.length + 1;
  if (block.kind === 'pair') return Math.max(...block.of.map(rowsOf));
  return block.kind === 'queries' ? 15 : block.kind === 'days' ? 6 : 2;
};

const sectionHtml = ({ n, title, coverage, takeaway, blocks }: Section): string => {
  const long = blocks.reduce((sum, block) => sum + rowsOf(block), 0) > LONG_ROWS;
  return `<section class="s${long ? ' long' : ''}" id="s${n}" aria-labelledby="h${n}"><div class="mg"><span class="no" aria-hidden="true">${n}</span><h2 id="h${n}">${escaped(title)}</h2><p class="cov">${coverage
    .map(escaped)
    .join('<br>')}</p></div><div class="ct"><p class="take">${escaped(takeaway)}</p>${blocks.map(blockHtml).join('')}</div></section>`;
};

const postureHtml = ({ percent, line: text, counts, points, note }: Front['posture']): string => {
  const { satisfied, failing, unmeasured } = counts;
  const all = satisfied + failing + unmeasured;
  const parts = barSvg(
    [
      { state: 'good', n: satisfied },
      { state: 'bad', n: failing },
      { state: 'unknown', n: unmeasured },
    ],
    `${satisfied} satisfied, ${failing} not satisfied, ${unmeasured} not measured`,
    330,
    9,
  );
  const key = `<p class="key"><span>${markSvg('pass')}&ensp;${satisfied} satisfied</span><span>${markSvg('fail')}&ensp;${failing} not satisfied</span><span>${markSvg('unknown')}&ensp;${unmeasured} not measured</span></p>`;
  if (all === 0) return `<div class="hx"><p>${markSvg('unknown')}${line(text)}</p></div>`;
  return `<div class="pv">${percent === null ? '' : `<span class="pn">${percent}<small>&#8202;%</small></span>`}<span class="pt">${line(text)}</span></div>${parts}${key}${points.length > 1 ? postureSvg(points) : ''}${note === '' ? '' : `<p class="key">${escaped(note)}</p>`}`;
};

const none = ({ compared }: Front, side: string): string =>
  compared ? `Nothing that is measured got ${side}.` : 'Nothing to compare with: no record of the week before was heard.';

const movementsHtml = (title: string, all: Front['better'], otherwise: string): string =>
  `<div><h2 class="fh">${title}</h2><ul>${
    all.length === 0
      ? `<li>${escaped(otherwise)}</li>`
      : all.map(({ head, text }) => `<li><b>${escaped(head)}.</b> ${escaped(text)}</li>`).join('')
  }</ul></div>`;

const decisionsHtml = (front: Front): string =>
  `<h2 class="fh dh">Decisions needed</h2>${
    front.decisions.length === 0
      ? '<p class="nt">None that this week’s figures call for.</p>'
      : tableHtml(
          {
            kind: 'table',
            columns: [{ title: 'Decision', wrap: true }, { title: 'Who' }, { title: 'By' }, { title: 'Because' }],
            rows: front.decisions.map(({ text, who, by, why }) => [[text], [who], [by], [why]]),
          },
          'dec',
        )
  }`;

const frontHtml = (document: ReportDocument): string => {
  const { front, sections, revised, revision } = document;
  return `<section class="front" id="s1" aria-labelledby="h1">${
    revised.length === 0
      ? ''
      : `<div class="rev"><b>Revision ${revision}.</b> Facts came after the report was made. Changed: ${revised.map(escaped).join('; ')}.</div>`
  }<h1 id="h1">${escaped(front.headline)}</h1><p class="stand">${escaped(front.standfirst)}</p><div class="fg"><div class="story">${front.story
    .map((one) => `<p>${line(one)}</p>`)
    .join(
      '',
    )}</div><div class="vf">${postureHtml(front.posture)}</div></div><div class="bw">${movementsHtml('What got better', front.better, none(front, 'better'))}${movementsHtml(
    'What got worse',
    front.worse,
    none(front, 'worse'),
  )}</div>${decisionsHtml(front)}<nav class="in" aria-label="Sections"><h2 class="fh">Inside</h2><div>${sections
    .map(({ n, title }) => `<a href="#s${n}"><b>${n}</b> ${escaped(title)}</a>`)
    .join('')}</div></nav></section>`;
};

const LOGO =
  '<svg viewBox="0 0 22 22" aria-hidden="true"><path d="M11 2.5A8.5 8.5 0 1 1 3.64 6.75" fill="none" stroke="currentColor" stroke-width="2.6"/><path d="M3.64 6.75A8.5 8.5 0 0 1 11 2.5" fill="none" stroke="currentColor" stroke-width="2.6" stroke-dasharray="1.15 1.4"/><circle cx="11" cy="11" r="2.6" fill="currentColor"/></svg>';
const HATCH =
  '<svg class="hidden" aria-hidden="true"><defs><pattern id="rh" width="4.4" height="4.4" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><path d="M0 0V4.4" stroke="var(--unknown)" stroke-width="1.6"/></pattern></defs></svg>';

export const htmlOf = (document: ReportDocument, fonts: Fonts | null): string => {
  const { week, revision, organisation, range, made, sections } = document;
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1"><title>Weekly posture report ${escaped(week)}</title><style>${styleOf(week, revision, fonts)}</style></head><body>
${HATCH}<main><header class="mast"><div class="np"><span class="nm">${LOGO}Vigil</span><span class="tt">Weekly posture report</span><span class="wk">${escaped(week)}</span></div><div class="dl"><span>${escaped(organisation)}</span><span>${escaped(range)}</span><span>Made ${escaped(made)}</span><span>Revision ${revision}</span></div></header>
${frontHtml(document)}
${sections.map(sectionHtml).join('\n')}
</main></body></html>
`;
};
