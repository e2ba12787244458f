// SPDX-License-Identifier: Apache-2.0
/**
 * Commands that run the river: start, replay.
 * Input: flags. Output: a running collector until a signal, or old logs through the whole pipeline.
 */
import { type Command, Option } from 'commander';
import { printConfig } from '../../core/config.ts';
import { COLLECTOR_SETTINGS, loadCollectorConfig } from '../config.ts';
import { fault } from '../errors.ts';
import { dataFolder, type Reach, targetOf } from './look.ts';
import { yearOf } from './offline.ts';
import { example, json, reaching } from './program.ts';
import type { Terminal } from './terminal.ts';

interface StartOptions {
  readonly data?: string;
  readonly listen?: string;
  readonly agents?: string;
  readonly publicUrl?: string;
  readonly tlsCert?: string;
  readonly tlsKey?: string;
  readonly localAgent?: boolean;
  readonly tail?: readonly string[];
  readonly discover?: boolean;
  readonly store?: string;
  readonly config?: string;
  readonly printConfig?: boolean;
}

const gather = (value: string, before: readonly string[]): readonly string[] => [...before, value];

export const addRunCommands = (program: Command, terminal: Terminal): void => {
  example(
    program
      .command('start')
      .description('Run the collector; with --local-agent also an agent on this host.')
      .option('--data <dir>', 'data folder (default: .vigil)')
      .option('--listen <addr:port>', 'address of console and API (default: 127.0.0.1:7480)')
      .option('--agents <addr:port>', 'address for agents (default: 127.0.0.1:7443)')
      .option('--public-url <url>', 'URL under which agents reach this collector')
      .option('--tls-cert <file>', 'certificate of the console, PEM')
      .option('--tls-key <file>', 'key of that certificate, PEM')
      .option('--local-agent', 'run an agent on this host, enrolled by itself')
      .option('--tail <path[=dataset]>', 'a file or glob the local agent reads too; may be repeated', gather, [])
      .option('--no-discover', 'the local agent reads only what --tail names')
      .addOption(new Option('--store <engine>', 'where events and state are kept').choices(['embedded']))
      .option('--config <file>', 'settings as YAML; flags count more')
      .option('--print-config', 'print every setting with its origin and end')
      .action(async (options: StartOptions) => {
        const loaded = loadCollectorConfig({
          ...(options.config === undefined ? {} : { file: options.config }),
          flags: flagsOf(options, terminal),
        });
        if (options.printConfig) {
          terminal.out(`${printConfig(COLLECTOR_SETTINGS, loaded)}\n`);
          return;
        }
        if (options.tail && options.tail.length > 0 && !loaded.config['local_agent.enabled'])
          throw fault('USAGE', { reason: '--tail is for the agent on this host; add --local-agent' });
        const { runCollector } = await import('../start.ts');
        await runCollector(loaded.config, terminal);
      }),
    'vigil start --local-agent --tail /srv/app/*.log=json',
  );
  example(
    program
      .command('demo')
      .description('A collector on a fresh data folder that lived through the week of a break-in, on a clock that stands at its end.')
      .option('--data <dir>', 'an empty or a new folder (default: a temporary one, removed at the end)')
      .option('--listen <addr:port>', 'address of console and API (default: 127.0.0.1:7480)')
      .option('--agents <addr:port>', 'address for agents (default: 127.0.0.1:7443)')
      .action(async (options: { readonly data?: string; readonly listen?: string; readonly agents?: string }) => {
        const { runDemo } = await import('../../demo/run.ts');
        await runDemo(options, terminal);
      }),
    'vigil demo --data /tmp/vigil-demo',
  );
  example(
    json(
      program
        .command('replay')
        .description('Send old logs through the whole pipeline in event time; windows of their own, no notifications.')
        .argument('<file...>', 'log files, plain or .gz')
        .requiredOption('--dataset <name>', 'what the lines are, e.g. sshd, syslog, nginx.access')
        .requiredOption('--host <name>', 'the host the lines are from')
        .option('--data <dir>', 'data folder of the collector')
        .option('--tz <zone>', 'time zone of stamps without one', 'UTC')
        .option('--year <year>', 'year of stamps without one (default: the file’s own time)'),
    ).action(
      async (
        files: readonly string[],
        options: { dataset: string; host: string; data?: string; tz: string; year?: string; json?: boolean },
      ) => {
        const { runReplay } = await import('./replay.ts');
        const { year, ...rest } = options;
        await runReplay(files.map(terminal.here), { ...rest, ...yearOf(year), dir: dataFolder(options.data, terminal) }, terminal);
      },
    ),
    'vigil replay /var/log/auth.log.2.gz --dataset syslog --host bastion',
  );
};

/** Commands over the data as a whole: backup, restore, redecode. */
export const addUpkeepCommands = (program: Command, terminal: Terminal): void => {
  example(
    json(
      program
        .command('backup')
        .description('Take everything of a running collector, keys included, into one signed file on its host.')
        .requiredOption('--out <file>', 'the file to write; must not exist')
        .option('--data <dir>', 'data folder of the collector (default: .vigil, else /var/lib/vigil)'),
    ).action(async (options: { out: string; data?: string; json?: boolean }) => {
      const { runBackup } = await import('./backup.ts');
      await runBackup(terminal.here(options.out), { dir: dataFolder(options.data, terminal) }, options.json === true, terminal);
    }),
    'vigil backup --out /srv/backup/vigil-monday.tar',
  );
  example(
    json(
      program
        .command('restore')
        .description('Put a backup into an empty data folder, verified on the way in.')
        .argument('<file>', 'what `vigil backup` wrote')
        .requiredOption('--data <dir>', 'an empty or a new folder'),
    ).action(async (file: string, options: { data: string; json?: boolean }) => {
      const { runRestore } = await import('./backup.ts');
      await runRestore(terminal.here(file), terminal.here(options.data), options.json === true, terminal);
    }),
    'vigil restore /srv/backup/vigil-monday.tar --data /var/lib/vigil',
  );
  example(
    json(
      reaching(
        program
          .command('redecode')
          .description('Decode what came in between two times again with today’s decoders; alerts stay as they were raised.')
          .requiredOption('--from <time>', 'ISO 8601 or now-24h, by time of ingest')
          .option('--to <time>', 'the same, exclusive; now by default'),
      ),
    ).action(async (options: Reach & { from: string; to?: string; json?: boolean }) => {
      const { runRedecode } = await import('./backup.ts');
      const range = { from: options.from, ...(options.to === undefined ? {} : { to: options.to }) };
      await runRedecode(range, targetOf(options, terminal), options.json === true, terminal);
    }),
    'vigil redecode --from now-7d',
  );
};

/** Flags by the names of settings; what was not typed stays out, so that file and environment count. */
const flagsOf = (o: StartOptions, terminal: Terminal): Record<string, string | number | boolean | readonly string[] | undefined> => ({
  'data.dir': o.data === undefined ? undefined : terminal.here(o.data),
  'console.listen': o.listen,
  'agents.listen': o.agents,
  'agents.public_url': o.publicUrl,
  'console.tls.cert': o.tlsCert === undefined ? undefined : terminal.here(o.tlsCert),
  'console.tls.key': o.tlsKey === undefined ? undefined : terminal.here(o.tlsKey),
  'local_agent.enabled': o.localAgent,
  'local_agent.tail': o.tail && o.tail.length > 0 ? o.tail.map((path) => terminal.here(path)) : undefined,
  'local_agent.discover': o.discover === false ? false : undefined,
  'store.engine': o.store,
});
