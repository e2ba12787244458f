// SPDX-License-Identifier: Apache-2.0
/**
 * What telemetry indicates of a risk's likelihood. Telemetry may raise it; lowering needs a decision; impact is a person's word alone. Pure.
 * Input: the risk, the ground, incidents with what people said. Output: the indicated likelihood with everything it rests on.
 *
 * One formula: start from what was assessed, or from the rate that confirmed incidents make where that is higher; one step up where a way in is
 * open (a check of level high or above fails, or a quarter of the answers) or an incident by its techniques is open or was confirmed within
 * 90 days; two where one was confirmed and a way is still open. The highest since the last assessment stands.
 */
import type { AssetId, IncidentId } from '../../core/ids.ts';
import { days, type UnixMs, unixMs } from '../../core/units.ts';
import type { Counts } from '../model/control.ts';
import type { Incident, IncidentWork } from '../model/incident.ts';
import type { Basis, Indicated, Likelihood, Rate, Risk } from '../model/risk.ts';
import { levelRank } from '../model/rule.ts';
import { pairKey, timesOf } from './answers.ts';
import { type Asked, askAt, countAnswers, expectedAt, type Ground } from './laws.ts';
import { higherOf, likelihoodOfRate, raisedBy, rankOf } from './risk-level.ts';

/** What people said of an incident, as far as it counts here. */
type Said = Pick<IncidentWork, 'state' | 'verdict' | 'moves'>;

/** An incident with what people said of it. */
export interface Judged {
  readonly incident: Pick<Incident, 'id' | 'number' | 'title' | 'techniques' | 'detected' | 'replay' | 'mergedInto'>;
  readonly work: Said | null;
}

export interface RiskGround extends Ground {
  readonly incidents: readonly Judged[];
  readonly nameOf: (host: AssetId) => string;
  readonly titleOf: (check: string) => string;
}

const RECENT = days(90);
const YEAR = days(365);
/** Share of failing answers that opens a way even where none of them is grave. */
const MANY = 0.25;
/** Answers that are looked at between assessment and now, over all times: beyond it the newest times, at least 20. */
const LOOKED_AT = 60_000;
const TIMES = 400;
const TIMES_LEAST = 20;
const NAMED = 20;

const REAL: ReadonlySet<unknown> = new Set([undefined, 'true-positive', 'true-positive-no-impact']);
const CONFIRMS: ReadonlySet<string> = new Set(['contained', 'eradicated', 'recovered']);

const realises = (technique: string, risk: Risk): boolean =>
  risk.techniques.some((own) => technique === own || technique.startsWith(`${own}.`));

const endOf = (work: Said | null): UnixMs | null =>
  work !== null && ['closed', 'dismissed', 'merged'].includes(work.state) ? (work.moves?.at(-1)?.at ?? unixMs(0)) : null;

/** When people said that it is real: contained, or closed as true. Null where nobody did. */
const confirmedAt = (work: Said | null): UnixMs | null => {
  if (work === null) return null;
  const contained = work.moves?.find(({ to }) => CONFIRMS.has(to))?.at ?? null;
  const closed = work.state === 'closed' && work.verdict === 'true-positive' ? (work.moves?.at(-1)?.at ?? unixMs(0)) : null;
  return contained ?? closed;
};

interface Relevant {
  readonly id: IncidentId;
  readonly number: number;
  readonly title: string;
  readonly from: UnixMs;
  readonly to: UnixMs | null;
  readonly confirmed: UnixMs | null;
}

/** Incidents that realise the risk; what was found false, benign or double is none, and replayed lines are the past of something else. */
const relevantTo = (risk: Risk, incidents: readonly Judged[]): readonly Relevant[] =>
  incidents
    .filter(
      ({ incident, work }) => !incident.replay && incident.mergedInto === undefined && work?.state !== 'merged' && REAL.has(work?.verdict),
    )
    .filter(({ incident }) => incident.techniques.some((technique) => realises(technique, risk)))
    .map(({ incident, work }) => ({
      id: incident.id,
      number: incident.number,
      title: incident.title,
      from: incident.detected,
      to: endOf(work),
      confirmed: confirmedAt(work),
    }));

interface Momentary {
  readonly likelihood: Likelihood;
  readonly because: readonly Basis[];
  readonly counts: Counts;
  readonly rate: Rate | null;
}

const momentaryAt = (risk: Risk, ground: RiskGround, incidents: readonly Relevant[], at: UnixMs): Momentary => {
  const asked = askAt(ground, risk.checks, at);
  const counts = countAnswers(asked.map(({ answer }) => answer));
  const failing = asked.filter(({ answer }) => answer === 'fail').sort(bySeverity);
  const measured = counts.expected - counts.unknown;
  const isOpen =
    failing.some(({ by }) => by !== null && levelRank(by.severity) >= levelRank('high')) ||
    (measured > 0 && counts.fail / measured >= MANY);
  const tried = incidents.filter(({ from, to, confirmed }) => from <= at && (to === null || at < to || within(confirmed ?? to, at)));
  const confirmed = tried.filter((one) => one.confirmed !== null && one.confirmed <= at);
  const steps = isOpen && confirmed.length > 0 ? 2 : isOpen || tried.length > 0 ? 1 : 0;
  const rate = rateAt(risk, ground, incidents, at);
  const { likelihood: assessed } = risk.assessed;
  const start = rate !== null && rate.incidents > 0 ? higherOf(assessed, likelihoodOfRate(rate.indicated)) : assessed;
  return {
    likelihood: raisedBy(start, steps),
    because: [
      ...tried.map((one) => incidentBasis(one, at)),
      ...(isOpen ? failing.slice(0, NAMED).map((one) => checkBasis(one, ground)) : []),
    ],
    counts,
    rate,
  };
};

const within = (time: UnixMs, at: UnixMs): boolean => time <= at && at - time < RECENT;

const bySeverity = (a: Asked, b: Asked): number =>
  levelRank(b.by?.severity ?? 'informational') - levelRank(a.by?.severity ?? 'informational');

const checkBasis = ({ check, host, by }: Asked, { nameOf, titleOf }: RiskGround): Basis => ({
  kind: 'observation',
  id: by?.id ?? '',
  text: `"${titleOf(check)}" does not hold on ${nameOf(host)}: it is ${by?.actual}, expected ${by?.expected}`,
});

const incidentBasis = ({ id, number, title, to, confirmed }: Relevant, at: UnixMs): Basis => ({
  kind: 'incident',
  id,
  text: `INC-${number} ${title}, ${confirmed !== null && confirmed <= at ? 'confirmed' : to === null || at < to ? 'open' : 'ended'}`,
});

/** Expected rate as a Gamma distribution with the mean and spread of the interval; confirmed incidents over the time that was watched. */
const rateAt = (risk: Risk, ground: Ground, incidents: readonly Relevant[], at: UnixMs): Rate | null => {
  if (risk.frequency === undefined) return null;
  const [low, high] = [Math.log(risk.frequency.p5), Math.log(risk.frequency.p95)];
  const [mu, sigma] = [(low + high) / 2, (high - low) / 3.289707253902945];
  const mean = Math.exp(mu + sigma ** 2 / 2);
  const variance = (Math.exp(sigma ** 2) - 1) * mean ** 2;
  const [shape, inverse] = [mean ** 2 / variance, mean / variance];
  const begin = ground.stays.reduce((first, { from }) => Math.min(first, from), Number(at));
  const years = Math.max(0, at - begin) / YEAR;
  const seen = incidents.filter(({ confirmed }) => confirmed !== null && confirmed <= at).length;
  return { expected: mean, indicated: (shape + seen) / (inverse + years), incidents: seen, years };
};

/** Times at which the indicated likelihood may rise. */
const candidates = (risk: Risk, ground: Ground, incidents: readonly Relevant[], from: UnixMs, to: UnixMs): readonly UnixMs[] => {
  const times = new Set<UnixMs>();
  let pairs = 1;
  for (const check of risk.checks)
    for (const host of expectedAt(ground, check, to)) {
      const pair = ground.pairs.get(pairKey(check, host));
      pairs += 1;
      if (pair !== undefined) for (const at of timesOf(pair)) times.add(at);
    }
  for (const { from: begin, confirmed } of incidents) for (const at of [begin, confirmed]) if (at !== null) times.add(at);
  return [...times]
    .filter((at) => at >= from && at < to)
    .sort((a, b) => a - b)
    .slice(-Math.max(TIMES_LEAST, Math.min(TIMES, Math.floor(LOOKED_AT / pairs))));
};

export const indicatedAt = (risk: Risk, ground: RiskGround, at: UnixMs): Indicated => {
  const incidents = relevantTo(risk, ground.incidents);
  const times = [...candidates(risk, ground, incidents, risk.assessed.at, at), at];
  const all = times.map((time) => ({ time, of: momentaryAt(risk, ground, incidents, time) }));
  const now = (all.at(-1) as { readonly of: Momentary }).of;
  const peak = all.reduce((most, { of }) => Math.max(most, rankOf(of.likelihood)), rankOf(risk.assessed.likelihood));
  const raised = peak > rankOf(risk.assessed.likelihood);
  const atPeak = all.filter(({ of }) => rankOf(of.likelihood) === peak);
  return {
    likelihood: raised ? (atPeak[0]?.of.likelihood ?? now.likelihood) : risk.assessed.likelihood,
    since: raised ? (atPeak[0]?.time ?? at) : risk.assessed.at,
    now: now.likelihood,
    // The latest evidence that it was so high.
    because: raised ? (atPeak.at(-1)?.of.because ?? []) : [],
    coverage: { measured: now.counts.expected - now.counts.unknown, expected: now.counts.expected },
    rate: now.rate,
  };
};
