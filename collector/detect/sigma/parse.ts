// SPDX-License-Identifier: Apache-2.0
/**
 * Sigma documents: the envelope of rules, correlations and filters, checked key by key.
 * Input: the text of one file. Output: parsed documents and findings at file, line and column; nothing is skipped in silence.
 */
import { isCoded } from '../../../core/errors.ts';
import { parseYaml, type YamlDocument, type YamlMap } from '../../../core/yaml.ts';
import type { LogSource, RuleOrigin } from '../../model/rule.ts';
import { type Finding, type Notes, notesOf, PROBLEMS, Refusal } from '../problem.ts';
import type { Node } from './ast.ts';
import { type CorrelationDraft, parseCorrelation } from './correlation.ts';
import { isMap, parseDetection } from './detection.ts';
import type { Placeholders } from './encode.ts';
import { type Envelope, envelopeOf, logsourceOf } from './envelope.ts';
import { type FilterDraft, parseFilter } from './filter.ts';

export interface RuleDraft {
  readonly kind: 'event';
  readonly envelope: Envelope;
  readonly logsource: LogSource;
  readonly node: Node;
  readonly document: YamlDocument;
}

export type Draft = RuleDraft | CorrelationDraft | FilterDraft;

const SIGMA_KEYS = ['logsource', 'detection', 'correlation', 'filter', 'title', 'level'];

/** Reads every document of a file. A document that is refused gives a finding and no draft. */
export const parseRuleFile = (
  text: string,
  file: string,
  pack: string,
  placeholders: Placeholders,
): { readonly drafts: readonly Draft[]; readonly findings: readonly Finding[] } => {
  const findings: Finding[] = [];
  const drafts: Draft[] = [];
  let documents: readonly YamlDocument[];
  try {
    documents = parseYaml(text, file);
  } catch (thrown) {
    if (!isCoded(thrown)) throw thrown;
    const { line, column, reason } = thrown.details;
    const message = `${PROBLEMS.RULE_YAML}: ${reason ?? thrown.message}`;
    findings.push({ file, line: Number(line ?? 1), column: Number(column ?? 1), rule: '', outcome: 'refused', code: 'RULE_YAML', message });
    return { drafts, findings };
  }
  for (const document of documents) {
    if (document.value === null && documents.length > 1) continue;
    let name = '';
    const notes = notesOf(file, document, () => name, findings);
    try {
      if (!isMap(document.value)) throw new Refusal('RULE_NOT_A_MAP', [], '');
      const { value } = document;
      if (!SIGMA_KEYS.some((key) => key in value)) {
        findings.push({ file, ...document.at([]), rule: '', outcome: 'warning', code: 'RULE_OTHER', message: PROBLEMS.RULE_OTHER });
        continue;
      }
      name = String(document.value['id'] ?? document.value['name'] ?? document.value['title'] ?? '');
      drafts.push(parseDocument(document, document.value, { file, line: document.at([]).line, pack }, placeholders, notes));
    } catch (thrown) {
      if (!(thrown instanceof Refusal)) throw thrown;
      findings.push({ file, ...document.at(thrown.path), rule: name, outcome: 'refused', code: thrown.code, message: thrown.message });
    }
  }
  return { drafts, findings };
};

const parseDocument = (document: YamlDocument, map: YamlMap, origin: RuleOrigin, placeholders: Placeholders, notes: Notes): Draft => {
  const envelope = envelopeOf(map, origin, notes);
  if (isMap(map['correlation'])) return parseCorrelation(document, map, map['correlation'], envelope, notes);
  if (isMap(map['filter'])) return parseFilter(document, map, map['filter'], envelope, placeholders, notes);
  if (!isMap(map['detection'])) throw new Refusal('RULE_KIND_UNKNOWN', [], '');
  const logsource = logsourceOf(map['logsource']);
  if (!logsource) throw new Refusal('RULE_LOGSOURCE', ['logsource'], '');
  return { kind: 'event', envelope, logsource, node: parseDetection(map['detection'], ['detection'], placeholders, notes), document };
};
