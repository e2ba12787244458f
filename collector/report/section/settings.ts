// SPDX-License-Identifier: Apache-2.0
/**
 * Section 5: settings and integrity: every check of every host as it stood when the week ended, and the answers that changed in it.
 * Input: spans of equal answers, the week, names of hosts. Output: figures with observation ids, and their section. Pure.
 */
import type { UnixMs } from '../../../core/units.ts';
import { type Observation, type Result, spanAt } from '../../model/observation.ts';
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
import { count, listed, many, percentText, type Times } from '../words.ts';

/** How an answer counts: a waived fail is excepted, and all that is no answer is unknown. */
export type Answer = 'pass' | 'fail' | 'excepted' | 'unknown';

export interface AnswerCounts {
  readonly pass: number;
  readonly fail: number;
  readonly excepted: number;
  readonly unknown: number;
  readonly expected: number;
}

export interface ChangedAnswer {
  readonly check: string;
  readonly subject: string;
  readonly name: string;
  readonly severity: Level;
  readonly from: Answer;
  readonly to: Answer;
  readonly at: UnixMs;
  readonly actual: string;
  readonly observation: string;
}

export interface FailingCheck {
  readonly check: string;
  readonly severity: Level;
  readonly actual: string;
  readonly expected: string;
  /** Names of the hosts it fails on. */
  readonly names: readonly string[];
  readonly observations: readonly string[];
}

export interface SettingFigures {
  readonly all: AnswerCounts;
  readonly hosts: readonly (AnswerCounts & { readonly subject: string; readonly name: string })[];
  readonly bySeverity: Readonly<Record<Level, { readonly fail: number; readonly answered: number }>>;
  readonly changed: readonly ChangedAnswer[];
  readonly failing: readonly FailingCheck[];
  /** Waivers in force, soonest end first. */
  readonly waivers: readonly {
    readonly check: string;
    readonly name: string;
    readonly owner: string;
    readonly reason: string;
    readonly until: UnixMs;
  }[];
}

const answerOf = (span: Observation | undefined, at: UnixMs): Answer | null => {
  if (span === undefined) return 'unknown';
  const kinds: Readonly<Record<Result, Answer | null>> = {
    pass: 'pass',
    fail: 'fail',
    error: 'unknown',
    unknown: 'unknown',
    'not-applicable': null,
  };
  const answer = kinds[span.result];
  return answer === 'fail' && span.waiver !== undefined && span.waiver.until > at ? 'excepted' : answer;
};

const NOTHING: AnswerCounts = { pass: 0, fail: 0, excepted: 0, unknown: 0, expected: 0 };
const plus = (counts: AnswerCounts, answer: Answer): AnswerCounts => ({
  ...counts,
  [answer]: counts[answer] + 1,
  expected: counts.expected + 1,
});

/** Spans by check and subject, oldest first. */
const pairsOf = (spans: readonly Observation[]): readonly (readonly Observation[])[] => {
  const pairs = new Map<string, Observation[]>();
  for (const span of spans) {
    const key = `${span.check}\0${span.subject}`;
    const list = pairs.get(key);
    if (list) list.push(span);
    else pairs.set(key, [span]);
  }
  return [...pairs.values()].map((list) => list.sort((a, b) => a.first - b.first));
};

/** The answers as they stood at a time: of every pair that was ever asked by then. */
export const answersAt = (spans: readonly Observation[], at: UnixMs): readonly { readonly span: Observation; readonly answer: Answer }[] =>
  pairsOf(spans.filter(({ first }) => first < at)).flatMap((pair) => {
    const answer = answerOf(spanAt(pair, at), at);
    return answer === null ? [] : [{ span: spanAt(pair, at) ?? (pair.at(-1) as Observation), answer }];
  });

export const settingFigures = (
  spans: readonly Observation[],
  { from, to }: { readonly from: UnixMs; readonly to: UnixMs },
  nameOf: (subject: string) => string,
): SettingFigures => {
  const answers = answersAt(spans, to);
  const hosts = new Map<string, AnswerCounts>();
  for (const { span, answer } of answers) hosts.set(span.subject, plus(hosts.get(span.subject) ?? NOTHING, answer));
  const severity = (level: Level) => {
    const own = answers.filter(({ span, answer }) => span.severity === level && answer !== 'unknown');
    return { fail: own.filter(({ answer }) => answer === 'fail').length, answered: own.length };
  };
  return {
    all: answers.reduce((sum, { answer }) => plus(sum, answer), NOTHING),
    hosts: [...hosts]
      .map(([subject, counts]) => ({ subject, name: nameOf(subject), ...counts }))
      .sort((a, b) => b.fail - a.fail || (a.name < b.name ? -1 : 1)),
    bySeverity: Object.fromEntries(LEVELS.map((level) => [level, severity(level)])) as SettingFigures['bySeverity'],
    changed: changesOf(spans, from, to, nameOf),
    failing: failingOf(answers, nameOf),
    waivers: answers
      .filter(({ answer }) => answer === 'excepted')
      .map(({ span }) => ({
        check: span.check,
        name: nameOf(span.subject),
        owner: span.waiver?.owner ?? '',
        reason: span.waiver?.reason ?? '',
        until: span.waiver?.until ?? to,
      }))
      .sort((a, b) => a.until - b.until || (a.check < b.check ? -1 : 1)),
  };
};

const changesOf = (
  spans: readonly Observation[],
  from: UnixMs,
  to: UnixMs,
  nameOf: (subject: string) => string,
): readonly ChangedAnswer[] =>
  pairsOf(spans)
    .flatMap((pair) =>
      pair.flatMap((span, i): readonly ChangedAnswer[] => {
        const before = pair[i - 1];
        if (before === undefined || span.first < from || span.first >= to) return [];
        const [was, is] = [answerOf(before, span.first), answerOf(span, span.first)];
        // The same answer with other words, or one that came back after a gap, is no drift.
        if (was === null || is === null || was === is) return [];
        const { check, subject, severity, actual, id } = span;
        return [{ check, subject, name: nameOf(subject), severity, from: was, to: is, at: span.first, actual, observation: id }];
      }),
    )
    .sort((a, b) => levelRank(b.severity) - levelRank(a.severity) || a.at - b.at || (a.observation < b.observation ? -1 : 1));

const failingOf = (
  answers: readonly { readonly span: Observation; readonly answer: Answer }[],
  nameOf: (subject: string) => string,
): readonly FailingCheck[] => {
  const checks = new Map<string, Observation[]>();
  for (const { span, answer } of answers) if (answer === 'fail') checks.set(span.check, [...(checks.get(span.check) ?? []), span]);
  return [...checks]
    .map(([check, own]) => ({
      check,
      severity: (own[0] as Observation).severity,
      actual: (own[0] as Observation).actual,
      expected: (own[0] as Observation).expected,
      names: own.map(({ subject }) => nameOf(subject)).sort(),
      observations: own.map(({ id }) => id),
    }))
    .sort((a, b) => levelRank(b.severity) - levelRank(a.severity) || b.names.length - a.names.length || (a.check < b.check ? -1 : 1));
};

/** Changes of watched files in the week, as far as agents report them. */
export interface FileFigures {
  /** Changes of single files that no package transaction explains. */
  readonly unexplained: number;
  /** Files that package transactions changed, and how many there were. */
  readonly byPackage: number;
  readonly upgrades: number;
  readonly sample: readonly {
    readonly host: string;
    readonly path: string;
    readonly change: string;
    readonly at: UnixMs;
    readonly event: string;
  }[];
  /** Hosts whose watched files were scanned. */
  readonly hosts: number;
}

const SHOWN = 12;
const MARK: Readonly<Record<Answer, Mark>> = { pass: 'pass', fail: 'fail', excepted: 'excepted', unknown: 'unknown' };

const bar = ({ pass, fail, excepted, unknown }: AnswerCounts): Line => {
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

const settingSentence = ({ pass, fail, excepted, unknown, expected }: AnswerCounts): string => {
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
  const counts = (one: AnswerCounts): readonly string[] => [one.pass, one.fail, one.excepted, one.unknown, one.expected].map(count);
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
                [{ mark: one.severity }, ' ', mono(one.check)],
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
                [{ mark: one.severity }, ' ', mono(one.check)],
                one.name,
                [{ mark: MARK[one.from] }, ' → ', { mark: MARK[one.to] }],
                times.moment(one.at),
                [mono(clipped(one.actual))],
              ]),
          ),
        ]),
    note(
      `By severity, fails of answered: ${levels.map((level) => `${level} ${count(bySeverity[level].fail)} of ${count(bySeverity[level].answered)}`).join(', ')}. `,
      failing.length > SHOWN ? `${count(failing.length - SHOWN)} more failing checks stand in the figures. ` : '',
      changed.length > SHOWN ? `${count(changed.length - SHOWN)} more changes stand in the figures. ` : '',
      query('checks'),
    ),
  ];
};

const clipped = (text: string): string => (text.length > 60 ? `${text.slice(0, 59)}…` : text);

const fileBlocks = ({ hosts, unexplained, byPackage, upgrades, sample }: FileFigures, times: Times): readonly Block[] => {
  if (hosts === 0) return [hatch('No agent watches files here, so a changed binary or key would not be seen. Turn on `fim` in the agent.')];
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
              .map((one): readonly (Line | string)[] => [[mono(clipped(one.path))], one.host, one.change, times.moment(one.at)]),
          ),
        ]),
    note(
      sample.length > SHOWN || unexplained > sample.length
        ? `${count(unexplained - Math.min(SHOWN, sample.length))} more stand in the figures and in the events. `
        : '',
      query('files'),
    ),
  ];
};
