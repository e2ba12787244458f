// SPDX-License-Identifier: Apache-2.0
/**
 * Section 5: settings and integrity: every check of every host as it stood when the week ended, and the answers that changed in it.
 * Input: spans of equal answers, the week, names of hosts. Output: figures with observation ids, and their section. Pure.
 */
import type { AssetId } from '../../../core/ids.ts';
import { type UnixMs, unixMs } from '../../../core/units.ts';
import { type Answer, answerAt, timesOf } from '../../isms/answers.ts';
import { type Asked, askAt, countAnswers, type Ground } from '../../isms/laws.ts';
import type { Counts } from '../../model/control.ts';
import { LEVELS, type Level, levelRank } from '../../model/rule.ts';
import {
  type BarPart,
  type Block,
  end,
  hatch,
  type Line,
  type Mark,
  mono,
  note,
  query,
  type Section,
  strong,
  table,
  wide,
} from '../document.ts';
import type { FileInput } from '../inputs.ts';
import { count, listed, many, percentText, type Times } from '../words.ts';

/** What is shown of an answer; what does not apply leaves the population before. */
type Shown = Exclude<Answer, 'not-applicable'>;

export interface ChangedAnswer {
  readonly check: string;
  readonly title: string;
  readonly host: AssetId;
  readonly name: string;
  readonly severity: Level;
  readonly from: Shown;
  readonly to: Shown;
  readonly at: UnixMs;
  readonly actual: string;
  readonly observation: string;
}

export interface FailingCheck {
  readonly check: string;
  readonly title: string;
  readonly severity: Level;
  readonly actual: string;
  readonly expected: string;
  /** Names of the hosts it fails on. */
  readonly names: readonly string[];
  readonly observations: readonly string[];
}

export interface SettingFigures {
  readonly all: Counts;
  readonly hosts: readonly (Counts & { readonly host: AssetId; readonly name: string })[];
  readonly bySeverity: Readonly<Record<Level, { readonly fail: number; readonly answered: number }>>;
  readonly changed: readonly ChangedAnswer[];
  readonly failing: readonly FailingCheck[];
  /** Waivers in force, soonest end first. */
  readonly waivers: readonly {
    readonly check: string;
    readonly title: string;
    readonly name: string;
    readonly owner: string;
    readonly reason: string;
    readonly until: UnixMs;
  }[];
}

/** Names of hosts and titles of checks. */
export interface Names {
  readonly nameOf: (host: AssetId) => string;
  readonly titleOf: (check: string) => string;
}

/** Every check that is expected here or was ever answered. */
export const checksOf = (ground: Ground, mapped: Iterable<string>): readonly string[] => [
  ...new Set([...mapped, ...[...ground.pairs.values()].map(({ check }) => check)]),
];

export const settingFigures = (
  ground: Ground,
  checks: readonly string[],
  { from, to }: { readonly from: UnixMs; readonly to: UnixMs },
  names: Names,
): SettingFigures => {
  const at = unixMs(to - 1);
  const asked = askAt(ground, checks, at).filter(({ answer }) => answer !== 'not-applicable');
  const hosts = Map.groupBy(asked, ({ host }) => host);
  const severity = (level: Level) => {
    const own = asked.filter(({ by, answer }) => by?.severity === level && answer !== 'unknown');
    return { fail: own.filter(({ answer }) => answer === 'fail').length, answered: own.length };
  };
  return {
    all: countAnswers(asked.map(({ answer }) => answer)),
    hosts: [...hosts]
      .map(([host, own]) => ({ host, name: names.nameOf(host), ...countAnswers(own.map(({ answer }) => answer)) }))
      .sort((a, b) => b.fail - a.fail || (a.name < b.name ? -1 : 1)),
    bySeverity: Object.fromEntries(LEVELS.map((level) => [level, severity(level)])) as SettingFigures['bySeverity'],
    changed: changesOf(ground, from, to, names),
    failing: failingOf(asked, names),
    waivers: asked
      .flatMap(({ check, host, answer, by }) =>
        answer === 'excepted' && by?.waiver !== undefined
          ? [{ check, title: names.titleOf(check), name: names.nameOf(host), ...by.waiver }]
          : [],
      )
      .sort((a, b) => a.until - b.until || (a.check < b.check ? -1 : 1)),
  };
};

/** Answers that became another in the week; a gap between two equal ones is no drift. */
const changesOf = (ground: Ground, from: UnixMs, to: UnixMs, { nameOf, titleOf }: Names): readonly ChangedAnswer[] =>
  [...ground.pairs.values()]
    .flatMap((pair): readonly ChangedAnswer[] => {
      const times = [...new Set(timesOf(pair))].filter((at) => at < to).sort((a, b) => a - b);
      const changes: ChangedAnswer[] = [];
      let last: Shown | null = null;
      for (const at of times) {
        const { answer, by } = answerAt(pair, at);
        if (answer === 'unknown' || answer === 'not-applicable' || by === null) continue;
        if (last !== null && last !== answer && at >= from)
          changes.push({
            ...{
              check: pair.check,
              title: titleOf(pair.check),
              host: pair.host,
              name: nameOf(pair.host),
              severity: by.severity,
              from: last,
              to: answer,
              at,
            },
            ...{ actual: by.actual, observation: by.id },
          });
        last = answer;
      }
      return changes;
    })
    .sort((a, b) => levelRank(b.severity) - levelRank(a.severity) || a.at - b.at || (a.observation < b.observation ? -1 : 1));

const failingOf = (asked: readonly Asked[], { nameOf, titleOf }: Names): readonly FailingCheck[] =>
  [
    ...Map.groupBy(
      asked.filter(({ answer }) => answer === 'fail'),
      ({ check }) => check,
    ),
  ]
    .flatMap(([check, own]): readonly FailingCheck[] => {
      const spans = own.flatMap(({ by }) => by ?? []);
      const [first] = spans;
      if (first === undefined) return [];
      const names = own.map(({ host }) => nameOf(host)).sort();
      return [
        {
          check,
          title: titleOf(check),
          severity: first.severity,
          actual: first.actual,
          expected: first.expected,
          names,
          observations: spans.map(({ id }) => id),
        },
      ];
    })
    .sort((a, b) => levelRank(b.severity) - levelRank(a.severity) || b.names.length - a.names.length || (a.check < b.check ? -1 : 1));

/** Changes of watched files in the week, as far as agents report them. */
export interface FileFigures {
  /** Changes of single files that no package transaction explains. */
  readonly unexplained: number;
  /** Files that package transactions changed, and how many there were. */
  readonly byPackage: number;
  readonly upgrades: number;
  readonly sample: FileInput['sample'];
  /** Hosts whose watched files were scanned. */
  readonly hosts: number;
}

export const fileFigures = ({ hosts, changes, sample, upgrades }: FileInput): FileFigures => ({
  unexplained: changes,
  byPackage: upgrades.reduce((sum, { files }) => sum + files, 0),
  upgrades: upgrades.length,
  sample,
  hosts,
});

const SHOWN = 12;
const MARK: Readonly<Record<Shown, Mark>> = { pass: 'pass', fail: 'fail', excepted: 'excepted', unknown: 'unknown' };

const bar = ({ pass, fail, excepted, unknown }: Counts): Line => {
  const parts: readonly BarPart[] = [
    { state: 'good', n: pass },
    { state: 'bad', n: fail },
    { state: 'except', n: excepted },
    { state: 'unknown', n: unknown },
  ];
  return [{ bar: parts, label: `${pass} pass, ${fail} fail, ${excepted} excepted, ${unknown} unknown` }];
};

export const settingSection = (figures: SettingFigures, files: FileFigures, times: Times): Section => {
  const { all } = figures;
  const answered = all.expected - all.unknown;
  return {
    n: 5,
    title: 'Settings and integrity',
    coverage: [
      all.expected === 0
        ? 'no check answered'
        : `${count(answered)} of ${count(all.expected)} checks answered, ${percentText(answered, all.expected)}`,
      files.hosts === 0 ? 'no file watched' : `files of ${many(files.hosts, 'host')} watched`,
    ],
    takeaway: `${settingSentence(all)} ${fileSentence(files)}`,
    blocks: [...settingBlocks(figures, times), ...fileBlocks(files, times)],
  };
};

const settingSentence = ({ pass, fail, excepted, unknown, expected }: Counts): string => {
  const answered = expected - unknown;
  if (expected === 0) return 'No setting was checked.';
  if (answered === 0) return 'No answer of a check is in date, so no setting is known.';
  const rest = fail === 0 ? 'none fails' : `${count(fail)} ${fail === 1 ? 'fails' : 'fail'}`;
  return `${count(pass)} of ${count(answered)} answered checks pass, ${percentText(pass, answered)}; ${rest}${excepted > 0 ? ` and ${count(excepted)} ${excepted === 1 ? 'is' : 'are'} excepted` : ''}.`;
};

const fileSentence = ({ hosts, unexplained, byPackage }: FileFigures): string => {
  if (hosts === 0) return 'No file was watched.';
  if (unexplained === 0) return byPackage === 0 ? 'No watched file changed.' : 'Every change of a watched file is explained by a package.';
  return `${count(unexplained)} ${unexplained === 1 ? 'change of a watched file has' : 'changes of watched files have'} no package to explain ${unexplained === 1 ? 'it' : 'them'}.`;
};

const settingBlocks = ({ all, hosts, bySeverity, changed, failing }: SettingFigures, times: Times): readonly Block[] => {
  if (all.expected === 0)
    return [
      hatch(
        'No agent has answered a check. `vigil-agent posture check` answers all of them once; the agent does so by itself when its posture source is on.',
      ),
    ];
  const counts = (one: Counts): readonly string[] => [one.pass, one.fail, one.excepted, one.unknown, one.expected].map(count);
  const levels = [...LEVELS].reverse().filter((level) => bySeverity[level].answered > 0);
  return [
    table(
      [
        'Host',
        '',
        { title: 'pass', mark: 'pass', end: true },
        { title: 'fail', mark: 'fail', end: true },
        { title: 'excepted', mark: 'excepted', end: true },
        { title: 'unknown', mark: 'unknown', end: true },
        end('of'),
      ],
      [
        ...hosts.slice(0, SHOWN).map((one) => [[mono(one.name)], bar(one), ...counts(one)]),
        ...(hosts.length > SHOWN ? [[`${count(hosts.length - SHOWN)} more hosts`, '', '', '', '', '', '']] : []),
        [[strong('All')], bar(all), ...counts(all)],
      ],
      true,
    ),
    ...(failing.length === 0
      ? []
      : [
          table(
            [wide('Fails'), wide('Where'), wide('Found'), end('Hosts')],
            failing
              .slice(0, SHOWN)
              .map((one): readonly (Line | string)[] => [
                [{ mark: one.severity }, ` ${one.title}`],
                listed(one.names),
                [mono(clipped(one.actual))],
                count(one.names.length),
              ]),
          ),
        ]),
    ...(changed.length === 0
      ? [note('No answer changed in the week. ', query('checks'))]
      : [
          table(
            [wide('Changed answer'), 'Host', 'From, to', 'When', wide('Found')],
            changed
              .slice(0, SHOWN)
              .map((one): readonly (Line | string)[] => [
                [{ mark: one.severity }, ` ${one.title}`],
                one.name,
                [{ mark: MARK[one.from] }, ' → ', { mark: MARK[one.to] }],
                times.moment(one.at),
                [mono(clipped(one.actual))],
              ]),
          ),
        ]),
    note(
      levels.length === 0
        ? 'No answer is in date. '
        : `By severity, fails of answered: ${levels.map((level) => `${level} ${count(bySeverity[level].fail)} of ${count(bySeverity[level].answered)}`).join(', ')}. `,
      failing.length > SHOWN ? `${count(failing.length - SHOWN)} more failing checks stand in the figures. ` : '',
      changed.length > SHOWN ? `${count(changed.length - SHOWN)} more changes stand in the figures. ` : '',
      query('checks'),
    ),
  ];
};

const clipped = (text: string): string => (text.length > 60 ? `${text.slice(0, 59)}…` : text);

const fileBlocks = ({ hosts, unexplained, byPackage, upgrades, sample }: FileFigures, times: Times): readonly Block[] => {
  if (hosts === 0) return [hatch('No agent watches files here, so a changed binary or key would not be seen. Turn on `fim` in the agent.')];
  if (unexplained + byPackage === 0) return [note(`No watched file changed on ${many(hosts, 'host')}. `, query('files'))];
  return [
    table(
      [wide('Watched files'), end('Changes')],
      [
        [`Explained by ${many(upgrades, 'package transaction')}`, count(byPackage)],
        [[strong('Not explained by a package')], [strong(count(unexplained))]],
      ],
    ),
    ...(sample.length === 0
      ? []
      : [
          table(
            [wide('Not explained'), 'Host', 'Change', 'When'],
            sample
              .slice(0, SHOWN)
              .map((one): readonly (Line | string)[] => [
                [mono(clipped(one.path))],
                one.host,
                one.action.replace(/^file-/, ''),
                times.moment(one.at),
              ]),
          ),
        ]),
    note(
      sample.length > SHOWN || unexplained > sample.length
        ? `${count(unexplained - Math.min(SHOWN, sample.length))} more stand in the figures and in the events. `
        : 'A package transaction is one event, however many files it changes. ',
      query('files'),
    ),
  ];
};
