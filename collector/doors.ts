// SPDX-License-Identifier: Apache-2.0
/**
 * The doors of a collector: the console and its API, the control socket, the agents' listener.
 * Input: the parts that stand behind them. Output: two addresses, and one place to close.
 */
import { readFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { type Clock, systemClock } from '../core/clock.ts';
import { isCoded, systemCode, toError } from '../core/errors.ts';
import { type AgentId, isId } from '../core/ids.ts';
import type { Log } from '../core/log.ts';
import type { Signer } from '../core/sign.ts';
import { unixMs } from '../core/units.ts';
import { namesOf, splitAddress } from './address.ts';
import { changeAlert } from './alert/change.ts';
import { type AlertChain, AlertChainSchema, chainJson } from './alert/routes.ts';
import { chainOf, joinAlerts, readAlerts } from './alert/view.ts';
import type { AuditLog } from './auth/audit/log.ts';
import { openLogins } from './auth/login.ts';
import { openPasswords } from './auth/password.ts';
import { LOCAL_OWNER, permits } from './auth/permissions.ts';
import { openSessions } from './auth/session.ts';
import { openApiTokens } from './auth/token.ts';
import { type OneTime, openUsers } from './auth/users.ts';
import { comment, commentsOn } from './comment/commands.ts';
import type { CollectorConfig } from './config.ts';
import { unescapeOriginal } from './decode/build.ts';
import { fault } from './errors.ts';
import type { Assets } from './fleet/asset.ts';
import type { Ca } from './fleet/ca.ts';
import type { HeldActs } from './fleet/commands.ts';
import { openEnrolment } from './fleet/enrol.ts';
import type { Hosts } from './fleet/hosts.ts';
import type { Installer } from './fleet/package/install.ts';
import type { Registry } from './fleet/registry.ts';
import { openNonces, openRenewal } from './fleet/renew.ts';
import type { EnrolTokens } from './fleet/token.ts';
import type { Health } from './health.ts';
import { openAgentsListener } from './http/agents.ts';
import { buildConsole, consoleIsCurrent } from './http/build.ts';
import { openControl } from './http/control.ts';
import { portOwner } from './http/port-owner.ts';
import type { Route, StreamRoute } from './http/route.ts';
import { controlSockets, makeConsoleServer } from './http/server.ts';
import { openSite } from './http/static.ts';
import type { Condition } from './http/status.ts';
import { changeIncident } from './incident/change.ts';
import { findIncident } from './incident/commands.ts';
import { declareIncident } from './incident/declare.ts';
import { readIncidents, viewIncident } from './incident/view.ts';
import { Admission } from './ingest/admit.ts';
import { keptGroups } from './ingest/held.ts';
import type { OwnStream } from './ingest/own.ts';
import type { Quarantine } from './ingest/quarantine.ts';
import { receiveBlocks } from './ingest/receive.ts';
import { releaseHeld } from './ingest/release.ts';
import { makeReplayer } from './ingest/replay.ts';
import { replayRoutes } from './ingest/routes.ts';
import type { Journal } from './journal/journal.ts';
import { proveClaims } from './journal/prove.ts';
import { proofRoutes } from './journal/routes.ts';
import type { Lag } from './lag.ts';

import { openManagement } from './management.ts';
import type { Event } from './model/event.ts';
import { readScores } from './score/view.ts';
import type { EventStore, StateStore } from './store/store.ts';

export interface DoorParts {
  readonly config: CollectorConfig;
  readonly log: Log;
  readonly clock: Clock;
  readonly dir: string;
  readonly version: string;
  readonly state: StateStore;
  readonly onAccess: (listener: () => void) => void;
  readonly events: EventStore;
  readonly journal: Journal;
  readonly audit: AuditLog;
  readonly own: OwnStream;
  readonly assets: Assets;
  readonly registry: Registry;
  readonly quarantine: Quarantine;
  readonly ca: Ca;
  readonly tokens: EnrolTokens;
  readonly installer: Installer;
  readonly health: Health;
  readonly signer: Signer;
  readonly self: AgentId;
  /** Hosts may have changed: the pass must know before their blocks are journaled. */
  readonly tellHosts: () => void;
  readonly storeLag: () => Lag;
  readonly detectLag: () => Lag;
  readonly factsLag: () => Lag;
  readonly notes: Condition[];
  /** Told the titles of checks once they are read. */
  readonly onTitles: (titles: Readonly<Record<string, string>>) => void;
  readonly hosts: Hosts;
  /** Further routes. */
  readonly more: readonly (Route | StreamRoute)[];
}

export interface Doors {
  readonly consoleUrl: string;
  readonly agentsUrl: string;
  readonly firstAdmin: OneTime | null;
  refresh(): Promise<void>;
  close(): Promise<void>;
}

/** Journaled and not yet understood; beyond it agents are asked to wait (503). */
const BACKLOG_BYTES = 268_435_456;
/** How long a replay waits for what it appended to be judged and searchable. */
const REPLAY_WAIT_MS = 600_000;

export const openDoors = async (parts: DoorParts): Promise<Doors> => {
  const agents = await openAgents(parts);
  try {
    const console = await openConsole(parts);
    return {
      ...console,
      agentsUrl: `https://${urlHost(agents.host)}:${agents.port}`,
      refresh: () => agents.refresh(),
      close: async () => {
        await Promise.all([console.close(), agents.close()]);
      },
    };
  } catch (error) {
    await agents.close();
    throw error;
  }
};

const urlHost = (host: string): string => (host.includes(':') ? `[${host}]` : host === '0.0.0.0' ? hostname() : host);

const openAgents = (parts: DoorParts) => {
  const { config, clock, log, journal, registry, own, audit, state, ca, tokens, assets, quarantine } = parts;
  const identity = { state, audit, notices: own, clock, ca, registry, assets, tokens };
  const nonces = openNonces(clock);
  const enrol = openEnrolment(identity);
  const admission = new Admission({ clock });
  const told = new Map();
  // Acks stay fast long after understanding has fallen behind, so what waits for it is bounded here.
  const backlog = {
    bytes: () => journal.end - Math.min(parts.storeLag().position, parts.detectLag().position, parts.factsLag().position),
    limitBytes: BACKLOG_BYTES,
  };
  return openAgentsListener(
    {
      registry,
      audit,
      notices: own,
      clock,
      ca,
      log: log.child({ part: 'agents' }),
      enrol: async (body, from) => {
        const outcome = await enrol(body, from);
        parts.tellHosts();
        return outcome;
      },
      renew: openRenewal(identity, nonces),
      nonces,
      installer: parts.installer,
      receiveBlocks: (bytes, { agent, key, held, from }) =>
        receiveBlocks(
          bytes,
          { agent: agent.id, key, held, from },
          { journal, directory: registry, quarantine, admission, notices: own, clock, told, backlog },
        ),
      heads: async (agent) => ({ kind: 'resync', incarnation: journal.incarnation, serverTime: clock.now(), held: journal.heads(agent) }),
    },
    splitAddress(config['agents.listen']),
  );
};

const openConsole = async (parts: DoorParts): Promise<Pick<Doors, 'consoleUrl' | 'firstAdmin' | 'close'>> => {
  const { config, clock, log, state, audit, own, events, dir, registry, assets, tokens, health } = parts;
  const now = () => clock.now();
  const passwords = openPasswords();
  // Cookies and tokens end by the system's time, whatever this collector's clock says.
  const sessions = openSessions(state, systemClock);
  const logins = openLogins({ state, audit, clock: systemClock, passwords, sessions, notices: own });
  const users = openUsers({ state, audit, clock, passwords, sessions });
  const apiTokens = openApiTokens(state, audit, systemClock);
  const firstAdmin = await users.ensureFirstAdmin();
  const address = splitAddress(config['console.listen']);
  // Plain HTTP on loopback only; elsewhere the certificate that was given, or one of our own authority.
  const tls = (await readTls(config)) ?? (isLoopback(address.host) ? undefined : await parts.ca.server());
  /** Whoever gets a new password is not kept waiting for guesses of the old one. */
  const resetAndUnlock: typeof users.reset = async (...args) => {
    const made = await users.reset(...args);
    logins.unlock(made.name);
    return made;
  };
  const site = openSite();
  const alerts = joinAlerts(state, now);
  const alertReader = readAlerts(state, events, now);
  const ownHost = (await parts.assets.forName(hostname(), 'collector')).id;
  const management = openManagement({ state, events, audit, clock, log, onTitles: parts.onTitles, self: ownHost });
  let ready = false;
  const app = makeConsoleServer({
    log,
    clock,
    version: parts.version,
    ...(tls ? { tls } : {}),
    hosts: isLoopback(address.host)
      ? ['localhost', '127.0.0.1', '[::1]']
      : namesOf(config).map((name) => (name.includes(':') ? `[${name}]` : name).toLowerCase()),
    identity: { session: logins.actorOf, token: apiTokens.verify, permits },
    localOwner: LOCAL_OWNER,
    site,
    onAccess: parts.onAccess,
    status: { status: health.status, conditions: health.conditions, ready: () => ready },
    figures: health.figures,
    query: { events, now },
    alerts: {
      ...alertReader,
      change: (by, id, change, ifVersion, from) =>
        changeAlert({ state, audit, clock, findUser: users.find }, by, id, change, ifVersion, from),
    },
    incidents: {
      ...readIncidents<AlertChain>(
        state,
        async (id) => {
          const view = await alerts.get(id);
          return view === null ? null : chainOf(view, events);
        },
        { schema: AlertChainSchema, json: chainJson },
        now,
      ),
      change: (by, id, change, ifVersion, from) =>
        changeIncident({ state, audit, clock, findUser: users.find }, by, id, change, ifVersion, from),
      declare: (by, wish, from) => declareIncident({ state, audit, clock }, by, wish, from),
    },
    comments: {
      alert: async (ref) => (await alertReader.get(ref)).id,
      incident: async (ref) => (await findIncident(state, ref)).value.id,
      list: (about) => commentsOn(state, about),
      add: (by, about, text, from) => comment({ state, audit, clock }, by, about, text, from),
    },
    scores: readScores(state, events, now),
    controls: management.controls,
    risks: management.risks,
    fleet: {
      parts: { registry, audit, notices: own, clock, hosts: parts.hosts },
      held: heldActs(parts),
      tokens,
      installer: parts.installer,
      assets,
      version: parts.version,
    },
    auth: { logins, users: { ...users, reset: resetAndUnlock }, tokens: apiTokens, audit, permits },
    more: [
      ...proofRoutes((id) => prove(id, parts)),
      ...replayRoutes({ replay: (by, asked, from) => replay(by, asked, from, parts) }),
      ...parts.more,
    ],
  });
  await app.ready();
  const control = await openControl(app, dir, controlSockets(app));
  try {
    await app.listen({ host: address.host, port: address.port });
  } catch (error) {
    await control.close();
    const listen = config['console.listen'];
    if (systemCode(error) !== 'EADDRINUSE')
      throw fault('LISTENER_FAILED', { address: listen, reason: systemCode(error) ?? toError(error).message }, error);
    throw fault('PORT_TAKEN', { address: listen, owner: portOwner(address.port), flag: '--listen' }, error);
  }
  await serveConsole(join(dir, 'console'), site, parts);
  ready = true;
  management
    .begin()
    .catch((error: unknown) => log.error({ event: 'management.unreadable', err: toError(error) }, 'Controls and risks cannot be read'));
  const { port } = app.server.address() as AddressInfo;
  const scheme = tls ? 'https' : 'http';
  return {
    consoleUrl: `${scheme}://${isLoopback(address.host) ? 'localhost' : urlHost(address.host)}:${port}`,
    firstAdmin,
    close: async () => {
      await control.close();
      await app.close();
    },
  };
};

/** What a person decides about blocks that are kept aside (I5). */
const heldActs = ({ registry, journal, quarantine }: DoorParts): HeldActs => ({
  show: (agent) => keptGroups(quarantine, agent),
  release: async (id, key) => {
    const agent = registry.find(id);
    if (!agent) return { blocks: 0, left: 0 };
    const { released, left } = await releaseHeld(agent, key, { journal, quarantine });
    return { blocks: released, left };
  },
  discard: async (id, key) => ({
    blocks: await quarantine.discard((entry) => entry.agent === id && entry.why === 'held' && entry.key === key),
    left: 0,
  }),
});

const isLoopback = (host: string): boolean => host === 'localhost' || host === '::1' || /^127\./.test(host);

const readTls = async (config: CollectorConfig): Promise<{ readonly cert: Buffer; readonly key: Buffer } | undefined> => {
  const [cert, key] = [config['console.tls.cert'], config['console.tls.key']];
  if (cert === null && key === null) return undefined;
  if (cert === null || key === null)
    throw fault('USAGE', { reason: 'A certificate and its key are given together: --tls-cert and --tls-key' });
  const read = (file: string): Promise<Buffer> =>
    readFile(file).catch((error: unknown) => {
      throw fault('FILE_UNREADABLE', { file, reason: systemCode(error) ?? 'it cannot be opened' }, error);
    });
  return { cert: await read(cert), key: await read(key) };
};

/** Builds the console where its sources are newer, and serves it. A console that cannot be built costs the console, not the collector. */
const serveConsole = async (outDir: string, site: ReturnType<typeof openSite>, { log, notes }: DoorParts): Promise<void> => {
  try {
    if (!consoleIsCurrent(outDir)) await buildConsole(outDir);
    await site.load(outDir);
  } catch (error) {
    log.error({ event: 'console.not-built', err: toError(error) }, 'The console cannot be served');
    notes.push({
      code: 'CONSOLE_BUILD_FAILED',
      about: 'The console',
      text: `could not be built: ${isCoded(error) ? error.details['reason'] : toError(error).message}.`,
      hint: isCoded(error) ? error.hint : 'The API and the commands work without it.',
    });
  }
};

/** The signed records behind an event, alert or incident. */
const prove = async (id: string, { state, events, registry, self, signer, dir }: DoorParts) => {
  const ids = await eventIdsOf(id, state);
  if (ids === null) throw fault('NOT_FOUND', { what: 'event, alert or incident', id });
  const found = await events.get(ids);
  if (found.length === 0) throw fault('NOT_FOUND', { what: 'event of', id });
  const knows = (agent: string, key: string): boolean =>
    agent === self ? key === signer.publicKey : isId('agt', agent) && (registry.find(agent)?.keys.some((one) => one.key === key) ?? false);
  return proveClaims(join(dir, 'journal'), found.map(claimOf), knows);
};

const eventIdsOf = async (id: string, state: StateStore): Promise<readonly string[] | null> => {
  if (isId('evt', id)) return [id];
  if (isId('alr', id)) return (await state.get('alert', id))?.value.sample ?? null;
  const machine = await findIncident(state, id);
  const people = await state.get('incidentWork', machine.id);
  const alerts = await Promise.all(viewIncident(machine.value, people?.value ?? null, 0).alerts.map((alert) => state.get('alert', alert)));
  return [...new Set(alerts.flatMap((alert) => alert?.value.sample ?? []))];
};

/** Of a joined event also its last record, and the further blocks its records lie in. */
const joinOf = (event: Event) => ({
  seqLast: event['vigil.seq_last'] ?? 0,
  further: (event['vigil.extra']?.['journal.offsets'] ?? '').split(' ').slice(1).map(Number),
});

const claimOf = (event: Event) => ({
  event: event['event.id'] ?? '',
  agent: event['vigil.agent.id'] ?? '',
  stream: event['vigil.stream'] ?? '',
  epoch: event['vigil.epoch'] ?? '',
  seq: event['vigil.seq'] ?? 0,
  ...(event['vigil.seq_last'] === undefined ? {} : joinOf(event)),
  offset: event['vigil.journal.offset'] ?? 0,
  bytes:
    event['vigil.original.encoding'] === 'escaped'
      ? unescapeOriginal(event['event.original'] ?? '')
      : Buffer.from(event['event.original'] ?? ''),
});

/** A replayed file counts when it is judged and searchable; only the owner of the data folder may name files of this host. */
const replay: (
  by: Parameters<Parameters<typeof replayRoutes>[0]['replay']>[0],
  asked: Parameters<Parameters<typeof replayRoutes>[0]['replay']>[1],
  from: string,
  parts: DoorParts,
) => ReturnType<Parameters<typeof replayRoutes>[0]['replay']> = async (by, asked, from, parts) => {
  if (by.kind !== 'local-owner') throw fault('NOT_PERMITTED', { role: by.role, permission: 'replay of a local file' });
  const { journal, clock, signer, self, assets, audit, events } = parts;
  return audit.act({ act: 'replay', on: asked.host, details: { file: asked.path, dataset: asked.dataset }, actor: by, from }, async () => {
    await assets.forName(asked.host, 'replay');
    parts.tellHosts();
    const readAt = asked.year === undefined ? {} : { readAt: unixMs(Date.UTC(asked.year, 11, 31, 23, 59, 59)) };
    const result = await makeReplayer({ journal, clock, signer, agent: self }).replay({
      path: asked.path,
      host: asked.host,
      dataset: asked.dataset,
      zone: asked.zone,
      ...readAt,
    });
    await events.count({ where: { kind: 'all' }, from: unixMs(0), to: unixMs(1) });
    const lags = [parts.storeLag(), parts.detectLag(), parts.factsLag()];
    await Promise.all(lags.map((lag) => lag.wait(journal.end, REPLAY_WAIT_MS)));
    return result;
  });
};
