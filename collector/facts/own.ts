// SPDX-License-Identifier: Apache-2.0
/**
 * Asks the collector's own checks of every expected host, on a schedule and when a host changed, and writes the answers as spans.
 * Input: standings, facts in the state, heartbeats, notices. Output: observations; each pair is written by nobody else.
 */
import { type Clock, systemClock } from '../../core/clock.ts';
import type { FactKind } from '../../core/fact.ts';
import type { AssetId } from '../../core/ids.ts';
import type { HeartbeatBody } from '../../core/protocol.ts';
import { days, seconds, type UnixMs, unixMs } from '../../core/units.ts';
import type { FactTable, HostFact } from '../model/fact.ts';
import type { HostStanding } from '../model/host.ts';
import type { Notices } from '../model/notice.ts';
import type { Observation, Result } from '../model/observation.ts';
import type { Node } from '../query/ast.ts';
import type { ListQuery, StateStore } from '../store/store.ts';
import { isOwnCheck, OWN_CHECKS } from './check.ts';
import type { ReleaseLists } from './end-of-life.ts';
import { type HostKnowledge, ownAnswers } from './own-answers.ts';
import { type Answer, placeAnswer } from './span.ts';

export interface OwnParts {
  readonly state: Pick<StateStore, 'list' | 'put' | 'remove'>;
  readonly clock: Clock;
  readonly lists: ReleaseLists;
  readonly standings: () => Promise<readonly HostStanding[]>;
  readonly heartbeatOf: (host: AssetId) => HeartbeatBody | null;
  /** Notices since a time that records are missing or lost, by host. */
  readonly missing: (since: UnixMs) => Promise<ReadonlyMap<string, number>>;
  /** Says that an answer turned to fail, or from fail to pass. */
  readonly notices: Notices;
  readonly failed: (error: unknown) => void;
}

export interface OwnChecks {
  /** Keeps an answer that was found otherwise. */
  answer(answer: Answer, host: Pick<HostStanding, 'host' | 'name'>): void;
  /** Asks about all hosts. */
  run(): Promise<void>;
  /** Asks about these soon; several calls are one run. */
  noteChanged(hosts: readonly string[]): void;
  /** Resolves when nothing that was noted waits any more. */
  settled(): Promise<void>;
  close(): Promise<void>;
}

/** Kinds of which every item is looked at; they are small. */
const WHOLE: readonly FactKind[] = ['os', 'user', 'group', 'sudo-rule', 'ssh-key', 'certificate'];
const RECENT = days(7);
const PAGE = 1_000;
const HOSTS_AT_ONCE = 8;
/** Changes of so long are asked about together. */
const TOGETHER = seconds(1);

const since = (field: string, at: number): Node => ({
  kind: 'range',
  field: { text: field, quoted: false, at: 0 },
  op: 'gte',
  value: { text: String(at), quoted: false, at: 0 },
});

/** Rules and people hear of a turn once, as of any other record. */
const sayTurn = (
  notices: Notices,
  before: Result | undefined,
  { check, result, actual, expected }: Answer,
  { host, name }: Pick<HostStanding, 'host' | 'name'>,
): void => {
  const action = result === 'fail' && before !== 'fail' ? 'check-failed' : result === 'pass' && before === 'fail' ? 'check-mended' : null;
  if (action === null) return;
  const title = OWN_CHECKS.find(({ id }) => id === check)?.title ?? check;
  const message = `${title}: ${result} on ${name}, found ${actual || 'nothing'}, expected ${expected}.`;
  notices.say({ action, outcome: result === 'pass' ? 'success' : 'failure', message, check, host: { id: host, name } });
};

export const openOwnChecks = (parts: OwnParts): OwnChecks => {
  const { state, clock } = parts;
  /** The newest span of each pair; read once, then kept, for nobody else writes them. */
  let open: Promise<Map<string, Observation>> | null = null;
  let waiting = new Set<string>();
  let running: Promise<void> = Promise.resolve();
  const stop = new AbortController();
  /** Ends the pause in which changes are gathered. */
  let hurry = new AbortController();
  let hurried = 0;
  const closed = (): boolean => stop.signal.aborted;

  const items = async (prefix: string, more: Partial<ListQuery> = {}): Promise<readonly HostFact[]> => {
    const found: HostFact[] = [];
    let after: string | undefined;
    do {
      const page = await state.list('hostFact', { prefix, limit: PAGE, ...more, ...(after === undefined ? {} : { after }) });
      found.push(...page.items.map(({ value }) => value));
      after = page.next ?? undefined;
    } while (after !== undefined && more.limit === undefined);
    return found;
  };

  const newestPackage = async (host: AssetId): Promise<UnixMs | null> => {
    const prefix = `${host}/package/`;
    const [installed] = await items(prefix, { orderBy: 'fields.installed_at', limit: 1 });
    const [changed] = await items(prefix, { orderBy: 'reported', limit: 1 });
    const times = [installed?.fields['installed_at'], changed?.reported].filter((at): at is number => typeof at === 'number');
    return times.length === 0 ? null : unixMs(Math.max(...times));
  };

  const knowledgeOf = async (standing: HostStanding, missing: number): Promise<HostKnowledge> => {
    const { host } = standing;
    const [whole, files, packages, tables] = await Promise.all([
      Promise.all(WHOLE.map((kind) => items(`${host}/${kind}/`))),
      items(`${host}/file/`, { where: since('reported', clock.now() - RECENT) }),
      newestPackage(host),
      state.list('factTable', { prefix: `${host}/`, limit: 100 }),
    ]);
    const byKind = new Map<FactKind, FactTable>(tables.items.map(({ value }) => [value.kind, value]));
    const facts = [...whole.flat(), ...files];
    return { host, standing, heartbeat: parts.heartbeatOf(host), facts, tables: byKind, newestPackage: packages, missing };
  };

  const readOpen = async (): Promise<Map<string, Observation>> => {
    const found = new Map<string, Observation>();
    let after: string | undefined;
    do {
      const page = await state.list('observation', { limit: PAGE, ...(after === undefined ? {} : { after }) });
      for (const { value } of page.items) if (value.open && isOwnCheck(value.check)) found.set(`${value.check} ${value.subject}`, value);
      after = page.next ?? undefined;
    } while (after !== undefined);
    return found;
  };

  const write = async (spans: Map<string, Observation>, answer: Answer, host: Pick<HostStanding, 'host' | 'name'>): Promise<void> => {
    const key = `${answer.check} ${answer.subject}`;
    const newest = spans.get(key);
    const { put, remove } = placeAnswer(newest === undefined ? [] : [newest], answer);
    for (const span of put) if (span.open) spans.set(key, span);
    sayTurn(parts.notices, newest?.result, answer, host);
    await Promise.all([
      ...remove.map((id) => state.remove('observation', id)),
      ...put.map((span) => state.put('observation', span.id, span)),
    ]);
  };

  const ask = async (only: ReadonlySet<string> | null): Promise<void> => {
    const spans = await (open ??= readOpen());
    const now = clock.now();
    const missing = await parts.missing(unixMs(now - RECENT));
    const asked = (await parts.standings()).filter(({ host }) => only === null || only.has(host));
    for (let n = 0; n < asked.length && !closed(); n += HOSTS_AT_ONCE) {
      const known = await Promise.all(asked.slice(n, n + HOSTS_AT_ONCE).map((one) => knowledgeOf(one, missing.get(one.host) ?? 0)));
      // What is written together is one transaction.
      await Promise.all(known.flatMap((one) => ownAnswers(one, now, parts.lists).map((answer) => write(spans, answer, one.standing))));
    }
  };

  const inTurn = (work: () => Promise<void>): Promise<void> => {
    running = running.then(work).catch((error: unknown) => {
      // What was read may not be what is kept any more.
      open = null;
      if (!closed()) parts.failed(error);
    });
    return running;
  };

  return {
    answer: (answer, host) => void inTurn(async () => write(await (open ??= readOpen()), answer, host)),
    run: () => inTurn(() => ask(null)),
    noteChanged: (hosts) => {
      const before = waiting.size;
      for (const host of hosts) waiting.add(host);
      if (before > 0 || waiting.size === 0) return;
      void inTurn(async () => {
        hurry = new AbortController();
        if (hurried === 0) await systemClock.sleep(TOGETHER, AbortSignal.any([stop.signal, hurry.signal]));
        const taken = waiting;
        waiting = new Set();
        if (!closed() && taken.size > 0) await ask(taken);
      });
    },
    settled: async () => {
      hurried += 1;
      hurry.abort();
      let last: Promise<void>;
      do {
        last = running;
        await last;
      } while (last !== running);
      hurried -= 1;
    },
    close: async () => {
      stop.abort();
      await running;
    },
  };
};
