// SPDX-License-Identifier: Apache-2.0
/**
 * The one way the console speaks to the API: same origin, JSON, coded problems as errors.
 * Input: method, path, query, body. Output: the answer's JSON, or a Problem.
 */

/** A coded problem (RFC 9457) as an error. */
export class Problem extends Error {
  readonly code: string;
  readonly hint: string;
  readonly status: number;
  /** Place in a query where it could not be read, counted from 0. */
  readonly at: number | undefined;

  constructor(
    status: number,
    body: { readonly code?: string; readonly detail?: string; readonly title?: string; readonly hint?: string; readonly at?: number },
  ) {
    super(body.detail ?? body.title ?? `The collector answered ${status}.`);
    this.code = body.code ?? '';
    this.hint = body.hint ?? '';
    this.status = status;
    this.at = body.at;
  }
}

export const isProblem = (error: unknown): error is Problem => error instanceof Problem;

export interface CallOptions {
  readonly query?: Readonly<Record<string, string | number | boolean | undefined>>;
  readonly body?: unknown;
  /** Version of what is changed, for If-Match. */
  readonly version?: string;
  readonly signal?: AbortSignal;
}

export const call = async <T>(
  method: 'GET' | 'POST' | 'PATCH' | 'PUT' | 'DELETE',
  path: string,
  { query, body, version, signal }: CallOptions = {},
): Promise<T> => {
  const pairs = Object.entries(query ?? {}).flatMap(([name, value]) => (value === undefined ? [] : [[name, String(value)]]));
  const url = pairs.length === 0 ? path : `${path}?${new URLSearchParams(pairs)}`;
  const response = await fetch(url, {
    method,
    credentials: 'same-origin',
    headers: {
      accept: 'application/json',
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...(version === undefined ? {} : { 'if-match': version }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    ...(signal ? { signal } : {}),
  });
  const text = await response.text();
  const value: unknown = text === '' ? null : JSON.parse(text);
  if (!response.ok) throw new Problem(response.status, (value ?? {}) as object);
  return value as T;
};
