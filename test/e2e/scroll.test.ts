// SPDX-License-Identifier: Apache-2.0
/**
 * A full console: 100,000 events and 500 alerts are scrolled from end to end, and no task of the page is long.
 * Input: a collector with a full day. Output: rows that came, and the longest tasks as the browser counts them.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { browserMissing, chooseOwn, consoleBuilt, openBrowser, openContext, signIn, type Watch, watch } from '../support/browser.ts';
import { FULL, linesOfAFullDay } from '../support/full.ts';
import { pace } from '../support/pace.ts';
import { type Collector, removeDir, startCollector, tempDir, until } from '../support/vigil.ts';

const missing = browserMissing();
if (missing !== null) process.stderr.write(`Skipped: a full console in a browser. ${missing}\n`);

const WAIT = { timeout: 20_000 };
const LONG_MS = Math.round(100 * pace());
const dir = tempDir();

let collector: Collector;
let browser: Browser;
let context: BrowserContext;
let page: Page;
let seen: Watch;

/** Tasks of the page that took longer than a tenth of a second since the last call. */
const longTasks = async (): Promise<readonly number[]> => {
  const found: readonly number[] = await page.evaluate('long.splice(0)');
  return found.filter((ms) => ms > LONG_MS);
};

describe.skipIf(missing !== null)('a full console', () => {
  beforeAll(async () => {
    [collector, browser] = await Promise.all([startCollector({ localAgent: false }), openBrowser()]);
    await consoleBuilt(collector);
    const file = join(dir, 'full.log');
    writeFileSync(file, `${linesOfAFullDay(Date.now() - 60_000).join('\n')}\n`);
    const { code, err } = await collector.vigil(['replay', file, '--dataset', 'syslog', '--host', 'bastion']);
    if (code !== 0) throw new Error(err);
    context = await openContext(browser, { width: 1440, scheme: 'light' });
    await context.addInitScript(`
      globalThis.long = [];
      new PerformanceObserver((list) => long.push(...list.getEntries().map((one) => one.duration))).observe({ type: 'longtask' });
    `);
    page = await context.newPage();
    seen = watch(page, collector.console);
    await page.goto(collector.console);
    const oneTime = await until('the one-time password', collector.password);
    await signIn(page, oneTime);
    await chooseOwn(page, oneTime);
    await page.getByRole('navigation', { name: 'Main' }).waitFor(WAIT);
    await until('the lines', async () => (await collector.count('host.name: bastion')) === FULL.lines || null, 60_000);
  }, 240_000);

  afterAll(async () => {
    await browser?.close();
    await collector?.stop();
    removeDir(dir);
    if (collector) removeDir(collector.dir);
  });

  it('scrolls 100,000 events to the oldest without a long task', { timeout: 300_000 }, async () => {
    await page.goto(`${collector.console}/search?${new URLSearchParams({ q: 'host.name: bastion', from: 'now-7d', to: 'now' })}`);
    const box = page.locator('section.results');
    await box.locator('button.result').first().waitFor(WAIT);
    await longTasks();
    const began = performance.now();
    let rows = 0;
    await until(
      'the oldest row',
      async () => {
        // As a hand on a scroll bar: to the end of what is there, again and again.
        rows = await box.evaluate((element) => {
          element.scrollTop = element.scrollHeight;
          return Number(element.querySelector('button.result:last-child')?.getAttribute('data-index') ?? 0) + 1;
        });
        return rows >= FULL.lines || null;
      },
      240_000,
    );
    const seconds = (performance.now() - began) / 1000;
    const long = await longTasks();
    process.stdout.write(`100,000 rows in ${seconds.toFixed(0)} s, tasks over ${LONG_MS} ms: ${JSON.stringify(long)}\n`);
    expect(rows).toBe(FULL.lines);
    // And back, through all of them, as a wheel does.
    for (let i = 0; i < 60; i++) await box.evaluate((element, part) => (element.scrollTop = (element.scrollHeight * part) / 60), 59 - i);
    await page.getByText('request', { exact: false }).first().waitFor(WAIT);
    expect([...long, ...(await longTasks())]).toEqual([]);
    expect(seen.complaints).toEqual([]);
  });

  it('lists 500 alerts, groups and counts them', { timeout: 120_000 }, async () => {
    await page.goto(`${collector.console}/alerts?${new URLSearchParams({ from: 'now-7d', to: 'now' })}`);
    await page.locator('.alert-row').first().waitFor(WAIT);
    const { total } = (await (await page.request.get(`${collector.console}/api/v1/alerts?from=now-7d&limit=1`)).json()) as {
      readonly total: number;
    };
    expect(total).toBeGreaterThanOrEqual(FULL.addresses);
    const { buckets } = (await (await page.request.get(`${collector.console}/api/v1/alerts/histogram?from=now-7d&buckets=7`)).json()) as {
      readonly buckets: readonly { readonly counts: Readonly<Record<string, number>> }[];
    };
    expect(buckets.flatMap(({ counts }) => Object.values(counts)).reduce((sum, count) => sum + count, 0)).toBe(total);
    await longTasks();
    for (let i = 0; i < 80; i++) await page.keyboard.press('j');
    await page.mouse.move(700, 600);
    for (let i = 0; i < 40; i++) await page.mouse.wheel(0, 600);
    expect(await longTasks()).toEqual([]);
    expect(seen.complaints).toEqual([]);
  });
});
