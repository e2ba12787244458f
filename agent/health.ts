// SPDX-License-Identifier: Apache-2.0
/**
 * The agent's health: coded conditions with what they are about and what to do, for heartbeat and `status`.
 * Input: problems of sources, state of spool and uplink. Output: a list, worst first. Pure.
 */
import type { HeartbeatBody } from '../core/protocol.ts';
import type { SourceProblem } from './source/source.ts';

export type Condition = HeartbeatBody['conditions'][number];

export interface HealthInput {
  readonly problems: readonly SourceProblem[];
  readonly spool: {
    readonly room: boolean;
    readonly failure: string | undefined;
    readonly folder: string;
    readonly held: number;
    readonly bad: number;
    /** Segments in which damage was met at the start. */
    readonly damaged: readonly string[];
  };
  readonly uplink: { readonly url: string; readonly trouble: string | undefined };
  readonly clockOffsetMs: number | undefined;
  readonly renewal: string | undefined;
  readonly notes: readonly Condition[];
}

const SKEW_MS = 300_000;
const MAX_CONDITIONS = 200;

const TROUBLES: Readonly<Record<string, string>> = {
  IDENTITY_REFUSED: 'Ask the collector’s administrator: vigil agent show; keys and spool are kept.',
  COLLECTOR_NOT_TRUSTED: 'Somebody else answers at that address, or its CA was replaced: enrol again with a new token.',
  CLOCK_WRONG: 'Set this host’s clock; until then the collector’s certificate cannot be believed.',
  COLLECTOR_BUSY: 'Nothing: it is asked again when it said.',
  BAD_ANSWER: 'Check the versions of agent and collector.',
};

export const conditionsOf = (input: HealthInput): readonly Condition[] => {
  const { spool, uplink } = input;
  const list: Condition[] = [];
  if (spool.failure !== undefined)
    list.push({ code: 'SPOOL_FAILING', about: `${spool.folder}: ${spool.failure}`, hint: 'Free space or mend the disk; reading waits.' });
  else if (!spool.room)
    list.push({
      code: 'SPOOL_FULL',
      about: spool.folder,
      hint: 'Bring the collector back, or raise spool.quota; reading waits, files are the buffer.',
    });
  if (uplink.trouble !== undefined)
    list.push({
      code: uplink.trouble,
      about: uplink.url,
      hint: TROUBLES[uplink.trouble] ?? 'Check address, port and firewall; nothing is lost while it is away.',
    });
  if (input.renewal !== undefined)
    list.push({
      code: 'RENEWAL_FAILED',
      about: input.renewal,
      hint: 'It is tried again each minute; an expired certificate does not stand in the way.',
    });
  if (input.clockOffsetMs !== undefined && Math.abs(input.clockOffsetMs) > SKEW_MS)
    list.push({
      code: 'CLOCK_SKEW',
      about: `${Math.round(input.clockOffsetMs / 1000)} s to the collector`,
      hint: 'Let this host keep time by NTP.',
    });
  if (spool.held > 0)
    list.push({ code: 'BLOCKS_HELD', about: `${spool.held} blocks`, hint: 'The collector doubts this identity: vigil agent held list.' });
  if (spool.bad > 0)
    list.push({
      code: 'BLOCKS_REFUSED',
      about: `${spool.bad} blocks`,
      hint: 'They are kept on both sides; check the versions of agent and collector.',
    });
  for (const path of spool.damaged)
    list.push({ code: 'SPOOL_DAMAGED', about: path, hint: 'Check the disk; what is missing is declared to the collector.' });
  list.push(...input.notes);
  list.push(...input.problems.map(({ code, about, reason, hint }) => ({ code, about: `${about}: ${reason}`, hint })));
  return list
    .slice(0, MAX_CONDITIONS)
    .map(({ code, about, hint }) => ({ code, about: about.toWellFormed().slice(0, 4_000), hint: hint.slice(0, 1_000) }));
};
