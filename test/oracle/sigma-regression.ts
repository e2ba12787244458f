// SPDX-License-Identifier: Apache-2.0
/**
 * Protocol P7: every regression folder of SigmaHQ must have at least one match of its rule.
 * Input: `sigma-regression` of the test data. Output: folders matched, and the cross table of index against full scan.
 */
import { readdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { flatten } from '../../collector/detect/adapt.ts';
import { makeDetector } from '../../collector/detect/detect.ts';
import { eventWords, type FlatEvent } from '../../collector/detect/fields.ts';
import { readRuleFolders } from '../../collector/detect/folder.ts';
import { compileRuleSet } from '../../collector/detect/ruleset.ts';
import { parseYaml, type YamlMap } from '../../core/yaml.ts';

const MARK = { folders: 105, disagreements: 0 } as const;

/** One file may hold several JSON documents one after the other; they are told apart by their braces. */
export const splitJson = (text: string): readonly unknown[] => {
  const found: unknown[] = [];
  let depth = 0;
  let start = 0;
  let quoted = false;
  for (let i = 0; i < text.length; i++) {
    const c = text[i];
    if (quoted) {
      if (c === '\\') i++;
      else if (c === '"') quoted = false;
    } else if (c === '"') quoted = true;
    else if (c === '{' && depth++ === 0) start = i;
    else if (c === '}' && --depth === 0) found.push(JSON.parse(text.slice(start, i + 1)));
  }
  return found;
};

interface Folder {
  readonly name: string;
  readonly rules: readonly string[];
  readonly events: readonly FlatEvent[];
}

const readFolder = async (root: string, info: string): Promise<Folder> => {
  const folder = dirname(info);
  const document = parseYaml(await readFile(join(root, info), 'utf8'), info)[0]?.value as YamlMap;
  const rules = (document['rule_metadata'] as readonly YamlMap[]).map((rule) => String(rule['id']));
  const events: FlatEvent[] = [];
  for (const name of await readdir(join(root, folder))) {
    const text = /\.(json|jsoncls|raw)$/.test(name) ? await readFile(join(root, folder, name), 'utf8') : '';
    if (name.endsWith('.raw')) for (const line of text.split('\n').filter((l) => l !== '')) events.push({ 'event.original': line });
    else for (const json of text === '' ? [] : splitJson(text)) events.push(flatten(json) ?? {});
  }
  return { name: folder, rules, events };
};

/** Runs the protocol on a data folder. */
export const run = async (dataDir: string) => {
  const root = join(dataDir, 'sigma-regression');
  const ruleset = compileRuleSet(await readRuleFolders([join(root, 'rules/rules'), join(root, 'rules/rules-emerging-threats')]));
  const infos = (await readdir(root, { recursive: true })).filter((name) => name.endsWith('info.yml')).sort();
  const folders = await Promise.all(infos.map((info) => readFolder(root, info)));
  const routed = makeDetector(ruleset);
  const any = makeDetector(ruleset, { logsource: 'any' });
  const subject = ruleset.table.subject();
  const missed: string[] = [];
  let matched = 0;
  let events = 0;
  let disagreements = 0;
  for (const folder of folders) {
    let hit = false;
    for (const event of folder.events) {
      events++;
      routed.detect(event, (match) => {
        hit ||= folder.rules.includes(match.rule.id);
      });
      const indexed: string[] = [];
      any.detect(event, (match) => indexed.push(match.rule.id));
      ruleset.table.fill(subject, event);
      subject.makeWords = () => eventWords(event);
      const scanned = ruleset.events.filter((rule) => rule.matches(subject)).map((rule) => rule.rule.id);
      if (indexed.join() !== scanned.join()) disagreements++;
    }
    if (hit) matched++;
    else missed.push(folder.name);
  }
  const holds = matched >= MARK.folders && disagreements <= MARK.disagreements;
  return { protocol: 'sigma-regression', folders: folders.length, matched, events, disagreements, missed, mark: MARK, holds };
};
