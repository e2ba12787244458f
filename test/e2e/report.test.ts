// SPDX-License-Identifier: Apache-2.0
/**
 * The weekly report of a running collector: made from lines of last week, proved offline, refused for weeks that are none, and looked at in a real browser.
 * Input: replayed lines of the last full week. Output: files as the commands write them.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { AxeBuilder } from '@axe-core/playwright';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { lastFullWeek } from '../../collector/report/week.ts';
import { unixMs } from '../../core/units.ts';
import { browserMissing, chooseOwn, consoleBuilt, openBrowser, openContext, signIn, watch } from '../support/browser.ts';
import { type Collector, failedLogin, removeDir, run, startCollector, tempDir, until } from '../support/vigil.ts';

const missing = browserMissing();
if (missing !== null) process.stderr.write(`Skipped: the report in a browser. ${missing}\n`);

const folder = tempDir();
const week = lastFullWeek(unixMs(Date.now()), 'UTC');
const wednesday = week.from + 2 * 86_400_000 + 9 * 3_600_000;
let collector: Collector;

const report = (...args: string[]) => collector.vigil(['report', 'weekly', ...args]);
const file = (name: string): string => join(folder, name);

beforeAll(async () => {
  collector = await startCollector({ localAgent: false });
  const lines = Array.from({ length: 40 }, (_, i) => failedLogin('203.0.113.77', 'root', new Date(wednesday + i * 2_000), 5_000 + i));
  writeFileSync(file('auth.log'), lines.join(''));
  const replayed = await collector.vigil([
    ...['replay', file('auth.log'), '--dataset', 'syslog', '--host', 'bastion', '--year', String(new Date(wednesday).getUTCFullYear())],
  ]);
  expect(replayed.err).toBe('');
  await until('the incident', async () => (await collector.query('', ['--in', 'incidents', '--from', 'now-30d'])).length > 0);
}, 120_000);

afterAll(async () => {
  await collector?.stop();
  removeDir(folder);
  if (collector) removeDir(collector.dir);
});

describe('vigil report weekly', () => {
  it('makes the last full week by default, and says so in words', async () => {
    const { code, out, err } = await report('--format', 'text');
    expect([code, err]).toEqual([0, '']);
    expect(out).toContain(`WEEKLY POSTURE REPORT ${week.name}`);
    expect(out).toMatch(/One (?:high|critical) incident on bastion, and nobody has answered/);
    expect(out).toContain('40 records');
  });

  it('gives figures that the commands it names give too', async () => {
    const { out } = await report('--week', week.name, '--format', 'json');
    const { figures } = JSON.parse(out) as {
      figures: { incidents: { alerts: number; incidents: { number: number }[] }; coverage: { records: number } };
    };
    const window = ['--from', new Date(week.from).toISOString(), '--to', new Date(week.to).toISOString()];
    expect(await collector.count('not event.dataset: vigil', window)).toBe(figures.coverage.records);
    expect(await collector.count(`first >= ${week.from} and first < ${week.to}`, ['--in', 'alerts', ...window])).toBe(
      figures.incidents.alerts,
    );
    expect(await collector.query('', ['--in', 'incidents', ...window])).toHaveLength(figures.incidents.incidents.length);
  });

  it('is proved without a collector, and one changed byte is found in each of its files', async () => {
    for (const format of ['json', 'html', 'text']) {
      const { code, err } = await report('--format', format, '--out', file(`r.${format === 'text' ? 'txt' : format}`));
      expect([code, err]).toEqual([0, expect.stringContaining(`${week.name}, revision 0`)]);
    }
    const whole = await run('vigil.js', ['verify', file('r.json')]);
    expect([whole.code, whole.err]).toEqual([0, '']);
    expect(whole.out).toContain('r.html and r.txt are as they were made');
    const [, key] = /signer unknown \(([0-9a-f]{64})\)/.exec(whole.out) as RegExpExecArray;
    expect((await run('vigil.js', ['verify', file('r.json'), '--signer', String(key)])).out).toContain('signer known');
    expect((await run('vigil.js', ['verify', file('r.json'), '--signer', 'f'.repeat(64)])).code).toBe(1);
    for (const name of ['r.json', 'r.html', 'r.txt']) {
      const bytes = readFileSync(file(name));
      const at = Math.floor(bytes.length / 2);
      bytes[at] = (bytes[at] as number) ^ 1;
      writeFileSync(file(name), bytes);
      const broken = await run('vigil.js', ['verify', file('r.json')]);
      expect([broken.code, broken.out.slice(0, 5)], name).toEqual([1, 'FAILS']);
      bytes[at] = (bytes[at] as number) ^ 1;
      writeFileSync(file(name), bytes);
    }
    const kept = await run('vigil.js', ['verify', join(collector.dir, 'reports')]);
    expect([kept.code, kept.out]).toEqual([0, expect.stringContaining('holds')]);
    const folder2 = await run('vigil.js', ['verify', collector.dir]);
    expect([folder2.code, folder2.out]).toEqual([0, expect.stringContaining('signer known')]);
    const trail = await collector.vigil(['verify', join(collector.dir, 'audit')]);
    expect(trail.code).toBe(0);
  }, 60_000);

  it('refuses what is no week, a week to come, and formats that are not made yet', async () => {
    for (const [args, code] of [
      [['--week', '2099-W01'], 'WEEK_NOT_OVER'],
      [['--week', '2026-W99'], 'WEEK_MALFORMED'],
      [['--week', '../../etc'], 'WEEK_MALFORMED'],
      [['--format', 'pdf'], 'REPORT_FORMAT'],
      [['--format', 'docx'], 'USAGE'],
      [['--out', join(folder, 'no', 'such', 'folder.html')], 'FILE_UNWRITABLE'],
    ] as const) {
      const answer = await report(...args);
      expect([answer.code, answer.out, answer.err]).toEqual([2, '', expect.stringContaining(`vigil: ${code}: `)]);
    }
  }, 60_000);

  it('makes a week in which nothing was heard, and does not call it quiet', async () => {
    const { code, out } = await report('--week', '2025-W10', '--format', 'text');
    expect([code, out]).toEqual([0, expect.stringContaining('Nothing was heard this week, so nothing is known')]);
  });
});

describe.skipIf(missing !== null)('the report in a browser', () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await openBrowser();
  }, 30_000);
  afterAll(() => browser?.close());

  it.each([
    [1440, 'light'],
    [1440, 'dark'],
    [390, 'light'],
    [390, 'dark'],
  ] as const)(
    'asks for nothing, fits %i px and has no flaw that axe knows, %s',
    async (width, scheme) => {
      await report('--out', file('page.html'));
      const context = await openContext(browser, { width, scheme });
      const page = await context.newPage();
      const seen = watch(page, `file://${folder}`);
      await page.goto(`file://${file('page.html')}`);
      await page.getByRole('heading', { level: 1 }).waitFor();
      expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(width);
      const { violations } = await new AxeBuilder({ page }).analyze();
      expect(
        violations
          .filter(({ impact }) => impact !== 'minor')
          .map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 120)).join(' | ')}`),
      ).toEqual([]);
      expect(seen.complaints).toEqual([]);
      await context.close();
    },
    60_000,
  );

  it('is shown by the collector under its own content policy, and to nobody who is not signed in', async () => {
    const url = `${collector.console}/api/v1/reports/${week.name}`;
    const context = await openContext(browser, { width: 1440, scheme: 'light' });
    const page = await context.newPage();
    expect((await page.goto(url))?.status()).toBe(401);
    await consoleBuilt(collector);
    await page.goto(collector.console);
    const oneTime = await until('the one-time password', collector.password);
    await signIn(page, oneTime);
    await chooseOwn(page, oneTime);
    await page.getByRole('navigation').waitFor();
    const seen = watch(page, collector.console);
    await page.goto(url);
    await page.getByRole('heading', { level: 1 }).waitFor();
    await page.evaluate('document.fonts.ready.then(() => undefined)');
    expect(await page.evaluate(`document.fonts.check('16px "Vollkorn Variable"')`)).toBe(true);
    expect([seen.complaints, seen.refusals]).toEqual([[], []]);
    await context.close();
  }, 120_000);

  it('prints on A4 with its first page alone', async () => {
    await report('--out', file('page.html'));
    const page = await browser.newPage();
    await page.goto(`file://${file('page.html')}`);
    const pdf = await page.pdf({ preferCSSPageSize: true });
    const pages = pdf.toString('latin1').match(/\/Type\s*\/Page\b(?!s)/g) ?? [];
    expect(pages.length).toBeGreaterThanOrEqual(3);
    expect(pages.length).toBeLessThanOrEqual(8);
    await page.close();
  }, 60_000);
});
