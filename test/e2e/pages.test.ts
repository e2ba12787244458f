// SPDX-License-Identifier: Apache-2.0
/**
 * Every page of the console: drawn without a complaint, without a flaw above minor in light and dark, within its weight; the frame's own acts.
 * Input: a collector with a host whose inventory and settings are read. Output: claims; a page that is added is covered by being in the table.
 */
import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { AxeBuilder } from '@axe-core/playwright';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { browserMissing, chooseOwn, consoleBuilt, openBrowser, openContext, signIn, type Watch, watch } from '../support/browser.ts';
import { pace } from '../support/pace.ts';
import { ROOT } from '../support/repository.ts';
import { type Collector, failedLogin, removeDir, startCollector, tempDir, until } from '../support/vigil.ts';

const missing = browserMissing();
if (missing !== null) process.stderr.write(`Skipped: every page in a browser. ${missing}\n`);

const WAIT = { timeout: 20_000 };
const logs = tempDir();
const file = join(logs, 'auth.log');
let collector: Collector;
let browser: Browser;
let context: BrowserContext;
let page: Page;
let seen: Watch;

/** The pages as the console's own table has them. */
const table = readFileSync(join(ROOT, 'dashboards', 'console', 'src', 'pages.tsx'), 'utf8');
const PATHS = [...table.matchAll(/\{ path: '([^']+)', name: '([^']+)'/g)].map(([, path = '', name = '']) => ({ path, name }));

const get = async <T>(path: string): Promise<T> => (await page.request.get(`${collector.console}${path}`)).json() as Promise<T>;

/** An address of a page with real ids in place of its parameters. */
const addressOf = async (path: string): Promise<string> => {
  const first = async (list: string): Promise<string> =>
    (await get<{ readonly items: readonly { readonly id: string }[] }>(list)).items[0]?.id ?? 'none';
  if (path.startsWith('/alerts/')) return `/alerts/${await first('/api/v1/alerts')}`;
  if (path.startsWith('/incidents/')) return `/incidents/${await first('/api/v1/incidents')}`;
  if (path.startsWith('/hosts/')) return `/hosts/${await first('/api/v1/fleet/hosts')}`;
  if (path.startsWith('/entities/')) return '/entities/ip/203.0.113.40';
  return path;
};

const settled = async (): Promise<void> => {
  await page.locator('main > *').first().waitFor(WAIT);
  await until('the page to be read', async () => (await page.locator('.skeleton, .waiting').count()) === 0 || null, 20_000);
};

const flaws = async (): Promise<readonly string[]> => {
  const found: string[] = [];
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    const axe = new AxeBuilder({ page });
    const { violations } = await (colorScheme === 'light' ? axe : axe.withRules(['color-contrast', 'link-in-text-block'])).analyze();
    for (const { id, impact, nodes } of violations)
      if (impact !== 'minor')
        found.push(
          `${colorScheme} ${id}: ${nodes
            .map(({ html }) => html.slice(0, 160))
            .slice(0, 3)
            .join(' | ')}`,
        );
  }
  await page.emulateMedia({ colorScheme: 'light' });
  return found;
};

describe.skipIf(missing !== null)('every page of the console', () => {
  beforeAll(async () => {
    writeFileSync(file, '');
    [collector, browser] = await Promise.all([startCollector({ tail: [`${file}=syslog`] }), openBrowser()]);
    await consoleBuilt(collector);
    for (let i = 0; i < 8; i++) appendFileSync(file, failedLogin('203.0.113.40', 'root', new Date(), 5_000 + i));
    context = await openContext(browser, { width: 1440, scheme: 'light' });
    page = await context.newPage();
    seen = watch(page, collector.console);
    await page.goto(collector.console);
    const oneTime = await until('the one-time password', collector.password);
    await signIn(page, oneTime);
    await chooseOwn(page, oneTime);
    await page.getByRole('navigation', { name: 'Main' }).waitFor(WAIT);
    await until('an incident', async () => (await get<{ readonly total: number }>('/api/v1/incidents')).total > 0 || null, 30_000);
  }, 120_000);

  afterAll(async () => {
    await browser?.close();
    await collector?.stop();
    removeDir(logs);
    if (collector) removeDir(collector.dir);
  });

  it('knows its pages', () => {
    expect(PATHS.length).toBeGreaterThan(15);
  });

  it.each(PATHS)('$name ($path) is drawn without a complaint or a flaw', { timeout: 60_000 }, async ({ path, name }) => {
    await page.goto(`${collector.console}${await addressOf(path)}`);
    await settled();
    expect(await page.title()).toBe(`${name} · Vigil`);
    expect(await page.getByText('could not be drawn').count()).toBe(0);
    expect(await flaws()).toEqual([]);
    expect(seen.complaints).toEqual([]);
    // On a phone nothing but what scrolls by itself is wider than the screen.
    await page.setViewportSize({ width: 390, height: 844 });
    const wide = await page.locator('body').evaluate((body) => body.ownerDocument.documentElement.scrollWidth);
    await page.setViewportSize({ width: 1440, height: 900 });
    expect(wide, 'width on a phone').toBeLessThanOrEqual(390);
  });

  it('draws the overview within a second from an empty cache', async () => {
    const times: number[] = [];
    for (let i = 0; i < 3; i++) {
      const fresh = await openContext(browser, { width: 1440, scheme: 'light' }, await context.storageState());
      const other = await fresh.newPage();
      const began = performance.now();
      await other.goto(collector.console);
      await other.getByRole('heading', { name: 'Open incidents' }).waitFor(WAIT);
      times.push(performance.now() - began);
      await fresh.close();
    }
    expect(Math.min(...times)).toBeLessThan(1_000 * pace());
  });

  it('goes anywhere by Ctrl K, and gives the focus back', async () => {
    await page.goto(`${collector.console}/hosts`);
    await settled();
    await page.keyboard.press('Control+k');
    const bar = page.getByRole('combobox', { name: /Page, host/ });
    await bar.waitFor(WAIT);
    expect(await flaws()).toEqual([]);
    await bar.fill('contr');
    await page.keyboard.press('Enter');
    await page.waitForURL(/\/controls$/);
    await page.keyboard.press('Control+k');
    await bar.fill('INC-1');
    await page.getByRole('option', { name: /INC-1/ }).first().waitFor(WAIT);
    await page.keyboard.press('Enter');
    await page.waitForURL(/\/incidents\/INC-1$/);
    await page.keyboard.press('Control+k');
    await bar.fill('root failed');
    await page.keyboard.press('Enter');
    await page.waitForURL(/\/search\?q=/);
    await page.keyboard.press('Control+k');
    await bar.waitFor(WAIT);
    await page.keyboard.press('Escape');
    await until('the dialog to be gone', async () => (await page.getByRole('dialog').count()) === 0 || null);
  });

  it('opens the menu of a value by keyboard and groups by a field', async () => {
    await page.goto(`${collector.console}/search?${new URLSearchParams({ q: 'source.ip: 203.0.113.40' })}`);
    await page.locator('button.result').first().waitFor(WAIT);
    await page.keyboard.press('j');
    await until('the focus on a row', async () => (await page.locator('button.result:focus').count()) === 1 || null);
    await page.keyboard.press('.');
    await page.getByRole('menu').waitFor(WAIT);
    expect(await flaws()).toEqual([]);
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('Escape');
    await until('the menu to be gone', async () => (await page.getByRole('menu').count()) === 0 || null);
    await page.keyboard.press('Enter');
    const aside = page.getByRole('complementary', { name: 'Event' });
    const field = aside.locator('.fields > div').filter({ has: page.getByText('source.ip', { exact: true }) });
    await field.locator('.value').click({ button: 'right' });
    await page.getByRole('menuitem', { name: /Group by source\.ip/ }).click();
    await page.getByText('By source.ip').waitFor(WAIT);
    await page.getByRole('button', { name: '203.0.113.40', exact: true }).click();
    await page.locator('button.result').first().waitFor(WAIT);
    expect(new URL(page.url()).searchParams.get('by')).toBeNull();
  });

  it('shows times of a host in its own zone, and rows as high as a person wants', async () => {
    await page.keyboard.press('Escape');
    await page.keyboard.press('Escape');
    for (const [key, attribute] of [
      ['d', 'relaxed'],
      ['d', 'compact'],
      ['d', 'standard'],
    ] as const) {
      await page.keyboard.press(key);
      expect(await page.locator('html').getAttribute('data-density')).toBe(attribute);
    }
    await page.getByLabel('Host', { exact: true }).check({ force: true });
    expect(await page.locator('button.result time').first().textContent()).toMatch(/\d\d:\d\d:\d\d/);
    await page.getByLabel('UTC', { exact: true }).check({ force: true });
  });

  it('made no request to elsewhere on the way', () => {
    expect(seen.complaints).toEqual([]);
  });
});
