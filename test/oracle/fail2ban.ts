// SPDX-License-Identifier: Apache-2.0
/**
 * Protocol P2: failed logins and abuse in fail2ban's samples: who, when, and nothing where nothing failed.
 * Input: `fail2ban/cases.jsonl`. Output: recall, false matches and wrong hosts of the core services; the aggressive and constrained cases apart.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Event } from '../../collector/model/event.ts';
import { decodeOne } from './decode.ts';

const MARK = { recall: 0.95, false_match: 0.05, wrong_host: 0 } as const;

/** Service of a case to the dataset its lines are decoded with. */
const CORE: Readonly<Record<string, string>> = {
  sshd: 'sshd',
  'sshd-journal': 'sshd',
  'nginx-http-auth': 'nginx.error',
  'apache-auth': 'apache.error',
  dovecot: 'dovecot',
  postfix: 'postfix',
  exim: 'exim',
  vsftpd: 'vsftpd',
  proftpd: 'proftpd',
  'mysqld-auth': 'mysql',
};

type Options = Readonly<Record<string, unknown>>;

interface Case {
  readonly id: string;
  readonly service: string;
  readonly filter_options: Options | readonly Options[] | null;
  readonly line: string;
  readonly expected: {
    readonly match: boolean;
    readonly host?: string | null;
    readonly ip6?: string;
    readonly time?: string | null;
    readonly constraint?: string;
  };
}

const NORMAL = new Set(['normal', 'auth', 'rbl', 'more', 'errors']);

/** Cases of the first row: no constraint, and some option that is not a stricter mode. */
const isPlain = (test: Case): boolean => {
  if (test.expected.constraint !== undefined) return false;
  if (test.filter_options === null) return true;
  const options = Array.isArray(test.filter_options) ? (test.filter_options as readonly Options[]) : [test.filter_options as Options];
  return options.some(({ mode }) => mode === undefined || NORMAL.has(String(mode)));
};

/** The host of an event that says a login or a connection failed; undefined when it says nothing of the kind. */
const accused = (event: Event): string | undefined =>
  event['event.outcome'] === 'failure' ? (event['source.ip'] ?? event['source.address'] ?? event['source.domain']) : undefined;

/** Upstream writes times as the wall clock of its tests' zone. */
const ZONE = 'Europe/Zurich';
const WALL = new Intl.DateTimeFormat('sv-SE', {
  timeZone: ZONE,
  year: 'numeric',
  month: '2-digit',
  day: '2-digit',
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
});

const sameTime = (event: Event, time: string): boolean => {
  const at = event['@timestamp'];
  return at !== undefined && WALL.format(at).replace(' ', 'T') === time.slice(0, 19);
};

interface Row {
  matches: number;
  found: number;
  timed: number;
  onTime: number;
  negatives: number;
  falseMatches: number;
  wrongHosts: string[];
  missed: string[];
  falsely: string[];
}

const ratio = (part: number, whole: number): number => (whole === 0 ? 0 : Math.round((part / whole) * 10_000) / 10_000);

const score = async (cases: readonly Case[]): Promise<Row> => {
  const row: Row = { matches: 0, found: 0, timed: 0, onTime: 0, negatives: 0, falseMatches: 0, wrongHosts: [], missed: [], falsely: [] };
  for (const test of cases) {
    // Upstream supplies the year where the line has none.
    const year = Number(test.expected.time?.slice(0, 4) ?? 2005);
    const event = await decodeOne(test.line, CORE[test.service] ?? 'auto', ZONE, year);
    const host = accused(event);
    const wanted = test.expected.host ?? test.expected.ip6 ?? undefined;
    if (!test.expected.match) {
      row.negatives += 1;
      if (host !== undefined) {
        row.falseMatches += 1;
        row.falsely.push(test.id);
      }
      continue;
    }
    row.matches += 1;
    if (host === undefined || wanted === undefined) {
      if (wanted !== undefined || host === undefined) row.missed.push(test.id);
      continue;
    }
    if (host !== wanted) {
      row.wrongHosts.push(test.id);
      continue;
    }
    row.found += 1;
    if (typeof test.expected.time === 'string' && event['vigil.time.quality'] !== 'unparsed') {
      row.timed += 1;
      if (sameTime(event, test.expected.time)) row.onTime += 1;
    }
  }
  return row;
};

const figures = (row: Row) => ({
  matches: row.matches,
  recall: ratio(row.found, row.matches),
  negatives: row.negatives,
  false_match: ratio(row.falseMatches, row.negatives),
  wrong_host: row.wrongHosts.length,
  time: ratio(row.onTime, row.timed),
});

/** Runs the protocol on a data folder. */
export const run = async (dataDir: string) => {
  const text = await readFile(join(dataDir, 'fail2ban', 'cases.jsonl'), 'utf8');
  const cases = text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Case);
  const core = cases.filter((test) => CORE[test.service] !== undefined);
  const plain = await score(core.filter(isPlain));
  const strict = await score(core.filter((test) => !isPlain(test)));
  const other = await score(cases.filter((test) => CORE[test.service] === undefined));
  const result = figures(plain);
  return {
    protocol: 'fail2ban',
    ...result,
    aggressive: figures(strict),
    other_services: figures(other),
    mark: MARK,
    holds:
      result.recall >= MARK.recall &&
      result.false_match <= MARK.false_match &&
      result.wrong_host + strict.wrongHosts.length === MARK.wrong_host,
    misses: {
      missed: plain.missed,
      falsely: plain.falsely,
      wrong: [...plain.wrongHosts, ...strict.wrongHosts, ...other.wrongHosts],
      aggressive_missed: strict.missed,
      aggressive_falsely: strict.falsely,
    },
  };
};
