// SPDX-License-Identifier: Apache-2.0
/**
 * The proposed register of risks: read from the rules and put into the state on the first start, once.
 * Input: `rules/risks/proposed.yml`. Output: risks marked proposed, for a person to review.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { UnixMs } from '../../core/units.ts';
import { parseYaml, type YamlMap, type YamlValue } from '../../core/yaml.ts';
import { fault } from '../errors.ts';
import { LIKELIHOODS, type Likelihood, type Risk, riskId } from '../model/risk.ts';
import type { StateStore } from '../store/store.ts';
import type { Catalogue } from './catalogue.ts';

const isMap = (value: YamlValue | undefined): value is YamlMap => typeof value === 'object' && value !== null && !Array.isArray(value);
const isTexts = (value: YamlValue | undefined): value is readonly string[] =>
  Array.isArray(value) && value.length > 0 && value.every((one) => typeof one === 'string');
const isWord = (value: YamlValue | undefined): value is Likelihood => (LIKELIHOODS as readonly unknown[]).includes(value);

/** @throws CodedError MAP_BAD with file, line and what is wrong; YAML_BAD. */
export const parseRegister = (text: string, file: string, catalogue: Catalogue, at: UnixMs): readonly Risk[] => {
  const [document] = parseYaml(text, file);
  const bad = (path: readonly (string | number)[], reason: string): Error =>
    fault('MAP_BAD', { file, line: document?.at(path).line ?? 1, reason });
  const list = isMap(document?.value) ? document.value['risks'] : undefined;
  if (!Array.isArray(list)) throw bad([], 'it has no list of risks');
  const keys = new Set<string>();
  return (list as readonly YamlValue[]).map((one, i) => {
    const at2 = (name: string): readonly (string | number)[] => ['risks', i, name];
    if (!isMap(one)) throw bad(['risks', i], 'a risk is a map');
    const { key, title, scenario, techniques, checks, controls, likelihood, impact, tolerance, frequency } = one;
    if (typeof key !== 'string' || keys.has(key)) throw bad(at2('key'), 'each risk has a key of its own');
    keys.add(key);
    if (typeof title !== 'string' || typeof scenario !== 'string') throw bad(at2('title'), `${key} lacks title or scenario`);
    if (!isTexts(techniques) || !techniques.every((each) => /^T\d{4}(\.\d{3})?$/.test(each)))
      throw bad(at2('techniques'), `${key} names techniques such as T1110.001`);
    if (!isTexts(checks)) throw bad(at2('checks'), `${key} names the checks whose failing raises it`);
    if (!isTexts(controls)) throw bad(at2('controls'), `${key} names controls`);
    const refs = controls.map((id) => `${catalogue.id}/${id}`);
    const unknown = refs.find((ref) => !catalogue.byRef.has(ref));
    if (unknown !== undefined) throw bad(at2('controls'), `${unknown} is no control that is known`);
    if (!isWord(likelihood) || !isWord(impact) || !isWord(tolerance))
      throw bad(at2('likelihood'), `likelihood, impact and tolerance are each one of ${LIKELIHOODS.join(', ')}`);
    const interval = intervalOf(frequency);
    if (interval === null) throw bad(at2('frequency'), 'frequency has p5 under p95, both over 0');
    return {
      id: riskId(key),
      number: i + 1,
      title,
      scenario,
      techniques,
      checks,
      controls: refs,
      assessed: { likelihood, impact, by: 'proposed', at },
      tolerance,
      ...(interval === undefined ? {} : { frequency: interval }),
      status: 'proposed',
    };
  });
};

const intervalOf = (value: YamlValue | undefined): Risk['frequency'] | null | undefined => {
  if (value === undefined) return undefined;
  if (!isMap(value)) return null;
  const { p5, p95 } = value;
  return typeof p5 === 'number' && typeof p95 === 'number' && p5 > 0 && p5 < p95 ? { p5, p95 } : null;
};

const SEEDED = 'risks:seeded';

/** Puts the proposed risks into a state that never had them; what a person removed does not come back. */
export const seedRegister = async (state: StateStore, dir: string, catalogue: Catalogue, at: UnixMs): Promise<void> => {
  if ((await state.get('setting', SEEDED)) !== null) return;
  const file = join(dir, 'risks', 'proposed.yml');
  for (const risk of parseRegister(await readFile(file, 'utf8'), file, catalogue, at)) {
    if ((await state.get('risk', risk.id)) === null) await state.put('risk', risk.id, risk);
  }
  await state.put('setting', SEEDED, { at });
};
