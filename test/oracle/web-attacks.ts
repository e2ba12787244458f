// SPDX-License-Identifier: Apache-2.0
/**
 * Protocol P8: attack requests of the core rule set as access-log lines, through decoder and rules.
 * Input: `crs-web`, and the benign lines of `crowdsec-hub`. Output: recall by family, alerts on requests of other rules and on benign lines.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { decodeForRules } from '../../collector/cli/river.ts';
import { declarations } from '../../collector/decode/decode.ts';
import { makeDetector } from '../../collector/detect/detect.ts';
import { readRuleFolders } from '../../collector/detect/folder.ts';
import { compileRuleSet } from '../../collector/detect/ruleset.ts';
import { ROOT } from '../support/repository.ts';

const MARK = { recall: 0.4, sqli: 0.6, xss: 0.6, lfi: 0.6, benign_alerts: 0 } as const;
const IN_SCOPE = /-(?:913|930|931|932|933|934|941|942|943|944)-/;

interface Case {
  readonly family: string;
  readonly line: string;
  readonly visible_in_access_log: boolean;
  readonly expected: 'attack' | 'not_this_rule';
}

interface DecodeCase {
  readonly log_type: string;
  readonly line: string;
  readonly expected: { readonly meta: Readonly<Record<string, string>> } | null;
}

const jsonLines = async <T>(file: string): Promise<readonly T[]> =>
  (await readFile(file, 'utf8')).split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line) as T]));

const share = (hits: number, all: number): number => (all === 0 ? 0 : Math.round((hits / all) * 1000) / 1000);

/** Runs the protocol on a data folder. */
export const run = async (dataDir: string) => {
  const detector = makeDetector(compileRuleSet(await readRuleFolders([join(ROOT, 'rules')])), { sources: declarations() });
  const alerts = (dataset: string, line: string): boolean => {
    let found = false;
    for (const event of decodeForRules(dataset, [line])) {
      detector.detectDecoded(event, ({ rule }) => {
        found ||= rule.alerts;
      });
    }
    return found;
  };
  const families: Record<string, { attacks: number; found: number; others: number; alerted: number }> = {};
  const total = { attacks: 0, found: 0, others: 0, alerted: 0 };
  for (const { family, line, visible_in_access_log, expected } of await jsonLines<Case>(join(dataDir, 'crs-web', 'cases.jsonl'))) {
    if (!visible_in_access_log || !IN_SCOPE.test(family)) continue;
    const name = family.split('-').at(-1)?.toLowerCase() ?? family;
    const one = (families[name] ??= { attacks: 0, found: 0, others: 0, alerted: 0 });
    const hit = alerts('nginx.access', line) ? 1 : 0;
    for (const counts of [one, total]) {
      if (expected === 'attack') {
        counts.attacks++;
        counts.found += hit;
      } else {
        counts.others++;
        counts.alerted += hit;
      }
    }
  }
  const benign = (await jsonLines<DecodeCase>(join(dataDir, 'crowdsec-hub', 'decode-cases.jsonl'))).filter(
    ({ log_type, expected }) => /^(?:nginx|apache2)$/.test(log_type) && expected?.meta['http_status'] === '200',
  );
  const benignAlerts = benign.filter(({ log_type, line }) => alerts(log_type === 'nginx' ? 'nginx' : 'apache', line)).length;
  const recallOf = (name: string): number => share(families[name]?.found ?? 0, families[name]?.attacks ?? 0);
  const result = {
    recall: share(total.found, total.attacks),
    sqli: recallOf('sqli'),
    xss: recallOf('xss'),
    lfi: recallOf('lfi'),
    benign_alerts: benignAlerts,
  };
  return {
    protocol: 'web-attacks',
    ...result,
    false_rate: share(total.alerted, total.others),
    attacks: total.attacks,
    others: total.others,
    benign: benign.length,
    families: Object.fromEntries(Object.entries(families).map(([name, f]) => [name, share(f.found, f.attacks)])),
    mark: MARK,
    holds:
      result.recall >= MARK.recall &&
      result.sqli >= MARK.sqli &&
      result.xss >= MARK.xss &&
      result.lfi >= MARK.lfi &&
      benignAlerts <= MARK.benign_alerts,
  };
};
