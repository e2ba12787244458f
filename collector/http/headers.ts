// SPDX-License-Identifier: Apache-2.0
/**
 * Security headers of every answer, and the checks that keep other sites out: host, origin, fetch metadata.
 * Input: request headers. Output: headers to set; coded refusals.
 */
import type { IncomingHttpHeaders } from 'node:http';
import { fault } from '../errors.ts';

/** Nothing but the console's own files; no inline script, no foreign origin, no string that becomes markup. */
export const CONTENT_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  // Mantine and React set styles from script; styles carry no code.
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
  // A report carries its fonts with it.
  "font-src 'self' data:",
  "connect-src 'self'",
  "manifest-src 'self'",
  // Reports, shown where they are listed.
  "frame-src 'self'",
  "base-uri 'none'",
  "form-action 'self'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  // The console's one policy lets style texts pass and refuses any that hold a tag.
  'trusted-types default',
].join('; ');

/** A document that a page of ours shows in a frame: it carries its styles, fonts and pictures with it, and runs nothing. */
export const FRAMED_HEADERS: Readonly<Record<string, string>> = {
  'content-security-policy': [
    "default-src 'none'",
    "style-src 'unsafe-inline'",
    'img-src data:',
    'font-src data:',
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'self'",
  ].join('; '),
  'x-frame-options': 'SAMEORIGIN',
};

/** Set on every answer. */
export const securityHeaders = (secure: boolean): Readonly<Record<string, string>> => ({
  'content-security-policy': CONTENT_POLICY,
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'cross-origin-embedder-policy': 'require-corp',
  'permissions-policy': 'camera=(), microphone=(), geolocation=(), payment=(), usb=()',
  ...(secure ? { 'strict-transport-security': 'max-age=31536000' } : {}),
});

const SAFE_METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS']);

/** Name and port of a Host header without the port. */
const hostName = (host: string): string => host.replace(/:\d+$/, '').toLowerCase();

/**
 * Refuses names that are not ours, so that a name of somebody else that resolves to us (DNS rebinding) reaches nothing.
 * @throws CodedError HOST_UNKNOWN.
 */
export const checkHost = (headers: IncomingHttpHeaders, hosts: readonly string[]): void => {
  const host = headers.host ?? '';
  if (!hosts.includes(hostName(host))) throw fault('HOST_UNKNOWN', { host: host.replace(/[^\w.:[\]-]/g, '?').slice(0, 100) });
};

/**
 * Refuses a change that another site could have caused. A browser says where a request comes from; with a cookie it must.
 * @throws CodedError CROSS_SITE.
 */
export const checkOrigin = (method: string, headers: IncomingHttpHeaders, secure: boolean, withCookie: boolean): void => {
  if (SAFE_METHODS.has(method)) return;
  const site = headers['sec-fetch-site'];
  const { origin } = headers;
  const own = `${secure ? 'https' : 'http'}://${headers.host ?? ''}`;
  if (site !== undefined && site !== 'same-origin') throw fault('CROSS_SITE');
  if (origin !== undefined && origin !== own) throw fault('CROSS_SITE');
  if (withCookie && site === undefined && origin === undefined) throw fault('CROSS_SITE');
};
