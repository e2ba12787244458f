// SPDX-License-Identifier: Apache-2.0
/**
 * Controls of catalogues and their derived states; a requirement is never typed as met, it is measured or unknown.
 * Input: catalogues (rules/controls), mappings, observations. Output: console, report, risks, OSCAL.
 */
import type { UnixMs } from '../../core/units.ts';
import type { ObservationId } from './observation.ts';

export interface Control {
  /** Edition-qualified: `csf:2.0/PR.AA-05`. */
  readonly ref: string;
  /** As the catalogue writes it: `PR.AA-05`. */
  readonly id: string;
  readonly kind: 'function' | 'category' | 'subcategory';
  readonly parent: string | null;
  readonly title: string;
  readonly statement: string;
}

export const CONTROL_STATES = ['satisfied', 'not-satisfied', 'unknown'] as const;
export type ControlState = (typeof CONTROL_STATES)[number];

/** Answers behind a figure. `expected` is the population: `pass + fail + excepted + unknown === expected`. */
export interface Counts {
  readonly pass: number;
  readonly fail: number;
  readonly excepted: number;
  readonly unknown: number;
  readonly expected: number;
}

export interface ControlStatus {
  readonly ref: string;
  readonly state: ControlState;
  /** Some check speaks for it; without one it is not measured at all. */
  readonly measured: boolean;
  /** Its checks cover part of the requirement only: satisfied then reads "as far as it is measured". */
  readonly partial: boolean;
  readonly counts: Counts;
  readonly oldest: UnixMs | null;
  /** Since when the state is this one, as far as history reaches. */
  readonly since: UnixMs | null;
  readonly observations: readonly ObservationId[];
}
