// SPDX-License-Identifier: Apache-2.0
/**
 * Until when a release gets security updates without a contract.
 * Input: the lists in rules/lists, the facts of an operating system. Output: a date, or null where no list knows the release.
 */
import type { FactFields } from '../../core/fact.ts';
import { type UnixMs, unixMs } from '../../core/units.ts';

interface Release {
  readonly version: string;
  readonly series: string;
  readonly name: string;
  readonly until: UnixMs | null;
}

export interface ReleaseLists {
  readonly debian: readonly Release[];
  readonly ubuntu: readonly Release[];
}

/** Columns that are open to everybody: Debian's long-term support is, Ubuntu's extended maintenance is not. */
const OPEN: Readonly<Record<keyof ReleaseLists, readonly string[]>> = {
  debian: ['eol', 'eol-lts'],
  ubuntu: ['eol', 'eol-server'],
};

/** A release holds to the end of the day that the list names. */
const DAY_MS = 86_400_000;

const readList = (csv: string, columns: readonly string[]): readonly Release[] => {
  const [head = '', ...lines] = csv.split('\n').filter((line) => line.trim() !== '');
  const names = head.trim().split(',');
  return lines.map((line) => {
    const cells = line.trim().split(',');
    const cell = (name: string): string => cells[names.indexOf(name)] ?? '';
    const ends = columns.map((name) => Date.parse(cell(name))).filter((at) => !Number.isNaN(at));
    return {
      version: cell('version').replace(/ LTS$/, ''),
      series: cell('series'),
      name: cell('codename'),
      until: ends.length === 0 ? null : unixMs(Math.max(...ends) + DAY_MS),
    };
  });
};

export const readReleaseLists = (debian: string, ubuntu: string): ReleaseLists => ({
  debian: readList(debian, OPEN.debian),
  ubuntu: readList(ubuntu, OPEN.ubuntu),
});

export interface Supported {
  /** Null while the release has no end yet. */
  readonly until: UnixMs | null;
  readonly name: string;
}

/** `12.7` and `12` are one release of Debian; `24.04.1` and `24.04` one of Ubuntu. Derivatives are not judged by their parent. */
export const supportOf = (fields: FactFields, lists: ReleaseLists): Supported | null => {
  const [id, version, codename] = [fields['id'], fields['version'], fields['codename']];
  if (id !== 'debian' && id !== 'ubuntu') return null;
  const found = lists[id].find((release) => {
    if (typeof codename === 'string' && codename.toLowerCase() === release.series) return true;
    if (typeof version !== 'string') return false;
    return id === 'debian' ? version.split('.')[0] === release.version : version.split('.').slice(0, 2).join('.') === release.version;
  });
  return found === undefined
    ? null
    : { until: found.until, name: `${id === 'debian' ? 'Debian' : 'Ubuntu'} ${found.version} ${found.name}` };
};
