// SPDX-License-Identifier: Apache-2.0
/**
 * Commands of the management system: controls of a catalogue with their states, risks.
 * Input: flags; a running collector's API, or what comes with Vigil where none runs. Output: tables for people, NDJSON for programs.
 */
import type { Command } from 'commander';
import { type Reach, targetOf } from './look.ts';
import { example, json, reaching } from './program.ts';
import type { Terminal } from './terminal.ts';

export const addGovernCommands = (program: Command, terminal: Terminal): void => {
  const controls = program.command('controls').description('Controls: what a catalogue asks, and what is measured of it.');
  example(
    json(
      reaching(
        controls
          .command('list')
          .description('The controls of a catalogue with their states, counts and coverage.')
          .requiredOption('--catalogue <id>', 'csf:2.0')
          .option('--at <time>', 'as it stood then, ISO 8601 or now-24h')
          .option('--offline', 'the catalogue alone, without a collector'),
      ),
    ).action(async (options: Reach & { catalogue: string; at?: string; offline?: boolean; json?: boolean }) => {
      const { listControls } = await import('./controls.ts');
      const { catalogue, at, offline = false } = options;
      await listControls(
        { catalogue, offline, json: options.json === true, ...(at === undefined ? {} : { at }) },
        () => targetOf(options, terminal),
        terminal,
      );
    }),
    'vigil controls list --catalogue csf:2.0',
  );
  const risk = program.command('risk').description('Risks: the register, and what one may cost.');
  example(
    json(
      reaching(
        risk
          .command('list')
          .description('The risk register: what was assessed beside what telemetry indicates.')
          .option('--at <time>', 'as it stood then, ISO 8601 or now-24h'),
      ),
    ).action(async (options: Reach & { at?: string; json?: boolean }) => {
      const { listRisks } = await import('./explain-risk.ts');
      await listRisks(options.at, targetOf(options, terminal), options.json === true, terminal);
    }),
    'vigil risk list',
  );
  example(
    json(
      risk
        .command('simulate')
        .description('What a scenario may cost in a year, by Monte Carlo; the seed gives the same digits again.')
        .argument('<file>', 'JSON with frequency, loss, draws, seed, threshold; - for stdin'),
    ).action(async (file: string) => {
      const { simulateRisk } = await import('./risk.ts');
      await simulateRisk(file === '-' ? file : terminal.here(file), terminal);
    }),
    'vigil risk simulate scenario.json',
  );
};
