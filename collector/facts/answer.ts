// SPDX-License-Identifier: Apache-2.0
/**
 * From a fact of kind `observation` to the answer it gives.
 * Input: a fact with whose it is. Output: the answer, its subject always of the host that said it; null where it is none.
 */
import type { FactFields } from '../../core/fact.ts';
import type { AssetId } from '../../core/ids.ts';
import { hours, LAST_TIME_MS, type Ms, ms, type UnixMs, unixMs } from '../../core/units.ts';
import { type Entity, makeEntity } from '../model/entity.ts';
import type { FactAt } from '../model/fact.ts';
import { RESULTS, type Result } from '../model/observation.ts';
import { LEVELS, type Level } from '../model/rule.ts';
import type { Answer } from './span.ts';

/** Posture runs every hour: an answer that was missed twice is none any more. */
export const FRESH_MS: Ms = hours(2);
const FRESH_LIMIT_MS = hours(24 * 31);
const TEXT_LIMIT = 2_048;

const textOf = (fields: FactFields, name: string): string | undefined => {
  const value = fields[name];
  if (value === undefined) return undefined;
  const text = typeof value === 'object' ? value.join(', ') : String(value);
  return text.length > TEXT_LIMIT ? `${text.slice(0, TEXT_LIMIT - 1)}…` : text;
};

const isResult = (value: unknown): value is Result => (RESULTS as readonly unknown[]).includes(value);
const levelOf = (value: unknown): Level => (value === 'info' ? 'informational' : (LEVELS.find((level) => level === value) ?? 'medium'));

/** `host:ast_…`; a part of a host is a user of it, or a service by the part's name. An agent speaks of its own host only. */
export const subjectOf = (host: AssetId, part: string | undefined): Entity => {
  if (part === undefined || part === '' || part === `host:${host}` || part === host) return makeEntity('host', host);
  const user = /^user:([^@]{1,256})(?:@|$)/.exec(part)?.[1];
  return user === undefined ? makeEntity('service', `${part.replace(/^service:/, '')}@${host}`) : makeEntity('user', `${user}@${host}`);
};

/** When it was observed: an agent whose clock runs ahead cannot answer for a time that has not come. */
export const observedAt = ({ fact, received }: FactAt): UnixMs => unixMs(Math.min(fact.at, received));

const waiverOf = (fields: FactFields): Answer['waiver'] => {
  const [reason, owner, until] = [textOf(fields, 'waiver_reason'), textOf(fields, 'waiver_owner'), fields['waiver_until_at']];
  if (reason === undefined || owner === undefined || typeof until !== 'number' || !(until >= 0 && until <= LAST_TIME_MS)) return undefined;
  return { reason, owner, until: unixMs(until) };
};

export const answerOf = (at: FactAt): Answer | null => {
  const { fields, change, item } = at.fact;
  const check = textOf(fields, 'check') ?? item.split('#')[0] ?? '';
  const { result, severity, fresh_ms: fresh } = fields;
  if (!/^[a-z0-9][a-z0-9._-]{0,127}$/.test(check) || !isResult(result)) return null;
  const subject = subjectOf(at.host, textOf(fields, 'subject'));
  const common = { check, subject, severity: levelOf(severity), at: observedAt(at), event: at.event } as const;
  // A check that is asked no more: what was answered holds no longer.
  if (change === 'removed')
    return { ...common, result: 'unknown', actual: '', expected: '', reason: 'not checked any more', freshMs: ms(0) };
  const reason = textOf(fields, 'reason');
  const waiver = waiverOf(fields);
  return {
    ...common,
    result,
    actual: textOf(fields, 'actual') ?? '',
    expected: textOf(fields, 'expected') ?? '',
    ...(reason === undefined ? {} : { reason }),
    ...(waiver === undefined ? {} : { waiver }),
    freshMs: typeof fresh === 'number' && fresh >= 0 ? ms(Math.min(fresh, FRESH_LIMIT_MS)) : FRESH_MS,
  };
};
