// SPDX-License-Identifier: Apache-2.0
/**
 * Whether the 351 SigmaHQ rules for a Linux host fire on raw lines: each rule's own values are written as the host would log them,
 * and go through decoder, join and detector. What it cannot tell is whether a host would log it: it tells that nothing on our way loses it.
 * Input: `sigma-linux-rules` of the test data. Output: rules that fired, by log source; those that did not, by title.
 */
import { join } from 'node:path';
import { makeJoin } from '../../collector/decode/auditd/join.ts';
import { declarations } from '../../collector/decode/decode.ts';
import { makeDetector } from '../../collector/detect/detect.ts';
import { readRuleFolders } from '../../collector/detect/folder.ts';
import { type CompiledRule, compileRuleSet } from '../../collector/detect/ruleset.ts';
import type { Node, Test } from '../../collector/detect/sigma/ast.ts';
import type { Event, Provenance } from '../../collector/model/event.ts';
import { hashId } from '../../core/ids.ts';
import { unixMs } from '../../core/units.ts';
import { type Lines, linesFor, type Piece } from './sigma-fire-lines.ts';

const MARK = { fired: 250 } as const;
/** Choices of values tried for a rule. */
const TRIES = 60;

const AT = unixMs(Date.UTC(2026, 10, 24, 12));
const FROM: Provenance = {
  collector: 'oracle',
  incarnation: '',
  offset: 0,
  generation: 1,
  agent: hashId('agt', 'oracle'),
  host: { id: hashId('ast', 'oracle'), name: 'h' },
  stream: 'oracle',
  epoch: '',
  ingested: AT,
  replay: false,
};

/** A value that satisfies the test; null for those that no plain text can be made for. */
const pieceOf = (field: string | null, test: Test): Piece | null => {
  if (test.kind === 'number') return { field, op: 'equals', text: String(test.value) };
  if (test.kind === 'cidr') return { field, op: 'equals', text: (test.text.split('/')[0] ?? '').replace(/\.0$/, '.1') };
  if (test.kind !== 'text') return null;
  if (test.op !== 'like') return { field, op: test.op, text: test.text };
  return { field, op: 'equals', text: test.parts.map((part) => (typeof part === 'string' ? part : 'x')).join('') };
};

/** Choices of pieces that may make a tree true. Negations are left to chance: most are exceptions. */
function* choices(node: Node): Generator<readonly Piece[]> {
  if (node.kind === 'not') yield [];
  else if (node.kind === 'item') {
    const { field, values, all } = node.item;
    const pieces = values.map((tests) => tests.flatMap((test) => pieceOf(field, test) ?? []));
    if (all) yield pieces.flatMap(([first]) => first ?? []);
    else if (pieces.flat().length === 0) yield [];
    else for (const piece of pieces.flat()) yield [piece];
  } else if (node.kind === 'or' || (node.kind === 'some' && node.n === 1)) for (const child of node.of) yield* choices(child);
  else yield* together(node.kind === 'some' ? node.of.slice(0, node.n) : node.of);
}

function* together([first, ...rest]: readonly Node[]): Generator<readonly Piece[]> {
  if (first === undefined) yield [];
  else for (const own of choices(first)) for (const others of together(rest)) yield [...own, ...others];
}

const eventsOf = ({ dataset, lines }: Lines): readonly Event[] => {
  const joining = makeJoin();
  const record = (line: string, i: number) => ({
    bytes: Buffer.from(line),
    seq: i + 1,
    flags: 0,
    readAt: AT,
    dataset,
    zone: 'UTC',
    from: FROM,
  });
  return [...lines.flatMap((line, i) => joining.push(record(line, i))), ...joining.flush()].map(({ event }) => event);
};

/** Runs the protocol on a data folder. */
export const run = async (dataDir: string) => {
  const ruleset = compileRuleSet(await readRuleFolders([join(dataDir, 'sigma-linux-rules')]));
  const detector = makeDetector(ruleset, { sources: declarations() });
  const fires = ({ rule, logsource, node }: CompiledRule): boolean => {
    let tries = 0;
    for (const pieces of choices(node)) {
      if (++tries > TRIES) return false;
      for (const lines of linesFor(logsource, pieces)) {
        let hit = false;
        for (const event of eventsOf(lines)) detector.detectDecoded(event, (match) => (hit ||= match.rule.id === rule.id));
        if (hit) return true;
      }
    }
    return false;
  };
  const sources: Record<string, { fired: number; of: number }> = {};
  const misses: string[] = [];
  let fired = 0;
  for (const one of ruleset.events) {
    const { category, service, product } = one.logsource;
    const source = (sources[category ?? service ?? product ?? 'any'] ??= { fired: 0, of: 0 });
    source.of += 1;
    if (fires(one)) {
      fired += 1;
      source.fired += 1;
    } else misses.push(one.rule.title);
  }
  return { protocol: 'sigma-fire', rules: ruleset.events.length, fired, sources, mark: MARK, holds: fired >= MARK.fired, misses };
};
