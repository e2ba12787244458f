// SPDX-License-Identifier: Apache-2.0
/**
 * Faults as problem details (RFC 9457): the coded error for people and programs, nothing of the inside.
 * Input: whatever was thrown, by us or by fastify. Output: status and body; what is hidden is logged with the request's id.
 */
import { Type } from 'typebox';
import { type CodedError, coreFault, isCoded, toError } from '../../core/errors.ts';
import { fault } from '../errors.ts';

export const ProblemSchema = Type.Object({
  type: Type.String({ description: 'urn:vigil:problem:CODE' }),
  title: Type.String(),
  status: Type.Integer(),
  code: Type.String({ description: 'stable code, see docs/errors.md' }),
  detail: Type.String(),
  hint: Type.String({ description: 'what to do' }),
  instance: Type.String({ description: 'id of the request, also in the log' }),
  at: Type.Optional(Type.Integer({ description: 'place in a query, counted from 0' })),
  expected: Type.Optional(Type.String()),
  retryAfterSeconds: Type.Optional(Type.Integer()),
});

export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly code: string;
  readonly detail: string;
  readonly hint: string;
  readonly instance: string;
  readonly at?: number;
  readonly expected?: string;
  readonly retryAfterSeconds?: number;
}

/** Media type of problem details. */
export const PROBLEM_TYPE = 'application/problem+json';

const TITLES: Readonly<Record<number, string>> = {
  400: 'Bad request',
  401: 'Not signed in',
  403: 'Not allowed',
  404: 'Not found',
  409: 'Conflict',
  412: 'Changed meanwhile',
  413: 'Too large',
  415: 'Unsupported media type',
  421: 'Misdirected request',
  422: 'Not possible so',
  428: 'Precondition required',
  429: 'Too many requests',
  503: 'Unavailable',
};

/** The coded error behind anything thrown. What has no code becomes HTTP_FAULT with the original as its cause. */
export const codedOf = (thrown: unknown, bodyLimitBytes = 0): CodedError => {
  if (isCoded(thrown)) return thrown;
  const error = toError(thrown) as Error & { readonly code?: unknown; readonly statusCode?: unknown };
  const status = typeof error.statusCode === 'number' ? error.statusCode : 500;
  if (error.code === 'FST_ERR_CTP_BODY_TOO_LARGE') return coreFault('TOO_LARGE', { what: 'The body', limit: bodyLimitBytes }, error);
  if (error.code === 'FST_ERR_CTP_INVALID_MEDIA_TYPE') return fault('MEDIA_TYPE', {}, error);
  if (status === 400 && error instanceof SyntaxError) return coreFault('JSON_BAD', { reason: plainReason(error.message) }, error);
  if (status >= 400 && status < 500) return fault('REQUEST_BAD', { reason: plainReason(error.message) }, error);
  return fault('HTTP_FAULT', {}, error);
};

// Messages of the framework are short and about the request; they are cut, never trusted to be.
const plainReason = (message: string): string =>
  message
    .replace(/[^\x20-\x7e]/g, ' ')
    .replace(/\.$/, '')
    .slice(0, 200);

/** The body for a coded error. A fault of ours (500) tells its code and nothing else of itself. */
export const problemOf = (error: CodedError, instance: string): Problem => {
  const inner = error.status === 500;
  const { at, expected, retryAfterSeconds } = error.details;
  return {
    type: `urn:vigil:problem:${error.code}`,
    title: TITLES[error.status] ?? (inner ? 'Fault of the collector' : 'Refused'),
    status: error.status,
    code: error.code,
    detail: inner ? 'The collector met a fault of its own.' : error.message,
    hint: inner ? `The log of the collector says more under request ${instance}.` : error.hint,
    instance,
    ...(typeof at === 'number' ? { at } : {}),
    ...(typeof expected === 'string' ? { expected } : {}),
    ...(typeof retryAfterSeconds === 'number' ? { retryAfterSeconds } : {}),
  };
};
