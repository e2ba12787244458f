// SPDX-License-Identifier: Apache-2.0
/**
 * Rules that the audit system loads: those of rules.d, which augenrules joins, else the one file.
 * Input: rules as auditctl takes them. Output: which of them are missing.
 */
import { answer, fail, type Probe, some } from '../answer.ts';
import { covers, parseAuditRule } from '../auditrules.ts';
import { filesOf, readLines } from '../lines.ts';

export const audit: Probe<'audit'> = (params, tree) => {
  const joined = readLines(tree, filesOf(tree, ['/etc/audit/rules.d/*.rules']), { commentFirst: true });
  const lines = joined.length > 0 ? joined : readLines(tree, filesOf(tree, ['/etc/audit/audit.rules']), { commentFirst: true });
  const rules = lines.flatMap(({ text }) => parseAuditRule(text) ?? []);
  const missing = params.rules.filter((text) => {
    const wanted = parseAuditRule(text);
    return wanted === undefined || !covers(rules, wanted, params.exact === true);
  });
  if (lines.length === 0) return fail('there are no audit rules', missing);
  return answer(
    missing.length === 0,
    missing.length === 0 ? `${params.rules.length} rules are there` : `missing: ${some(missing, 3)}`,
    missing,
  );
};
