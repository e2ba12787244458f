// SPDX-License-Identifier: Apache-2.0
/**
 * The bundle: inputs, figures, hashes of the editions made from them, signed by the key that signs reports and nothing else.
 * Input: inputs and an edition. Output: the bundle's bytes with HTML and text; read back and checked against itself. No disk.
 */
import { sha256 } from '../../core/hash.ts';
import { isPublicKey, type Signer, verifySignature } from '../../core/sign.ts';
import type { UnixMs } from '../../core/units.ts';
import { canonical, firstDifference } from './canonical.ts';
import type { ReportInputs } from './inputs.ts';
import { METHOD } from './inputs.ts';
import { htmlOf } from './render/html.ts';
import type { Fonts } from './render/style.ts';
import { textOf } from './render/text.ts';
import { documentOf, type WeeklyFigures, weeklyFigures } from './weekly.ts';

const KIND = 'vigil-weekly-report';
const DOMAIN = 'vigil weekly report v1\n';

export interface Bundle {
  readonly kind: typeof KIND;
  readonly week: string;
  readonly revision: number;
  readonly made: UnixMs;
  /** Hash of the bundle of the revision before; null for the first. */
  readonly after: string | null;
  /** What changed against it. */
  readonly revised: readonly string[];
  readonly inputs: ReportInputs;
  readonly figures: WeeklyFigures;
  readonly hashes: { readonly inputs: string; readonly figures: string; readonly html: string; readonly text: string };
  /** Raw Ed25519 public key, base64url. */
  readonly key: string;
  readonly signature: string;
}

export interface MadeReport {
  readonly bundle: Bundle;
  readonly json: string;
  readonly html: string;
  readonly text: string;
  /** SHA-256 of the bundle's bytes. */
  readonly hash: string;
}

export type BundleEdition = Pick<Bundle, 'revision' | 'made' | 'after' | 'revised'>;

/** Short form of a key for paper and audit trail. */
export const fingerprintOf = (key: string): string => sha256(Buffer.from(key, 'base64url'));

/** The inputs as their JSON says, and what they give. */
export interface Computed {
  readonly inputs: ReportInputs;
  readonly figures: WeeklyFigures;
}

/** Inputs are taken as their JSON says, so that whoever reads it computes the same. */
export const figuresOf = (given: ReportInputs): Computed => {
  const inputs = JSON.parse(canonical(given)) as ReportInputs;
  return { inputs, figures: weeklyFigures(inputs) };
};

/** Makes a report in all its forms. */
export const makeReport = ({ inputs, figures }: Computed, edition: BundleEdition, signer: Signer, fonts: Fonts | null): MadeReport => {
  const seal = { inputs: sha256(canonical(inputs)), figures: sha256(canonical(figures)), key: fingerprintOf(signer.publicKey) };
  const document = documentOf(inputs, figures, { ...edition, seal });
  const [html, text] = [htmlOf(document, fonts), textOf(document)];
  const unsigned = {
    kind: KIND,
    week: inputs.week,
    ...edition,
    inputs,
    figures,
    hashes: { inputs: seal.inputs, figures: seal.figures, html: sha256(html), text: sha256(text) },
    key: signer.publicKey,
  } as const;
  const signature = Buffer.from(signer.sign(DOMAIN, Buffer.from(canonical(unsigned)))).toString('base64url');
  const bundle: Bundle = { ...unsigned, signature };
  const json = `${canonical(bundle)}\n`;
  return { bundle, json, html, text, hash: sha256(json) };
};

export type CheckedBundle =
  | { readonly kind: 'holds'; readonly bundle: Bundle; readonly hash: string }
  | { readonly kind: 'fails'; readonly at: string; readonly reason: string };

/** True for bytes that mean to be a report's bundle, whole or damaged. */
export const looksLikeBundle = (text: string): boolean =>
  /"kind":"vigil-weekly-report"|^\{"after":(?:null|"[0-9a-f]{64}"),"figures":/.test(text);

/** Checks a bundle against itself: its one spelling, its hashes, every figure computed again, its signature. */
export const checkBundle = (bytes: Uint8Array): CheckedBundle => {
  const fails = (at: string, reason: string): CheckedBundle => ({ kind: 'fails', at, reason });
  let text: string;
  let bundle: Bundle;
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    bundle = JSON.parse(text) as Bundle;
  } catch (error) {
    return fails('the text', error instanceof Error ? error.message : 'it is no JSON');
  }
  if (bundle === null || typeof bundle !== 'object' || bundle.kind !== KIND) return fails('kind', 'it is no weekly report');
  try {
    const same = `${canonical(bundle)}\n`;
    if (same !== text) return fails(`character ${commonLength(same, text)}`, 'it is not written in the one way a bundle is written');
    return checkParts(bundle, sha256(bytes), fails);
  } catch (error) {
    // Figures of inputs that have lost their shape cannot be computed; that is an answer too.
    return fails('inputs', `no figure can be computed from them: ${error instanceof Error ? error.message : 'they have lost their shape'}`);
  }
};

const checkParts = (bundle: Bundle, hash: string, fails: (at: string, reason: string) => CheckedBundle): CheckedBundle => {
  const { signature, ...unsigned } = bundle;
  const { inputs, figures, hashes, key, week } = unsigned;
  if (inputs.method !== METHOD)
    return fails('inputs.method', `it was made by method ${inputs.method}, and this program knows method ${METHOD}`);
  if (inputs.week !== week) return fails('week', `it says ${week}, its inputs ${inputs.week}`);
  if (sha256(canonical(inputs)) !== hashes.inputs) return fails('inputs', 'they do not have the hash that stands in the bundle');
  if (sha256(canonical(figures)) !== hashes.figures) return fails('figures', 'they do not have the hash that stands in the bundle');
  const at = firstDifference(weeklyFigures(inputs), figures);
  if (at !== null) return fails(`figures.${at}`, 'computed again from the inputs it is another');
  const raw = Buffer.from(String(signature), 'base64url');
  if (!isPublicKey(key) || raw.toString('base64url') !== signature || !verifySignature(key, raw, DOMAIN, Buffer.from(canonical(unsigned))))
    return fails('signature', 'it was not made by the key that stands in the bundle');
  return { kind: 'holds', bundle, hash };
};

const commonLength = (a: string, b: string): number => {
  let i = 0;
  while (i < a.length && a[i] === b[i]) i++;
  return i;
};
