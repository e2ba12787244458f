// SPDX-License-Identifier: Apache-2.0
/**
 * ATT&CK tactics among a rule's tags, by id.
 * Input: Sigma tags (`attack.credential-access`, `attack.ta0006`). Output: ids (`TA0006`), in the order of an attack.
 */

/** Enterprise tactics in the order of an attack. */
const TACTICS: readonly (readonly [id: string, name: string])[] = [
  ['TA0043', 'reconnaissance'],
  ['TA0042', 'resource-development'],
  ['TA0001', 'initial-access'],
  ['TA0002', 'execution'],
  ['TA0003', 'persistence'],
  ['TA0004', 'privilege-escalation'],
  ['TA0005', 'defense-evasion'],
  ['TA0006', 'credential-access'],
  ['TA0007', 'discovery'],
  ['TA0008', 'lateral-movement'],
  ['TA0009', 'collection'],
  ['TA0011', 'command-and-control'],
  ['TA0010', 'exfiltration'],
  ['TA0040', 'impact'],
];

export const tacticsOf = (tags: readonly string[]): readonly string[] => {
  const names = new Set(tags.map((tag) => tag.toLowerCase().replaceAll('_', '-')));
  return TACTICS.filter(([id, name]) => names.has(`attack.${id.toLowerCase()}`) || names.has(`attack.${name}`)).map(([id]) => id);
};
