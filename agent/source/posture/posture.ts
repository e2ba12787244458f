// SPDX-License-Identifier: Apache-2.0
/**
 * The source of observations: runs all checks each hour, a little at a time, and moves its baseline when the block is on disk.
 * Input: policies, waivers, the host's files. Output: facts `observation` on the stream `posture`. Starts no process, changes nothing.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Clock } from '../../../core/clock.ts';
import { toError } from '../../../core/errors.ts';
import { type Fact, type FactFields, factText } from '../../../core/fact.ts';
import type { Policy } from '../../../core/policy.ts';
import { LIMITS } from '../../../core/protocol.ts';
import { type Ms, type UnixMs, unixMs } from '../../../core/units.ts';
import { writePrivateFile } from '../../enrol/state.ts';
import type { Source, SourceProblem } from '../source.ts';
import { type Baseline, factOf, fieldsOf, removedFacts } from './facts.ts';
import type { Waiver } from './load.ts';
import { type Observation, runChecks } from './run.ts';
import { openTree } from './tree.ts';

const STREAM = 'posture';
/** Time that one look may take; a run goes on at the next. */
const SLICE_MS = 20;
/** Bytes of facts in one block. */
const BATCH_BYTES = 262_144;

export interface PostureOptions {
  /** The agent's state folder, where the answers of last time are kept. */
  readonly dir: string;
  readonly clock: Clock;
  readonly intervalMs: Ms;
  /** Taken one at a look, so that reading them keeps nothing else waiting; a list is taken at once. */
  readonly policies: Iterable<Policy>;
  /** Read anew for each run, so that a waiver can be given without a restart. */
  readonly waivers: (policies: readonly Policy[]) => ReadonlyMap<string, Waiver>;
  /** A tree instead of this host's own, for tests. */
  readonly root?: string;
}

interface Run {
  readonly at: UnixMs;
  readonly checks: Generator<Observation, void, undefined>;
}

/** Opens the source; nothing is run before the first `poll`. */
export const openPosture = (options: PostureOptions): Source => {
  const { clock, intervalMs } = options;
  const file = join(options.dir, 'posture.json');
  const loading = options.policies[Symbol.iterator]();
  const policies: Policy[] = Array.isArray(options.policies) ? [...options.policies] : [];
  let loaded = Array.isArray(options.policies);
  let policyFault: SourceProblem | undefined;
  let baseline: Baseline = new Map();
  let run: Run | undefined;
  let dueAt = 0;
  let readUpTo = unixMs(0);
  let results: Readonly<Record<string, number>> = {};
  let counting: Record<string, number> = {};
  let waiverFault: string | undefined;
  let waiting: readonly Fact[] = [];
  /** Facts of the batch given last. */
  let given: readonly Fact[] = [];
  /** Facts that are committed and not yet known to be on disk. */
  let committed: readonly Fact[] = [];

  /** Takes the next policy. One that is broken ends it: half of the checks would look like all of them. */
  const load = (): void => {
    try {
      const { value, done } = loading.next();
      if (done === true) loaded = true;
      else policies.push(value);
    } catch (error) {
      policyFault = {
        code: 'POLICY_BAD',
        about: STREAM,
        reason: toError(error).message,
        hint: 'Put the file back as it came; vigil-agent check names the place.',
      };
    }
  };

  const begin = (): void => {
    let waivers: ReadonlyMap<string, Waiver> = new Map();
    try {
      waivers = options.waivers(policies);
      waiverFault = undefined;
    } catch (error) {
      // Without its waivers a fail is a fail: nothing is hidden by a broken file.
      waiverFault = toError(error).message;
    }
    const at = clock.now();
    counting = {};
    run = { at, checks: runChecks({ policies, tree: openTree(options.root ?? '/'), waivers, now: at }) };
  };

  const work = (current: Run): void => {
    const until = clock.monotonic() + SLICE_MS;
    const found: Fact[] = [];
    do {
      const { value, done } = current.checks.next();
      if (done === true) {
        run = undefined;
        readUpTo = current.at;
        results = counting;
        const asked = new Set(policies.flatMap(({ checks }) => checks.map(({ id }) => id)));
        found.push(...removedFacts(baseline, asked, current.at));
        break;
      }
      counting[value.result] = (counting[value.result] ?? 0) + 1;
      found.push(factOf(fieldsOf(value, intervalMs), baseline.get(value.check), baseline.size === 0, current.at));
    } while (clock.monotonic() < until);
    waiting = [...waiting, ...found];
  };

  return {
    name: STREAM,
    open: async () => {
      baseline = readBaseline(file);
    },
    poll: () => {
      if (policyFault) return;
      if (!loaded) return load();
      // A run that is not sealed yet is not followed by another: a full spool piles nothing up.
      if (!run && waiting.length === 0 && committed.length === 0 && clock.monotonic() >= dueAt) {
        dueAt = clock.monotonic() + intervalMs;
        begin();
      }
      if (run) work(run);
    },
    rescan: async () => undefined,
    next: () => {
      if (run || waiting.length === 0) return undefined;
      const facts: Fact[] = [];
      let bytes = 0;
      for (const fact of waiting) {
        const text = factText(fact);
        bytes += Buffer.byteLength(text);
        if (facts.length > 0 && (bytes > BATCH_BYTES || facts.length >= LIMITS.recordsPerBlock)) break;
        facts.push(fact);
      }
      given = facts;
      const at = clock.now();
      return {
        stream: STREAM,
        kind: 'facts',
        dataset: STREAM,
        records: facts.map((fact) => ({ bytes: Buffer.from(factText(fact)), readAt: at, end: 0, flags: 0 })),
        at,
        from: 0,
        resume: '',
      };
    },
    commit: () => {
      committed = [...committed, ...given];
      waiting = waiting.slice(given.length);
      given = [];
    },
    sealed: () => {
      if (committed.length === 0) return;
      const next = new Map(baseline);
      for (const { item, change, fields } of committed)
        if (change === 'removed') next.delete(item);
        else next.set(item, fields);
      committed = [];
      baseline = next;
      writePrivateFile(file, JSON.stringify(Object.fromEntries(next)));
    },
    progress: () => [{ stream: STREAM, dataset: STREAM, readUpTo, behindBytes: 0, counts: { ...results } }],
    problems: () => [
      ...(policyFault ? [policyFault] : []),
      ...(waiverFault === undefined
        ? []
        : [
            {
              code: 'WAIVERS_BAD',
              about: STREAM,
              reason: waiverFault,
              hint: 'Mend the file under posture.waivers; until then nothing is waived.',
            },
          ]),
    ],
    matches: () => undefined,
    files: () => [],
    moveTo: () => undefined,
    restart: async (stream) => {
      if (stream !== STREAM) return;
      baseline = new Map();
      waiting = [];
      committed = [];
      run = undefined;
      dueAt = 0;
    },
    close: async () => undefined,
  };
};

const readBaseline = (file: string): Baseline => {
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    // Never run, or written by nobody: the next run is a first one, which alarms nobody.
    return new Map();
  }
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? new Map(Object.entries(value as Record<string, FactFields>))
    : new Map();
};
