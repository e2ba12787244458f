// SPDX-License-Identifier: Apache-2.0
/**
 * The console in a real Chromium against a real collector, under its real content policy: what a person does in the first ten minutes.
 * Input: a file that is tailed. Output: what the screens say; any error on the browser's console and any foreign request fails.
 */
import { appendFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { AxeBuilder } from '@axe-core/playwright';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  browserMissing,
  chooseOwn,
  consoleBuilt,
  OWN_PASSWORD,
  openBrowser,
  openContext,
  signIn,
  type Watch,
  watch,
} from '../support/browser.ts';
import { type Collector, failedLogin, removeDir, startCollector, tempDir, until } from '../support/vigil.ts';

const missing = browserMissing();
if (missing !== null) process.stderr.write(`Skipped: the console in a browser. ${missing}\n`);

const logs = tempDir();
const file = join(logs, 'auth.log');
let collector: Collector;
let browser: Browser;
let context: BrowserContext;
let page: Page;
let seen: Watch;

const WAIT = { timeout: 15_000 };

const visible = (text: string | RegExp) => page.getByText(text).first().waitFor(WAIT);

/** What axe finds above minor on the page as it stands; in the dark only what colours can change. */
const flaws = async (): Promise<readonly string[]> => {
  const found: string[] = [];
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    const axe = new AxeBuilder({ page });
    const { violations } = await (colorScheme === 'light' ? axe : axe.withRules(['color-contrast', 'link-in-text-block'])).analyze();
    for (const { id, impact, nodes } of violations)
      if (impact !== 'minor') found.push(`${colorScheme} ${id}: ${nodes.map(({ html }) => html.slice(0, 160)).join(' | ')}`);
  }
  await page.emulateMedia({ colorScheme: 'light' });
  return found;
};

const ask = async (query: string): Promise<void> => {
  await page.getByRole('combobox', { name: 'Query' }).fill(query);
  await page.getByRole('combobox', { name: 'Query' }).press('Enter');
};

describe.skipIf(missing !== null)('the console in a browser', () => {
  beforeAll(async () => {
    writeFileSync(file, '');
    [collector, browser] = await Promise.all([startCollector({ tail: [`${file}=syslog`] }), openBrowser()]);
    await consoleBuilt(collector);
    context = await openContext(browser, { width: 1440, scheme: 'light' });
    page = await context.newPage();
    seen = watch(page, collector.console);
    await page.goto(collector.console);
  }, 90_000);

  afterAll(async () => {
    await browser?.close();
    await collector?.stop();
    removeDir(logs);
    if (collector) removeDir(collector.dir);
  });

  it('says that a password is wrong and stays at the door', async () => {
    await page.getByRole('button', { name: 'Sign in' }).waitFor(WAIT);
    expect(await flaws()).toEqual([]);
    await signIn(page, 'not the password');
    await page.getByRole('alert').getByText('password is wrong').waitFor(WAIT);
    expect(await flaws()).toEqual([]);
    expect(seen.refusals).toEqual(['401 GET /api/v1/auth/me', '401 POST /api/v1/auth/login']);
  });

  it('lets the one-time password in and asks for an own one before anything else', async () => {
    const oneTime = await until('the one-time password', collector.password);
    await signIn(page, oneTime);
    await page.getByLabel('One-time password').waitFor(WAIT);
    expect(await flaws()).toEqual([]);
    expect(await page.getByRole('navigation').count()).toBe(0);
    await page.goto(`${collector.console}/search`);
    await page.getByLabel('One-time password').waitFor(WAIT);
    await chooseOwn(page, oneTime);
    await page.getByRole('navigation', { name: 'Main' }).waitFor(WAIT);
    await page.getByRole('link', { name: 'Overview', exact: true }).click();
  });

  it('shows the host and its source on the overview', async () => {
    await until('the source on the page', async () => (await page.getByRole('link', { name: file }).count()) === 1);
    await visible('1 of 1 report');
    await visible('No open incidents');
    expect(await page.locator('.sight').textContent()).toMatch(/Hosts\s+1 of 1\s+reporting/);
    expect(await page.title()).toBe('Overview · Vigil');
    expect(await flaws()).toEqual([]);
  });

  it('finds a line that was just written', async () => {
    appendFileSync(file, failedLogin('198.51.100.9', 'somebody'));
    await until('the line in the store', async () => (await collector.count('source.ip: 198.51.100.9')) === 1);
    await page.keyboard.press('/');
    await page.waitForURL(/\/search$/);
    await until('the focus in the query', () => page.getByRole('combobox', { name: 'Query' }).evaluate((field) => field.matches(':focus')));
    await ask('source.ip: 198.51.100.9');
    await page.getByRole('heading', { name: '1 event', exact: true }).waitFor(WAIT);
    await page.keyboard.press('Escape');
    await page.keyboard.press('j');
    const row = page.locator('button.result').first();
    await until('the focus on the row', () => row.evaluate((one) => one.matches(':focus')));
    await page.keyboard.press('Enter');
    const aside = page.getByRole('complementary', { name: 'Event' });
    await aside.waitFor(WAIT);
    expect(await aside.locator('.raw').textContent()).toContain('Failed password for somebody from 198.51.100.9 port 40022 ssh2');
    expect(await aside.locator('mark').first().textContent()).toBe('198.51.100.9');
    expect(await flaws()).toEqual([]);
    await aside.getByRole('button', { name: 'Leave out events where user.name is this' }).click();
    await page.getByRole('heading', { name: '0 events', exact: true }).waitFor(WAIT);
    expect(new URL(page.url()).searchParams.get('q')).toBe('source.ip: 198.51.100.9 and not user.name: "somebody"');
    await page.goBack();
    await page.getByRole('heading', { name: '1 event', exact: true }).waitFor(WAIT);
    await page.keyboard.press('Escape');
  });

  it('completes fields and values as they are typed', async () => {
    const bar = page.getByRole('combobox', { name: 'Query' });
    await bar.fill('');
    await bar.pressSequentially('user.nam');
    await page
      .getByRole('option', { name: /^user\.name/ })
      .first()
      .waitFor(WAIT);
    await bar.press('ArrowDown');
    await bar.press('Enter');
    await until('the field', async () => (await bar.inputValue()) === 'user.name');
    await bar.pressSequentially(': some');
    await page.getByRole('option', { name: 'somebody' }).waitFor(WAIT);
    expect(await flaws()).toEqual([]);
    await bar.press('ArrowDown');
    await bar.press('Tab');
    await until('the value', async () => (await bar.inputValue()) === 'user.name: somebody');
  });

  it('names the place where a query cannot be read', async () => {
    await ask('event.outcome: failure and and user.name: somebody');
    await page.getByRole('alert').getByText('cannot be read').waitFor(WAIT);
    expect(await page.locator('.kql .wrong').textContent()).toBe('and');
    await page.getByRole('button', { name: 'go there' }).click();
    const at = await page
      .getByRole('combobox', { name: 'Query' })
      .evaluate((field) => (field as { selectionStart?: number }).selectionStart);
    expect(at).toBe('event.outcome: failure and '.length);
    expect(await flaws()).toEqual([]);
    await ask('usr.name: somebody');
    await page.getByRole('button', { name: 'use user.name' }).click();
    await page.getByRole('heading', { name: '1 event', exact: true }).waitFor(WAIT);
  });

  it('shows markup in a line as text and runs nothing of it', async () => {
    const payload = '<img src=x onerror=alert(1)><script>alert(2)</script>"onmouseover="alert(3)';
    appendFileSync(file, failedLogin('198.51.100.66', payload));
    await until('the line in the store', async () => (await collector.count('source.ip: 198.51.100.66')) === 1);
    await ask('source.ip: 198.51.100.66');
    await page.getByRole('heading', { name: '1 event', exact: true }).waitFor(WAIT);
    await page.locator('button.result', { hasText: '198.51.100.66' }).click();
    expect(await page.locator('.raw').textContent()).toContain(payload);
    expect(await page.locator('main img, main script').count()).toBe(0);
    await page.goto(`${collector.console}/search?${new URLSearchParams({ q: payload })}`);
    await page.getByRole('combobox', { name: 'Query' }).waitFor(WAIT);
    expect(await page.locator('main img, main script').count()).toBe(0);
  });

  it('writes out a sign that would turn an address around', async () => {
    appendFileSync(file, failedLogin('198.51.100.67', 'evil\u202emoc'));
    await until('the line in the store', async () => (await collector.count('source.ip: 198.51.100.67')) === 1);
    await ask('source.ip: 198.51.100.67');
    await page.locator('button.result', { hasText: '198.51.100.67' }).click();
    await page.locator('.raw', { hasText: 'evil[U+202E]moc from 198.51.100.67' }).waitFor(WAIT);
    expect(await page.locator('main').textContent()).not.toContain('\u202e');
  });

  it('shares a search by a link that means the same tomorrow', async () => {
    await context.grantPermissions(['clipboard-read', 'clipboard-write']);
    await page.getByRole('button', { name: 'copy link with these times' }).click();
    await page.getByRole('button', { name: 'copied' }).waitFor(WAIT);
    const link = new URL(String(await page.evaluate('navigator.clipboard.readText()')));
    expect(link.searchParams.get('q')).toBe('source.ip: 198.51.100.67');
    expect(Date.parse(link.searchParams.get('to') ?? '') - Date.parse(link.searchParams.get('from') ?? '')).toBeGreaterThanOrEqual(
      86_400_000,
    );
    await page.goto(link.href);
    await page.getByRole('heading', { name: '1 event', exact: true }).waitFor(WAIT);
    await page.getByText('As a table').click();
    await page.getByRole('row').getByRole('button', { name: '1', exact: true }).click();
    await until('the smaller window', () => new URL(page.url()).searchParams.get('from') !== link.searchParams.get('from'));
    await page.getByRole('heading', { name: '1 event', exact: true }).waitFor(WAIT);
    const time = page.locator('button.result time').first();
    const utc = await time.textContent();
    await page.keyboard.press('z');
    await until('local time', async () => (await time.textContent()) !== utc);
    await page.keyboard.press('z');
  });

  it('leads from an incident down to its six raw lines', async () => {
    for (let i = 0; i < 6; i++) appendFileSync(file, failedLogin('203.0.113.77', 'root', new Date(), 5000 + i));
    await until('the incident', async () => (await collector.query('', ['--in', 'incidents'])).length > 0);
    await page.getByRole('link', { name: 'Overview', exact: true }).click();
    await page.getByRole('link', { name: 'INC-1' }).first().click(WAIT);
    await page.getByRole('heading', { name: /203\.0\.113\.77/ }).waitFor(WAIT);
    expect(await page.getByText(/Failed password for root from 203\.0\.113\.77/).count()).toBeGreaterThanOrEqual(6);
    expect(await flaws()).toEqual([]);
    await page.locator('.lines a').first().click();
    await page.getByRole('complementary', { name: 'Event' }).getByText('203.0.113.77').first().waitFor(WAIT);
  });

  it('keeps to what is measured in 300 kB of code and style at the first load', async () => {
    const emptyCache = await openContext(browser, { width: 1440, scheme: 'light' }, await context.storageState());
    const fresh = await emptyCache.newPage();
    const sizes = new Map<string, number>();
    fresh.on('requestfinished', async (request) => {
      const { pathname } = new URL(request.url());
      if (/\.(js|css)$/.test(pathname)) sizes.set(pathname, (await request.sizes()).responseBodySize);
    });
    await fresh.goto(collector.console);
    await fresh.getByRole('heading', { name: 'Open incidents' }).waitFor(WAIT);
    const bytes = await until('the sizes', () => sizes.size >= 3 && [...sizes.values()].reduce((sum, size) => sum + size, 0));
    await emptyCache.close();
    expect(bytes).toBeGreaterThan(10_000);
    expect(bytes).toBeLessThan(300_000);
  });

  it('ends the session when a person signs out', async () => {
    const cookies = await context.cookies();
    await page.getByRole('button', { name: /admin, admin/ }).click();
    await page.getByRole('menuitem', { name: 'Sign out' }).click();
    await page.getByRole('button', { name: 'Sign in' }).waitFor(WAIT);
    const old = cookies.map(({ name, value }) => `${name}=${value}`).join('; ');
    expect((await fetch(`${collector.console}/api/v1/auth/me`, { headers: { cookie: old } })).status).toBe(401);
    await page.goBack();
    await page.getByRole('button', { name: 'Sign in' }).waitFor(WAIT);
    await signIn(page, OWN_PASSWORD);
    await page.getByRole('navigation', { name: 'Main' }).waitFor(WAIT);
  });

  it('comes back to the door when the session ended elsewhere', async () => {
    const other = await context.newPage();
    await other.goto(collector.console);
    await other.getByRole('button', { name: /admin, admin/ }).click();
    await other.getByRole('menuitem', { name: 'Sign out' }).click();
    await other.getByRole('button', { name: 'Sign in' }).waitFor(WAIT);
    await other.close();
    await page.getByRole('button', { name: 'Sign in' }).waitFor(WAIT);
  });

  it('made no complaint on the way: no error, no exception, no request to elsewhere', () => {
    expect(seen.complaints).toEqual([]);
    expect(
      seen.refusals.filter(
        (one) => !/^401 GET \/api\/v1\/|^401 POST \/api\/v1\/auth\/login$|^400 GET \/api\/v1\/events\/(search|histogram)$/.test(one),
      ),
    ).toEqual([]);
  });
});
