// SPDX-License-Identifier: Apache-2.0
/**
 * The policies and waivers of this host: those that come along, or the files and folders that the configuration names.
 * Input: paths, values as NAME=VALUE. Output: checked policies, no check twice; waivers by check.
 */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { nearest } from '../../../core/config.ts';
import { isCoded, systemCode } from '../../../core/errors.ts';
import { type Policy, type PolicyValues, parsePolicy, policyValues } from '../../../core/policy.ts';
import { type UnixMs, unixMs } from '../../../core/units.ts';
import { parseYaml, type YamlMap, type YamlValue } from '../../../core/yaml.ts';
import { fault } from '../../errors.ts';

/** Policies that come along. */
export const OWN_POLICIES = fileURLToPath(new URL('../../../rules/posture', import.meta.url));

const MAX_FILES = 200;

const badPolicy = (file: string, reason: string, cause?: unknown): Error => fault('POSTURE_BAD_POLICY', { file, reason }, cause);

/**
 * Reads every policy. A folder gives the `.yml` files that lie in it, not those below.
 * @throws CodedError POSTURE_BAD_POLICY, POLICY_BAD, YAML_BAD.
 */
export const loadPolicies = (paths: readonly string[], from: string, values: PolicyValues = {}): readonly Policy[] => {
  const files = (paths.length === 0 ? [OWN_POLICIES] : paths.map((path) => resolve(from, path))).flatMap(filesAt);
  if (files.length > MAX_FILES) throw badPolicy(files[0] as string, `there are more than ${MAX_FILES} files`);
  const texts = files.map((file) => ({ file, text: textOf(file) }));
  const policies = texts.map(({ file, text }) => parsePolicy(text, file, values));
  // Each file is read a second time for its own values, so only where some are given.
  const names = Object.keys(values).length === 0 ? [] : texts.flatMap(({ file, text }) => Object.keys(policyValues(text, file)));
  for (const name of Object.keys(values))
    if (!names.includes(name))
      throw badPolicy(files[0] as string, `no policy has the value "${name}"; the nearest is "${nearest(name, names)}"`);
  const seen = new Map<string, string>();
  for (const { file, checks } of policies)
    for (const { id } of checks) {
      const other = seen.get(id);
      if (other !== undefined) throw badPolicy(file, `the check "${id}" stands in ${other} too`);
      seen.set(id, file);
    }
  return policies;
};

/** For a host that only runs it: the cases, most of a policy's text, are let go. */
const withoutCases = (policy: Policy): Policy => ({ ...policy, checks: policy.checks.map((check) => ({ ...check, cases: [] })) });

/**
 * The policies for a run on this host. Those that come along are read one by one as they are taken: they hold, and the start need not wait for them.
 * @throws CodedError POSTURE_BAD_POLICY, POLICY_BAD, YAML_BAD, at once where the configuration names policies or values.
 */
export const policiesFor = (paths: readonly string[], from: string, values: readonly string[]): Iterable<Policy> =>
  paths.length > 0 || values.length > 0 ? loadPolicies(paths, from, readValues(values)).map(withoutCases) : ownPolicies();

function* ownPolicies(): Generator<Policy, void, undefined> {
  for (const file of filesAt(OWN_POLICIES)) yield withoutCases(parsePolicy(textOf(file), file));
}

const filesAt = (path: string): readonly string[] => {
  try {
    if (!statSync(path).isDirectory()) return [path];
    const found = readdirSync(path)
      .filter((name) => /\.ya?ml$/.test(name))
      .sort()
      .map((name) => join(path, name));
    if (found.length === 0) throw badPolicy(path, 'the folder holds no .yml file');
    return found;
  } catch (error) {
    throw isCoded(error) ? error : badPolicy(path, systemCode(error) ?? 'it cannot be opened', error);
  }
};

const textOf = (file: string): string => {
  try {
    if (!statSync(file).isFile()) throw badPolicy(file, 'it is no regular file');
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw isCoded(error) ? error : badPolicy(file, systemCode(error) ?? 'it cannot be read', error);
  }
};

/** `NAME=VALUE` entries. @throws CodedError POSTURE_BAD_POLICY. */
export const readValues = (entries: readonly string[]): PolicyValues =>
  Object.fromEntries(
    entries.map((entry) => {
      const at = entry.indexOf('=');
      if (at < 1) throw badPolicy(entry, 'a value is written NAME=VALUE');
      return [entry.slice(0, at), entry.slice(at + 1)];
    }),
  );

/** Somebody answers for a failing check until a day. */
export interface Waiver {
  readonly check: string;
  readonly reason: string;
  readonly owner: string;
  /** The end of that day, UTC. */
  readonly until: UnixMs;
}

const WAIVER_KEYS = ['check', 'reason', 'owner', 'until'] as const;
const DAY_MS = 86_400_000;

const isMap = (value: YamlValue | undefined): value is YamlMap => value !== null && typeof value === 'object' && !Array.isArray(value);

/**
 * The waivers of a YAML file: a list, alone or under `waivers`.
 * @throws CodedError POSTURE_BAD_WAIVER, POSTURE_BAD_POLICY, YAML_BAD.
 */
export const loadWaivers = (file: string | null, policies: readonly Policy[]): ReadonlyMap<string, Waiver> => {
  if (file === null) return new Map();
  const document = parseYaml(textOf(file), file)[0];
  const root = document?.value;
  const path: readonly (string | number)[] = isMap(root) ? ['waivers'] : [];
  const bad = (at: readonly (string | number)[], reason: string): Error =>
    fault('POSTURE_BAD_WAIVER', { file, line: document?.at(at).line ?? 1, reason });
  const list = isMap(root) ? root['waivers'] : root;
  if (!Array.isArray(list)) throw bad([], 'it holds no list of waivers');
  const checks = policies.flatMap((policy) => policy.checks.map(({ id }) => id));
  const waivers = new Map<string, Waiver>();
  for (const [i, one] of (list as readonly YamlValue[]).entries()) {
    const at = [...path, i];
    if (!isMap(one)) throw bad(at, 'a waiver is a map of check, reason, owner and until');
    for (const key of Object.keys(one))
      if (!(WAIVER_KEYS as readonly string[]).includes(key))
        throw bad([...at, key], `a waiver has no "${key}"; the nearest is "${nearest(key, WAIVER_KEYS)}"`);
    const [check, reason, owner, until] = WAIVER_KEYS.map((key) => {
      const value = one[key];
      if (typeof value !== 'string' || value.trim() === '') throw bad([...at, key], `a waiver needs ${key}, as text`);
      return value.trim();
    }) as [string, string, string, string];
    if (!checks.includes(check)) throw bad([...at, 'check'], `there is no check "${check}"; the nearest is "${nearest(check, checks)}"`);
    const day = /^\d{4}-\d{2}-\d{2}$/.test(until) ? Date.parse(`${until}T00:00:00Z`) : Number.NaN;
    if (Number.isNaN(day)) throw bad([...at, 'until'], `until is a day such as 2027-01-31, not "${until}"`);
    if (waivers.has(check)) throw bad([...at, 'check'], `there is another waiver for "${check}"`);
    waivers.set(check, { check, reason, owner, until: unixMs(day + DAY_MS) });
  }
  return waivers;
};
