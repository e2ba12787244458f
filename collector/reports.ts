// SPDX-License-Identifier: Apache-2.0
/**
 * The weekly report in a running collector: its key, its folder, what it is gathered from, its routes and its hour.
 * Input: the open parts of the collector. Output: routes, the job of the schedule.
 */
import { hostname } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Clock } from '../core/clock.ts';
import type { AssetId } from '../core/ids.ts';
import type { Log } from '../core/log.ts';
import { type UnixMs, unixMs } from '../core/units.ts';
import type { AuditLog } from './auth/audit/log.ts';
import { readChecks } from './checks.ts';
import type { CollectorConfig } from './config.ts';
import type { RuleCoverage } from './detect/figures.ts';
import { fault } from './errors.ts';
import type { Assets } from './fleet/asset.ts';
import { sourceFigures } from './fleet/figures.ts';
import type { Hosts } from './fleet/hosts.ts';
import { openSigner } from './fleet/keys.ts';
import type { Registry } from './fleet/registry.ts';
import type { Route } from './http/route.ts';
import { readFramework } from './isms/ground.ts';
import type { ScoreInputs } from './model/score.ts';
import { openArchive } from './report/archive.ts';
import { fingerprintOf } from './report/bundle.ts';
import { openDesk, type ReportDesk } from './report/desk.ts';
import { readFonts } from './report/fonts.ts';
import { makeInThread } from './report/make.ts';
import { reportRoutes } from './report/routes.ts';
import { targetsOf } from './report/targets.ts';
import { isZone } from './report/week.ts';
import type { RulesView } from './river.ts';
import { allScores, inputsAt } from './score/snapshot.ts';
import type { EventStore, StateStore } from './store/store.ts';

export interface ReportParts {
  readonly dir: string;
  readonly config: CollectorConfig;
  readonly clock: Clock;
  readonly log: Log;
  readonly state: StateStore;
  readonly events: EventStore;
  readonly audit: AuditLog;
  readonly registry: Registry;
  readonly assets: Assets;
  readonly hosts: Pick<Hosts, 'standings' | 'unmanaged'>;
  /** The host the collector runs on. */
  readonly self: AssetId;
  readonly rules: () => RulesView;
  readonly coverage: (heard: readonly string[]) => Promise<readonly RuleCoverage[] | null>;
}

export interface Reports {
  readonly routes: readonly Route[];
  readonly due: ReportDesk['due'];
}

/** Folder of reports in the data folder. */
const FOLDER = 'reports';
const RULES = join(fileURLToPath(new URL('../', import.meta.url)), 'rules');
const UNREADABLE = /^(?:FILE|FOLDER)_(?:DENIED|FAILED|UNTRUSTED_LINK)$/;

/** @throws CodedError CONFIG_BAD_VALUE is the table's; USAGE for a zone that the platform does not know; KEY_FILE_BAD. */
export const openReports = async (parts: ReportParts): Promise<Reports> => {
  const { dir, config, clock, log, state, events, audit, registry } = parts;
  const zone = config['report.zone'];
  if (!isZone(zone)) throw fault('USAGE', { reason: `report.zone is "${zone}", which is no time zone such as Europe/Berlin` });
  const signer = await openSigner(join(dir, 'keys', 'report.pem'));
  const since = await sayKey(parts, fingerprintOf(signer.publicKey));
  const fleet = () => registry.all().map((agent) => ({ agent, presence: registry.presenceOf(agent.id) ?? null }));
  const desk = openDesk({
    gather: {
      state,
      events,
      now: () => clock.now(),
      organisation: config['report.organisation'] ?? hostname(),
      targets: targetsOf(config),
      hosts: parts.hosts.standings,
      unmanaged: parts.hosts.unmanaged,
      nameOf: (host) => parts.assets.find(host)?.name,
      sources: () =>
        sourceFigures(fleet()).map(({ host, stream, dataset, behindBytes, counts }) => ({ host, stream, dataset, behindBytes, counts })),
      unreadable: () =>
        fleet().flatMap(({ agent, presence }) =>
          (presence?.heartbeat?.conditions ?? [])
            .filter(({ code }) => UNREADABLE.test(code))
            .map(({ code, about }) => ({ host: agent.host, code, about })),
        ),
      rules: () => {
        const { loaded, refused } = parts.rules();
        return { loaded, refused: refused.map(({ file, line, message }) => ({ file, line, message })) };
      },
      scores: (at) => scoresAt(state, at),
      framework: async () => readFramework(RULES, await readChecks(RULES)),
      self: parts.self,
      coverage: async (heard) =>
        (await parts.coverage(heard))?.map(({ rule, title, level, state: can, missing, techniques }) => ({
          ...{ rule, title, level, missing, techniques },
          state: can,
        })) ?? null,
    },
    state,
    archive: await openArchive(join(dir, FOLDER), state),
    audit,
    signer,
    fonts: await readFonts(),
    make: makeInThread,
    zone,
    since,
    now: () => clock.now(),
    log,
  });
  return { routes: reportRoutes(desk), due: desk.due };
};

/** The key's fingerprint enters the audit trail before the first report is signed with it, and again if it ever is another. Answers since when reports are made. */
const sayKey = async ({ state, audit, clock }: ReportParts, fingerprint: string): Promise<UnixMs> => {
  const said = (await state.get('setting', 'report'))?.value;
  const since = unixMs(typeof said?.['since'] === 'number' ? said['since'] : clock.now());
  if (said?.['key'] === fingerprint) return since;
  const actor = { kind: 'local-owner', id: 'collector', name: 'the collector', role: 'admin' } as const;
  await audit.act({ act: 'report.key', on: fingerprint, details: { key: fingerprint }, actor }, () =>
    state.put('setting', 'report', { key: fingerprint, since }),
  );
  return since;
};

/** Of every entity what stood then; an address that is long forgotten has none. */
const scoresAt = async (state: StateStore, at: UnixMs): Promise<readonly ScoreInputs[]> => {
  const all: ScoreInputs[] = [];
  for await (const now of allScores(state)) {
    const then = now.at <= at ? now : await inputsAt(state, now.entity, at);
    if (then !== null) all.push(then);
  }
  return all;
};
