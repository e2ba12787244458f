// SPDX-License-Identifier: Apache-2.0
/**
 * Drives the source of file integrity as the agent does, without spool and transport.
 * Input: settings of a source. Output: its facts in order; ways to wait, to hold sealing back, to stop.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { Fim, type FimOptions } from '../../agent/source/fim/fim.ts';
import { systemClock } from '../../core/clock.ts';
import { type Fact, factText, parseFact } from '../../core/fact.ts';
import { openLog } from '../../core/log.ts';

export interface FimDriver {
  readonly fim: Fim;
  readonly facts: Fact[];
  /** Texts that were no fact, or another spelling of one. */
  readonly bad: string[];
  /** Runs until the test holds. */
  until(what: string, test: () => boolean, limitMs?: number): Promise<void>;
  /** Files as told since the last call, those that alarm nobody left out. */
  findings(): readonly Fact[];
  close(): Promise<void>;
}

export const QUIET: ReadonlySet<string> = new Set(['baseline', 'seen']);

export const openDriver = async (
  options: Partial<FimOptions> & { readonly dir: string; readonly paths: readonly string[] },
  seal: () => boolean = () => true,
  /** Takes the texts instead of keeping them as facts. */
  take?: (text: Uint8Array) => void,
): Promise<FimDriver> => {
  const fim = new Fim({
    clock: systemClock,
    log: openLog({ program: 'vigil-agent', level: 'silent' }),
    from: '/',
    usual: false,
    exclude: [],
    refuse: [],
    intervalMs: 3_600_000,
    fullMs: 86_400_000,
    limitBytes: 268_435_456,
    maxItems: 200_000,
    maxWatches: 8_192,
    rate: 100_000,
    cpuPercent: 100,
    watch: true,
    packageRoot: '/nowhere',
    onWake: () => undefined,
    ...options,
  });
  await fim.open(() => undefined);
  const facts: Fact[] = [];
  const bad: string[] = [];
  let taken = 0;
  const step = (): void => {
    fim.poll();
    let moved = false;
    for (let batch = fim.next(); batch; batch = fim.next()) {
      for (const { bytes } of batch.records) {
        if (take) {
          take(bytes);
          continue;
        }
        const text = Buffer.from(bytes).toString('utf8');
        const fact = parseFact(text);
        if (fact) facts.push(fact);
        // One spelling for all sources of facts.
        if (!fact || factText(fact) !== text) bad.push(text);
      }
      fim.commit();
      moved = true;
    }
    if (moved && seal()) fim.sealed();
  };
  return {
    fim,
    facts,
    bad,
    until: async (what, test, limitMs = 40_000) => {
      const end = performance.now() + limitMs;
      for (step(); !test(); step()) {
        if (performance.now() > end)
          throw new Error(`${what} did not come: ${JSON.stringify([fim.progress()[0]?.counts, fim.problems()])}`);
        await pause(10);
      }
    },
    findings: () => {
      const news = facts.slice(taken).filter(({ kind, change }) => kind !== 'scan' && !QUIET.has(change));
      taken = facts.length;
      return news;
    },
    close: () => fim.close(),
  };
};
