// SPDX-License-Identifier: Apache-2.0
/**
 * Offline tools: decode, detect, alerts, incidents, rules. No collector runs; the same code as the pipeline; NDJSON always.
 * Input: files or stdin. Output: one JSON a line on stdout, as docs/commands.md says.
 */
import { type Command, Option } from 'commander';
import { fault } from '../errors.ts';
import { example, json } from './program.ts';
import type { Terminal } from './terminal.ts';

const dirsOf = (dirs: readonly string[], terminal: Terminal): readonly string[] => dirs.map(terminal.here);
const fileOf = (file: string, terminal: Terminal): string => (file === '-' ? file : terminal.here(file));
/** @throws CodedError USAGE. */
export const yearOf = (text: string | undefined): { readonly year?: number } => {
  if (text === undefined) return {};
  const year = Number(text);
  if (!Number.isInteger(year) || year < 1970 || year > 2200)
    throw fault('USAGE', { reason: `--year ${text} is not a year from 1970 to 2200` });
  return { year };
};

const threadsOf = (text: string): number => {
  const threads = Number(text);
  if (!Number.isInteger(threads) || threads < 1) throw fault('USAGE', { reason: `--threads ${text} is not a number from 1` });
  return threads;
};

export const addOfflineCommands = (program: Command, terminal: Terminal): void => {
  example(
    json(
      program
        .command('decode')
        .description('Decode raw lines to ECS, one JSON a line.')
        .argument('[file]', 'a log file, plain or .gz, or - for stdin', '-')
        .option('--dataset <name>', 'what the lines are; auto picks by content', 'auto')
        .option('--tz <zone>', 'time zone of stamps without one')
        .option('--year <year>', 'year of stamps without one')
        .option('--list', 'print every dataset with one line'),
    ).action(async (file: string, o: { dataset: string; tz?: string; year?: string; list?: boolean }) => {
      const { decodeCommand } = await import('./decode.ts');
      await decodeCommand(
        {
          dataset: o.dataset,
          file: fileOf(file, terminal),
          ...(o.tz === undefined ? {} : { tz: o.tz }),
          ...yearOf(o.year),
          list: o.list === true,
        },
        terminal,
      );
    }),
    'vigil decode --dataset sshd /var/log/auth.log',
  );
  example(
    json(
      program
        .command('detect')
        .description('Match events against rules.')
        .requiredOption('--rules <dir...>', 'folders or files of rules')
        .requiredOption('--events <file>', 'NDJSON events, flat or nested, ECS or Sigma names; - for stdin')
        .addOption(
          new Option('--logsource <how>', 'auto: by source; strict: unknown sources meet no rule; any: all against all')
            .choices(['auto', 'strict', 'any'])
            .default('auto'),
        )
        .option('--correlate', 'run correlations in event time too')
        .option('--threads <n>', 'worker threads', '1')
        .option('--stats', 'print counts and seconds to stderr'),
    ).action(
      async (o: {
        rules: string[];
        events: string;
        logsource: 'auto' | 'strict' | 'any';
        correlate?: boolean;
        threads: string;
        stats?: boolean;
      }) => {
        const [{ runDetect }, { declarations }, { offlineCorrelator }] = await Promise.all([
          import('./detect.ts'),
          import('../decode/decode.ts'),
          import('./judge.ts'),
        ]);
        await runDetect(
          {
            rules: dirsOf(o.rules, terminal),
            events: fileOf(o.events, terminal),
            logsource: o.logsource,
            stats: o.stats === true,
            threads: threadsOf(o.threads),
            sources: declarations(),
            ...(o.correlate ? { correlate: offlineCorrelator } : {}),
          },
          terminal,
        );
      },
    ),
    'vigil detect --rules rules --events events.ndjson --stats',
  );
  example(
    json(
      program
        .command('alerts')
        .description('The alerts and incidents that the whole river would raise from log files, in event time.')
        .argument('<file...>', 'log files, plain or .gz')
        .requiredOption('--dataset <name>', 'what the lines are; auto picks by content')
        .requiredOption('--host <name>', 'the host the lines are from')
        .option('--rules <dir...>', 'folders of rules (default: those that come with Vigil)')
        .option('--tz <zone>', 'time zone of stamps without one')
        .option('--year <year>', 'year of stamps without one'),
    ).action(async (files: string[], o: { dataset: string; host: string; rules?: string[]; tz?: string; year?: string }) => {
      const { runFiles } = await import('./river.ts');
      await runFiles(
        {
          files: files.map((file) => fileOf(file, terminal)),
          dataset: o.dataset,
          host: o.host,
          ...(o.rules ? { rules: dirsOf(o.rules, terminal) } : {}),
          ...(o.tz === undefined ? {} : { zone: o.tz }),
          ...yearOf(o.year),
        },
        terminal,
      );
    }),
    'vigil alerts --dataset syslog --host bastion auth.log',
  );
  example(
    json(
      program
        .command('incidents')
        .description('The incidents that the product’s grouping makes of alerts of any origin, best first.')
        .requiredOption('--alerts <file>', 'NDJSON alerts; - for stdin'),
    ).action(async (o: { alerts: string }) => {
      const { runIncidents } = await import('./incidents.ts');
      await runIncidents(fileOf(o.alerts, terminal), terminal);
    }),
    'vigil incidents --alerts alerts.ndjson',
  );
  addRuleCommands(program.command('rules').description('Rules: check, test, coverage.'), terminal);
};

const addRuleCommands = (rules: Command, terminal: Terminal): void => {
  example(
    json(
      rules.command('check').description('Check rule files; exit 1 when one is refused.').argument('<dir...>', 'folders or files'),
    ).action(async (dirs: string[]) => {
      const { rulesCheck } = await import('./rules.ts');
      if (!(await rulesCheck(dirsOf(dirs, terminal), terminal))) process.exitCode = 1;
    }),
    'vigil rules check rules',
  );
  example(
    json(
      rules
        .command('test')
        .description('Run the cases beside rules; exit 1 when one fails, or a rule of ours has none.')
        .argument('<dir...>', 'folders or files'),
    ).action(async (dirs: string[]) => {
      const [{ rulesTest }, { decodeForRules }, { offlineCorrelator }] = await Promise.all([
        import('./rules.ts'),
        import('./river.ts'),
        import('./judge.ts'),
      ]);
      if (!(await rulesTest(dirsOf(dirs, terminal), terminal, { decode: decodeForRules, correlate: offlineCorrelator })))
        process.exitCode = 1;
    }),
    'vigil rules test rules',
  );
  example(
    json(
      rules
        .command('coverage')
        .description('Whether each rule can fire: live, silent (source never seen) or blind (a field no decoder emits).')
        .argument('[dir...]', 'folders or files (default: those that come with Vigil)')
        .option('--data <dir>', 'data folder of a running collector, for live sources'),
    ).action(async (dirs: string[], o: { data?: string }) => {
      const { coverage } = await import('./river.ts');
      await coverage(dirsOf(dirs, terminal), o.data === undefined ? undefined : terminal.here(o.data), terminal);
    }),
    'vigil rules coverage rules/packs/sigmahq',
  );
};
