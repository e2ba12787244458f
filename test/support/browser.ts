// SPDX-License-Identifier: Apache-2.0
/**
 * The console in a real Chromium, with everything the page complains about kept, and a day of log lines for it to show.
 * Input: a running collector. Output: signed-in pages, complaints, lines.
 */
import { existsSync } from 'node:fs';
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';
import { type Collector, until } from './vigil.ts';

const CHROMIUM = process.env['CHROMIUM'] ?? '/usr/bin/chromium';

/** Why there is no browser to test with; null when there is one. */
export const browserMissing = (): string | null =>
  existsSync(CHROMIUM) ? null : `Chromium is not installed at ${CHROMIUM}; name another with CHROMIUM=/path`;

export const openBrowser = (): Promise<Browser> =>
  chromium.launch({
    executablePath: CHROMIUM,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });

/** The console is built in the background of a first start. */
export const consoleBuilt = (collector: Collector): Promise<true> =>
  until('the console to be built', async () => (await (await fetch(collector.console)).text()).includes('/assets/') || null, 60_000);

/**
 * Everything a page complains about: errors on its console, exceptions, requests to other origins.
 * Answers of the API with the status of a refusal are kept apart: a test may want them.
 */
export interface Watch {
  readonly complaints: string[];
  /** `401 GET /api/v1/auth/me`, in order. */
  readonly refusals: string[];
}

export const watch = (page: Page, origin: string): Watch => {
  const complaints: string[] = [];
  const refusals: string[] = [];
  page.on('console', (message) => {
    // Chromium writes one line for every refused request; those are counted by the answers below.
    if (message.text().startsWith('Failed to load resource: the server responded')) return;
    if (message.type() === 'error' || message.type() === 'warning') complaints.push(`${message.type()}: ${message.text()}`);
  });
  page.on('pageerror', (error) => complaints.push(`exception: ${error.message}`));
  page.on('dialog', (dialog) => {
    complaints.push(`dialog: ${dialog.message()}`);
    dialog.dismiss().catch(() => {
      // The page may be gone already; the complaint is kept.
    });
  });
  page.on('request', (request) => {
    const url = request.url();
    if (!url.startsWith(`${origin}/`) && !url.startsWith('data:') && !url.startsWith('blob:')) complaints.push(`foreign request: ${url}`);
  });
  page.on('response', (response) => {
    if (response.status() >= 400) refusals.push(`${response.status()} ${response.request().method()} ${new URL(response.url()).pathname}`);
  });
  return { complaints, refusals };
};

/** Password that tests choose in place of the one-time one. */
export const OWN_PASSWORD = 'correct horse battery staple';

/** Signs in with a password and, at the first time, chooses OWN_PASSWORD. */
export const signIn = async (page: Page, password: string): Promise<void> => {
  await page.getByLabel('Name').fill('admin');
  await page.getByLabel('Password', { exact: true }).fill(password);
  await page.getByRole('button', { name: 'Sign in' }).click();
};

export const chooseOwn = async (page: Page, oneTime: string): Promise<void> => {
  await page.getByLabel('One-time password').fill(oneTime);
  await page.getByLabel('New password', { exact: true }).fill(OWN_PASSWORD);
  await page.getByLabel('New password again').fill(OWN_PASSWORD);
  await page.getByRole('button', { name: 'Change password' }).click();
};

export interface View {
  readonly width: number;
  readonly height?: number;
  readonly scheme: 'light' | 'dark';
}

type StorageState = Awaited<ReturnType<BrowserContext['storageState']>>;

/** A context of a size and scheme, in the zone and language that pictures are always taken in. */
export const openContext = (browser: Browser, { width, height = 900, scheme }: View, session?: StorageState): Promise<BrowserContext> =>
  browser.newContext({
    viewport: { width, height },
    colorScheme: scheme,
    reducedMotion: 'reduce',
    locale: 'en-GB',
    timezoneId: 'Europe/Helsinki',
    hasTouch: width < 800,
    ...(session ? { storageState: session } : {}),
  });

export interface Person {
  readonly context: BrowserContext;
  readonly page: Page;
}

/** Signs somebody in elsewhere with a one-time password, and chooses OWN_PASSWORD. */
export const signInElsewhere = async (browser: Browser, origin: string, name: string, oneTime: string): Promise<Person> => {
  const context = await openContext(browser, { width: 1440, scheme: 'light' });
  const page = await context.newPage();
  await page.goto(origin);
  await page.getByLabel('Name').fill(name);
  await page.getByLabel('Password', { exact: true }).fill(oneTime);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await chooseOwn(page, oneTime);
  await page.getByRole('navigation', { name: 'Main' }).waitFor({ timeout: 15_000 });
  return { context, page };
};

/** Adds a user as the admin who is signed in on a page, and signs that one in elsewhere. */
export const anotherPerson = async (browser: Browser, admin: Page, collector: Collector, name: string, role: string): Promise<Person> => {
  const made = await admin.request.post(`${collector.console}/api/v1/auth/users`, {
    data: { name, role },
    headers: { origin: collector.console },
  });
  const { oneTimePassword } = (await made.json()) as { readonly oneTimePassword: string };
  return signInElsewhere(browser, collector.console, name, oneTimePassword);
};
