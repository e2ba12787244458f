// SPDX-License-Identifier: Apache-2.0
/**
 * Rules and signals for tests of what comes after detection.
 * Input: the few things a test cares about. Output: complete shapes.
 */

import { makeEntity } from '../../collector/model/entity.ts';
import type { CorrelationRule, EventRule, Rule, RuleSet } from '../../collector/model/rule.ts';
import { type Signal, signalId } from '../../collector/model/signal.ts';
import { hashId } from '../../core/ids.ts';
import { ms, type UnixMs, unixMs } from '../../core/units.ts';

const base = (id: string) => ({
  id,
  title: id.replaceAll('-', ' '),
  level: 'medium' as const,
  tags: [],
  falsepositives: [],
  references: [],
  origin: { file: `${id}.yml`, line: 1, pack: 'vigil' },
});

export const eventRule = (id: string, more: Partial<EventRule> = {}): EventRule => ({
  ...base(id),
  kind: 'event',
  alerts: false,
  logsource: { product: 'linux', service: 'sshd' },
  ...more,
});

/** event_count of `fail`, at least 3 within 60 s, by source address, unless said otherwise. */
export const correlation = (id: string, more: Partial<CorrelationRule> = {}): CorrelationRule => ({
  ...base(id),
  kind: 'correlation',
  alerts: true,
  type: 'event_count',
  rules: ['fail'],
  groupBy: ['source.ip'],
  timespanMs: ms(60_000),
  condition: [{ op: 'gte', value: 3 }],
  aliases: {},
  generate: false,
  incident: false,
  ...more,
});

export const ruleSet = (...rules: readonly Rule[]): RuleSet => ({
  rules: new Map(rules.map((rule) => [rule.id, rule])),
  correlations: rules.filter((rule) => rule.kind === 'correlation'),
  version: 'test',
});

export interface SignalSketch {
  readonly rule?: string;
  /** Milliseconds of event time. */
  readonly at: number;
  /** Tells two events of the same rule, time and address apart. */
  readonly key?: string | number;
  readonly ip?: string;
  readonly user?: string;
  readonly host?: string;
  readonly fields?: Readonly<Record<string, string>>;
  readonly ingested?: number;
  readonly stream?: string;
  readonly backlog?: true;
  readonly replay?: true;
  readonly level?: Signal['level'];
}

export const signal = (sketch: SignalSketch): Signal => {
  const {
    rule = 'fail',
    at,
    key = '',
    ip = '203.0.113.77',
    user = 'root',
    host = 'ast_bastion',
    ingested = at + 100,
    stream = 'auth',
  } = sketch;
  const event = hashId('evt', at, key, ip, user, host, sketch.replay ? 'replay' : '');
  return {
    id: signalId(rule, event),
    rule,
    event,
    time: unixMs(at),
    ingested: unixMs(ingested),
    ...(sketch.backlog ? { backlog: true } : {}),
    ...(sketch.replay ? { replay: true } : {}),
    level: sketch.level ?? 'low',
    entities: [makeEntity('host', host), makeEntity('ip', ip), makeEntity('user', `${user}@${host}`)],
    fields: { 'source.ip': ip, 'user.name': user, 'host.name': host, ...sketch.fields },
    why: ['event.outcome = failure'],
    stream,
  };
};

/** Signals cut into pages of these sizes; the watermark follows the newest signal of each page's streams. */
export const pagesOf = (signals: readonly Signal[], size: number) => {
  const out: { signals: readonly Signal[]; watermarks: Readonly<Record<string, UnixMs>> }[] = [];
  for (let i = 0; i < signals.length; i += size) {
    const part = signals.slice(i, i + size);
    const watermarks: Record<string, UnixMs> = {};
    for (const { stream, time } of part) watermarks[stream] = Math.max(watermarks[stream] ?? 0, time) as UnixMs;
    out.push({ signals: part, watermarks });
  }
  return out;
};
