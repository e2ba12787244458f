// SPDX-License-Identifier: Apache-2.0
/**
 * Conditions that a part of the collector comes upon once and that stand until the next start.
 * Input: what happened. Output: coded conditions with what to do.
 */
import type { Condition } from './http/status.ts';

export const correlationRefused = (rule: string, reason: string): Condition => ({
  code: 'CORRELATION_REFUSED',
  about: rule,
  text: `does not run: ${reason}.`,
  hint: 'Mend the rule; `vigil rules check` shows every place.',
});

export const auditBroken = (at: unknown, reason: string): Condition => ({
  code: 'AUDIT_BROKEN',
  about: 'the audit log',
  text: `does not hold at ${JSON.stringify(at)}: ${reason}.`,
  hint: 'Keep the file; `vigil verify` shows the place. A new log was begun beside it.',
});

export const ruleQuarantined = (rule: string, reason: string): Condition => ({
  code: 'RULE_QUARANTINED',
  about: rule,
  text: `was switched off: ${reason}.`,
  hint: 'Make its conditions cheaper; it is tried again with the next start.',
});
