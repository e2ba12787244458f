// SPDX-License-Identifier: Apache-2.0
/**
 * `vigil demo`: a collector on a folder of its own that lives through the story, then stands at its end with every screen and the report full.
 * Input: flags. Output: the same words as `vigil start`, and which time its clock shows.
 */
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { styled, type Terminal } from '../collector/cli/terminal.ts';
import { OWN_RULES, VERSION } from '../collector/collector.ts';
import { loadCollectorConfig } from '../collector/config.ts';
import { fault } from '../collector/errors.ts';
import { runCollector } from '../collector/start.ts';
import { storyChecks } from './checks.ts';
import { storyClock } from './clock.ts';
import { BEGIN, playStory } from './play.ts';

export interface DemoOptions {
  readonly data?: string;
  readonly listen?: string;
  readonly agents?: string;
}

/** @throws CodedError DEMO_FOLDER_USED, and what `vigil start` throws. */
export const runDemo = async (options: DemoOptions, terminal: Terminal): Promise<void> => {
  const own = options.data === undefined ? mkdtempSync(join(tmpdir(), 'vigil-demo-')) : null;
  const dir = own ?? terminal.here(options.data as string);
  if (own === null && existsSync(dir) && readdirSync(dir).length > 0) throw fault('DEMO_FOLDER_USED', { dir });
  const flags = {
    'data.dir': dir,
    'report.organisation': 'Example Trading',
    ...(options.listen === undefined ? {} : { 'console.listen': options.listen }),
    ...(options.agents === undefined ? {} : { 'agents.listen': options.agents }),
  };
  const { config } = loadCollectorConfig({ flags });
  const clock = storyClock(BEGIN);
  let shown = -1;
  try {
    await runCollector(config, terminal, {
      clock: clock.clock,
      fleetClock: clock.lived,
      prepare: async (collector, folder) => {
        terminal.err('Playing ten days of three hosts, a break-in among them.\n');
        await playStory({
          collector,
          clock,
          dir: folder,
          version: VERSION,
          checks: storyChecks(join(OWN_RULES, 'posture')),
          onProgress: (share) => {
            const percent = Math.floor(share * 100);
            if (!terminal.live || percent === shown) return;
            shown = percent;
            terminal.err(`\r${'█'.repeat(Math.floor(percent / 4)).padEnd(25, '░')} ${percent} %${percent === 100 ? '\n' : ''}`);
          },
        });
        terminal.err(`The clock of this collector stands at ${styled(terminal, 'bold', 'Mon 23 Nov 2026 08:40 UTC')}.\n`);
      },
    });
  } finally {
    if (own !== null) rmSync(own, { recursive: true, force: true });
  }
};
