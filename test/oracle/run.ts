// SPDX-License-Identifier: Apache-2.0
/**
 * `npm run oracle [-- PROTOCOL…]`: the marks on real data of other projects, one JSON line a protocol.
 * Input: the data folder (VIGIL_DATA, default ../shared/data). Output: `{"protocol",…,"mark","holds"}` a line, then `N passed, N failed, N skipped`.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../support/repository.ts';
import { riverOver } from './river.ts';

interface Result {
  readonly protocol: string;
  readonly holds: boolean;
  /** Cases that were missed, for whoever mends them; not printed. */
  readonly misses?: unknown;
}

type Protocol = (data: string) => Promise<Result | readonly Result[]>;

/** Marks of a later stage: shown as they are, counted as skipped where they do not hold. */
const SHOWN: ReadonlySet<string> = new Set(['wazuh', 'alerts']);

/** Each protocol by the name it is asked for with. */
const PROTOCOLS: Readonly<Record<string, () => Promise<Protocol>>> = {
  decode: async () => (await import('./decode.ts')).run,
  fail2ban: async () => (await import('./fail2ban.ts')).run,
  'go-libaudit': async () => (await import('./go-libaudit.ts')).run,
  'sigma-regression': async () => (await import('./sigma-regression.ts')).run,
  'sigma-linux-rules': async () => (await import('./sigma-linux-rules.ts')).run,
  'sigma-fire': async () => (await import('./sigma-fire.ts')).run,
  'sigma-spec': async () => (await import('./sigma-spec.ts')).run,
  'posture-config': async () => (await import('./posture-config.ts')).run,
  'web-attacks': async () => (await import('./web-attacks.ts')).run,
  wazuh: async () => (await import('./wazuh.ts')).run,
  alerts: async () => {
    const { run } = await import('./alerts.ts');
    return (data) => run(data, riverOver());
  },
};

const data = process.env['VIGIL_DATA'] ?? join(ROOT, '..', 'shared', 'data');
const wanted = process.argv.slice(2).filter((arg) => !arg.startsWith('-'));
const unknown = wanted.filter((name) => !PROTOCOLS[name]);
const names = wanted.length > 0 ? wanted : Object.keys(PROTOCOLS);
let passed = 0;
let failed = 0;
let skipped = 0;

if (unknown.length > 0) {
  process.stderr.write(`There is no protocol ${unknown.join(', ')}. The protocols are ${Object.keys(PROTOCOLS).join(', ')}.\n`);
  process.exitCode = 2;
} else if (!existsSync(data)) {
  const required = process.env['VIGIL_DATA_REQUIRED'] === '1';
  process.stdout.write(
    `The data folder ${data} is absent; set VIGIL_DATA.\n0 passed, ${required ? 1 : 0} failed, ${required ? 0 : names.length} skipped\n`,
  );
  process.exitCode = required ? 1 : 0;
} else {
  for (const name of names) {
    try {
      const results = await (await (PROTOCOLS[name] as () => Promise<Protocol>)())(data);
      for (const { misses: _, ...shown } of Array.isArray(results) ? (results as Result[]) : [results as Result]) {
        process.stdout.write(`${JSON.stringify(shown)}\n`);
        if (shown.holds) passed += 1;
        else if (SHOWN.has(name)) skipped += 1;
        else failed += 1;
      }
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
      skipped += 1;
      process.stdout.write(`${name} was skipped: ${(error as Error).message}\n`);
    }
  }
  process.stdout.write(`${passed} passed, ${failed} failed, ${skipped} skipped\n`);
  process.exitCode = failed === 0 ? 0 : 1;
}
