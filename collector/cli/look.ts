// SPDX-License-Identifier: Apache-2.0
/**
 * Commands that look: query, status, explain, report, verify.
 * Input: flags; a running collector's API, or files for verify. Output: tables for people, NDJSON for programs.
 */
import { existsSync } from 'node:fs';
import type { Command } from 'commander';
import { fault } from '../errors.ts';
import type { Target } from './client.ts';
import { example, json, reaching } from './program.ts';
import type { ReportOptions } from './report.ts';
import type { Terminal } from './terminal.ts';

export interface Reach {
  readonly data?: string;
  readonly url?: string;
}

/** Where packages put the data of a collector that runs as a service. */
const SYSTEM_DATA = '/var/lib/vigil';

/** The data folder that is meant: the one named, else `.vigil` where the person stands, else the system's. */
export const dataFolder = (named: string | undefined, terminal: Terminal): string => {
  if (named !== undefined) return terminal.here(named);
  const near = terminal.here('.vigil');
  return existsSync(near) || !existsSync(SYSTEM_DATA) ? near : SYSTEM_DATA;
};

/** The collector that is meant. */
export const targetOf = (reach: Reach, terminal: Terminal): Target => ({
  dir: dataFolder(reach.data, terminal),
  ...(reach.url === undefined ? {} : { url: reach.url }),
  ...(terminal.token === undefined ? {} : { token: terminal.token }),
});

export interface QueryOptions extends Reach {
  readonly in: string;
  readonly from: string;
  readonly to: string;
  readonly limit: string;
  readonly count?: boolean;
  readonly by?: string;
  readonly json?: boolean;
}

interface ExplainOptions extends Reach {
  readonly json?: boolean;
  readonly at?: string;
}

const explain = async (what: string, id: string, options: ExplainOptions, terminal: Terminal): Promise<void> => {
  const [target, asJson] = [targetOf(options, terminal), options.json === true];
  if (what === 'alert' || what === 'incident') {
    if (options.at !== undefined) throw fault('USAGE', { reason: `--at is for scores, controls and risks: an ${what} is what it is` });
    const { runExplain } = await import('./explain.ts');
    return runExplain(what, id, target, asJson, terminal);
  }
  if (what === 'score') {
    const { runExplainScore } = await import('./explain-score.ts');
    return runExplainScore(id, options.at, target, asJson, terminal);
  }
  if (what === 'control') {
    const { runExplainControl } = await import('./explain-control.ts');
    return runExplainControl(id, options.at, target, asJson, terminal);
  }
  if (what === 'risk') {
    const { runExplainRisk } = await import('./explain-risk.ts');
    return runExplainRisk(id, options.at, target, asJson, terminal);
  }
  throw fault('USAGE', { reason: `"${what}" cannot be explained; alert, incident, score, control and risk can` });
};

export const addLookCommands = (program: Command, terminal: Terminal): void => {
  example(
    json(
      reaching(
        program
          .command('query')
          .description('Search events, alerts or incidents with KQL.')
          .argument('[kql]', 'the query; everything when absent', '')
          .option('--in <what>', 'events, alerts or incidents', 'events')
          .option('--from <time>', 'ISO 8601 or now-24h', 'now-24h')
          .option('--to <time>', 'ISO 8601 or now', 'now')
          .option('--limit <n>', 'rows, 1 to 10000', '100')
          .option('--count', 'print one number')
          .option('--by <field>', 'print the most frequent values of a field with their counts'),
      ),
    ).action(async (kql: string, options: QueryOptions) => {
      const { runQuery } = await import('./query.ts');
      await runQuery(kql, options, targetOf(options, terminal), terminal);
    }),
    "vigil query 'event.outcome: failure and source.ip: 203.0.113.0/24' --from now-1h",
  );
  example(
    json(reaching(program.command('status').description('What runs, lag of each reader, silent agents, counts, what to do.'))).action(
      async (options: Reach & { json?: boolean }) => {
        const { runStatus } = await import('./status.ts');
        await runStatus(targetOf(options, terminal), options.json === true, terminal);
      },
    ),
    'vigil status',
  );
  example(
    json(
      reaching(
        program
          .command('explain')
          .description('The chain of an alert, an incident, a score, a control or a risk down to the raw lines.')
          .argument('<what>', 'alert, incident, score, control or risk')
          .argument('<id>', 'its id, or INC-8; of a score an address, a host, or user@host; of a control PR.AA-05; of a risk R-01')
          .option('--at <time>', 'of a score, control or risk: as it stood then, ISO 8601 or now-24h'),
      ),
    ).action(async (what: string, id: string, options: ExplainOptions) => explain(what, id, options, terminal)),
    'vigil explain incident INC-1',
    'vigil explain score bastion --at now-1d',
    'vigil explain control PR.AA-05',
    'vigil explain risk R-01',
  );
  const report = program.command('report').description('Reports: weekly.');
  example(
    reaching(
      report
        .command('weekly')
        .description('Make and print the posture report of a week that is over; a revision when facts came since it was made.')
        .option('--week <week>', 'an ISO week such as 2026-W47 (default: the last full one)')
        .option('--format <format>', 'html, json or text', 'html')
        .option('--out <file>', 'write it there instead of to stdout'),
    ).action(async (options: Reach & ReportOptions) => {
      const { runReport } = await import('./report.ts');
      await runReport(options, targetOf(options, terminal), terminal);
    }),
    'vigil report weekly --week 2026-W47 --format html --out report.html',
  );
  example(
    json(
      reaching(
        program
          .command('verify')
          .description(
            'Check the signed blocks an event, alert or incident rests on; or offline a journal, an audit log, a backup, a report.',
          )
          .argument('<what>', 'an id (evt_…, alr_…, inc_…, INC-8), a file or a folder')
          .option('--signer <key>', 'of a report: the public key, or its SHA-256, that must have signed it'),
      ),
    ).action(async (what: string, options: Reach & { json?: boolean; signer?: string }) => {
      const { runVerify } = await import('./verify.ts');
      const holds = await runVerify(what, targetOf(options, terminal), options.json === true, terminal, options.signer);
      if (!holds) process.exitCode = 1;
    }),
    'vigil verify INC-1',
    'vigil verify .vigil/journal',
    'vigil verify report.json',
  );
};
