// SPDX-License-Identifier: Apache-2.0
/**
 * The risk register as people read it: what a person assessed beside what telemetry indicates, and the chain down to raw lines.
 * Input: the state, framework and ground, events. Output: what the risk routes answer with.
 */
import { setImmediate } from 'node:timers/promises';
import type { UnixMs } from '../../core/units.ts';
import { fault } from '../errors.ts';
import type { ControlStatus } from '../model/control.ts';
import { type EvidenceLine, evidenceLine } from '../model/evidence.ts';
import type { Incident } from '../model/incident.ts';
import type { Basis, Indicated, Likelihood, Risk } from '../model/risk.ts';
import type { EventStore, StateStore, Stored } from '../store/store.ts';
import { findControl, titleOf } from './control-view.ts';
import { type Framework, type NamedGround, readAll } from './ground.ts';
import { indicatedAt, type RiskGround } from './indicated.ts';
import { statusAt } from './laws.ts';
import { levelOf, rankOf } from './risk-level.ts';

export interface RiskView {
  readonly risk: Risk;
  /** Version of the assessment: a change names it. */
  readonly version: number;
  readonly at: UnixMs;
  readonly indicated: Indicated;
  /** Of likelihood and impact together. */
  readonly level: { readonly assessed: Likelihood; readonly indicated: Likelihood };
  readonly aboveTolerance: boolean;
}

export interface BasisChain extends Basis {
  readonly lines: readonly EvidenceLine[];
}

export interface RiskChain extends RiskView {
  readonly chain: readonly BasisChain[];
  readonly controls: readonly { readonly ref: string; readonly statement: string; readonly status: ControlStatus }[];
}

export interface RiskReader {
  list(at?: UnixMs): Promise<readonly RiskView[]>;
  get(ref: string, at?: UnixMs): Promise<RiskView>;
  explain(ref: string, at?: UnixMs): Promise<RiskChain>;
}

const LINES_SHOWN = 3;

/** `R-01`, `r-1` or an id. @throws CodedError NOT_FOUND. */
export const findRisk = async (state: StateStore, ref: string): Promise<Stored<Risk>> => {
  const number = /^R-0*(\d{1,6})$/i.exec(ref)?.[1];
  const found =
    number === undefined
      ? await state.get('risk', ref)
      : (await state.list('risk', { limit: 1000 })).items.find(({ value }) => value.number === Number(number));
  if (!found) throw fault('NOT_FOUND', { what: 'risk', id: ref });
  return found;
};

/** A risk at a time; pure. */
export const viewRisk = ({ value: risk, version }: Stored<Risk>, ground: RiskGround, at: UnixMs): RiskView => {
  const indicated = indicatedAt(risk, ground, at);
  const level = {
    assessed: levelOf(risk.assessed.likelihood, risk.assessed.impact),
    indicated: levelOf(indicated.likelihood, risk.assessed.impact),
  };
  return { risk, version, at, indicated, level, aboveTolerance: rankOf(level.indicated) > rankOf(risk.tolerance) };
};

/** The ground with incidents on it. */
export const riskGround = async (state: StateStore, framework: Framework, ground: NamedGround): Promise<RiskGround> => {
  const works = new Map<string, Awaited<ReturnType<typeof state.get<'incidentWork'>>>>();
  const incidents: Incident[] = [...(await readAll(state, 'incident'))];
  await Promise.all(incidents.map(async ({ id }) => works.set(id, await state.get('incidentWork', id))));
  return {
    ...ground,
    incidents: incidents.map((incident) => ({ incident, work: works.get(incident.id)?.value ?? null })),
    titleOf: (check) => titleOf(framework, check),
  };
};

export const readRisks = (
  state: StateStore,
  framework: Framework,
  ground: () => Promise<NamedGround>,
  events: Pick<EventStore, 'get'>,
  now: () => UnixMs,
): RiskReader => {
  const known = async (): Promise<RiskGround> => riskGround(state, framework, await ground());
  return {
    list: async (at = now()) => {
      const [{ items }, on] = await Promise.all([state.list('risk', { limit: 10_000 }), known()]);
      const views: RiskView[] = [];
      for (const stored of items) {
        // A risk looks at many answers over time: others are served between one and the next.
        await setImmediate();
        views.push(viewRisk(stored, on, at));
      }
      return views.sort((a, b) => rankOf(b.level.indicated) - rankOf(a.level.indicated) || a.risk.number - b.risk.number);
    },
    get: async (ref, at = now()) => viewRisk(await findRisk(state, ref), await known(), at),
    explain: async (ref, at = now()) => {
      const [stored, on] = [await findRisk(state, ref), await known()];
      const view = viewRisk(stored, on, at);
      const chain = await Promise.all(
        view.indicated.because.map(async (basis) => ({ ...basis, lines: await linesUnder(state, events, basis, at) })),
      );
      const controls = view.risk.controls.map((control) => {
        const { ref: full, statement } = findControl(framework, control);
        return { ref: full, statement, status: statusAt(on, full, framework.map.ofControl.get(full) ?? [], at) };
      });
      return { ...view, chain, controls };
    },
  };
};

/** The first raw lines behind an observation or an incident. */
const linesUnder = async (
  state: StateStore,
  events: Pick<EventStore, 'get'>,
  { kind, id }: Basis,
  at: UnixMs,
): Promise<readonly EvidenceLine[]> => {
  const ids: string[] = [];
  if (kind === 'observation') ids.push(...((await state.get('observation', id))?.value.event ?? '').split(' ').filter(Boolean));
  if (kind === 'incident') {
    const incident = (await state.get('incident', id))?.value;
    for (const alert of incident?.alerts.slice(0, LINES_SHOWN) ?? [])
      ids.push(...((await state.get('alert', alert))?.value.sample ?? []).slice(0, 1));
  }
  if (ids.length === 0) return [];
  return (await events.get(ids)).flatMap((event) => evidenceLine(event, at) ?? []).sort((a, b) => a.time - b.time || a.seq - b.seq);
};
