// SPDX-License-Identifier: Apache-2.0
/**
 * Which check speaks for which control, how far, and why: the data that joins what is measured to what is asked.
 * Input: `rules/controls/map.yml`, in groups of checks that share a reason. Output: one mapping a pair of check and control.
 */
import { parseYaml, type YamlValue } from '../../core/yaml.ts';
import { fault } from '../errors.ts';
import { type CheckMapping, RELATIONSHIPS, type Relationship } from '../model/observation.ts';
import type { Catalogue } from './catalogue.ts';

export interface ControlMap {
  readonly mappings: readonly CheckMapping[];
  /** Checks that are asked once for the collector and not of each host. */
  readonly once: ReadonlySet<string>;
  readonly ofCheck: ReadonlyMap<string, readonly CheckMapping[]>;
  readonly ofControl: ReadonlyMap<string, readonly CheckMapping[]>;
}

const isMap = (value: YamlValue | undefined): value is Readonly<Record<string, YamlValue>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const textsOf = (value: YamlValue | undefined): readonly string[] | null =>
  Array.isArray(value) && value.every((one) => typeof one === 'string') ? (value as readonly string[]) : null;

const KEYS: ReadonlySet<string> = new Set(['control', 'relationship', 'reason', 'checks']);

/** @throws CodedError MAP_BAD with file, line and what is wrong; YAML_BAD. */
export const parseMap = (text: string, file: string, catalogue: Catalogue): ControlMap => {
  const [document] = parseYaml(text, file);
  const bad = (path: readonly (string | number)[], reason: string): Error => {
    const line = document?.at(path).line ?? 1;
    return fault('MAP_BAD', { file, line, reason });
  };
  const root = document?.value;
  if (!isMap(root) || !Array.isArray(root['groups'])) throw bad([], 'it has no list of groups');
  const once = root['once'] === undefined ? [] : textsOf(root['once']);
  if (once === null) throw bad(['once'], '"once" is a list of checks');
  const mappings: CheckMapping[] = [];
  const seen = new Set<string>();
  for (const [i, group] of (root['groups'] as readonly YamlValue[]).entries()) {
    const at = (name: string): readonly (string | number)[] => ['groups', i, name];
    if (!isMap(group)) throw bad(['groups', i], 'a group is a map');
    const unknown = Object.keys(group).find((key) => !KEYS.has(key));
    if (unknown !== undefined) throw bad(at(unknown), `"${unknown}" is no key of a group`);
    const { control, relationship, reason } = group;
    const checks = textsOf(group['checks']);
    const ref = `${catalogue.id}/${String(control)}`;
    if (catalogue.byRef.get(ref)?.kind !== 'subcategory')
      throw bad(at('control'), `${String(control)} is no subcategory of ${catalogue.id}`);
    if (!(RELATIONSHIPS as readonly unknown[]).includes(relationship))
      throw bad(at('relationship'), `the relationship is one of ${RELATIONSHIPS.join(', ')}`);
    if (typeof reason !== 'string' || reason.trim() === '') throw bad(at('reason'), 'a group says why');
    if (checks === null || checks.length === 0) throw bad(at('checks'), 'a group names its checks');
    for (const check of checks) {
      if (seen.has(`${check} ${ref}`)) throw bad(at('checks'), `${check} is mapped to ${ref} twice`);
      seen.add(`${check} ${ref}`);
      mappings.push({ check, control: ref, relationship: relationship as Relationship, reason });
    }
  }
  return { mappings, once: new Set(once), ofCheck: groupBy(mappings, 'check'), ofControl: groupBy(mappings, 'control') };
};

const groupBy = (mappings: readonly CheckMapping[], key: 'check' | 'control'): ReadonlyMap<string, readonly CheckMapping[]> => {
  const groups = new Map<string, CheckMapping[]>();
  for (const one of mappings) groups.set(one[key], [...(groups.get(one[key]) ?? []), one]);
  return groups;
};
