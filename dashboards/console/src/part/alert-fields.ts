// SPDX-License-Identifier: Apache-2.0
/**
 * What alerts can be asked by, and by what they are told apart at a glance.
 * Input: nothing. Output: fields for the query bar, facets for the row under it.
 */
import { LEVELS } from './marks.tsx';
import type { KnownField } from './suggest-fields.ts';
import { VERDICTS } from './verdicts.ts';

export const ALERT_FIELDS: readonly KnownField[] = [
  { name: 'state', meaning: 'new, acknowledged, closed', values: ['new', 'acknowledged', 'closed'] },
  { name: 'level', meaning: 'severity', values: LEVELS },
  { name: 'title', meaning: 'what the rule says' },
  { name: 'rule', meaning: 'id of the rule' },
  { name: 'entityName', meaning: 'host, user or address it is about' },
  { name: 'entities', meaning: 'all it speaks of, as user:root or ip:…' },
  { name: 'assignee', meaning: 'id of the person' },
  { name: 'verdict', meaning: 'what a person concluded', values: VERDICTS.map(({ value }) => value) },
  { name: 'techniques', meaning: 'ATT&CK, as T1110' },
  { name: 'incident', meaning: 'id of the incident; `incident: *` for any' },
  { name: 'count', meaning: 'lines it rests on' },
];

export const FACETS = [
  { field: 'state', label: 'State' },
  { field: 'level', label: 'Severity' },
  { field: 'title', label: 'Rule' },
  { field: 'entityName', label: 'About' },
  { field: 'assignee', label: 'Person' },
  { field: 'verdict', label: 'Verdict' },
] as const;
