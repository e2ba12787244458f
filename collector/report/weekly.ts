// SPDX-License-Identifier: Apache-2.0
/**
 * Every figure of a week, from its inputs alone: the same inputs give the same figures on any machine, which is what `vigil verify` checks.
 * Input: `ReportInputs`. Output: `WeeklyFigures`, and the document that says them. Pure.
 */
import type { UnixMs } from '../../core/units.ts';
import { decisionsOf } from './decision.ts';
import type { ReportDocument } from './document.ts';
import { frontOf } from './front.ts';
import { gapsOf } from './gap.ts';
import type { ReportInputs, WindowInput } from './inputs.ts';
import { type ControlFigures, complianceSection, controlFigures, groundOf } from './section/controls.ts';
import { type CoverageFigures, coverageFigures, coverageSection } from './section/coverage.ts';
import { type EntityFigures, entityFigures, entitySection } from './section/entities.ts';
import { type IncidentFigures, incidentFigures, incidentSection } from './section/incidents.ts';
import { methodSection, type Seal } from './section/method.ts';
import { peopleSection } from './section/people.ts';
import { type RiskFigures, riskFigures, riskSection } from './section/risks.ts';
import { checksOf, type FileFigures, fileFigures, type SettingFigures, settingFigures, settingSection } from './section/settings.ts';
import { type VulnerabilityFigures, vulnerabilitySection } from './section/vulnerabilities.ts';
import { timesOf } from './words.ts';

/** Figures of one of the two weeks. */
export interface WeekFigures {
  readonly incidents: IncidentFigures;
  readonly settings: SettingFigures;
  readonly files: FileFigures;
}

export interface WeeklyFigures extends WeekFigures {
  readonly before: WeekFigures;
  readonly coverage: CoverageFigures;
  readonly entities: EntityFigures;
  readonly controls: ControlFigures;
  readonly risks: RiskFigures;
  readonly vulnerabilities: VulnerabilityFigures;
}

export const weeklyFigures = (inputs: ReportInputs): WeeklyFigures => {
  const names = new Map<string, string>(inputs.moment.hosts.map(({ host, name }) => [host, name]));
  // Checks that are asked once are asked of the collector, which need not be a host that is watched.
  if (!inputs.moment.hosts.some(({ host, standing }) => host === inputs.controls.self && standing !== 'unmanaged'))
    names.set(inputs.controls.self, 'the collector');
  const nameOf = (host: string): string => names.get(host) ?? host;
  const titleOf = (check: string): string => inputs.controls.titles[check] ?? check;
  const ground = groundOf(inputs);
  const checks = checksOf(
    ground,
    inputs.controls.mappings.map(({ check }) => check),
  );
  const of = (window: WindowInput): WeekFigures => ({
    incidents: incidentFigures(window, inputs.targets),
    settings: settingFigures(ground, checks, window, { nameOf, titleOf }),
    files: fileFigures(window.files),
  });
  const now = of(inputs.now);
  return {
    ...now,
    before: of(inputs.before),
    coverage: coverageFigures(inputs.now, inputs.before, inputs.moment, inputs.controls.self),
    entities: entityFigures(inputs.scores, inputs.now),
    controls: controlFigures(inputs, now.settings.changed),
    risks: riskFigures(inputs.risks.risks, { ...ground, incidents: inputs.risks.incidents, nameOf, titleOf }, inputs.now),
    vulnerabilities: { matched: 0, ...inputs.moment.inventory },
  };
};

/** What stands on an edition besides its figures. */
export interface Edition {
  readonly made: UnixMs;
  readonly revision: number;
  readonly revised: readonly string[];
  readonly seal: Seal;
}

/** The report as words and tables. */
export const documentOf = (inputs: ReportInputs, figures: WeeklyFigures, { made, revision, revised, seal }: Edition): ReportDocument => {
  const times = timesOf({ zone: inputs.zone, from: inputs.now.from, to: inputs.now.to });
  const { now, moment } = inputs;
  return {
    week: inputs.week,
    organisation: inputs.organisation,
    range: `${times.range(now)}, ${inputs.zone}`,
    made: times.long(made),
    revision,
    revised,
    front: frontOf(inputs, figures, decisionsOf(inputs, figures, times), times),
    sections: [
      incidentSection(figures.incidents, now, times),
      entitySection(figures.entities, times, now.to),
      vulnerabilitySection(figures.vulnerabilities),
      settingSection(figures.settings, figures.files, times),
      coverageSection(figures.coverage, moment, times),
      riskSection(figures.risks, figures.settings, times, now.to),
      complianceSection(figures.controls, times),
      peopleSection(),
      methodSection(inputs, gapsOf(figures, times), seal, times),
    ],
  };
};
