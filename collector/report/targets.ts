// SPDX-License-Identifier: Apache-2.0
/**
 * How soon each step of an incident is wanted, as the settings `targets.…` say.
 * Input: durations in ms. Output: targets by step and severity; null where there is none.
 */
import type { Targets } from './inputs.ts';

type Step = keyof Targets;
type Severity = 'critical' | 'high' | 'medium' | 'low';

export type TargetConfig = Readonly<Record<`targets.${Step}.${Severity}`, number>>;

export const targetsOf = (config: TargetConfig): Targets => {
  const within = (step: Step, severity: Severity): number | null => config[`targets.${step}.${severity}`] || null;
  const of = (step: Step): Targets[Step] => ({
    critical: within(step, 'critical'),
    high: within(step, 'high'),
    medium: within(step, 'medium'),
    low: within(step, 'low'),
    informational: null,
  });
  return { acknowledge: of('acknowledge'), contain: of('contain'), resolve: of('resolve') };
};
