// SPDX-License-Identifier: Apache-2.0
/**
 * The report as HTML and text: whole, without scripts or requests, and with others' text shown as text.
 * Input: made-up weeks, one of them hostile. Output: markup and lines.
 */
import { describe, expect, it } from 'vitest';
import { generateSigner } from '../../../core/sign.ts';
import { unixMs } from '../../../core/units.ts';
import { busyInputs, emptyInputs, hostileInputs, quietInputs, WEEK } from '../../../test/support/report.ts';
import { figuresOf, makeReport } from '../bundle.ts';
import { QUERY_NAMES } from '../query.ts';

const signer = generateSigner();
const made = [emptyInputs(), quietInputs(), busyInputs(), hostileInputs()].map((inputs) =>
  makeReport(figuresOf(inputs), { revision: 1, made: unixMs(WEEK.to), after: null, revised: ['alerts from 45 to 46'] }, signer, null),
);

describe('the report', () => {
  it('asks for nothing and runs nothing', () => {
    for (const { html } of made) {
      expect(html).not.toMatch(/<(?:script|link|img|iframe|object|embed|form|base)\b/i);
      expect(html).not.toMatch(/\son\w+\s*=\s*"/i);
      expect(html.match(/(?:href|src)="[^"#]/g)).toBeNull();
      expect(html.match(/url\((?!#)/g)).toBeNull();
    }
  });

  it('shows hostile names as text', () => {
    const { html, text } = made[3] as (typeof made)[number];
    expect(html).toContain('&lt;img src=x onerror=&quot;fetch(&#39;//evil.example&#39;)&quot;&gt;&lt;script&gt;');
    for (const shown of [html, text]) expect(shown).not.toMatch(/[\u202a-\u202e\u0007]/);
    expect(html.match(/<\/style>/g)).toHaveLength(1);
  });

  it('has ten sections, each with its coverage and a takeaway, and every query that a figure names', () => {
    for (const { html } of made) {
      for (let n = 1; n <= 10; n++) expect(html).toContain(`id="s${n}"`);
      expect(html.match(/<p class="take">[^<]{10,}/g)).toHaveLength(9);
      expect(html.match(/<p class="cov">[^<]{3,}/g)).toHaveLength(9);
      for (const i of QUERY_NAMES.keys()) expect(html).toContain(`<p id="q${i + 1}">`);
      for (const [, n] of html.matchAll(/href="#q(\d+)"/g)) expect(Number(n)).toBeLessThanOrEqual(QUERY_NAMES.length);
    }
  });

  it('says what a revision changed', () => {
    for (const { html, text } of made) for (const shown of [html, text]) expect(shown).toContain('alerts from 45 to 46');
  });

  it('is plain text 78 columns wide, apart from commands', () => {
    for (const { text } of made) {
      const long = text.split('\n').filter((line) => [...line].length > 78 && !line.startsWith('    vigil '));
      expect(long).toEqual([]);
    }
  });
});
