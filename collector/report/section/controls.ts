// SPDX-License-Identifier: Apache-2.0
/**
 * Posture and section 8: how many controls are satisfied, how many are measured at all, which turned in the week and why.
 * Input: catalogue, map, population, spans of answers. Output: figures by the laws of isms, with observation ids, and their section. Pure.
 */
import { type UnixMs, unixMs } from '../../../core/units.ts';
import { pairsOf } from '../../isms/answers.ts';
import { askAt, countAnswers, type Ground, namedBy, stateOf, turnsOf } from '../../isms/laws.ts';
import type { ControlState } from '../../model/control.ts';
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
import type { ControlInput, ReportInputs } from '../inputs.ts';
import { weekAfter, weekAt } from '../week.ts';
import { capital, count, listed, percent, percentText, points, share, spelt, speltMany, type Times } from '../words.ts';
import type { ChangedAnswer } from './settings.ts';

/** `unmeasured`: no check speaks for it; `unknown`: some check does and is not answered. */
export interface PostureFigure {
  readonly satisfied: number;
  readonly failing: number;
  readonly unknown: number;
  readonly unmeasured: number;
  readonly of: number;
  /** Satisfied of those that are satisfied or not; null where none is. */
  readonly percent: number | null;
}

export interface TurnedControl {
  readonly id: string;
  readonly title: string;
  readonly from: ControlState;
  readonly to: ControlState;
  readonly because: readonly string[];
  readonly observations: readonly string[];
}

export interface ControlFigures {
  readonly title: string;
  readonly now: PostureFigure;
  readonly before: PostureFigure;
  readonly functions: readonly (PostureFigure & { readonly id: string; readonly title: string })[];
  readonly turned: readonly TurnedControl[];
  /** Controls that turned within the week and came back. */
  readonly wavered: readonly string[];
  readonly lowest: { readonly at: UnixMs; readonly figure: PostureFigure } | null;
  readonly line: readonly { readonly week: string; readonly percent: number | null }[];
}

const LINE_WEEKS = 13;

export const groundOf = ({ controls, observations }: Pick<ReportInputs, 'controls' | 'observations'>): Ground => ({
  stays: controls.stays,
  pairs: pairsOf(observations),
  once: new Set(controls.once),
  self: controls.self,
});

/** Checks by control, and the controls that one can be satisfied of. */
const leavesOf = ({ controls, mappings }: ControlInput) => {
  const checks = new Map<string, Set<string>>();
  for (const { control, check } of mappings) checks.set(control, (checks.get(control) ?? new Set()).add(check));
  return controls
    .filter(({ kind }) => kind === 'subcategory')
    .map((control) => ({ control, checks: [...(checks.get(control.ref) ?? [])] }));
};
type Leaf = ReturnType<typeof leavesOf>[number];

const figureOf = (states: readonly (ControlState | null)[]): PostureFigure => {
  const n = (state: ControlState | null): number => states.filter((one) => one === state).length;
  const [satisfied, failing] = [n('satisfied'), n('not-satisfied')];
  return {
    satisfied,
    failing,
    unknown: n('unknown'),
    unmeasured: n(null),
    of: states.length,
    percent: percent(satisfied, satisfied + failing),
  };
};

/** Null where no check speaks for it. Answers of a check are asked once for all controls that rest on it. */
const statesAt = (ground: Ground, leaves: readonly Leaf[], at: UnixMs): readonly (ControlState | null)[] => {
  const asked = new Map([...new Set(leaves.flatMap(({ checks }) => checks))].map((check) => [check, askAt(ground, [check], at)]));
  return leaves.map(({ checks }) =>
    checks.length === 0 ? null : stateOf(countAnswers(checks.flatMap((check) => (asked.get(check) ?? []).map(({ answer }) => answer)))),
  );
};

export const controlFigures = (inputs: ReportInputs, changed: readonly ChangedAnswer[]): ControlFigures => {
  const { controls, now, zone } = inputs;
  const ground = groundOf(inputs);
  const leaves = leavesOf(controls);
  const [from, to] = [now.from, unixMs(now.to - 1)];
  const [then, states] = [statesAt(ground, leaves, unixMs(from - 1)), statesAt(ground, leaves, to)];
  const turns = leaves.map(({ checks }) => (checks.length === 0 ? [] : turnsOf(ground, checks, from, to)));
  const week = weekAt(now.from, zone);
  return {
    title: controls.title,
    now: figureOf(states),
    before: figureOf(then),
    functions: controls.controls
      .filter(({ kind }) => kind === 'function')
      .map(({ ref, id, title }) => ({ id, title, ...figureOf(states.filter((_, i) => leaves[i]?.control.ref.startsWith(`${ref}.`))) })),
    turned: leaves.flatMap(({ control, checks }, i): readonly TurnedControl[] => {
      const [was, is] = [then[i], states[i]];
      if (was === null || was === undefined || is === null || is === undefined || was === is) return [];
      const own = changed.filter(({ check }) => checks.includes(check));
      const because = own.map(({ title, name, to: answer }) => `${title} on ${name}: ${answer}`);
      const ids = own.length > 0 ? own.map(({ observation }) => observation) : namedBy(askAt(ground, checks, to)).map(({ id }) => id);
      return [{ id: control.id, title: control.title, from: was, to: is, because, observations: ids }];
    }),
    wavered: leaves.flatMap(({ control }, i) => (then[i] === states[i] && (turns[i]?.length ?? 0) > 1 ? [control.id] : [])),
    lowest: lowestOf(turns, then, from),
    line: Array.from({ length: LINE_WEEKS }, (_, i) => weekAfter(week, i + 1 - LINE_WEEKS)).map((one) => ({
      week: one.name,
      percent: figureOf(statesAt(ground, leaves, unixMs(one.to - 1))).percent,
    })),
  };
};

/** The moment of the week at which the fewest of the measured were satisfied. */
const lowestOf = (
  turns: readonly ReturnType<typeof turnsOf>[],
  then: readonly (ControlState | null)[],
  from: UnixMs,
): ControlFigures['lowest'] => {
  const states = [...then];
  const events = turns.flatMap((own, leaf) => own.map(({ at, state }) => ({ at, leaf, state }))).sort((a, b) => a.at - b.at);
  let lowest: ControlFigures['lowest'] = null;
  for (const [i, { at, leaf, state }] of events.entries()) {
    states[leaf] = state;
    if (events[i + 1]?.at === at) continue;
    const figure = figureOf(states);
    if (figure.percent !== null && (lowest === null || figure.percent < (lowest.figure.percent ?? 101)))
      lowest = { at: unixMs(Math.max(at, from)), figure };
  }
  return lowest;
};

const MARKS: Readonly<Record<ControlState, Mark>> = { satisfied: 'pass', 'not-satisfied': 'fail', unknown: 'unknown' };
const SHOWN = 14;

const bar = ({ satisfied, failing, unknown, unmeasured }: PostureFigure): Line => {
  const parts: readonly BarPart[] = [
    { state: 'good', n: satisfied },
    { state: 'bad', n: failing },
    { state: 'unknown', n: unknown + unmeasured },
  ];
  return [{ bar: parts, label: `${satisfied} satisfied, ${failing} not satisfied, ${unknown + unmeasured} not measured` }];
};

export const measuredOf = ({ satisfied, failing }: PostureFigure): number => satisfied + failing;

/** Points of posture against the week before; null where one of the two has none. */
export const postureChange = ({ now, before }: Pick<ControlFigures, 'now' | 'before'>): number | null =>
  now.percent === null || before.percent === null ? null : Math.round(now.percent) - Math.round(before.percent);

export const complianceSection = (figures: ControlFigures, times: Times): Section => {
  const { title, now, turned } = figures;
  return {
    n: 8,
    title: 'Compliance',
    coverage:
      now.of === 0
        ? ['no catalogue loaded']
        : [`${title.replace(/^NIST Cybersecurity Framework/, 'CSF')}: ${count(measuredOf(now))} of ${count(now.of)} measured`],
    takeaway: takeawayOf(figures),
    blocks: now.of === 0 ? [hatch('No catalogue is loaded, so no requirement can be said to be met.')] : blocksOf(figures, times, turned),
  };
};

/** Ids of controls that came to be satisfied, that ceased to be, that were measured for the first time, that cannot be told any more. */
export const turnsByKind = (turned: readonly TurnedControl[]) => {
  const ids = (pick: (one: TurnedControl) => boolean): readonly string[] => turned.filter(pick).map(({ id }) => id);
  return {
    rose: ids(({ from, to }) => from === 'not-satisfied' && to === 'satisfied'),
    fell: ids(({ from, to }) => from === 'satisfied' && to === 'not-satisfied'),
    fresh: ids(({ from }) => from === 'unknown'),
    lost: ids(({ to }) => to === 'unknown'),
  };
};

const takeawayOf = ({ now, turned }: ControlFigures): string => {
  if (measuredOf(now) === 0) return 'No outcome is measured, so none can be said to be met.';
  const { rose, fell, fresh, lost } = turnsByKind(turned);
  const parts = [
    ...(rose.length > 0 ? [`${spelt(rose.length)} rose to satisfied`] : []),
    ...(fell.length > 0 ? [`${spelt(fell.length)} fell`] : []),
    ...(fresh.length > 0
      ? [
          `${spelt(fresh.length)} ${fresh.length === 1 ? 'is' : 'are'} measured that ${fresh.length === 1 ? 'was' : 'were'} not a week before`,
        ]
      : []),
    ...(lost.length > 0 ? [`${spelt(lost.length)} can no longer be told`] : []),
  ];
  const standing = `${capital(spelt(now.satisfied))} of ${speltMany(measuredOf(now), 'measured outcome')} ${now.satisfied === 1 ? 'is' : 'are'} satisfied`;
  return parts.length === 0 ? `${standing}; none turned in the week.` : `${standing}; ${listed(parts, 4)}.`;
};

const blocksOf = (figures: ControlFigures, times: Times, turned: readonly TurnedControl[]): readonly Block[] => {
  const { now, before, functions, wavered, title } = figures;
  const change = postureChange(figures);
  const row = (name: Line | string, figure: PostureFigure, last: string): readonly (Line | string)[] => [
    name,
    bar(figure),
    measuredOf(figure) === 0 ? [{ mark: 'unknown' }, ' not known'] : share(figure.satisfied, measuredOf(figure)),
    share(measuredOf(figure), figure.of),
    last,
  ];
  return [
    table(
      [wide('Function'), '', end('Satisfied'), end('Measured'), end('Change')],
      [
        ...functions.map((one) =>
          row(
            [
              mono(one.id),
              ` ${one.title
                .replace(/ \([A-Z]{2}\)$/, '')
                .toLowerCase()
                .replace(/^\w/, (c) => c.toUpperCase())}`,
            ],
            one,
            '',
          ),
        ),
        row([strong(title)], now, change === null ? 'no figure before' : points(change)),
      ],
      true,
    ),
    ...(turned.length === 0
      ? []
      : [
          table(
            [wide('Outcome'), 'From, to', wide('Because'), end('Evidence')],
            turned
              .slice(0, SHOWN)
              .map((one): readonly (Line | string)[] => [
                [mono(one.id), ` ${one.title.length > 70 ? `${one.title.slice(0, 69)}…` : one.title}`],
                [{ mark: MARKS[one.from] }, ' → ', { mark: MARKS[one.to] }],
                one.because.length > 0
                  ? listed(one.because, 2)
                  : one.from === 'unknown'
                    ? 'all its checks are answered now'
                    : one.to === 'unknown'
                      ? 'an answer went stale'
                      : 'answers came that were missing',
                `${count(one.observations.length)} obs.`,
              ]),
          ),
        ]),
    note(
      wavered.length === 0
        ? ''
        : `${listed(wavered, 6)} turned within the week and came back, so ${wavered.length === 1 ? 'it does' : 'they do'} not show as a change. `,
      now.unknown > 0
        ? `${capital(spelt(now.unknown))} ${now.unknown === 1 ? 'outcome has' : 'outcomes have'} checks and no answer in date; ${spelt(now.unmeasured)} have no check here. `
        : `${capital(spelt(now.unmeasured))} outcomes have no check here. `,
      before.percent === null
        ? ''
        : `A week before: ${percentText(before.satisfied, measuredOf(before))} of ${count(measuredOf(before))}. `,
      figures.lowest === null ? '' : `Lowest ${times.moment(figures.lowest.at)}. `,
      'Satisfied means as far as it is measured: most checks cover a part of an outcome. ',
      query('controls'),
    ),
  ];
};
