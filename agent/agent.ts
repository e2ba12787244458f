// SPDX-License-Identifier: Apache-2.0
/**
 * The agent's wiring: sources are read and sealed, the spool is sent, heartbeats beat, the identity is renewed.
 * Input: configuration, identity, a locked state folder. Output: a running agent that can be asked and stopped.
 */
import { join, resolve } from 'node:path';
import type { Clock } from '../core/clock.ts';
import { toError } from '../core/errors.ts';
import type { Log } from '../core/log.ts';
import { signerFromPem } from '../core/sign.ts';
import { bytes, type Ms, ms } from '../core/units.ts';
import { openBudget } from './budget.ts';
import type { AgentConfig } from './config.ts';
import { zoneOf } from './config.ts';
import { hostName } from './enrol/enrol.ts';
import type { Identity } from './enrol/identity.ts';
import { openRenewal } from './enrol/renewal.ts';
import { type Condition, conditionsOf } from './health.ts';
import { HEARTBEAT_MS, sealHeartbeat } from './heartbeat.ts';
import { giveBack } from './memory.ts';
import { makeMending } from './mending.ts';
import { openRedactor } from './redact/redact.ts';
import { loadRules } from './redact/rules.ts';
import { openFim } from './source/fim/open.ts';
import { INVENTORY_STREAM, Inventory } from './source/inventory/inventory.ts';
import { loadWaivers, policiesFor } from './source/posture/load.ts';
import { openPosture } from './source/posture/posture.ts';
import type { Batch, Source, StreamProgress } from './source/source.ts';
import { parseMultiline } from './source/tail/multiline.ts';
import { Tail } from './source/tail/tail.ts';
import { Spool } from './spool/spool.ts';
import { type AgentStatus, explainPath, statusOf } from './status.ts';
import { type Client, openClient } from './transport/client.ts';
import { openSender } from './transport/sender.ts';

export interface AgentOptions {
  readonly config: AgentConfig;
  readonly dir: string;
  /** Folder that relative paths of the configuration start from. */
  readonly from: string;
  readonly identity: Identity;
  readonly version: string;
  readonly clock: Clock;
  readonly log: Log;
  /** Sources besides the files. */
  readonly sources?: readonly Source[];
}

export interface RunningAgent {
  status(): AgentStatus;
  explain(path: string): unknown;
  /** Seals what is read, stops, closes. */
  stop(): Promise<void>;
  /** Rejects when the agent cannot go on. */
  readonly done: Promise<void>;
}

/** After a wake-up the reader waits this long, so that lines written together become one block. */
const GATHER_MS = 100;
const TICK_MS = 1_000;
const RESCAN_MS = 60_000;
/** Work is over when nothing came for so long; what it left behind is given back. */
const REST_MS = 5_000;
/** So many facts at once come of a scan of everything, not of a change here and there. */
const MANY_FACTS = 12;
/** So many lines since it was given back last come of catching up, or of a whole day. */
const MANY_LINES = 50_000;
const REQUEST_TIMEOUT_MS = 60_000;
/** Work between two looks at everything else. */
const SLICE_MS = 50;

/** Starts everything. @throws CodedError AGENT_STATE_UNUSABLE, AGENT_BAD_RULE, REDACT_BAD_RULE, REDACT_UNREADABLE. */
export const startAgent = async (options: AgentOptions): Promise<RunningAgent> => {
  const { config, dir, clock, log } = options;
  const startedAt = clock.monotonic();
  // Before anything is opened: rules that cannot be used start no agent (A3).
  const rulesFile = config['redact.rules'];
  const redactor = config['redact.enabled'] ? openRedactor(loadRules(rulesFile === null ? null : resolve(options.from, rulesFile))) : null;
  const stopping = new AbortController();
  const budget = openBudget(clock, config['budget.cpu']);
  let identity = options.identity;
  let signer = signerFromPem(identity.privatePem);
  const spoolDir = join(dir, 'spool');
  const spool = await Spool.open({
    folder: spoolDir,
    agent: identity.agent,
    host: config.host ?? hostName(),
    zone: zoneOf(config),
    signer: () => signer,
    quotaBytes: bytes(config['spool.quota']),
    keepMs: ms(config['spool.keep']),
    clock,
  });
  const connectTo = (): Client => openClient({ url: identity.url, identity, timeoutMs: REQUEST_TIMEOUT_MS });
  let client = connectTo();
  let sentBefore = 0;
  let wake = Promise.withResolvers<void>();
  const onWake = (): void => wake.resolve();
  const tail = new Tail({
    clock,
    from: options.from,
    paths: config['tail.paths'],
    exclude: config['tail.exclude'],
    usual: config['tail.discover'],
    rules: config['tail.multiline'].map(parseMultiline),
    refuse: [dir, ...config['tail.refuse']],
    watch: config['tail.watch'],
    onWake,
  });
  const inventory = config['inventory.enabled']
    ? [
        new Inventory({
          clock,
          folder: join(dir, 'inventory'),
          root: config['inventory.root'],
          intervalMs: ms(config['inventory.interval']),
          budget,
          onWake,
          ...(redactor ? { clean: (text: string) => redactor.clean(INVENTORY_STREAM, 'inventory', text) } : {}),
        }),
      ]
    : [];
  const fim = openFim(options, onWake);
  const sources: readonly Source[] = [tail, ...inventory, ...(fim ? [fim] : []), ...postureOf(options), ...(options.sources ?? [])];
  for (const source of sources) await source.open((stream) => spool.stateOf(stream)?.resume);

  // Sealing, and mending what was sealed, take turns: a stream's numbers have one writer.
  let turn: Promise<unknown> = Promise.resolve();
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const done = turn.then(work);
    turn = done.catch(() => undefined); // The caller hears of it; the next one only waits.
    return done;
  };
  const mending = makeMending({
    spool,
    sources,
    signer: () => signer,
    inTurn,
    onNewEpoch: (stream, matched) =>
      log.warn({ event: 'uplink.conflict', stream, matched }, 'The collector holds other records of this stream; a new epoch was opened.'),
  });
  const sender = openSender({
    spool,
    clock,
    client: () => client,
    random: Math.random,
    ...mending,
    onFault: (error) => log.error({ event: 'uplink.fault', reason: toError(error).message }, 'Sending met a fault and is tried again.'),
    onOutcome: (outcome, state, effects) => {
      if (outcome.kind === 'answer') renewal.taken();
      if (state.trouble === 'IDENTITY_REFUSED') renewal.refused();
      if (outcome.kind !== 'answer' && state.failures === 1)
        log.warn(
          { event: 'uplink.failed', code: state.trouble, reason: outcome.kind === 'failed' ? outcome.reason : String(outcome.status) },
          'The collector does not take records now.',
        );
      for (const effect of effects)
        if (effect.kind === 'keep')
          log.error(
            {
              event: 'uplink.kept',
              stream: effect.block.stream,
              first: effect.block.first,
              why: effect.why,
              code: effect.code,
              reason: effect.reason,
            },
            'A block was not taken.',
          );
    },
  });
  const renewal = openRenewal({
    dir,
    clock,
    log,
    identity: () => identity,
    onRenewed: (next) => {
      identity = next;
      signer = signerFromPem(next.privatePem);
      const old = client;
      client = connectTo();
      sender.tryNow();
      sentBefore -= old.sentBytes;
      // A request of the old connection may be under way; it ends by itself within its timeout.
      void clock.sleep(ms(REQUEST_TIMEOUT_MS), stopping.signal).then(() => old.close());
    },
  });

  const progress = (): readonly StreamProgress[] =>
    sources
      .flatMap((source) => source.progress())
      .map((one) => (redactor ? { ...one, counts: { ...one.counts, ...redactor.counts(one.stream) } } : one));

  const conditions = (): readonly Condition[] =>
    conditionsOf({
      problems: sources.flatMap((source) => source.problems()),
      spool: {
        room: spool.room,
        failure: spool.failure,
        folder: spoolDir,
        held: spool.kept.filter(({ why }) => why === 'held').length,
        bad: spool.kept.filter(({ why }) => why === 'bad').length,
        damaged: [...new Set(spool.damage.filter(({ damage }) => damage.kind !== 'torn').map(({ path }) => path))],
      },
      uplink: { url: identity.url, trouble: sender.state.trouble },
      clockOffsetMs: sender.clockOffsetMs,
      renewal: renewal.failure,
      notes: mending.notes(),
    });

  // Sealed and not yet told so: a disk that refused once takes it later.
  let sealed = false;
  let work = { facts: 0, lines: 0, at: clock.monotonic() };
  const noteWork = ({ kind, records }: Batch): void => {
    const [facts, lines] = kind === 'facts' ? [records.length, 0] : [0, records.length];
    work = { facts: work.facts + facts, lines: work.lines + lines, at: clock.monotonic() };
  };
  /** Reads for a while; true when there is more to read at once. */
  const read = async (): Promise<boolean> => {
    const began = clock.monotonic();
    // What the disk refused is tried with each tick; until it is taken nothing more is read.
    if (spool.failure !== undefined && !(await spool.flush())) return false;
    let more = false;
    for (const source of sources) {
      source.poll();
      for (let batch = spool.room ? source.next() : undefined; batch; batch = source.next()) {
        spool.seal(redactor && !batch.redacted ? redactor.apply(batch) : batch);
        source.commit();
        sealed = true;
        noteWork(batch);
        more = spool.flushDue || clock.monotonic() - began >= SLICE_MS;
        if (more) break;
      }
    }
    if (sealed && !(await spool.flush())) {
      log.error({ event: 'spool.failed', reason: spool.failure }, 'The spool cannot be written; reading waits.');
      return false;
    }
    if (sealed) {
      sealed = false;
      for (const source of sources) source.sealed();
      sender.wake();
    }
    return more && spool.room;
  };

  const beat = async (): Promise<void> => {
    const sent = client.sentBytes - sentBefore;
    if (
      !sealHeartbeat({
        version: options.version,
        clock,
        startedAt,
        spool,
        budget,
        progress: progress(),
        conditions: conditions(),
        sentBytes: sent,
        clockOffsetMs: sender.clockOffsetMs,
      })
    )
      return;
    sentBefore = client.sentBytes;
    if (await spool.flush()) sender.wake();
  };

  const readLoop = async (): Promise<void> => {
    let beatAt = clock.monotonic();
    let scanAt = ms(clock.monotonic() + RESCAN_MS);
    while (!stopping.signal.aborted) {
      wake = Promise.withResolvers<void>();
      const pause = budget.work();
      const more = await inTurn(read);
      const now = clock.monotonic();
      if (now >= beatAt) {
        beatAt = ms(now + HEARTBEAT_MS);
        await inTurn(beat);
      }
      if (now >= scanAt) {
        scanAt = ms(now + RESCAN_MS);
        await inTurn(async () => {
          for (const source of sources) await source.rescan();
          // Marks that changed since, and segments that are due to go.
          await spool.flush();
        });
      }
      if (now - work.at >= REST_MS) {
        const many = work.facts >= MANY_FACTS || work.lines >= MANY_LINES;
        if (many) giveBack();
        work = { ...work, facts: 0, lines: many ? 0 : work.lines };
      }
      if (more) await breathe(clock, pause(), stopping.signal);
      else await idle(clock, () => wake.promise, stopping.signal);
    }
  };

  const loops = Promise.all([readLoop(), sender.run(stopping.signal), renewal.run(stopping.signal)]).then(() => undefined);
  // Whatever ends one of them ends the agent, which its caller learns by `done`.
  loops.catch(() => stopping.abort());
  log.info({ event: 'agent.started', agent: identity.agent, streams: tail.progress().length }, 'The agent runs.');

  return {
    done: loops,
    status: () =>
      statusOf({
        identity,
        version: options.version,
        startedAt,
        clock,
        spool,
        progress: progress(),
        conditions: conditions(),
        sender,
        spoolDir,
      }),
    explain: (path) => {
      const told = explainPath(path, options.from, tail, spool, config);
      return redactor && told.counts ? { ...told, counts: { ...told.counts, ...redactor.counts(`file:${told.path}`) } } : told;
    },
    stop: async () => {
      stopping.abort();
      client.close();
      await loops.catch((error: unknown) =>
        log.error({ event: 'agent.failed', reason: toError(error).message }, 'The agent stopped by a fault.'),
      );
      await inTurn(read);
      await spool.close();
      for (const source of sources) await source.close();
      log.info({ event: 'agent.stopped' }, 'The agent has stopped.');
    },
  };
};

/** The checks of settings, where they are wanted. @throws CodedError of policies that the configuration names. */
const postureOf = ({ config, dir, from, clock }: AgentOptions): readonly Source[] => {
  if (!config['posture.enabled']) return [];
  const file = config['posture.waivers'];
  return [
    openPosture({
      dir,
      clock,
      intervalMs: ms(config['posture.interval']),
      policies: policiesFor(config['posture.policies'], from, config['posture.values']),
      waivers: (policies) => loadWaivers(file === null ? null : resolve(from, file), policies),
    }),
  ];
};

const breathe = async (clock: Clock, pause: Ms, signal: AbortSignal): Promise<void> => {
  if (pause > 0) await clock.sleep(pause, signal);
  else await new Promise((resolve) => setImmediate(resolve));
};

/** Until the next tick, or a little after a wake-up. */
const idle = async (clock: Clock, woken: () => Promise<void>, signal: AbortSignal): Promise<void> => {
  const waiting = new AbortController();
  const stop = (): void => waiting.abort();
  signal.addEventListener('abort', stop, { once: true });
  const tick = clock.sleep(ms(TICK_MS), waiting.signal);
  const why = await Promise.race([tick.then(() => 'tick' as const), woken().then(() => 'wake' as const)]);
  if (why === 'wake' && !signal.aborted) await Promise.race([clock.sleep(ms(GATHER_MS), waiting.signal), tick]);
  stop();
  signal.removeEventListener('abort', stop);
};
