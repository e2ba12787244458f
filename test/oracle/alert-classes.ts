// SPDX-License-Identifier: Apache-2.0
/**
 * The published mapping of protocol P3: their scenarios and our rules to common classes of alert.
 * Input: a scenario's name; a rule's id, title and techniques. Output: one class, or null for what has none.
 */

export const ALERT_CLASSES = [
  'brute-force',
  'slow-brute-force',
  'user-enumeration',
  'scan',
  'path-traversal',
  'exploit',
  'bad-user-agent',
  'protocol-abuse',
  'mail-abuse',
  'denial-of-service',
  'post-exploitation',
] as const;
export type AlertClass = (typeof ALERT_CLASSES)[number];

/** First match counts. */
const SCENARIOS: readonly (readonly [pattern: RegExp, of: AlertClass])[] = [
  [/user[-_]?enum|logs-enum|bf_domain_error/i, 'user-enumeration'],
  [/slow-bf|time-based-bf/i, 'slow-brute-force'],
  [/path-traversal/i, 'path-traversal'],
  [/bad-keyexchange|refused-conn|bind9-refused|acl-reject|non-smtp|invalid-http|open-proxy/i, 'protocol-abuse'],
  [/(^|[-_/])(bf|brute-?force|bruteforce)|bf$|-bf[-_]|f2b-feed|sasl-bf|endlessh/i, 'brute-force'],
  [/bad-user-agent|switc?h?ing-ua|swithcing-ua/i, 'bad-user-agent'],
  [/req-limit|-dos-/i, 'denial-of-service'],
  [/spam|relay-denied|helo|honeypot|mailscanner/i, 'mail-abuse'],
  [/probing|scan|sensitive-files|technology|generic-test|w00tw00t|backdoors/i, 'scan'],
  [/cve|log4j|spring4shell|thinkphp|netgear|modsecurity/i, 'exploit'],
  [/postexploit|suid-crash|base64-exec|pod-exec/i, 'post-exploitation'],
];

/** Needs geography or a cloud account, which no host log gives. */
export const OUT_OF_SCOPE = /impossible-travel|aws-|-ccs|magento/i;

export const classOfScenario = (scenario: string): AlertClass | null => SCENARIOS.find(([pattern]) => pattern.test(scenario))?.[1] ?? null;

export interface ProducedAlert {
  readonly rule: string;
  readonly title: string;
  /** `ip:203.0.113.77`. */
  readonly entity: string;
  readonly techniques: readonly string[];
  readonly count: number;
}

/** By words of the rule's id and title, then by its ATT&CK techniques. */
const RULES: readonly (readonly [pattern: RegExp, of: AlertClass])[] = [
  [/user.?enum|enumerat|unknown (name|user)|invalid user/i, 'user-enumeration'],
  [/slow.*(brute|failed|guess)|(brute|failed|guess).*slow/i, 'slow-brute-force'],
  [/travers/i, 'path-traversal'],
  [/brute|burst of failed|failed (log|auth)|password (guess|spray)|tarpit/i, 'brute-force'],
  [/user.?agent/i, 'bad-user-agent'],
  [/flood|rate.?limit|denial.of.service/i, 'denial-of-service'],
  [/relay|spam|helo|recipient/i, 'mail-abuse'],
  [/key.?exchange|negotiat|refused|protocol|malformed|proxy/i, 'protocol-abuse'],
  [/scan|prob|sensitive|discovery of|fingerprint/i, 'scan'],
  [/exploit|cve|inject|log4|shellshock|overflow|web.?shell/i, 'exploit'],
];
const TECHNIQUES: readonly (readonly [prefix: string, of: AlertClass])[] = [
  ['T1110', 'brute-force'],
  ['T1595', 'scan'],
  ['T1046', 'scan'],
  ['T1190', 'exploit'],
  ['T1203', 'exploit'],
  ['T1498', 'denial-of-service'],
  ['T1499', 'denial-of-service'],
  ['T1059', 'post-exploitation'],
  ['T1070', 'post-exploitation'],
  ['T1068', 'post-exploitation'],
  ['T1027', 'post-exploitation'],
];

export const classOfAlert = (alert: ProducedAlert): AlertClass | null =>
  RULES.find(([pattern]) => pattern.test(`${alert.rule} ${alert.title}`))?.[1] ??
  TECHNIQUES.find(([prefix]) => alert.techniques.some((one) => one.startsWith(prefix)))?.[1] ??
  null;
