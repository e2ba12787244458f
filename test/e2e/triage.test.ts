// SPDX-License-Identifier: Apache-2.0
/**
 * Triage in a real Chromium against a real collector: from the sign-in to a closed alert by keyboard alone, two people on one incident, what an auditor sees.
 * Input: brute force in a file that is tailed. Output: what the screens and the API say.
 */
import { appendFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { AxeBuilder } from '@axe-core/playwright';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  anotherPerson,
  browserMissing,
  consoleBuilt,
  OWN_PASSWORD,
  openBrowser,
  openContext,
  type Person,
  type Watch,
  watch,
} from '../support/browser.ts';
import { pace } from '../support/pace.ts';
import { type Collector, failedLogin, removeDir, startCollector, tempDir, until } from '../support/vigil.ts';

const missing = browserMissing();
if (missing !== null) process.stderr.write(`Skipped: triage in a browser. ${missing}\n`);

const WAIT = { timeout: 15_000 };
const logs = tempDir();
const file = join(logs, 'auth.log');
let collector: Collector;
let browser: Browser;
let context: BrowserContext;
let page: Page;
let seen: Watch;

const json = async <T>(of: Page, path: string): Promise<T> => (await of.request.get(`${collector.console}${path}`)).json() as Promise<T>;
interface AlertSeen {
  readonly id: string;
  readonly title: string;
  readonly state: string;
  readonly verdict?: string;
  readonly reason?: string;
  readonly assignee?: string;
  readonly incident?: string;
}
const alertsNow = async (query = ''): Promise<readonly AlertSeen[]> =>
  (await json<{ readonly items: readonly AlertSeen[] }>(page, `/api/v1/alerts?${new URLSearchParams({ query })}`)).items;

const bruteForce = (address: string): void => {
  for (let i = 0; i < 8; i++) appendFileSync(file, failedLogin(address, 'root', new Date(), 5_000 + i));
};
const isFocused = async (of: Page, selector: string): Promise<boolean> => (await of.locator(`:is(${selector}):focus`).count()) > 0;

const flaws = async (of: Page): Promise<readonly string[]> => {
  const { violations } = await new AxeBuilder({ page: of }).analyze();
  return violations
    .filter(({ impact }) => impact !== 'minor')
    .map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 140)).join(' | ')}`);
};

const secondPerson = (name: string, role: string): Promise<Person> => anotherPerson(browser, page, collector, name, role);

describe.skipIf(missing !== null)('triage in a browser', () => {
  beforeAll(async () => {
    writeFileSync(file, '');
    [collector, browser] = await Promise.all([startCollector({ tail: [`${file}=syslog`] }), openBrowser()]);
    await consoleBuilt(collector);
    bruteForce('203.0.113.40');
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

  it('goes from the sign-in to a closed alert by keyboard alone', { timeout: 90_000 }, async () => {
    const oneTime = await until('the one-time password', collector.password);
    const { keyboard } = page;
    /** Presses Tab until what has the focus is what is meant. */
    const tabTo = async (css: string): Promise<void> => {
      for (let i = 0; i < 40; i++) {
        if (await isFocused(page, css)) return;
        await keyboard.press('Tab');
      }
      throw new Error(`the focus does not come to ${css}`);
    };
    await page.getByLabel('Name').waitFor(WAIT);
    await tabTo('input[autocomplete="username"]');
    await keyboard.type('admin');
    await keyboard.press('Tab');
    await keyboard.type(oneTime);
    await keyboard.press('Enter');
    await page.getByLabel('One-time password').waitFor(WAIT);
    await tabTo('input[type="password"]');
    for (const text of [oneTime, OWN_PASSWORD, OWN_PASSWORD]) {
      await keyboard.type(text);
      await tabOn(page);
    }
    await page.getByRole('button', { name: 'Change password' }).focus();
    await keyboard.press('Enter');
    await page.getByRole('navigation', { name: 'Main' }).waitFor(WAIT);
    await until('the alerts', async () => (await alertsNow('title: "Brute force against logins"')).length > 0, 30_000);
    await keyboard.press('g');
    await keyboard.press('a');
    await page.waitForURL(/\/alerts$/);
    await page.locator('button.cells').first().waitFor(WAIT);
    expect(await flaws(page)).toEqual([]);
    await keyboard.press('j');
    await until('the focus on a row', () => isFocused(page, 'button.cells'));
    await keyboard.press('Enter');
    const aside = page.getByRole('complementary', { name: 'Alert' });
    await aside.waitFor(WAIT);
    expect(await flaws(page)).toEqual([]);
    const title = await aside.locator('h2').textContent();
    await keyboard.press('a');
    await page.getByRole('status').getByText('is yours').waitFor(WAIT);
    await keyboard.press('e');
    await page.getByRole('dialog').waitFor(WAIT);
    expect(await flaws(page)).toEqual([]);
    // Arrows choose among radio buttons: the third is benign.
    for (const key of ['Space', 'ArrowDown', 'ArrowDown', 'Tab']) await keyboard.press(key);
    await keyboard.type('our own scanner');
    await keyboard.press('Control+Enter');
    await page.getByRole('status').getByText('Closed').waitFor(WAIT);
    const [closed] = await alertsNow('state: closed');
    expect(closed).toMatchObject({ title, state: 'closed', verdict: 'benign', reason: 'our own scanner' });
    expect(closed?.assignee).toMatch(/^usr_/);
    await until('the row to say so', async () => (await page.locator('.alert-row.open').textContent())?.includes('Benign') || null);

    await keyboard.press('u');
    await page.getByRole('status').getByText('Undone.').waitFor(WAIT);
    expect(await alertsNow('state: closed')).toEqual([]);
  });

  it('comments, opens again, declares an incident and puts alerts into it', { timeout: 60_000 }, async () => {
    await page.goto(`${collector.console}/alerts`);
    const rows = page.locator('button.cells');
    await rows.first().waitFor(WAIT);
    const free = (await alertsNow('not incident: *'))[0];
    const one = free ?? (await alertsNow())[0];
    await page.goto(`${collector.console}/alerts/${one?.id}`);
    await page.getByText('Lines it rests on').waitFor(WAIT);
    expect(await flaws(page)).toEqual([]);
    await page.keyboard.press('n');
    await page.keyboard.type('Asked the owner of the host');
    await page.keyboard.press('Control+Enter');
    await page.locator('.timeline').getByText('Asked the owner of the host').waitFor(WAIT);
    await page.getByRole('button', { name: /^Close/ }).click();
    await page.getByLabel('False positive').check();
    await page.getByRole('button', { name: 'Close as false positive' }).click();
    await page.locator('.chip').getByText('Closed').waitFor(WAIT);
    await page.getByRole('button', { name: 'Open again…' }).click();
    await page.getByRole('textbox', { name: 'Why', exact: true }).fill('It came back');
    await page.getByRole('button', { name: 'Open again', exact: true }).click();
    await page.locator('.chip').getByText('New').waitFor(WAIT);
    await page.locator('.timeline').getByText('It came back').waitFor(WAIT);

    const made = await page.request.post(`${collector.console}/api/v1/incidents`, {
      data: { title: 'Two doors, one hand', reason: 'The same tool', alerts: [one?.id] },
      headers: { origin: collector.console },
    });
    expect(made.status()).toBe(201);
    const declared = (await made.json()) as { readonly reference: string; readonly state: string };
    expect(declared.state).toBe('triaged');
    await page.goto(`${collector.console}/incidents/${declared.reference}`);
    await page.getByRole('heading', { name: 'Two doors, one hand' }).waitFor(WAIT);
    await page.getByText('The same tool').waitFor(WAIT);
    expect(await flaws(page)).toEqual([]);
    bruteForce('198.51.100.88');
    const others = await until('another alert', async () => {
      const rest = (await alertsNow()).filter(({ id }) => id !== one?.id);
      return rest.length > 0 ? rest : null;
    });
    await page.goto(`${collector.console}/alerts/${others[0]?.id}`);
    await page.getByRole('button', { name: /^To incident/ }).click();
    await page.getByLabel('Two doors, one hand').check();
    await page.getByRole('button', { name: 'Put in' }).click();
    await page.getByRole('status').getByText(`is part of ${declared.reference}`).waitFor(WAIT);
    await page.goto(`${collector.console}/incidents`);
    await page.getByText('Two doors, one hand').waitFor(WAIT);
    expect(await flaws(page)).toEqual([]);
  });

  it('lets two people work on one incident: each sees the other within 2 s, and neither overwrites the other', {
    timeout: 90_000,
  }, async () => {
    const tomas = await secondPerson('tomas', 'analyst');
    const { items } = await json<{ readonly items: readonly { readonly reference: string }[] }>(
      page,
      '/api/v1/incidents?query=state%3A%20triaged',
    );
    const reference = items[0]?.reference ?? '';
    for (const each of [page, tomas.page]) {
      await each.goto(`${collector.console}/incidents/${reference}`);
      await each.locator('.timeline').waitFor(WAIT);
      // The stream of changes is open once the page is quiet.
      await each.locator('.buttons').waitFor(WAIT);
    }
    // He has the dialog open and text in it while she moves the incident on.
    await tomas.page.getByRole('button', { name: /^Close/ }).click();
    await tomas.page.getByLabel('Benign').check();
    await tomas.page.getByRole('textbox', { name: 'Why', exact: true }).fill('A test of the night shift');
    const began = Date.now();
    await page.getByRole('button', { name: 'Mark contained' }).click();
    await until('his page to show it', async () => (await tomas.page.locator('.chip').textContent()) === 'Contained', 10_000);
    expect(Date.now() - began).toBeLessThan(2_000 * pace());
    await tomas.page.getByRole('button', { name: 'Close as benign' }).click();
    await tomas.page.locator('.chip').getByText('Closed').waitFor(WAIT);
    await until('her page to show it', async () => (await page.locator('.chip').textContent()) === 'Closed', 10_000);

    // Without the stream he is late, is told so, and keeps what he wrote.
    await tomas.page.route('**/api/v1/changes**', (route) => route.abort());
    await tomas.page.reload();
    await tomas.page.locator('.timeline').waitFor(WAIT);
    await tomas.page.getByRole('button', { name: 'Open again…' }).click();
    await tomas.page.getByRole('textbox', { name: 'Why', exact: true }).fill('The night shift says no');
    await page.getByRole('button', { name: 'Assign to me' }).click();
    await page.getByRole('status').getByText('is yours').waitFor(WAIT);
    await tomas.page.getByRole('button', { name: 'Open again', exact: true }).click();
    await tomas.page.getByText(/changed INC-\d+/).waitFor(WAIT);
    expect(await tomas.page.getByRole('textbox', { name: 'Why', exact: true }).inputValue()).toBe('The night shift says no');
    await tomas.page.getByRole('button', { name: 'Open again', exact: true }).click();
    await tomas.page.locator('.chip').getByText('Triaged').waitFor(WAIT);
    const after = await json<{ readonly owner?: string; readonly state: string }>(page, `/api/v1/incidents/${reference}`);
    expect(after.state).toBe('triaged');
    expect(after.owner, 'and what she did stands').toMatch(/^usr_/);
    await tomas.context.close();
  });

  it('shows an auditor everything and no act', { timeout: 60_000 }, async () => {
    const auditor = await secondPerson('vera', 'auditor');
    await auditor.page.goto(`${collector.console}/alerts`);
    await auditor.page.locator('button.cells').first().click();
    await auditor.page.getByRole('complementary', { name: 'Alert' }).waitFor(WAIT);
    expect(await auditor.page.locator('.buttons').count()).toBe(0);
    const [one] = await alertsNow();
    const refused = await auditor.page.request.patch(`${collector.console}/api/v1/alerts/${one?.id}`, {
      data: { state: 'acknowledged' },
      headers: { origin: collector.console, 'if-match': '"0"' },
    });
    expect([refused.status(), ((await refused.json()) as { readonly code: string }).code]).toEqual([403, 'NOT_PERMITTED']);
    await auditor.context.close();
  });

  it('complained of nothing', () => {
    expect(seen.complaints).toEqual([]);
  });
});

/** The next field of a form. */
const tabOn = async (of: Page): Promise<void> => {
  await of.keyboard.press('Tab');
  // A password field may have a button beside it.
  if (await isFocused(of, 'button[type="button"]')) await of.keyboard.press('Tab');
};
