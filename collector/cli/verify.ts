// SPDX-License-Identifier: Apache-2.0
/**
 * `vigil verify`: the signed records behind an id, through a running collector; a journal, an audit log, a backup or reports, offline from their files.
 * Input: an id, a file or a folder. Output: what holds, and where not, the first position that does not.
 */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { signerFromPem } from '../../core/sign.ts';
import { fault } from '../errors.ts';
import type { Proof } from '../journal/prove.ts';
import { callCollector, type Target } from './client.ts';
import { countText, sizeText, type Terminal, visible } from './terminal.ts';

const ID = /^(?:(?:evt|alr|inc)_[A-Za-z0-9_-]{16,32}|INC-\d+)$/i;

/** Answers whether everything holds. */
export const runVerify = async (what: string, target: Target, json: boolean, terminal: Terminal, signer?: string): Promise<boolean> => {
  if (ID.test(what)) return verifyId(what, target, json, terminal);
  const path = terminal.here(what);
  if (!existsSync(path)) throw fault('USAGE', { reason: `"${what}" is neither an id (evt_…, alr_…, inc_…, INC-8) nor a file or folder` });
  if (statSync(path).isFile()) {
    const { isBackup } = await import('../backup/read.ts');
    if (await isBackup(path)) return (await import('./backup.ts')).verifyBackup(path, json, terminal);
  }
  const { reportsIn, verifyReports } = await import('./verify-report.ts');
  const reports = reportsIn(path);
  if (reports.length > 0) return verifyReports(reports, signer, json, terminal);
  const kind = kindOf(path);
  if (kind === 'journal') return verifyJournalFolder(path, json, terminal);
  if (kind === 'audit') return verifyAuditLog(path, json, terminal);
  const holds: boolean[] = [];
  for (const part of ['journal', 'audit'])
    if (existsSync(join(path, part)))
      holds.push(await (part === 'journal' ? verifyJournalFolder : verifyAuditLog)(join(path, part), json, terminal));
  const kept = existsSync(join(path, 'reports')) ? reportsIn(join(path, 'reports')) : [];
  // In a data folder the key that signs lies beside its reports.
  if (kept.length > 0) holds.push(await verifyReports(kept, signer ?? keyOf(path), json, terminal));
  if (holds.length === 0) throw fault('USAGE', { reason: `${path} holds neither a journal, an audit log nor a report` });
  return holds.every(Boolean);
};

const keyOf = (path: string): string | undefined => {
  const file = join(path, 'keys', 'report.pem');
  return existsSync(file) ? signerFromPem(readFileSync(file, 'utf8')).publicKey : undefined;
};

/** What lies there, by the names of its files. */
const kindOf = (path: string): 'journal' | 'audit' | 'data' => {
  const names = statSync(path).isDirectory() ? readdirSync(path) : [basename(path)];
  if (names.some((name) => /^\d{16}\.seg$/.test(name))) return 'journal';
  return names.some((name) => /^audit-\d+\.seg$/.test(name)) ? 'audit' : 'data';
};

const verifyId = async (id: string, target: Target, json: boolean, terminal: Terminal): Promise<boolean> => {
  const { holds, records } = await callCollector<{ holds: boolean; records: readonly Proof[] }>(target, {
    path: `/api/v1/verify/${encodeURIComponent(id)}`,
  });
  if (json) terminal.out(`${JSON.stringify({ id, holds, records })}\n`);
  else {
    for (const { event, holds: one, text, block, offset, seq, stream } of records)
      terminal.out(
        `${one ? 'holds' : 'FAILS'}  ${event}  ${visible(stream)} record ${seq}, journal offset ${offset}${block === null ? '' : `, block ${block.slice(0, 16)}…`}: ${visible(text)}\n`,
      );
    const good = records.filter((one) => one.holds).length;
    terminal.out(`${good} of ${records.length} records are as their agents signed them.\n`);
  }
  return holds;
};

const verifyJournalFolder = async (path: string, json: boolean, terminal: Terminal): Promise<boolean> => {
  const { verifyJournal } = await import('../journal/verify.ts');
  const proof = await verifyJournal(path);
  const holds = proof.problems.length === 0;
  if (json) terminal.out(`${JSON.stringify({ kind: 'journal', path, holds, ...proof })}\n`);
  else {
    terminal.out(
      `${visible(path)}: ${countText(proof.blocks)} blocks with ${countText(proof.records)} records in ${sizeText(proof.bytes)}\n`,
    );
    for (const { offset, segment, kind, reason } of proof.problems)
      terminal.out(`FAILS  offset ${offset} in ${visible(basename(segment))}, ${kind}: ${visible(reason)}\n`);
    terminal.out(
      holds
        ? `Every frame, hash, signature and chain holds; ${proof.signers.length} signers, consistent, not known to this check.\n`
        : `The first position that does not hold is ${proof.problems[0]?.offset}.\n`,
    );
  }
  return holds;
};

const verifyAuditLog = async (path: string, json: boolean, terminal: Terminal): Promise<boolean> => {
  const { verifyAudit } = await import('../auth/audit/verify.ts');
  const verdict = await verifyAudit(path);
  const holds = verdict.kind === 'holds';
  if (json) terminal.out(`${JSON.stringify({ path, holds, ...verdict, kind: 'audit' })}\n`);
  else if (verdict.kind === 'holds')
    terminal.out(
      `${visible(path)}: ${countText(verdict.entries)} entries hold, ${countText(verdict.unsigned)} of them not yet under a signed checkpoint; consistent, signer ${verdict.signer === 'known' ? 'known' : `unknown (${verdict.key})`}\n`,
    );
  else
    terminal.out(
      `FAILS  ${visible(basename(verdict.at.file))} at byte ${verdict.at.offset}, entry ${verdict.at.seq}: ${visible(verdict.reason)}\n`,
    );
  return holds;
};
