// SPDX-License-Identifier: Apache-2.0
/**
 * One making of a report, whole: figures from inputs, whether they differ from the revision before, and all three forms, signed.
 * Input: inputs, the figures of the revision before, the key. Output: what is kept, or null where nothing changed. Pure, and long: a thread of its own runs it.
 */
import { signerFromPem } from '../../core/sign.ts';
import type { UnixMs } from '../../core/units.ts';
import { figuresOf, fingerprintOf, makeReport } from './bundle.ts';
import { changesBetween } from './change.ts';
import { leadOf } from './headline.ts';
import { METHOD, type ReportInputs } from './inputs.ts';
import type { Fonts } from './render/style.ts';
import type { WeeklyFigures } from './weekly.ts';
import { timesOf } from './words.ts';

export interface RevisionWork {
  readonly inputs: ReportInputs;
  /** The newest revision there is; null for the first. */
  readonly last: { readonly revision: number; readonly hash: string; readonly method: number; readonly figures: WeeklyFigures } | null;
  readonly made: UnixMs;
  /** Of the key that signs, PKCS#8 in PEM. */
  readonly privatePem: string;
  readonly fonts: Fonts | null;
}

export interface MadeRevision {
  readonly week: string;
  readonly revision: number;
  readonly made: UnixMs;
  readonly headline: string;
  readonly revised: readonly string[];
  readonly hashes: { readonly json: string; readonly html: string; readonly text: string };
  /** SHA-256 of the public key. */
  readonly key: string;
  readonly json: string;
  readonly html: string;
  readonly text: string;
}

export const makeRevision = ({ inputs, last, made, privatePem, fonts }: RevisionWork): MadeRevision | null => {
  const computed = figuresOf(inputs);
  // Figures of another method cannot be compared with today's.
  const revised =
    last === null
      ? []
      : last.method === METHOD
        ? changesBetween(last.figures, computed.figures)
        : ['the method by which figures are computed'];
  if (last !== null && revised.length === 0) return null;
  const edition = { revision: last === null ? 0 : last.revision + 1, made, after: last?.hash ?? null, revised };
  const { bundle, json, html, text, hash } = makeReport(computed, edition, signerFromPem(privatePem), fonts);
  const { zone, now } = computed.inputs;
  return {
    week: bundle.week,
    revision: bundle.revision,
    made,
    headline: leadOf(bundle.figures, timesOf({ zone, from: now.from, to: now.to })).headline,
    revised,
    hashes: { json: hash, html: bundle.hashes.html, text: bundle.hashes.text },
    key: fingerprintOf(bundle.key),
    json,
    html,
    text,
  };
};
