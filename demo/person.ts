// SPDX-License-Identifier: Apache-2.0
/**
 * A person of the story at the console: signs in and acts over the same API as everybody, so that each act is judged and audited.
 * Input: a name and a role, given by the owner of the data folder. Output: requests of the console's API.
 */
import { randomBytes } from 'node:crypto';
import { callCollector } from '../collector/cli/client.ts';

export interface Person {
  readonly id: string;
  readonly name: string;
  get<T>(path: string): Promise<T>;
  /** Changes what was read just before: its version goes along. */
  change(path: string, body: unknown): Promise<void>;
}

/** Adds a user through the control socket of the data folder and signs in with a password nobody else knows. @throws Error, CodedError. */
export const openPerson = async (dir: string, consoleUrl: string, name: string, role: 'admin' | 'analyst'): Promise<Person> => {
  const [first, password] = [randomBytes(18).toString('base64url'), randomBytes(18).toString('base64url')];
  const { id } = await callCollector<{ readonly id: string }>(
    { dir },
    { method: 'POST', path: '/api/v1/auth/users', body: { name, role, password: first }, headers: { 'idempotency-key': `demo-${name}` } },
  );
  let cookie = '';
  const send = async (method: string, path: string, body?: unknown, headers: Readonly<Record<string, string>> = {}): Promise<Response> => {
    const response = await fetch(`${consoleUrl}${path}`, {
      method,
      headers: {
        origin: consoleUrl,
        ...(cookie === '' ? {} : { cookie }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    if (!response.ok)
      throw new Error(`${name} is answered ${response.status} at ${method} ${path}: ${(await response.text()).slice(0, 300)}`);
    const set = response.headers.getSetCookie().at(-1);
    if (set !== undefined) cookie = set.slice(0, set.indexOf(';'));
    return response;
  };
  await send('POST', '/api/v1/auth/login', { name, password: first });
  await send('POST', '/api/v1/auth/password', { current: first, next: password });
  return {
    id,
    name,
    get: async <T>(path: string) => (await (await send('GET', path)).json()) as T,
    change: async (path, body) => {
      const { version } = (await (await send('GET', path)).json()) as { readonly version: number };
      await send('PATCH', path, body, { 'if-match': `"${version}"` });
    },
  };
};
