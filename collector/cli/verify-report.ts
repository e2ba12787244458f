// SPDX-License-Identifier: Apache-2.0
/**
 * `vigil verify` of weekly reports, offline: the bundle against itself, every figure computed again, the HTML and text beside it against its hashes.
 * Input: a bundle's file or a folder of reports. Output: what holds, and where not, the first place that does not.
 */
import { closeSync, existsSync, fstatSync, openSync, readdirSync, readFileSync, readSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { sha256 } from '../../core/hash.ts';
import { fault } from '../errors.ts';
import { type CheckedBundle, checkBundle, fingerprintOf, looksLikeBundle } from '../report/bundle.ts';
import { countText, type Terminal, visible } from './terminal.ts';

/** A bundle larger than this was not made here. */
const LARGEST_BYTES = 512 * 1_048_576;
const PART_BYTES = 65_536;
const KEPT = /^\d{4}-W\d{2}-r\d+\.json$/;

/** Bundles that lie there: the file itself, or those of a folder, oldest first. Empty for anything else. */
export const reportsIn = (path: string): readonly string[] => {
  if (statSync(path).isDirectory())
    return readdirSync(path)
      .filter((name) => KEPT.test(name) || (name.endsWith('.json') && isBundle(join(path, name))))
      .sort()
      .map((name) => join(path, name));
  return KEPT.test(basename(path)) || isBundle(path) ? [path] : [];
};

const isBundle = (path: string): boolean => {
  const file = openSync(path, 'r');
  try {
    const part = Buffer.alloc(PART_BYTES);
    const read = (at: number): string => part.subarray(0, readSync(file, part, 0, PART_BYTES, at)).toString('latin1');
    // Both ends name it, so that damage at one does not hide what it is.
    return looksLikeBundle(read(0)) || looksLikeBundle(read(Math.max(0, fstatSync(file).size - PART_BYTES)));
  } finally {
    closeSync(file);
  }
};

/** Answers whether all of them hold. */
export const verifyReports = (paths: readonly string[], signer: string | undefined, json: boolean, terminal: Terminal): boolean =>
  paths.map((path) => verifyOne(path, signer, json, terminal)).every(Boolean);

const verifyOne = (path: string, signer: string | undefined, json: boolean, terminal: Terminal): boolean => {
  const bytes = statSync(path).size;
  if (bytes > LARGEST_BYTES) throw fault('REPORT_DAMAGED', { file: path, reason: `it has more than ${LARGEST_BYTES} bytes` });
  const checked = checkBundle(readFileSync(path));
  const besides = checked.kind === 'holds' ? editions(path, checked) : [];
  const broken = checked.kind === 'fails' ? { at: checked.at, reason: checked.reason } : besides.find(({ reason }) => reason !== null);
  const key = checked.kind === 'holds' ? checked.bundle.key : null;
  const known = signer === undefined || key === null ? 'unknown' : [key, fingerprintOf(key)].includes(signer.trim()) ? 'known' : 'other';
  const failure = broken ?? (known === 'other' ? { at: 'key', reason: 'it was signed by another key than the one that was named' } : null);
  if (json)
    terminal.out(
      `${JSON.stringify({ kind: 'report', path, holds: failure === null, signer: known, ...(failure ?? {}), ...(checked.kind === 'holds' ? { week: checked.bundle.week, revision: checked.bundle.revision, hash: checked.hash, key } : {}) })}\n`,
    );
  else if (failure !== null)
    terminal.out(`FAILS  ${visible(basename(path))} at ${visible(failure.at)}: ${visible(String(failure.reason))}\n`);
  else if (checked.kind === 'holds') {
    const { week, revision, inputs } = checked.bundle;
    const figures = `${countText(inputs.now.alerts.length)} alerts, ${countText(inputs.now.incidents.length)} incidents and ${countText(inputs.observations.length)} answers`;
    terminal.out(
      `${visible(path)}: report ${week}, revision ${revision}, holds. Every figure is what its inputs give (${figures})${besides.length === 0 ? '' : `; ${besides.map(({ at }) => at).join(' and ')} are as they were made`}.\nSHA-256 ${checked.hash}, consistent, signer ${known === 'known' ? 'known' : `unknown (${fingerprintOf(checked.bundle.key)})`}\n`,
    );
  }
  return failure === null;
};

/** HTML and text that lie beside the bundle under its name. */
const editions = (
  path: string,
  { bundle }: CheckedBundle & { readonly kind: 'holds' },
): readonly { readonly at: string; readonly reason: string | null }[] =>
  (
    [
      ['html', bundle.hashes.html],
      ['txt', bundle.hashes.text],
    ] as const
  ).flatMap(([ending, hash]) => {
    const file = path.replace(/json$/, ending);
    if (!path.endsWith('.json') || !existsSync(file)) return [];
    return [{ at: basename(file), reason: sha256(readFileSync(file)) === hash ? null : 'it is not as it was made' }];
  });
