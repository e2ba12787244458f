// SPDX-License-Identifier: Apache-2.0
/**
 * The acts of an admin and the proofs of an auditor in a real Chromium: tokens, users, roles, hosts, reports, controls, and what the trail keeps of them.
 * Input: a collector with this host. Output: what the screens, the API and the audit trail say afterwards.
 */
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  browserMissing,
  chooseOwn,
  consoleBuilt,
  openBrowser,
  openContext,
  signIn,
  signInElsewhere,
  type Watch,
  watch,
} from '../support/browser.ts';
import { pace } from '../support/pace.ts';
import { type Collector, removeDir, startCollector, until } from '../support/vigil.ts';

const missing = browserMissing();
if (missing !== null) process.stderr.write(`Skipped: acts of an admin in a browser. ${missing}\n`);

const WAIT = { timeout: 20_000 };
let collector: Collector;
let browser: Browser;
let page: Page;
let seen: Watch;

interface Entry {
  readonly act: string;
  readonly on: string;
  readonly phase: string;
  readonly actor: { readonly name: string };
  readonly details?: Readonly<Record<string, unknown>>;
}
const get = async <T>(path: string): Promise<T> => (await page.request.get(`${collector.console}${path}`)).json() as Promise<T>;
const trail = async (act: string): Promise<readonly Entry[]> =>
  (await get<{ readonly items: readonly Entry[] }>('/api/v1/auth/audit?limit=200')).items.filter((one) => one.act === act);
const visit = async (of: Page, path: string): Promise<void> => {
  await of.goto(`${collector.console}${path}`);
  await of.locator('main > *').first().waitFor(WAIT);
  await until('the page to be read', async () => (await of.locator('.skeleton, .waiting').count()) === 0 || null, 20_000);
};
const button = (name: string | RegExp) => page.getByRole('button', { name });
const inDialog = (name: string | RegExp) => page.getByRole('dialog').getByRole('button', { name });

describe.skipIf(missing !== null)('acts of an admin in a browser', () => {
  beforeAll(async () => {
    [collector, browser] = await Promise.all([startCollector({ args: ['--public-url', 'https://vigil.example:7443'] }), openBrowser()]);
    await consoleBuilt(collector);
    page = await (await openContext(browser, { width: 1440, scheme: 'light' })).newPage();
    seen = watch(page, collector.console);
    await page.goto(collector.console);
    const oneTime = await until('the one-time password', collector.password);
    await signIn(page, oneTime);
    await chooseOwn(page, oneTime);
    await page.getByRole('navigation', { name: 'Main' }).waitFor(WAIT);
    await until(
      'answers of this host',
      async () => (await get<{ readonly items: readonly unknown[] }>('/api/v1/facts/observations?limit=5')).items.length > 0 || null,
      60_000,
    );
  }, 120_000);

  afterAll(async () => {
    await browser?.close();
    await collector?.stop();
    if (collector) removeDir(collector.dir);
  });

  it('makes a token for two hosts, shows its line once, and revokes it', { timeout: 60_000 }, async () => {
    await visit(page, '/agents');
    await button('Make a token…').click();
    await page.getByLabel('How many hosts may use it').fill('2');
    await page.getByLabel(/^Group of the hosts/).fill('web');
    await inDialog('Make a token for 2 hosts').click();
    const once = page.locator('.once');
    await once.waitFor(WAIT);
    expect(await once.textContent()).toMatch(/curl|wget/);
    await once.getByRole('button', { name: 'put it away' }).click();
    expect(await once.count()).toBe(0);
    const row = page.getByRole('row').filter({ hasText: 'web' });
    expect(await row.textContent()).toContain('0 of 2');
    await row.getByRole('button', { name: /revoke/i }).click();
    await until('the token to end', async () => (await row.textContent())?.includes('Revoked') || null);
    for (const act of ['agent.token.create', 'agent.token.revoke'])
      expect(
        (await trail(act)).find(({ actor, phase }) => actor.name === 'admin' && phase === 'done'),
        act,
      ).toBeDefined();
  });

  it('adds a user, whose one-time password works once, and whose role changes while they look', { timeout: 90_000 }, async () => {
    await visit(page, '/users');
    await button('Add a user…').click();
    await page.getByLabel('Name', { exact: true }).fill('paula');
    await inDialog('Add paula').click();
    const once = page.locator('.once');
    await once.waitFor(WAIT);
    const password = (await once.locator('.raw').textContent())?.trim() ?? '';
    const paula = await signInElsewhere(browser, collector.console, 'paula', password);
    const asPaula = { data: {}, headers: { origin: collector.console } };
    // What the role may not is not offered, and is refused where it is asked for by hand.
    expect(await paula.page.getByRole('link', { name: 'Users and roles' }).count()).toBe(0);
    await visit(paula.page, '/agents');
    expect(await paula.page.getByRole('button', { name: /Make a token|retire|revoke/ }).count()).toBe(0);
    expect((await paula.page.request.post(`${collector.console}/api/v1/fleet/tokens`, asPaula)).status()).toBe(403);
    await visit(page, '/users');
    await page.getByLabel('Role of paula').selectOption('auditor');
    const me = async (): Promise<number> => (await paula.page.request.get(`${collector.console}/api/v1/auth/me`)).status();
    await until('the session to end', async () => (await me()) === 401 || null, 5_000 * pace());
    expect((await trail('request')).filter(({ actor }) => actor.name === 'paula')).toMatchObject([
      { phase: 'refused', on: '/api/v1/fleet/tokens', details: { code: 'NOT_PERMITTED', permission: 'fleet.write' } },
    ]);
    await paula.context.close();
  });

  it('makes the report of last week, and shows it without running anything of it', { timeout: 90_000 }, async () => {
    await visit(page, '/reports');
    await button(/Make last week/).click();
    await page.frameLocator('iframe').locator('h1').first().waitFor({ timeout: 60_000 });
    expect(await page.locator('iframe').getAttribute('sandbox')).toBe('');
    const json = await page.getByRole('link', { name: 'json' }).first().getAttribute('href');
    expect((await page.request.get(`${collector.console}${json}`)).status()).toBe(200);
    const elsewhere = await page.request.get(`${collector.console}${json?.replace('json', 'html')}`);
    expect(elsewhere.headers()).toMatchObject({
      'x-frame-options': 'SAMEORIGIN',
      'content-security-policy': expect.stringContaining("frame-ancestors 'self'"),
    });
  });

  it('leads from a control to the answer of a check and to the record it rests on', { timeout: 120_000 }, async () => {
    // Passwords are read by every agent, and some setting of them is open on a machine as it comes.
    const control = 'PR.AA-01';
    interface Answered {
      readonly checks?: readonly { readonly answers: readonly { readonly line?: unknown }[] }[];
    }
    await until(
      'answers that rest on lines',
      async () => {
        const { checks } = await get<Answered>(`/api/v1/controls/${control}/explain`);
        return checks?.some(({ answers }) => answers.some(({ line }) => line !== undefined)) || null;
      },
      60_000,
    );
    await visit(page, `/controls?control=${control}`);
    await page.getByText('how we know').waitFor(WAIT);
    await page.getByRole('link', { name: 'the line it was read from' }).first().click();
    await page.locator('aside .raw').waitFor(WAIT);
    expect(await page.locator('aside .raw').textContent()).toContain('"kind":"observation"');
  });

  it('says how much a host matters, and retires it with its agent and the reason', { timeout: 60_000 }, async () => {
    const { items } = await get<{ readonly items: readonly { readonly id: string; readonly name: string }[] }>('/api/v1/fleet/hosts');
    await visit(page, `/hosts/${items[0]?.id}`);
    await page.getByLabel('How much it matters').selectOption('critical');
    await page.getByLabel('Why').fill('everybody signs in through it');
    await inDialog('Set to critical').click();
    await page.getByText('Matters: critical', { exact: true }).waitFor(WAIT);
    await button('Retire…').click();
    expect(await inDialog('Retire it').isDisabled()).toBe(true);
    await page.getByLabel('Why').fill('replaced by another');
    await inDialog('Retire it').click();
    await page.getByText('“replaced by another”').waitFor(WAIT);
    expect(await button('Retire…').count()).toBe(0);
    expect((await trail('host.criticality')).find(({ phase }) => phase === 'done')).toBeDefined();
    expect((await trail('agent.retire')).find(({ phase }) => phase === 'intent')).toMatchObject({
      actor: { name: 'admin' },
      details: { reason: 'replaced by another' },
    });
  });

  it('shows each of these acts, newest first, to who may read the trail', async () => {
    await visit(page, '/activity');
    const text = (await page.locator('main').textContent()) ?? '';
    for (const word of ['paula', 'admin']) expect(text).toContain(word);
    expect(seen.complaints).toEqual([]);
  });
});
