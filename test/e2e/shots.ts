// SPDX-License-Identifier: Apache-2.0
/**
 * `npm run shots`: pictures of every screen of the console in its states, from a real collector with real lines.
 * Input: `--out DIR` (a temporary folder without it), `--record` for those of docs/shots, `--only TEXT` for names that hold it. Output: one line a file.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { figuresOf, makeReport } from '../../collector/report/bundle.ts';
import { readFonts } from '../../collector/report/fonts.ts';
import { generateSigner } from '../../core/sign.ts';
import { unixMs } from '../../core/units.ts';
import { browserMissing, chooseOwn, consoleBuilt, openBrowser, openContext, signIn, type View } from '../support/browser.ts';
import { linesOfADay } from '../support/day.ts';
import { linesOfAFullDay } from '../support/full.ts';
import { busyInputs } from '../support/report.ts';
import { ROOT } from '../support/repository.ts';
import { type Collector, removeDir, startCollector, tempDir, until } from '../support/vigil.ts';

const { values: options } = parseArgs({
  options: { out: { type: 'string' }, record: { type: 'boolean', default: false }, only: { type: 'string', default: '' } },
});

const VIEWS: readonly View[] = (options.record ? [1440] : [1440, 1000, 390]).flatMap((width) =>
  (options.record ? (['light'] as const) : (['light', 'dark'] as const)).map((scheme) => ({
    width,
    height: width < 800 ? 844 : 900,
    scheme,
  })),
);

/** Pictures that the guides show. */
const RECORDED: ReadonlySet<string> = new Set([
  ...['overview', 'alerts-open', 'incident', 'search-event', 'host', 'controls', 'risks', 'agents-token', 'report-busy', 'health'],
]);
const isWanted = (name: string): boolean => name.includes(options.only) && (!options.record || RECORDED.has(name));

const settled = async (page: Page): Promise<void> => {
  await page.locator('.door, .frame').waitFor();
  // Pages come as pieces of their own: first the piece, then what it reads.
  await page.locator('main > *').first().waitFor();
  await page.locator('.skeleton, .waiting').first().waitFor({ state: 'detached' });
  await page.evaluate('document.fonts.ready.then(() => undefined)');
};

interface Screen {
  readonly name: string;
  readonly path: string;
  /** What to do before the picture; the page is loaded and settled. */
  readonly act?: (page: Page) => Promise<unknown>;
  /** The whole page, not only what fits. */
  readonly whole?: boolean;
}

const OUTSIDE: readonly Screen[] = [
  { name: 'sign-in', path: '/' },
  {
    name: 'sign-in-wrong',
    path: '/',
    act: async (page) => {
      await signIn(page, 'not the password');
      await page.getByRole('alert').waitFor();
    },
  },
];

const EMPTY: readonly Screen[] = [
  { name: 'overview-empty', path: '/', whole: true },
  { name: 'search-empty', path: '/search' },
  { name: 'alerts-empty', path: '/alerts' },
  { name: 'incidents-empty', path: '/incidents' },
  { name: 'reports-empty', path: '/reports' },
];

const FULL_SCREENS: readonly Screen[] = [
  { name: 'full-overview', path: '/', whole: true },
  { name: 'full-alerts', path: '/alerts?from=now-7d&to=now' },
  { name: 'full-incidents', path: '/incidents' },
  { name: 'full-search', path: '/search?q=host.name%3A+bastion&from=now-7d&to=now' },
];

const query = (q: string): string => `/search?${new URLSearchParams({ q })}`;

const WITH_DATA: readonly Screen[] = [
  { name: 'overview', path: '/', whole: true },
  {
    name: 'overview-unreachable',
    path: '/',
    act: async (page) => {
      await page.route('**/api/**', (route) => route.abort());
      await page.getByText('does not answer').first().waitFor();
    },
  },
  { name: 'incident', path: '/incidents/INC-1', whole: true },
  { name: 'incidents', path: '/incidents' },
  { name: 'hosts', path: '/hosts' },
  {
    name: 'host',
    path: '/hosts',
    whole: true,
    act: async (page) => {
      await page.locator('a.row-link').first().click();
      await page.getByText('People who can sign in').waitFor();
      await page.locator('.skeleton').first().waitFor({ state: 'detached' });
    },
  },
  { name: 'entity', path: '/entities/ip/203.0.113.77', whole: true },
  { name: 'controls', path: '/controls', whole: true },
  { name: 'risks', path: '/risks', whole: true },
  { name: 'activity', path: '/activity' },
  { name: 'agents', path: '/agents' },
  {
    name: 'agents-token',
    path: '/agents',
    act: async (page) => {
      await page.getByRole('button', { name: 'Make a token…' }).click();
      await page.getByRole('dialog').waitFor();
    },
  },
  { name: 'users', path: '/users', whole: true },
  { name: 'health', path: '/status', whole: true },
  {
    name: 'reports',
    path: '/reports',
    act: async (page) => {
      await page.getByRole('button', { name: /Make last week/ }).click();
      await page.locator('iframe').waitFor();
    },
  },
  {
    name: 'incident-close',
    path: '/incidents/INC-1',
    act: async (page) => {
      await page.getByRole('button', { name: /^Close/ }).click();
      await page.getByLabel('Benign').check();
    },
  },
  { name: 'alerts', path: '/alerts' },
  {
    name: 'alerts-open',
    path: '/alerts',
    act: async (page) => {
      await page.locator('.alert-row button').first().click();
      await page.getByRole('complementary', { name: 'Alert' }).waitFor();
    },
  },
  {
    name: 'alerts-selected',
    path: '/alerts',
    act: async (page) => {
      await page.getByLabel('Alerts, newest first').focus();
      await page.keyboard.press('*');
    },
  },
  {
    name: 'alert',
    path: '/alerts',
    whole: true,
    act: async (page) => {
      await page.locator('.alert-row button').first().click();
      await page.getByRole('complementary', { name: 'Alert' }).getByRole('link').first().click();
      await page.getByText('Lines it rests on').waitFor();
    },
  },
  { name: 'search', path: '/search' },
  {
    name: 'search-event',
    path: query('source.ip: 203.0.113.77 and event.outcome: failure'),
    act: async (page) => {
      await page.locator('button.result').first().click();
      await page.getByRole('complementary', { name: 'Event' }).waitFor();
    },
  },
  {
    name: 'search-completion',
    path: '/search',
    act: async (page) => {
      await page.getByLabel('Query').fill('event.outcome: success and user');
      await page.getByRole('option', { name: /^user\.name/ }).waitFor();
    },
  },
  { name: 'search-wrong', path: query('event.outcome: failure and and source.ip: 203.0.113.77') },
  { name: 'search-unknown-field', path: query('evnt.outcome: failure') },
  { name: 'search-nothing', path: query('user.name: nobody-of-this-name') },
  {
    name: 'person-menu',
    path: '/',
    act: (page) => page.getByRole('button', { name: /admin, admin/ }).click(),
  },
  { name: 'password', path: '/password' },
  { name: 'keys', path: '/', act: (page) => page.keyboard.press('?') },
  {
    name: 'search-table',
    path: '/search',
    act: (page) => page.getByText('As a table').click(),
  },
];

/** A collector that hears no host: everything it could say is hatched. */
const takeBlind = async (browser: Browser, out: string): Promise<void> => {
  const collector = await startCollector({ localAgent: false });
  try {
    const first = await openContext(browser, { width: 1440, scheme: 'light' });
    const page = await first.newPage();
    await consoleBuilt(collector);
    await page.goto(collector.console);
    const oneTime = await until('the one-time password', collector.password);
    await signIn(page, oneTime);
    await chooseOwn(page, oneTime);
    await page.getByRole('navigation').waitFor();
    const session = await first.storageState();
    await first.close();
    for (const view of VIEWS) {
      const context = await openContext(browser, view, session);
      await take(context, collector, view, [{ name: 'overview-no-host', path: '/', whole: true }], out);
      await context.close();
    }
  } finally {
    await collector.stop();
    removeDir(collector.dir);
  }
};

/** A collector that is full: 100,000 events, 500 alerts. */
const takeFull = async (browser: Browser, out: string): Promise<void> => {
  const screens = FULL_SCREENS.filter(({ name }) => isWanted(name));
  if (screens.length === 0) return;
  const collector = await startCollector({ localAgent: false });
  const folder = tempDir();
  try {
    const file = join(folder, 'full.log');
    writeFileSync(file, `${linesOfAFullDay(Date.now() - 60_000).join('\n')}\n`);
    await collector.vigil(['replay', file, '--dataset', 'syslog', '--host', 'bastion']);
    const first = await openContext(browser, { width: 1440, scheme: 'light' });
    const page = await first.newPage();
    await consoleBuilt(collector);
    await page.goto(collector.console);
    const oneTime = await until('the one-time password', collector.password);
    await signIn(page, oneTime);
    await chooseOwn(page, oneTime);
    await page.getByRole('navigation').waitFor();
    const session = await first.storageState();
    await first.close();
    for (const view of VIEWS) {
      const context = await openContext(browser, view, session);
      await take(context, collector, view, screens, out);
      await context.close();
    }
  } finally {
    await collector.stop();
    removeDir(collector.dir);
    removeDir(folder);
  }
};

/** The report of the collector's last week, in which nothing was heard, and of a week that was busy; each also as it is printed. */
const takeReports = async (browser: Browser, collector: Collector, out: string): Promise<void> => {
  const names = ['report-empty', 'report-busy'].filter(isWanted);
  if (names.length === 0) return;
  const folder = tempDir();
  const page = (name: string): string => join(folder, `${name}.html`);
  await collector.vigil(['report', 'weekly', '--out', page('report-empty')]);
  const inputs = busyInputs();
  const edition = { revision: 0, made: unixMs(inputs.moment.at), after: null, revised: [] };
  writeFileSync(page('report-busy'), makeReport(figuresOf(inputs), edition, generateSigner(), await readFonts()).html);
  for (const view of VIEWS)
    for (const name of names) {
      const context = await openContext(browser, view);
      const shown = await context.newPage();
      await shown.goto(`file://${page(name)}`);
      await shown.evaluate('document.fonts.ready.then(() => undefined)');
      await shown.screenshot({ path: say(fileOf(out, name, view)), fullPage: !options.record });
      if (view === VIEWS[0] && !options.record)
        await shown.pdf({ path: say(join(out, `${name}.pdf`)), preferCSSPageSize: true, printBackground: true });
      await context.close();
    }
  removeDir(folder);
};

const fileOf = (out: string, name: string, { width, scheme }: View): string =>
  join(out, options.record ? `${name}.png` : `${name}-${width}-${scheme}.png`);

const say = (file: string): string => {
  process.stdout.write(`${file}\n`);
  return file;
};

const take = async (context: BrowserContext, collector: Collector, view: View, screens: readonly Screen[], out: string): Promise<void> => {
  for (const { name, path, act, whole = false } of screens) {
    if (!isWanted(name)) continue;
    const page = await context.newPage();
    await page.goto(`${collector.console}${path}`);
    await settled(page);
    await act?.(page);
    await page.evaluate('document.fonts.ready.then(() => undefined)');
    // A picture of a whole page is taken in a window of its height, so that the sight line stands at its foot.
    if (whole) {
      const height = Number(await page.evaluate('document.documentElement.scrollHeight'));
      await page.setViewportSize({ width: view.width, height: Math.max(height, view.height ?? 0) });
    }
    const file = fileOf(out, name, view);
    await page.screenshot({ path: file });
    await page.close();
    say(file);
  }
};

const main = async (): Promise<void> => {
  const out = options.record
    ? join(ROOT, 'docs', 'shots')
    : options.out === undefined
      ? mkdtempSync(join(tmpdir(), 'vigil-shots-'))
      : resolve(options.out);
  mkdirSync(out, { recursive: true });
  const logs = tempDir();
  const auth = join(logs, 'auth.log');
  const access = join(logs, 'access.log');
  writeFileSync(auth, '');
  writeFileSync(access, '');
  const collector = await startCollector({ tail: [`${auth}=syslog`, `${access}=nginx`] });
  const browser = await openBrowser();
  try {
    await takeBlind(browser, out);
    await takeFull(browser, out);
    await takeReports(browser, collector, out);
    await consoleBuilt(collector);
    const oneTime = await until('the one-time password', collector.password);
    for (const view of VIEWS) {
      const context = await openContext(browser, view);
      await take(context, collector, view, OUTSIDE.slice(0, 1), out);
      await context.close();
    }
    // One session for all pictures, so that the lines of signing in do not fill the search.
    const first = await openContext(browser, VIEWS[0] as View);
    const door = await first.newPage();
    await door.goto(collector.console);
    await signIn(door, oneTime);
    await door.getByLabel('One-time password').waitFor();
    let storageState = await first.storageState();
    for (const view of VIEWS) {
      const context = await openContext(browser, view, storageState);
      await take(context, collector, view, [{ name: 'first-password', path: '/' }], out);
      await context.close();
    }
    await chooseOwn(door, oneTime);
    await door.getByRole('navigation').waitFor();
    storageState = await first.storageState();
    await first.close();
    for (const view of VIEWS) {
      const context = await openContext(browser, view, storageState);
      await take(context, collector, view, EMPTY, out);
      await context.close();
    }
    const day = linesOfADay(Date.now());
    writeFileSync(auth, day.auth);
    writeFileSync(access, day.access);
    await until('the lines', async () => (await collector.count('* and not event.dataset: vigil')) >= 300, 30_000);
    await until('an incident', async () => (await collector.query('', ['--in', 'incidents'])).length > 0);
    for (const view of VIEWS) {
      const context = await openContext(browser, view, storageState);
      await take(context, collector, view, WITH_DATA, out);
      await context.close();
    }
    for (const view of VIEWS.slice(0, 2)) {
      const context = await openContext(browser, view);
      await take(context, collector, view, OUTSIDE.slice(1), out);
      await context.close();
    }
  } finally {
    await browser.close();
    await collector.stop();
    removeDir(logs);
    removeDir(collector.dir);
  }
};

const missing = browserMissing();
if (missing !== null) process.stdout.write(`No pictures: ${missing}\n`);
// The browser's driver sets prototypes, which the programs of Vigil may not; it runs in a Node without that flag.
else if (process.execArgv.includes('--disable-proto=throw'))
  process.exitCode =
    spawnSync(process.execPath, [fileURLToPath(import.meta.url), ...process.argv.slice(2)], { stdio: 'inherit' }).status ?? 1;
else await main();
