// SPDX-License-Identifier: Apache-2.0
/**
 * 120 texts that want to be run, in log lines, names of people, files and packages, and notes, seen through the real pages: shown as text, nothing runs.
 * Input: a collector with lines, facts and notes that hold them. Output: what ran (nothing), what the content policy reported (nothing), what is read.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type FactKind, factText } from '../../core/fact.ts';
import { unixMs } from '../../core/units.ts';
import { shown } from '../../dashboards/console/src/part/shown.ts';
import { PAYLOADS } from '../fixtures/payloads.ts';
import { browserMissing, chooseOwn, consoleBuilt, openBrowser, openContext, signIn, type Watch, watch } from '../support/browser.ts';
import { type Collector, failedLogin, removeDir, startCollector, tempDir, until } from '../support/vigil.ts';

const missing = browserMissing();
if (missing !== null) process.stderr.write(`Skipped: payloads in a browser. ${missing}\n`);

const WAIT = { timeout: 20_000 };
const dir = tempDir();
/** `p007 ` before each, so that each is found by itself. */
const tagged = PAYLOADS.map((text, at) => `p${String(at).padStart(3, '0')} ${text}`);
const plain = (text: string): string => text.replace(/\s+/g, ' ').trim();

let collector: Collector;
let browser: Browser;
let context: BrowserContext;
let page: Page;
let seen: Watch;

const get = async <T>(path: string): Promise<T> => (await page.request.get(`${collector.console}${path}`)).json() as Promise<T>;
const post = async (path: string, data: unknown): Promise<number> =>
  (await page.request.post(`${collector.console}${path}`, { data, headers: { origin: collector.console } })).status();

const replay = async (name: string, dataset: string, host: string, lines: readonly string[]): Promise<void> => {
  const file = join(dir, name);
  writeFileSync(file, `${lines.join('\n')}\n`);
  const { code, err } = await collector.vigil(['replay', file, '--dataset', dataset, '--host', host, '--json']);
  if (code !== 0) throw new Error(err);
};

/** Elements and attributes that only a payload brings. */
const BROUGHT = [
  ...[
    'script',
    'iframe',
    'object',
    'embed',
    'applet',
    'base',
    'meta',
    'link',
    'style',
    'marquee',
    'math',
    'video',
    'audio',
    'img',
    'image',
  ],
  ...['template', 'foreignObject', 'animate', 'set', 'use', 'isindex', 'keygen', '[contenteditable]', '[srcdoc]', '[formaction]'],
  ...['onerror', 'onload', 'onclick', 'onfocus', 'onmouseover', 'ontoggle', 'onstart', 'onbegin', 'onclose'].map((name) => `[${name}]`),
  ...['href', 'src', 'action', 'data'].map(
    (name) => `[${name}^="javascript" i], [${name}^="//" i], [${name}*="://evil" i], [${name}^="data:text" i]`,
  ),
].join(', ');

/** What ran, what the policy stopped, what stands in the page that no page of ours draws, and what was asked of others. */
const harm = async (): Promise<readonly string[]> => {
  for (let i = 0; i < 12; i++) await page.keyboard.press('Tab');
  const found: { readonly ran: readonly string[]; readonly stands: readonly string[] } = await page.evaluate(`({
    ran,
    stands: [...document.querySelectorAll('body *')]
      .filter((one) => one.matches(${JSON.stringify(BROUGHT)}) && !one.matches('body > script, style[data-mantine-styles]'))
      .map((one) => one.outerHTML.slice(0, 120)),
  })`);
  return [...found.ran, ...found.stands, ...seen.complaints];
};

const text = async (selector: string): Promise<string> => plain((await page.locator(selector).allTextContents()).join('\n'));
/** Those whose text does not stand there as the console shows text of others; a line with NUL is kept with its odd bytes written out. */
const unread = (body: string, texts: readonly string[]): readonly string[] =>
  texts.filter((one) => !one.split('\0').every((piece) => body.includes(plain(shown(piece)))));

const visit = async (path: string): Promise<void> => {
  await page.goto(`${collector.console}${path}`);
  await page.locator('main > *').first().waitFor(WAIT);
  await until('the page to be read', async () => (await page.locator('.skeleton, .waiting').count()) === 0 || null, 20_000);
};

interface Items<T> {
  readonly items: readonly T[];
}
const id = async (list: string): Promise<string> => (await get<Items<{ readonly id: string }>>(list)).items[0]?.id ?? 'none';

describe.skipIf(missing !== null)('texts that want to be run', () => {
  beforeAll(async () => {
    [collector, browser] = await Promise.all([startCollector({ localAgent: false }), openBrowser()]);
    await consoleBuilt(collector);
    const now = Date.now() - 60_000;
    await replay(
      'app',
      'syslog',
      'web-1',
      tagged.map((one) => `${failedLogin('198.51.100.1').slice(0, 16)}web-1 app[7]: ${one}`),
    );
    // Each person is tried often enough for an alert with the name in it.
    const people = tagged.flatMap((one, at) =>
      Array.from({ length: at < 30 ? 6 : 1 }, (_, i) => failedLogin(`203.0.113.${at}`, one, new Date(now + i * 500), 5_000 + at).trimEnd()),
    );
    await replay('auth', 'syslog', 'web-1', people);
    const fact = (kind: FactKind, item: string, fields: Readonly<Record<string, string | number | boolean>>): string[] =>
      (['baseline', 'changed'] as const).map((change, at) =>
        factText({ kind, item, change, at: unixMs(now + at * 10_000), fields: { ...fields, n: at }, ...(at ? { was: { n: 0 } } : {}) }),
      );
    await replay('inventory', 'inventory', 'web-1', [
      ...tagged.flatMap((one) => fact('user', one, { name: one, uid: 1, shell: '/bin/sh', comment: one, password: 'set', admin: true })),
      ...tagged.flatMap((one) => fact('package', `dpkg:${one}:all`, { manager: 'dpkg', name: one, version: one, arch: 'all' })),
    ]);
    await replay(
      'files',
      'fim',
      'web-1',
      tagged.flatMap((one) => fact('file', `/srv/${one}`, { path: `/srv/${one}`, type: 'file', owner: one })),
    );

    context = await openContext(browser, { width: 1440, scheme: 'light' });
    await context.addInitScript(`
      globalThis.ran = [];
      globalThis.boom = () => ran.push('boom');
      document.addEventListener('securitypolicyviolation', (at) => ran.push('policy: ' + at.violatedDirective + ' ' + at.blockedURI));
    `);
    page = await context.newPage();
    seen = watch(page, collector.console);
    await page.goto(collector.console);
    const oneTime = await until('the one-time password', collector.password);
    await signIn(page, oneTime);
    await chooseOwn(page, oneTime);
    await page.getByRole('navigation', { name: 'Main' }).waitFor(WAIT);
  }, 180_000);

  afterAll(async () => {
    await browser?.close();
    await collector?.stop();
    removeDir(dir);
    if (collector) removeDir(collector.dir);
  });

  it('would be seen if one ran', async () => {
    expect(PAYLOADS.length).toBe(120);
    await page.evaluate('boom()');
    expect(await harm()).toContain('boom');
    await page.evaluate(`document.querySelector('main').append(document.createElement('video'))`);
    expect((await harm()).some((one) => one.startsWith('<video'))).toBe(true);
    await expect(page.evaluate(`document.querySelector('main').setAttribute('onclick', 'boom()')`)).rejects.toThrow(/TrustedScript/);
    await expect(page.evaluate(`document.querySelector('main').innerHTML = '<b>'`)).rejects.toThrow(/TrustedHTML/);
    expect((await harm()).some((one) => one.startsWith('policy: require-trusted-types-for'))).toBe(true);
    seen.complaints.length = 0;
  });

  it('are read in each event of a search', { timeout: 240_000 }, async () => {
    const { items: events } = (await (
      await page.request.post(`${collector.console}/api/v1/events/search`, {
        data: { query: 'process.name: app', from: 'now-1d', to: 'now+1d', limit: 500 },
        headers: { origin: collector.console },
      })
    ).json()) as { readonly items: readonly Readonly<Record<string, string>>[] };
    expect(events.length).toBe(120);
    const wrong: string[] = [];
    for (const event of events) {
      const window = { from: new Date(Date.now() - 86_400_000).toISOString(), to: new Date(Date.now() + 3_600_000).toISOString() };
      await visit(`/search?${new URLSearchParams({ q: `event.id: "${event['event.id']}"`, ...window, event: String(event['event.id']) })}`);
      await page.locator('aside .raw').waitFor(WAIT);
      const tag = /p\d{3} /.exec(String(event['event.original']))?.[0] ?? '?';
      wrong.push(
        ...unread(
          await text('aside .raw'),
          tagged.filter((one) => one.startsWith(tag)),
        ),
      );
      wrong.push(...(await harm()).map((one) => `${tag} ${one}`));
    }
    expect(wrong).toEqual([]);
  });

  it('are read in the rows of a search, and as a query', { timeout: 120_000 }, async () => {
    await visit('/search?q=process.name%3A%20app&window=24h');
    await page.locator('button.result').first().waitFor(WAIT);
    expect(await harm()).toEqual([]);
    for (const one of tagged) {
      await page.getByRole('combobox', { name: 'Query' }).fill(one);
      await page.keyboard.press('Escape');
      await page.keyboard.press('Enter');
    }
    await visit(`/search?${new URLSearchParams({ q: tagged[0] ?? '' })}`);
    expect(await harm()).toEqual([]);
  });

  it('are read in alerts, their page and their incident', { timeout: 120_000 }, async () => {
    const alerts = await get<Items<{ readonly id: string; readonly title: string }>>('/api/v1/alerts?limit=200');
    expect(alerts.items.length).toBeGreaterThan(10);
    await visit('/alerts');
    expect(await harm()).toEqual([]);
    for (const alert of alerts.items.slice(0, 30)) {
      await visit(`/alerts/${alert.id}`);
      expect(await harm()).toEqual([]);
    }
    await visit('/incidents');
    expect(await harm()).toEqual([]);
    await visit('/');
    expect(await harm()).toEqual([]);
  });

  it('are read as notes on an incident and as the title of one', { timeout: 120_000 }, async () => {
    const incident = await id('/api/v1/incidents');
    const said = tagged.map((one) => one.trim());
    for (const one of tagged) expect(await post(`/api/v1/incidents/${incident}/comments`, { text: one }), one).toBe(201);
    await visit(`/incidents/${incident}`);
    await until('all notes', async () => unread(await text('main'), said).length === 0 || null, 20_000).catch(() => {
      // What is missing is named below.
    });
    expect(unread(await text('main'), said)).toEqual([]);
    expect(await harm()).toEqual([]);
    for (const one of tagged.slice(0, 40)) await post('/api/v1/incidents', { title: one, severity: 'low', reason: one });
    await visit('/incidents');
    expect(await harm()).toEqual([]);
  });

  it('are read as people, packages and files of a host, and as things with a page', { timeout: 120_000 }, async () => {
    const host = await id('/api/v1/fleet/hosts');
    await visit(`/hosts/${host}`);
    // Each list is opened; a button that was clicked gives way to the rest of its list.
    const more = page.locator('main button', { hasText: /^all |more/ });
    await until('a text of the host', async () => {
      if ((await more.count()) > 0)
        await more
          .first()
          .click({ timeout: 2_000 })
          .catch(() => undefined);
      return unread(await text('main'), tagged).length < tagged.length || null;
    });
    expect(await harm()).toEqual([]);
    for (const one of tagged.filter((_, at) => at % 3 === 0)) {
      await visit(`/entities/user/${encodeURIComponent(one)}`);
      expect(await harm(), one).toEqual([]);
    }
  });

  it('are read by who looks at the trail of acts', async () => {
    await visit('/activity');
    expect(await harm()).toEqual([]);
  });
});
