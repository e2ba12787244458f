// SPDX-License-Identifier: Apache-2.0
/**
 * `vigil-agent plan` and `check`: what it would do on this host, before it does anything.
 * Input: settings, the file system. Output: what would be read, what may not be and the command that would allow it, expected cost.
 */
import { closeSync } from 'node:fs';
import { resolve } from 'node:path';
import { printConfig } from '../../core/config.ts';
import { AGENT_SETTINGS, type AgentConfig } from '../config.ts';
import { readIdentity } from '../enrol/identity.ts';
import { loadRules } from '../redact/rules.ts';
import { planWatch, type WatchPlan } from '../source/fim/explain.ts';
import { type InventoryPreview, previewInventory, previewText } from '../source/inventory/preview.ts';
import { loadPolicies, loadWaivers, readValues } from '../source/posture/load.ts';
import { discover } from '../source/tail/discover.ts';
import { openRegular } from '../source/tail/identity.ts';
import { parseMultiline } from '../source/tail/multiline.ts';
import { allowCommand, describeProblem, nothingMatches } from '../source/tail/problem.ts';
import { isRefused } from '../source/tail/refuse.ts';
import { siblingsOf } from '../source/tail/rotated.ts';
import { COMMON_HELP, type Command, READING, READING_HELP, sizeText, table, visible } from './terminal.ts';

/** Measured by bench/agent.ts: a base, and what each followed file adds. */
const BASE_RSS_BYTES = 85_000_000;
const FILE_RSS_BYTES = 20_000;
/** What the worker of a scan leaves behind, and what each watched folder adds. */
const SCAN_RSS_BYTES = 4_000_000;
const FOLDER_RSS_BYTES = 2_000;

interface Planned {
  readonly path: string;
  readonly dataset: string;
  readonly because: string;
  readonly sizeBytes: number;
  readonly bytesPerDay: number | null;
}

export const planCommand: Command = {
  name: 'plan',
  summary: 'what it would read here, what it may not, and what that costs',
  help: `vigil-agent plan [--tail PATH[=DATASET]]…

Looks at this host and changes nothing. The rate is an estimate from the age of each log and of its rotated files.

${READING_HELP}
${COMMON_HELP}

Example:
  vigil-agent plan --json`,
  options: READING,
  run: async ({ flags, config }, terminal) => {
    const options = { paths: config['tail.paths'], exclude: config['tail.exclude'], usual: config['tail.discover'] };
    const { targets, denied, empty } = discover(options, terminal.from);
    const planned: Planned[] = [];
    const closed = denied.map((about) => ({
      code: 'FOLDER_DENIED',
      about,
      reason: 'this user may not list it',
      hint: allowCommand(about),
    }));
    const problems = [...closed, ...empty.map(nothingMatches)];
    for (const { path, dataset, because } of targets) {
      const opened = openRegular(path, (real) => isRefused(real, [config.state, ...config['tail.refuse']]));
      if (opened.kind === 'open') {
        closeSync(opened.fd);
        planned.push({ path, dataset, because, sizeBytes: Number(opened.stat.size), bytesPerDay: ratePerDay(path, opened.stat) });
      } else if (opened.problem !== 'missing' || because !== 'usual') problems.push(describeProblem(path, opened.problem, opened.reason));
    }
    const inventory = config['inventory.enabled'] ? previewInventory(config['inventory.root']) : undefined;
    problems.push(...(inventory?.problems ?? []));
    const watched = planWatch(terminal.from, config);
    const total = (of: (one: WatchPlan) => number): number => watched.reduce((sum, one) => sum + of(one), 0);
    const [watchedFiles, folders, closedFolders] = [total(({ files }) => files), total(({ folders: n }) => n), total(({ denied: n }) => n)];
    const rssBytes =
      BASE_RSS_BYTES + planned.length * FILE_RSS_BYTES + (watched.length === 0 ? 0 : SCAN_RSS_BYTES + folders * FOLDER_RSS_BYTES);
    const bytesPerDay = planned.reduce((sum, { bytesPerDay: rate }) => sum + (rate ?? 0), 0);
    const unknown = planned.filter(({ bytesPerDay: rate }) => rate === null).length;
    if (flags['json'] === true) {
      for (const one of planned) terminal.out(`${JSON.stringify({ read: true, ...one })}\n`);
      for (const problem of problems) terminal.out(`${JSON.stringify({ read: false, ...problem })}\n`);
      if (inventory) terminal.out(`${JSON.stringify({ inventory: inventory.counts, everyMs: config['inventory.interval'] })}\n`);
      for (const { entry, ...one } of watched) terminal.out(`${JSON.stringify({ watch: true, because: entry.because, ...one })}\n`);
      const sums = {
        files: planned.length,
        refused: problems.length,
        watchedFiles,
        watchedFolders: folders,
        checks: checksOf(config, terminal.from),
        rssBytes,
        bytesPerDay,
      };
      terminal.out(`${JSON.stringify(sums)}\n`);
      return 0;
    }
    const rows = planned.map((p) => [
      p.path,
      p.dataset,
      sizeText(p.sizeBytes),
      p.bytesPerDay === null ? '?' : `${sizeText(p.bytesPerDay)}/day`,
    ]);
    const parts = [planned.length === 0 ? 'No log would be read.' : table(['WOULD READ', 'DATASET', 'SIZE', 'RATE'], rows)];
    if (inventory) parts.push('', inventoryText(inventory, config['inventory.interval']));
    if (watched.length > 0) {
      const held = watched.map(({ path, entry, files, folders: n }) => [path, entry.because, String(files), String(n)]);
      parts.push('', table(['WOULD WATCH', 'BECAUSE', 'FILES', 'FOLDERS'], held));
      if (closedFolders > 0) parts.push(`  ${closedFolders} folders are closed to this user: give the agent CAP_DAC_READ_SEARCH.`);
    }
    if (problems.length > 0) {
      parts.push('', 'Cannot read:');
      for (const { about, reason, hint } of problems) parts.push(`  ${visible(about)}: ${reason}`, `    ${visible(hint)}`);
    }
    const checks = checksOf(config, terminal.from);
    parts.push(
      '',
      checks === 0
        ? 'No settings would be checked.'
        : `Would check ${checks} settings every ${Math.round(config['posture.interval'] / 60_000)} minutes.`,
    );
    parts.push('', `Expected: about ${sizeText(rssBytes)} of memory${volumeText(planned.length, unknown, bytesPerDay)}.`, '');
    terminal.out(parts.join('\n'));
    return 0;
  },
};

const inventoryText = (inventory: InventoryPreview, everyMs: number): string =>
  `Takes inventory every ${Math.round(everyMs / 60_000)} minutes: ${previewText(inventory)}.`;

/** How many settings would be checked; what is wrong with policies or waivers is thrown. */
const checksOf = (config: AgentConfig, from: string): number => {
  if (!config['posture.enabled']) return 0;
  const policies = loadPolicies(config['posture.policies'], from, readValues(config['posture.values']));
  const waivers = config['posture.waivers'];
  loadWaivers(waivers === null ? null : resolve(from, waivers), policies);
  return policies.reduce((sum, { checks }) => sum + checks.length, 0);
};

const volumeText = (files: number, unknown: number, bytesPerDay: number): string => {
  if (files === 0) return '';
  if (unknown === files) return '; how fast these logs grow cannot be told yet';
  const besides = unknown === 0 ? '' : `, and what the ${unknown} of unknown rate bring`;
  return `, ${sizeText(bytesPerDay)} of lines a day, sent at about an eighth of that${besides}`;
};

/** Growth of a log by its own age, where the file system keeps births; null where it cannot be told. */
const ratePerDay = (
  path: string,
  stat: { readonly size: bigint; readonly birthtimeMs: bigint; readonly mtimeMs: bigint },
): number | null => {
  const rotated = siblingsOf(path)
    .filter(({ packing }) => packing === 'plain')
    .at(-1);
  const began = rotated ? Number(rotated.stat.mtimeMs) : Number(stat.birthtimeMs);
  const spanMs = Number(stat.mtimeMs) - began;
  return began > 0 && spanMs > 3_600_000 ? Math.round((Number(stat.size) / spanMs) * 86_400_000) : null;
};

export const checkCommand: Command = {
  name: 'check',
  summary: 'whether configuration and identity are in order',
  help: `vigil-agent check [--config FILE] [--state DIR]

Reads the configuration as \`run\` would, and starts nothing. Exit 0 when it is in order, 2 with the reason when not.
Says whether this host is enrolled, without which \`run\` does not start.

${READING_HELP}
${COMMON_HELP}

Example:
  vigil-agent check --config /etc/vigil-agent.yml`,
  options: READING,
  run: async ({ flags, loaded, config }, terminal) => {
    config['tail.multiline'].map(parseMultiline);
    if (config['redact.rules'] !== null) loadRules(resolve(terminal.from, config['redact.rules']));
    checksOf(config, terminal.from);
    const identity = readIdentity(config.state);
    if (flags['json'] === true) terminal.out(`${JSON.stringify({ enrolled: identity?.agent ?? null, config })}\n`);
    else
      terminal.out(
        `${printConfig(AGENT_SETTINGS, loaded)}\nThe configuration is in order. ${identity ? `Enrolled as ${identity.agent}.` : `Not enrolled yet: there is no identity in ${config.state}.`}\n`,
      );
    return 0;
  },
};
