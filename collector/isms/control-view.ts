// SPDX-License-Identifier: Apache-2.0
/**
 * Controls as people read them: each with its state, its counts, the checks that speak for it, when it turned, and the chain to raw lines.
 * Input: framework, ground, events. Output: what the control routes answer with.
 */
import { setImmediate } from 'node:timers/promises';
import { type UnixMs, unixMs } from '../../core/units.ts';
import { fault } from '../errors.ts';
import type { Control, ControlStatus, Counts } from '../model/control.ts';
import { type EvidenceLine, evidenceLine } from '../model/evidence.ts';
import type { CheckMapping, Observation, Relationship } from '../model/observation.ts';
import type { EventStore } from '../store/store.ts';
import type { Answer } from './answers.ts';
import { isCatalogue } from './catalogue.ts';
import type { Framework, NamedGround } from './ground.ts';
import { type Asked, askAt, countAnswers, HISTORY_MS, type Standing, standingOf, statusAt, type Turn, turnsOf } from './laws.ts';

export interface ControlView {
  readonly control: Control;
  readonly status: ControlStatus;
  /** How the subcategories below stand; of a subcategory itself. */
  readonly standing: Standing;
}

export interface AnswerView {
  readonly host: string;
  readonly name: string;
  readonly answer: Answer;
  readonly observation: Observation | null;
}

export interface CheckView {
  readonly check: string;
  readonly title: string;
  readonly relationship: Relationship;
  readonly reason: string;
  readonly fix?: string;
  readonly counts: Counts;
  /** Worst first. */
  readonly answers: readonly AnswerView[];
}

export interface OneControl extends ControlView {
  readonly checks: readonly CheckView[];
  /** Each time its state became another, oldest first. */
  readonly turns: readonly Turn[];
}

export interface ControlPorts {
  readonly now: () => UnixMs;
  list(catalogue: string, at?: UnixMs): Promise<readonly ControlView[]>;
  /** By reference or by id. @throws CodedError NOT_FOUND. */
  get(ref: string, at?: UnixMs): Promise<OneControl>;
  /** Raw lines of observations. */
  lines(observations: readonly Observation[]): Promise<ReadonlyMap<string, EvidenceLine>>;
}

const RANK: Readonly<Record<Answer, number>> = { fail: 0, excepted: 1, unknown: 2, pass: 3, 'not-applicable': 4 };

/** Mappings of a control, and of all below it. */
const mappingsOf = ({ catalogue, map }: Framework, control: Control): readonly CheckMapping[] =>
  below(catalogue.controls, control).flatMap(({ ref }) => map.ofControl.get(ref) ?? []);

const below = (controls: readonly Control[], control: Control): readonly Control[] =>
  control.kind === 'subcategory'
    ? [control]
    : controls.filter(
        ({ kind, ref }) => kind === 'subcategory' && (ref.startsWith(`${control.ref}-`) || ref.startsWith(`${control.ref}.`)),
      );

export const titleOf = ({ checks }: Pick<Framework, 'checks'>, check: string): string => checks.get(check)?.title ?? check;

/** Every control of the catalogue with its state at a time. Others are served between one control and the next. */
const controlsAt = async (framework: Framework, ground: NamedGround, at: UnixMs): Promise<readonly ControlView[]> => {
  const { catalogue, map } = framework;
  const leaves = new Map<string, ControlStatus>();
  for (const { kind, ref } of catalogue.controls) {
    if (kind !== 'subcategory') continue;
    const mappings = map.ofControl.get(ref) ?? [];
    if (mappings.length > 0) await setImmediate();
    leaves.set(ref, statusAt(ground, ref, mappings, at));
  }
  const views: ControlView[] = [];
  for (const control of catalogue.controls) {
    const leaf = leaves.get(control.ref);
    if (leaf === undefined) await setImmediate();
    const status = leaf ?? statusAt(ground, control.ref, mappingsOf(framework, control), at, false);
    views.push({
      control,
      status,
      standing: standingOf(below(catalogue.controls, control).map(({ ref }) => leaves.get(ref) as ControlStatus)),
    });
  }
  return views;
};

const checkView = (framework: Framework, ground: NamedGround, { check, relationship, reason }: CheckMapping, at: UnixMs): CheckView => {
  const asked = askAt(ground, [check], at);
  const fix = framework.checks.get(check)?.fix;
  return {
    check,
    title: titleOf(framework, check),
    relationship,
    reason,
    ...(fix === undefined ? {} : { fix }),
    counts: countAnswers(asked.map(({ answer }) => answer)),
    answers: [...asked].sort(byWorst(ground)).map(({ host, answer, by }) => ({ host, name: ground.nameOf(host), answer, observation: by })),
  };
};

const byWorst =
  ({ nameOf }: NamedGround) =>
  (a: Asked, b: Asked): number =>
    RANK[a.answer] - RANK[b.answer] || (nameOf(a.host) < nameOf(b.host) ? -1 : 1);

export const readControls = (
  framework: Framework,
  ground: () => Promise<NamedGround>,
  events: Pick<EventStore, 'get'>,
  now: () => UnixMs,
): ControlPorts => ({
  now,
  list: async (catalogue, at = now()) => {
    if (!isCatalogue(catalogue)) throw fault('NOT_FOUND', { what: 'catalogue', id: catalogue });
    return controlsAt(framework, await ground(), at);
  },
  get: async (ref, at = now()) => {
    const control = findControl(framework, ref);
    const known = await ground();
    const mappings = mappingsOf(framework, control);
    const status = statusAt(known, control.ref, mappings, at);
    const leaves = below(framework.catalogue.controls, control).map((one) =>
      statusAt(known, one.ref, framework.map.ofControl.get(one.ref) ?? [], at),
    );
    const checks = [...new Map(mappings.map((one) => [one.check, one])).values()].map((one) => checkView(framework, known, one, at));
    return {
      control,
      status,
      standing: standingOf(leaves),
      checks: checks.sort((a, b) => b.counts.fail - a.counts.fail || b.counts.unknown - a.counts.unknown || (a.check < b.check ? -1 : 1)),
      turns:
        checks.length === 0
          ? []
          : turnsOf(
              known,
              checks.map(({ check }) => check),
              unixMs(at - HISTORY_MS),
              at,
            ),
    };
  },
  lines: (observations) => linesOf(events, observations),
});

/** `PR.AA-05` or `csf:2.0/PR.AA-05`, in any case. */
export const findControl = ({ catalogue }: Pick<Framework, 'catalogue'>, ref: string): Control => {
  const asked = ref.includes('/') ? ref.slice(ref.lastIndexOf('/') + 1) : ref;
  const prefix = ref.includes('/') ? ref.slice(0, ref.lastIndexOf('/')) : catalogue.id;
  const control = catalogue.byRef.get(`${prefix}/${asked.toUpperCase()}`);
  if (control === undefined) throw fault('NOT_FOUND', { what: 'control', id: ref });
  return control;
};

/** The raw line of each observation that an agent gave, by the observation's id. */
export const linesOf = async (
  events: Pick<EventStore, 'get'>,
  observations: readonly Observation[],
): Promise<ReadonlyMap<string, EvidenceLine>> => {
  const wanted = observations.flatMap(({ event }) => event ?? []);
  const found = new Map((wanted.length === 0 ? [] : await events.get([...new Set(wanted)])).map((event) => [event['event.id'], event]));
  return new Map(
    observations.flatMap(({ id, event, first }) => {
      const one = event === undefined ? undefined : found.get(event);
      const line = one === undefined ? null : evidenceLine(one, first);
      return line === null ? [] : [[id, line] as const];
    }),
  );
};
