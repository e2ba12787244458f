// SPDX-License-Identifier: Apache-2.0
/**
 * What scoring asks, over the documents and the index of alerts in the same database and transaction.
 * Input: an entity. Output: its alerts with what people said, its checks' answers, what is known of it.
 */
import { isIP } from 'node:net';
import type { AssetId, IncidentId } from '../../../core/ids.ts';
import type { AlertWork } from '../../model/alert.ts';
import type { AlertLink } from '../../model/alerts.ts';
import { type Entity, parseEntity } from '../../model/entity.ts';
import { hostFactId } from '../../model/fact.ts';
import type { IncidentWork } from '../../model/incident.ts';
import type { Observation } from '../../model/observation.ts';
import type { ScoreReader, Standing, ThreatAlert } from '../../model/scores.ts';
import type { StateCore } from './state.ts';

/** Of each kind of alert: repeats of a rule count no more after 32. */
const MOST = 200;

const INDEXES = `
CREATE INDEX IF NOT EXISTS score_observation ON doc_observation (
  substr(json_extract(value, '$.subject'), -24), json_extract(value, '$.check'), json_extract(value, '$.subject'), json_extract(value, '$.first'));
CREATE INDEX IF NOT EXISTS score_snapshot_at ON doc_scoreSnapshot (json_extract(value, '$.at'));
`;

/** Opens the reader. MUST come after the index of alerts was opened, whose tables it reads. */
export const openScoreReader = (core: StateCore): ScoreReader => {
  const { db } = core;
  db.exec(INDEXES);
  const alerts = db.prepare(
    `SELECT i.link AS link, w.value AS work FROM
       (SELECT alert FROM alert_entity WHERE entity = ? AND replay = ? AND opens = ? ORDER BY last DESC LIMIT ${MOST}) AS e
       JOIN alert_index AS i ON i.id = e.alert LEFT JOIN doc_alertWork AS w ON w.id = e.alert`,
  );
  const entities = db.prepare('SELECT entity FROM alert_entity WHERE alert = ?');
  const pins = db.prepare('SELECT incident, kind FROM incident_pin WHERE alert = ?');
  // The newest answer of each check about the host and its parts, that a part is gone included; `max` makes SQLite take the other columns from its row.
  const answers = db.prepare(
    `SELECT value, max(json_extract(value, '$.first')) AS first FROM doc_observation
     WHERE substr(json_extract(value, '$.subject'), -24) = ? AND (json_extract(value, '$.result') IN ('pass', 'fail', 'not-applicable') OR (json_extract(value, '$.result') = 'unknown'
       AND json_extract(value, '$.expires') <= json_extract(value, '$.last') AND json_extract(value, '$.subject') NOT LIKE 'host:%'))
     GROUP BY json_extract(value, '$.check'), json_extract(value, '$.subject')`,
  );
  const factsOf = db.prepare('SELECT value FROM doc_hostFact WHERE id >= ? AND id < ?');

  const anyPin = db.prepare('SELECT 1 FROM incident_pin LIMIT 1');
  const incidentOf = (link: AlertLink, pinned: boolean): IncidentId | undefined => {
    if (!pinned) return link.incident;
    const said = pins.all(link.id) as { incident: string; kind: string }[];
    const added = said.find(({ kind }) => kind === 'added');
    if (added) return added.incident as IncidentId;
    return said.some(({ incident, kind }) => kind === 'removed' && incident === link.incident) ? undefined : link.incident;
  };
  const facts = (host: string, kind: 'listener' | 'interface'): readonly Readonly<Record<string, unknown>>[] =>
    (factsOf.all(`${host}/${kind}/`, `${host}/${kind}0`) as { value: string }[])
      .map(({ value }) => JSON.parse(value) as { fields: Record<string, unknown>; removed?: number })
      .filter(({ removed }) => removed === undefined)
      .map(({ fields }) => fields);

  const hostStanding = (host: string): Standing => {
    const criticality = core.get('asset', host)?.value.criticality;
    const open = facts(host, 'listener').some(({ address }) => isOpen(String(address)));
    const internet =
      open && facts(host, 'interface').some(({ addresses }) => Array.isArray(addresses) && addresses.some((one) => isPublic(String(one))));
    return { privileged: false, internet, ...(criticality === undefined ? {} : { criticality }) };
  };
  const userStanding = (user: string): Standing => {
    const at = user.lastIndexOf('@');
    const [name, host] = [user.slice(0, at), user.slice(at + 1)];
    const account = core.get('hostFact', hostFactId(host as AssetId, 'user', name))?.value;
    const privileged = name === 'root' || account?.fields['uid'] === 0 || account?.fields['admin'] === true;
    if (account !== undefined) return { privileged, internet: false };
    const table = core.get('factTable', hostFactId(host as AssetId, 'user', ''))?.value;
    return { privileged, internet: false, ...(table !== undefined && !table.doubtful ? { absent: true as const } : {}) };
  };

  return {
    alerts: (entity) => {
      const works = new Map<IncidentId, IncidentWork | null>();
      const workOf = (id: IncidentId): IncidentWork | null => {
        if (!works.has(id)) works.set(id, core.get('incidentWork', id)?.value ?? null);
        return works.get(id) ?? null;
      };
      const pinned = anyPin.get() !== undefined;
      const found: ThreatAlert[] = [];
      for (const [replay, opens] of [
        [0, 1],
        [0, 0],
        [1, 1],
        [1, 0],
      ] as const)
        for (const row of alerts.all(entity, replay, opens) as { link: string; work: string | null }[]) {
          const link = JSON.parse(row.link) as AlertLink;
          const said = row.work === null ? null : (JSON.parse(row.work) as AlertWork);
          const incident = incidentOf(link, pinned);
          found.push({
            id: link.id,
            rule: link.rule,
            title: link.title,
            level: link.level,
            last: link.last,
            replay: link.replay,
            ...(said?.verdict === undefined ? {} : { verdict: said.verdict }),
            ...(incident === undefined ? {} : { incident: { id: incident, work: workOf(incident) } }),
          });
        }
      return found;
    },
    entitiesOf: (alert) => (entities.all(alert) as { entity: Entity }[]).map(({ entity }) => entity),
    answers: (entity) => {
      const parsed = parseEntity(entity);
      if (parsed?.kind !== 'host') return [];
      return (answers.all(parsed.id) as { value: string }[]).map(({ value }) => JSON.parse(value) as Observation);
    },
    standing: (entity) => {
      const parsed = parseEntity(entity);
      if (parsed?.kind === 'host') return hostStanding(parsed.id);
      if (parsed?.kind === 'user') return userStanding(parsed.id);
      return { privileged: false, internet: false };
    },
  };
};

/** Whether a listener hears others than its own host. */
const isOpen = (address: string): boolean => !/^(127\.|::1$|\[::1\]|::ffff:127\.|fe80:)/i.test(address);

const PRIVATE =
  /^(0\.|10\.|127\.|169\.254\.|192\.168\.|172\.(1[6-9]|2\d|3[01])\.|100\.(6[4-9]|[7-9]\d|1[01]\d|12[0-7])\.|22[4-9]\.|2[3-5]\d\.)/;
const isPublic = (address: string): boolean => {
  const bare = address.replace(/[/%].*$/, '');
  const version = isIP(bare);
  return version === 4 ? !PRIVATE.test(bare) : version === 6 && /^[23]/.test(bare);
};
