// SPDX-License-Identifier: Apache-2.0
/**
 * The wiring: opens every part with its arguments in the order they need each other, and closes them in reverse.
 * Input: the configuration. Output: a running collector with its addresses, or a coded error and nothing left open.
 */
import { existsSync, mkdirSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { fileURLToPath } from 'node:url';
import { type Clock, systemClock } from '../core/clock.ts';
import { toError } from '../core/errors.ts';
import { hashId } from '../core/ids.ts';
import type { Log } from '../core/log.ts';
import { bytes, ms } from '../core/units.ts';
import { namesOf } from './address.ts';
import { openAudit } from './auth/audit/log.ts';
import type { OneTime } from './auth/users.ts';
import { UNFINISHED } from './backup/restore.ts';
import { openChanges } from './changes.ts';
import { makeClosers } from './closers.ts';
import type { CollectorConfig } from './config.ts';
import type { FailedShape } from './decode/shapes.ts';
import { type Doors, openDoors } from './doors.ts';
import { fault } from './errors.ts';
import { openAssets } from './fleet/asset.ts';
import { openCa } from './fleet/ca.ts';
import { openSigner } from './fleet/keys.ts';
import type { LocalAgent } from './fleet/local.ts';
import { nodeOf, openInstaller } from './fleet/package/install.ts';
import { openRegistry } from './fleet/registry.ts';
import { openSilence } from './fleet/silence.ts';
import { openEnrolTokens } from './fleet/token.ts';
import { makeDataFolder } from './folder.ts';
import { makeHealth } from './health.ts';
import { openHostViews } from './host-views.ts';
import type { Condition, StatusView } from './http/status.ts';
import { openOwnStream } from './ingest/own.ts';
import { openQuarantine } from './ingest/quarantine.ts';
import { openJobs } from './jobs.ts';
import { openJournal } from './journal/journal.ts';
import { JournalReader } from './journal/reader.ts';
import { type Known, openKnown } from './known.ts';
import { makeLag } from './lag.ts';
import { auditBroken, correlationRefused, ruleQuarantined } from './notes.ts';
import { startOwnAgent } from './own-agent.ts';
import { makeRefusals } from './refusals.ts';
import { openReports } from './reports.ts';
import { findPositions } from './resume.ts';
import type { RulesView } from './river.ts';
import { openStepWatch, type StepWatch } from './step.ts';
import { openEvents } from './store/embedded/events.ts';
import { lockFolder } from './store/embedded/lock.ts';
import { type RiverThread, startRiver, startState } from './threads.ts';
import { openUpkeep } from './upkeep.ts';

export const VERSION = '0.1.0';
const PROJECT = fileURLToPath(new URL('../', import.meta.url));
export const OWN_RULES = join(PROJECT, 'rules');

export interface CollectorOptions {
  readonly config: CollectorConfig;
  readonly log: Log;
  readonly clock: Clock;
  /** On which agents are listened to and fall silent; the same unless a story is played. */
  readonly fleetClock?: Clock;
  /** Called once when nothing can go on; the collector must then be closed. */
  readonly onFault: (error: Error) => void;
}

export interface Collector {
  readonly consoleUrl: string;
  readonly agentsUrl: string;
  /** Only on the very first start. */
  readonly firstAdmin: OneTime | null;
  status(): Promise<StatusView>;
  readonly localAgent: LocalAgent | null;
  /** Everything that is journaled now is stored, judged and known. */
  settled(): Promise<void>;
  /** Runs the jobs whose times came by the collector's clock: for one that is moved by hand. */
  runDue(): Promise<void>;
  close(): Promise<void>;
}

/** How long what was journaled may take to be understood. */
const SETTLE_MS = 120_000;

/**
 * Opens everything. What was opened is closed again when a later part fails.
 * @throws CodedError DATA_FOLDER_BUSY, PORT_TAKEN, KEY_FILE_BAD, STATE_TOO_NEW, JOURNAL_FAILED, STORE_ENGINE_DOWN.
 */
export const openCollector = async ({ config, log, clock, fleetClock = clock, onFault }: CollectorOptions): Promise<Collector> => {
  const closers = makeClosers(log);
  let faulted = false;
  const fail = (error: Error): void => {
    if (faulted) return;
    faulted = true;
    log.error({ event: 'collector.failed', err: error }, 'The collector cannot go on');
    onFault(error);
  };
  try {
    const dir = config['data.dir'];
    makeDataFolder(dir);
    const lock = lockFolder(dir);
    closers.push(() => lock.release());
    if (existsSync(join(dir, UNFINISHED))) throw fault('RESTORE_UNFINISHED', { dir });
    const loop = monitorEventLoopDelay({ resolution: 5 });
    loop.enable();
    const startedAt = clock.now();
    const collector = hostname();
    const keys = join(dir, 'keys');
    const [signer, auditSigner] = await Promise.all([openSigner(join(keys, 'collector.pem')), openSigner(join(keys, 'audit.pem'))]);
    const self = hashId('agt', 'collector', signer.publicKey);

    const storeLag = { current: makeLag(0, clock) };
    const detectLag = { current: makeLag(0, clock) };
    const factsLag = { current: makeLag(0, clock) };
    let rules: RulesView = { loaded: 0, refused: [] };
    let shapes: readonly FailedShape[] = [];
    let counts = { events: 0, failed: 0, signals: 0 };
    const known: { current: Known | null } = { current: null };
    const notes: Condition[] = [];
    const refusals = makeRefusals(log);
    const steps: { current: StepWatch | null } = { current: null };
    mkdirSync(join(dir, 'state'), { recursive: true, mode: 0o700 });
    const changes = openChanges(clock);
    let river: RiverThread | null = null;
    // At the same time: each waits for a thread, a process or the disk of its own.
    const opening = [
      openJournal({ dir: join(dir, 'journal'), collector, clock }).then(closers.opened((one) => one.close())),
      startState(
        { file: join(dir, 'state', 'state.db') },
        {
          judged: ({ to, planted, changed }) => {
            detectLag.current.reached(to);
            changes.judged(changed);
            known.current?.selfTest.found(planted);
          },
          known: ({ to, changed }) => {
            factsLag.current.reached(to);
            known.current?.checks.noteChanged(Object.keys(changed.hosts));
          },
          refused: (rule, reason) => notes.push(correlationRefused(rule, reason)),
          waiting: (reason) => refusals.tell('the state', reason),
          failed: fail,
        },
        clock,
      ).then(closers.opened((one) => one.stop())),
      openEvents({
        dir: join(dir, 'events'),
        clock,
        log: log.child({ part: 'store' }),
        engine: { memoryBytes: bytes(config['store.memory']) },
        catchUp: async (limitMs) => {
          river?.flush();
          await storeLag.current.wait(journal.end, limitMs);
          return storeLag.current.now();
        },
        onRefused: (reason) => refusals.tell('the event store', reason),
      }).then(closers.opened((one) => one.close())),
      // Certificates are for peers who have the system's time, whatever this collector's clock says.
      openCa({ dir: keys, clock: systemClock, hosts: namesOf(config) }),
    ] as const;
    // One that fails must not leave another open that comes later.
    await Promise.allSettled(opening);
    const [journal, state, events, ca] = await Promise.all(opening);

    const audit = await openAudit({
      dir: join(dir, 'audit'),
      signer: auditSigner,
      clock,
      onBroken: (at, reason) => notes.push(auditBroken(at, reason)),
    });
    closers.push(() => audit.close());
    const own = openOwnStream({ journal, clock, signer, agent: self, host: collector, onSaid: (notice) => known.current?.heard(notice) });
    closers.push(() => own.close());
    const assets = await openAssets(changes.watch(state.store), clock);
    const registry = await openRegistry({
      state: changes.watch(state.store),
      clock: fleetClock,
      assets,
      log: log.child({ part: 'fleet' }),
    });
    closers.push(() => registry.close());
    const quarantine = await openQuarantine({ dir: join(dir, 'quarantine'), clock });
    closers.push(() => quarantine.close());

    // The pass begins at the lowest position of its sinks (J2).
    const ownAsset = await assets.forName(collector, 'collector');
    const views = openHostViews({ agent: self, asset: ownAsset }, assets, registry);
    const reader = new JournalReader(join(dir, 'journal'));
    const { positions, resumed } = await findPositions(reader, events, state.store);
    storeLag.current = makeLag(positions.store, clock);
    detectLag.current = makeLag(positions.detect, clock);
    factsLag.current = makeLag(positions.facts, clock);
    river = startRiver(
      {
        journalDir: join(dir, 'journal'),
        joinsFile: join(dir, 'state', 'joins.jsonl'),
        collector,
        incarnation: journal.incarnation,
        from: positions,
        resumed: resumed ?? { incarnation: journal.incarnation, offset: 0 },
        page: state.lastPage?.incarnation === journal.incarnation ? state.lastPage.n + 1 : 1,
        end: journal.end,
        ruleDirs: [OWN_RULES, ...config['rules.dirs']],
        hosts: views.all(),
      },
      state.attach,
      {
        rules: (view) => {
          rules = view;
        },
        batch: ({ batch }) => {
          events.append(batch).then(
            () => {
              // It came to this thread alone. Left to the collector of garbage, 30 MB of them a second make it mark the whole heap for each second.
              (batch.ndjson.buffer as ArrayBuffer).transfer(0);
              storeLag.current.reached(batch.range.to);
              river?.stored(batch.range.to);
            },
            (error: unknown) => fail(toError(error)),
          );
        },
        progress: ({ events: n, failed, signals }) => {
          counts = { events: n, failed, signals };
        },
        shapes: (all) => {
          shapes = all;
        },
        waiting: (reason) => refusals.tell('the pass', reason),
        quarantined: (rule, reason) => {
          notes.push(ruleQuarantined(rule, reason));
          own.say({ action: 'rule-quarantined', message: `Rule ${rule} was put in quarantine: ${reason}.`, rule, reason });
        },
        hole: (offset, end) =>
          own.say({
            action: 'records-lost',
            message: `The journal cannot be read from ${offset} to ${end}.`,
            from: offset,
            to: end,
            reason: 'journal damaged',
          }),
        failed: fail,
      },
    );
    const thread = river;
    const unwatch = journal.watch((end) => {
      storeLag.current.grown(end);
      detectLag.current.grown(end);
      factsLag.current.grown(end);
      thread.advance(end);
    });
    storeLag.current.grown(journal.end);
    detectLag.current.grown(journal.end);
    factsLag.current.grown(journal.end);
    closers.push(async () => {
      unwatch();
      await thread.stop();
    });
    const tellHosts = (): void => {
      const fresh = views.fresh();
      if (fresh.length > 0) thread.hosts(fresh);
    };

    const doors: { current: Doors | null } = { current: null };
    const tokens = openEnrolTokens({
      state: state.store,
      audit,
      clock,
      registry,
      pin: ca.pin,
      url: () => config['agents.public_url'] ?? (doors.current?.agentsUrl as string),
      localUrl: () => doors.current?.agentsUrl as string,
    });
    const health = makeHealth({
      clock,
      version: VERSION,
      startedAt,
      silentAfterMs: config['agents.silent_after'],
      journal,
      registry,
      quarantine,
      events,
      storeLag: () => storeLag.current,
      detectLag: () => detectLag.current,
      factsLag: () => factsLag.current,
      rules: () => rules,
      counts: () => counts,
      shapes: () => shapes,
      longestBlockMs: () => loop.max / 1e6,
      refusals,
      notes: () => [...notes, ...(steps.current?.conditions() ?? [])],
    });
    const upkeep = openUpkeep({ dir, clock, signer, version: VERSION, collector, journal, events, audit, hosts: views.all });
    const shared = { dir, config, clock, state: changes.watch(state.store), events, audit, assets, registry };
    const knowledge = await openKnown({ ...shared, own, self: ownAsset, log, tellHosts, lists: join(OWN_RULES, 'lists') });
    known.current = knowledge;
    closers.push(() => Promise.all([knowledge.selfTest.close(), knowledge.checks.close()]));
    const reports = await openReports({
      ...shared,
      log: log.child({ part: 'report' }),
      hosts: knowledge.hosts,
      self: ownAsset.id,
      rules: () => rules,
      coverage: thread.coverage,
    });
    doors.current = await openDoors({
      ...shared,
      log,
      version: VERSION,
      journal,
      own,
      quarantine,
      ca,
      tokens,
      installer: openInstaller({
        root: PROJECT,
        dir: join(dir, 'packages'),
        version: VERSION,
        node: nodeOf(PROJECT),
        url: () => config['agents.public_url'] ?? (doors.current?.agentsUrl as string),
      }),
      health,
      signer,
      self,
      tellHosts,
      storeLag: () => storeLag.current,
      detectLag: () => detectLag.current,
      factsLag: () => factsLag.current,
      notes,
      onTitles: state.titles,
      hosts: knowledge.hosts,
      onAccess: changes.onAccess,
      more: [...changes.routes, ...upkeep.routes, ...reports.routes, ...knowledge.routes],
    });
    closers.push(() => doors.current?.close());
    // First, so that no door waits for what takes hours.
    closers.push(() => upkeep.close());
    const silence = openSilence({
      registry,
      notices: own,
      clock: fleetClock,
      silentAfterMs: ms(config['agents.silent_after']),
      isPlannedOff: knowledge.hosts.isPlannedOff,
    });
    closers.push(() => silence.close());
    steps.current = await openStepWatch(state.store, fleetClock);
    const schedule = await openJobs({
      config,
      clock,
      log,
      state,
      events,
      journal,
      audit,
      judged: () => Math.min(detectLag.current.position, factsLag.current.position),
      refresh: async () => doors.current?.refresh(),
      checks: () => knowledge.checks.run(),
      plant: knowledge.selfTest.plant,
      report: reports.due,
      steps: steps.current,
    });
    closers.push(() => schedule.close());
    const localAgent = config['local_agent.enabled']
      ? startOwnAgent({
          config,
          dir,
          root: PROJECT,
          clock,
          log,
          enrolment: { registry, tokens, pin: ca.pin, localUrl: () => doors.current?.agentsUrl as string },
        })
      : null;
    if (localAgent) closers.push(() => localAgent.close());
    knowledge.selfTest.plant();
    own.say({ action: 'collector-started', message: `The collector ${VERSION} started.` });
    if (journal.report.incarnation === 'file-missing')
      own.say({ action: 'collector-restored', message: 'The journal was put back from a copy: agents send again what is missing.' });
    loop.reset();
    const { consoleUrl, agentsUrl, firstAdmin } = doors.current;
    return {
      consoleUrl,
      agentsUrl,
      firstAdmin,
      status: health.status,
      localAgent,
      settled: async () => {
        thread.flush();
        await Promise.all([storeLag, detectLag, factsLag].map((lag) => lag.current.wait(journal.end, SETTLE_MS)));
        await knowledge.checks.settled();
      },
      runDue: () => schedule.runDue(),
      close: closers.close,
    };
  } catch (error) {
    await closers.close();
    throw error;
  }
};
