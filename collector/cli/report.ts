// SPDX-License-Identifier: Apache-2.0
/**
 * `vigil report weekly`: makes the report of a week through a running collector and prints it, or writes it to a file.
 * Input: a week, a format. Output: the report's own bytes.
 */
import { writeFileSync } from 'node:fs';
import { systemCode } from '../../core/errors.ts';
import { fault } from '../errors.ts';
import { callCollector, callText, type Target } from './client.ts';
import type { Terminal } from './terminal.ts';

export interface ReportOptions {
  readonly week?: string;
  readonly format: string;
  readonly out?: string;
  readonly json?: boolean;
}

const FORMATS: ReadonlySet<string> = new Set(['html', 'json', 'text']);
const LATER: ReadonlySet<string> = new Set(['pdf', 'csv']);

interface Made {
  readonly week: string;
  readonly revision: number;
  readonly hashes: Readonly<Record<string, string>>;
  readonly fresh: boolean;
}

export const runReport = async ({ week, format, out }: ReportOptions, target: Target, terminal: Terminal): Promise<void> => {
  if (LATER.has(format)) throw fault('REPORT_FORMAT', { format });
  if (!FORMATS.has(format)) throw fault('USAGE', { reason: `"${format}" is no format; html, json and text are` });
  const made = await callCollector<Made>(target, { method: 'POST', path: '/api/v1/reports', body: week === undefined ? {} : { week } });
  const path = `/api/v1/reports/${encodeURIComponent(made.week)}`;
  const text = await callText(target, { path, query: { format, revision: made.revision } });
  if (out === undefined || out === '-') {
    terminal.out(text);
    return;
  }
  const file = terminal.here(out);
  try {
    writeFileSync(file, text, { mode: 0o600 });
  } catch (error) {
    throw fault('FILE_UNWRITABLE', { file, reason: systemCode(error) ?? 'it cannot be written' }, error);
  }
  terminal.err(`${made.week}, revision ${made.revision}${made.fresh ? '' : ', made before'}: ${file}\nSHA-256 ${made.hashes[format]}\n`);
};
