// SPDX-License-Identifier: Apache-2.0
/**
 * How soon each step of an incident came: detected, acknowledged, contained, resolved, each against its target.
 * Input: incidents with their steps, the week, targets by severity. Output: clocks, medians and what was missed. Pure.
 */
import type { UnixMs } from '../../../core/units.ts';
import type { IncidentState } from '../../model/incident.ts';
import type { IncidentInput, Targets, WindowInput } from '../inputs.ts';
import { quantiles } from '../words.ts';

export const STEPS = ['detect', 'acknowledge', 'contain', 'resolve'] as const;
export type Step = (typeof STEPS)[number];

/** One clock of one incident when the week ended. */
export interface IncidentClock {
  readonly step: Step;
  /** Time taken, or running so far; null where it has not begun or cannot be told. */
  readonly spanMs: number | null;
  readonly running: boolean;
  readonly targetMs: number | null;
  /** Null where it has no target or may still be met. */
  readonly met: boolean | null;
  /** It ended in this week, or is overdue in it. */
  readonly counts: boolean;
}

export interface StepFigure {
  readonly step: Step;
  readonly medianMs: number | null;
  readonly p90Ms: number | null;
  readonly n: number;
  readonly met: number;
  readonly due: number;
  readonly missed: readonly { readonly number: number; readonly targetMs: number; readonly running: boolean }[];
}

export const ENDED: ReadonlySet<IncidentState> = new Set(['closed', 'dismissed', 'merged']);
const CONTAINED: ReadonlySet<IncidentState> = new Set(['contained', 'eradicated', 'recovered', 'closed', 'dismissed']);
const RESOLVED: ReadonlySet<IncidentState> = new Set(['recovered', 'closed', 'dismissed']);

/** Its state at a time, by the steps before then. */
export const stateAt = ({ moves }: Pick<IncidentInput, 'moves'>, at: UnixMs): IncidentState =>
  moves.filter((move) => move.at < at).at(-1)?.to ?? 'new';

/** When it last came into one of the states without having left them again by then. */
export const reached = ({ moves }: Pick<IncidentInput, 'moves'>, states: ReadonlySet<IncidentState>, before: UnixMs): UnixMs | null => {
  let since: UnixMs | null = null;
  for (const { to, at } of moves) if (at < before) since = states.has(to) ? (since ?? at) : null;
  return since;
};

type Bounds = Pick<WindowInput, 'from' | 'to'>;

const clockOf = (step: Step, begin: UnixMs | null, done: UnixMs | null, targetMs: number | null, { from, to }: Bounds): IncidentClock => {
  if (begin === null || begin >= to) return { step, spanMs: null, running: false, targetMs, met: null, counts: false };
  const spanMs = Math.max(0, (done ?? to) - begin);
  const met = targetMs === null ? null : done !== null ? spanMs <= targetMs : spanMs > targetMs ? false : null;
  return { step, spanMs, running: done === null, targetMs, met, counts: done === null ? met === false : done >= from };
};

/** The four clocks of an incident as they stood when the week ended. */
export const clocksOf = (incident: IncidentInput, bounds: Bounds, targets: Targets): readonly IncidentClock[] => {
  const { severity, detected } = incident;
  const { to } = bounds;
  const acknowledged = incident.moves.find(({ at }) => at < to)?.at ?? null;
  // Lines that were old when they came say nothing of how soon detection is.
  const begun = incident.backlog || incident.replay ? null : incident.first;
  return [
    clockOf('detect', begun, detected < to ? detected : null, null, bounds),
    clockOf('acknowledge', detected, acknowledged, targets.acknowledge[severity], bounds),
    clockOf('contain', detected, reached(incident, CONTAINED, to), targets.contain[severity], bounds),
    clockOf('resolve', detected, reached(incident, RESOLVED, to), targets.resolve[severity], bounds),
  ];
};

/** One step over all incidents. A clock that runs beyond its target is missed before it ends; one that may still be met is not due. */
export const stepFigure = (
  step: Step,
  incidents: readonly { readonly number: number; readonly clocks: readonly IncidentClock[] }[],
): StepFigure => {
  const all = incidents.flatMap(({ number, clocks }) =>
    clocks.filter((one) => one.step === step && one.counts).map((clock) => ({ number, clock })),
  );
  const done = all.flatMap(({ clock }) => (clock.running || clock.spanMs === null ? [] : [clock.spanMs]));
  const due = all.filter(({ clock }) => clock.met !== null);
  const missed = due.filter(({ clock }) => !clock.met);
  const q = quantiles(done);
  return {
    step,
    medianMs: q?.median ?? null,
    p90Ms: q?.p90 ?? null,
    n: done.length,
    met: due.length - missed.length,
    due: due.length,
    missed: missed.map(({ number, clock }) => ({ number, targetMs: clock.targetMs as number, running: clock.running })),
  };
};
