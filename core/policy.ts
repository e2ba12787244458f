// SPDX-License-Identifier: Apache-2.0
/**
 * Posture policies: checks of settings as data, with the exact fix and their own cases. Read by the agent, which runs them, and by the collector.
 * Input: YAML of our format (rules/README.md). Output: checked policies; what is wrong is named by file, line and the nearest known word.
 */
import { nearest } from './config.ts';
import { coreFault } from './errors.ts';
import { type Fix, readFix } from './fix.ts';
import { linearPattern, spellCase } from './pattern.ts';
import { type Param, PROBES, type ProbeCall, type ProbeName } from './probe.ts';
import { type Ms, ms } from './units.ts';
import { parseYaml, type YamlDocument, type YamlMap, type YamlValue } from './yaml.ts';

export const SEVERITIES = ['informational', 'low', 'medium', 'high', 'critical'] as const;
export type Severity = (typeof SEVERITIES)[number];

/** Probes and how their answers are put together. */
export type Test = ProbeCall | { readonly kind: 'all' | 'any' | 'none'; readonly of: readonly Test[] };

/** A file tree and the answer that the check gives on it. */
export interface PolicyCase {
  readonly name: string;
  /** Text of files by path; null: it is not there. */
  readonly files: Readonly<Record<string, string | null>>;
  readonly modes: Readonly<Record<string, number>>;
  readonly links: Readonly<Record<string, string>>;
  readonly result: 'pass' | 'fail' | 'not-applicable' | 'unknown' | 'error';
}

export interface PolicyCheck {
  readonly id: string;
  readonly title: string;
  readonly severity: Severity;
  readonly rationale: string;
  /** What is right, in words. */
  readonly expected: string;
  /** An answer older than this is unknown. */
  readonly freshMs: Ms;
  readonly applies: Test | null;
  readonly test: Test;
  readonly fix: Fix;
  /** Controls that it speaks for, by suggestion; without an edition they are of CSF 2.0. The mapping itself is rules/controls/map.yml. */
  readonly controls: readonly string[];
  readonly cases: readonly PolicyCase[];
}

export interface Policy {
  readonly id: string;
  readonly title: string;
  readonly description: string;
  readonly file: string;
  /** Where it does not hold, the checks are not applicable. */
  readonly applies: Test | null;
  readonly checks: readonly PolicyCheck[];
}

/** Values that a host gives instead of a policy's own, by name. */
export type PolicyValues = Readonly<Record<string, string>>;

const FRESH_MS = 7_200_000;
const MAX_CHECKS = 500;
const MAX_DEPTH = 8;
const MAX_PATTERN = 600;
const ID = /^[a-z0-9]+(?:[-.][a-z0-9]+)*$/;
const DURATION = /^(\d{1,6})\s*(s|m|h|d)$/;
const UNITS: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

type Path = readonly (string | number)[];

/** Reads values and says where they are wrong. */
export interface PolicyReader {
  readonly bad: (path: Path, reason: string) => Error;
  readonly map: (value: YamlValue | undefined, path: Path, known: readonly string[], what: string) => YamlMap;
  readonly text: (value: YamlValue | undefined, path: Path, what: string) => string;
  readonly texts: (value: YamlValue | undefined, path: Path, what: string) => readonly string[];
  /** Puts values where a text names them as `{name}`. */
  readonly fill: (text: string) => string;
}

const isMap = (value: YamlValue | undefined): value is YamlMap => value !== null && typeof value === 'object' && !Array.isArray(value);

const readerOf = (document: YamlDocument, file: string, values: PolicyValues): PolicyReader => {
  const bad = (path: Path, reason: string): Error => coreFault('POLICY_BAD', { file, ...document.at(path), reason });
  const given = (value: YamlValue | undefined, path: Path): YamlValue | undefined => {
    if (!isMap(value)) return value;
    const name = value['value'];
    if (Object.keys(value).length !== 1 || typeof name !== 'string') return value;
    const found = values[name];
    if (found === undefined) throw bad(path, `the policy has no value "${name}"; the nearest is "${nearest(name, Object.keys(values))}"`);
    return found;
  };
  const text = (raw: YamlValue | undefined, path: Path, what: string): string => {
    const value = given(raw, path);
    if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') return String(value);
    throw bad(path, `${what} is a text`);
  };
  return {
    bad,
    text,
    texts: (raw, path, what) => {
      const value = given(raw, path);
      return Array.isArray(value) ? value.map((one, i) => text(one as YamlValue, [...path, i], what)) : [text(value, path, what)];
    },
    map: (value, path, known, what) => {
      if (!isMap(value)) throw bad(path, `${what} is a map`);
      for (const key of Object.keys(value))
        if (!known.includes(key)) throw bad([...path, key], `${what} has no "${key}"; the nearest is "${nearest(key, known)}"`);
      return value;
    },
    fill: (written) => written.replace(/\{([a-z0-9-]+)\}/g, (whole, name: string) => values[name] ?? whole),
  };
};

/**
 * The one policy of a file. `given` stands in the place of the policy's own values where it names the same.
 * @throws CodedError POLICY_BAD, YAML_BAD, TOO_LARGE.
 */
export const parsePolicy = (text: string, file: string, given: PolicyValues = {}): Policy => {
  const documents = parseYaml(text, file);
  const document = documents[0];
  if (!document || documents.length > 1) throw coreFault('POLICY_BAD', { file, line: 1, column: 1, reason: 'a file holds one policy' });
  const own: Record<string, string> = {};
  const top = isMap(document.value) ? document.value['values'] : undefined;
  if (isMap(top)) for (const [name, value] of Object.entries(top)) own[name] = given[name] ?? String(value);
  const read = readerOf(document, file, own);
  const map = read.map(document.value, [], ['policy', 'title', 'description', 'values', 'applies', 'checks'], 'a policy');
  const id = identifier(read, map['policy'], ['policy'], 'policy');
  const { checks } = map;
  if (!Array.isArray(checks) || checks.length === 0) throw read.bad(['checks'], 'checks is a list with at least one check');
  if (checks.length > MAX_CHECKS) throw read.bad(['checks'], `more than ${MAX_CHECKS} checks`);
  const seen = new Set<string>();
  return {
    id,
    file,
    title: read.text(map['title'], ['title'], 'title'),
    description: read.text(map['description'], ['description'], 'description'),
    applies: map['applies'] === undefined ? null : readTest(read, map['applies'], ['applies'], 0),
    checks: checks.map((one: YamlValue, i) => {
      const check = readCheck(read, one, ['checks', i]);
      if (seen.has(check.id)) throw read.bad(['checks', i, 'id'], `there is another check "${check.id}"`);
      seen.add(check.id);
      return check;
    }),
  };
};

/** The names a policy file gives values, with their own values. */
export const policyValues = (text: string, file: string): PolicyValues => {
  const top = parseYaml(text, file)[0]?.value;
  const values = isMap(top) ? top['values'] : undefined;
  return isMap(values) ? Object.fromEntries(Object.entries(values).map(([name, value]) => [name, String(value)])) : {};
};

const identifier = (read: PolicyReader, value: YamlValue | undefined, path: Path, what: string): string => {
  const id = read.text(value, path, what);
  if (!ID.test(id) || id.length > 100) throw read.bad(path, `${what} is small letters, digits, hyphens and dots`);
  return id;
};

const CHECK_KEYS = ['id', 'title', 'severity', 'rationale', 'expected', 'fresh', 'applies', 'test', 'fix', 'controls', 'cases'] as const;

const readCheck = (read: PolicyReader, value: YamlValue, path: Path): PolicyCheck => {
  const map = read.map(value, path, CHECK_KEYS, 'a check');
  const severity = read.text(map['severity'], [...path, 'severity'], 'severity');
  if (!(SEVERITIES as readonly string[]).includes(severity))
    throw read.bad([...path, 'severity'], `severity is one of ${SEVERITIES.join(', ')}; the nearest is "${nearest(severity, SEVERITIES)}"`);
  const { cases } = map;
  if (cases !== undefined && !Array.isArray(cases)) throw read.bad([...path, 'cases'], 'cases is a list');
  return {
    id: identifier(read, map['id'], [...path, 'id'], 'id'),
    title: read.text(map['title'], [...path, 'title'], 'title'),
    severity: severity as Severity,
    rationale: read.text(map['rationale'], [...path, 'rationale'], 'rationale'),
    expected: read.fill(read.text(map['expected'], [...path, 'expected'], 'expected')),
    freshMs: freshOf(read, map['fresh'], [...path, 'fresh']),
    applies: map['applies'] === undefined ? null : readTest(read, map['applies'], [...path, 'applies'], 0),
    test: readTest(read, map['test'], [...path, 'test'], 0),
    fix: readFix(read, map['fix'], [...path, 'fix']),
    controls: (map['controls'] === undefined ? [] : read.texts(map['controls'], [...path, 'controls'], 'controls')).map((one) =>
      one.includes(':') ? one : `csf:2.0/${one}`,
    ),
    cases: (cases ?? []).map((one: YamlValue, i: number) => readCase(read, one, [...path, 'cases', i])),
  };
};

const freshOf = (read: PolicyReader, value: YamlValue | undefined, path: Path): Ms => {
  if (value === undefined) return ms(FRESH_MS);
  const match = DURATION.exec(read.text(value, path, 'fresh'));
  if (!match) throw read.bad(path, 'fresh is a time such as 90m, 2h or 7d');
  return ms(Number(match[1]) * (UNITS[match[2] as string] as number));
};

const COMBINED = ['all', 'any', 'none'] as const;
const PROBE_NAMES = Object.keys(PROBES);

const readTest = (read: PolicyReader, value: YamlValue | undefined, path: Path, depth: number): Test => {
  if (depth > MAX_DEPTH) throw read.bad(path, `nested deeper than ${MAX_DEPTH} levels`);
  if (!isMap(value)) throw read.bad(path, `a test is one probe, or all, any or none of several; the probes are ${PROBE_NAMES.join(', ')}`);
  const keys = Object.keys(value);
  const name = keys[0];
  if (keys.length !== 1 || name === undefined) throw read.bad(path, 'a test names one probe; put several under all, any or none');
  const at = [...path, name];
  const inner = value[name];
  if ((COMBINED as readonly string[]).includes(name)) {
    if (!Array.isArray(inner) || inner.length === 0) throw read.bad(at, `${name} is a list of tests`);
    return { kind: name as (typeof COMBINED)[number], of: inner.map((one: YamlValue, i) => readTest(read, one, [...at, i], depth + 1)) };
  }
  if (!Object.hasOwn(PROBES, name))
    throw read.bad(at, `there is no probe "${name}"; the nearest is "${nearest(name, [...PROBE_NAMES, ...COMBINED])}"`);
  const table: Readonly<Record<string, Param>> = PROBES[name as ProbeName];
  const map = read.map(inner, at, Object.keys(table), `the probe ${name}`);
  const params: Record<string, unknown> = {};
  for (const [key, param] of Object.entries(table)) {
    if (map[key] !== undefined) params[key] = readParam(read, param, map[key], [...at, key]);
    else if (param.need) throw read.bad(at, `the probe ${name} needs "${key}"`);
  }
  // The table's types say what each of these is; the compiler cannot follow them through a loop.
  return { kind: 'probe', probe: name, params } as unknown as ProbeCall;
};

const readParam = (read: PolicyReader, { type }: Param, value: YamlValue, path: Path): unknown => {
  const key = String(path.at(-1));
  switch (type) {
    case 'text':
      return read.text(value, path, key);
    case 'texts':
      return read.texts(value, path, key);
    case 'boolean':
      if (typeof value !== 'boolean') throw read.bad(path, `${key} is true or false`);
      return value;
    case 'integer':
      return integerOf(read, value, path);
    case 'integers':
      return read.texts(value, path, key).map((one) => integerOf(read, one, path));
    case 'mode': {
      const digits = read.text(value, path, key);
      if (typeof value !== 'string' || !/^[0-7]{3,4}$/.test(digits)) throw read.bad(path, `${key} is three or four octal digits in quotes`);
      return Number.parseInt(digits, 8);
    }
    case 'pattern':
      return patternOf(read, read.fill(read.text(value, path, key)), path);
    default: {
      const word = read.text(value, path, key);
      if (!type.includes(word)) throw read.bad(path, `${key} is one of ${type.join(', ')}; the nearest is "${nearest(word, type)}"`);
      return word;
    }
  }
};

const integerOf = (read: PolicyReader, value: YamlValue, path: Path): number => {
  const number = Number(read.text(value, path, String(path.at(-1))));
  if (!Number.isSafeInteger(number)) throw read.bad(path, `${String(path.at(-1))} is a whole number`);
  return number;
};

/** Patterns meet lines that others wrote: what would need backtracking, which can take for ever, is refused. `(?i)` before it minds no case. */
const patternOf = (read: PolicyReader, source: string, path: Path): RegExp => {
  if (source.length > MAX_PATTERN) throw read.bad(path, `the pattern is longer than ${MAX_PATTERN} characters`);
  const spelt = source.startsWith('(?i)') ? spellCase(source.slice(4)) : source;
  try {
    new RegExp(spelt);
  } catch (error) {
    throw read.bad(path, error instanceof Error ? error.message : 'the pattern is no regular expression');
  }
  const pattern = linearPattern(spelt);
  if (!pattern) throw read.bad(path, 'the pattern needs backtracking: no lookahead, no back references, no counts above 16');
  return pattern;
};

const CASE_RESULTS = ['pass', 'fail', 'not-applicable', 'unknown', 'error'] as const;

const readCase = (read: PolicyReader, value: YamlValue, path: Path): PolicyCase => {
  const map = read.map(value, path, ['name', 'files', 'modes', 'links', 'result'], 'a case');
  const result = read.text(map['result'], [...path, 'result'], 'result');
  if (!(CASE_RESULTS as readonly string[]).includes(result))
    throw read.bad([...path, 'result'], `result is one of ${CASE_RESULTS.join(', ')}`);
  const entries = (key: string): [string, YamlValue][] => {
    if (map[key] === undefined) return [];
    if (!isMap(map[key])) throw read.bad([...path, key], `${key} is a map of paths`);
    for (const file of Object.keys(map[key]))
      if (!file.startsWith('/') || file.split('/').includes('..')) throw read.bad([...path, key, file], 'a path is absolute and has no ..');
    return Object.entries(map[key]);
  };
  return {
    name: read.text(map['name'], [...path, 'name'], 'name'),
    files: Object.fromEntries(
      entries('files').map(([file, one]) => [file, one === null ? null : read.text(one, [...path, 'files', file], file)]),
    ),
    modes: Object.fromEntries(entries('modes').map(([file, one]) => [file, Number.parseInt(String(one), 8)])),
    links: Object.fromEntries(entries('links').map(([file, one]) => [file, String(one)])),
    result: result as PolicyCase['result'],
  };
};
