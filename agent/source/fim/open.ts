// SPDX-License-Identifier: Apache-2.0
/**
 * The source of file integrity as the agent's settings want it.
 * Input: the agent's configuration and folders. Output: the source, or nothing where it is switched off or has nothing to watch.
 */
import type { Clock } from '../../../core/clock.ts';
import type { Log } from '../../../core/log.ts';
import type { AgentConfig } from '../../config.ts';
import type { EntryOptions } from './entries.ts';
import { Fim } from './fim.ts';

export const fimEntries = (config: AgentConfig): EntryOptions => ({
  usual: config['fim.discover'],
  paths: config['fim.paths'],
  exclude: config['fim.exclude'],
});

export const watchesFiles = (config: AgentConfig): boolean =>
  config['fim.enabled'] && (config['fim.discover'] || config['fim.paths'].length > 0);

export const openFim = (
  {
    config,
    dir,
    from,
    clock,
    log,
  }: { readonly config: AgentConfig; readonly dir: string; readonly from: string; readonly clock: Clock; readonly log: Log },
  onWake: () => void,
): Fim | undefined =>
  watchesFiles(config)
    ? new Fim({
        ...fimEntries(config),
        clock,
        log,
        dir,
        from,
        refuse: [dir, ...config['tail.refuse']],
        intervalMs: config['fim.interval'],
        fullMs: config['fim.full'],
        limitBytes: config['fim.limit'],
        maxItems: config['fim.files'],
        maxWatches: config['fim.watches'],
        rate: config['fim.rate'],
        cpuPercent: Math.min(config['fim.cpu'], config['budget.cpu']),
        watch: config['fim.watch'],
        packageRoot: '/',
        onWake,
      })
    : undefined;
