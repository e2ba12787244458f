// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { makeId } from '../../../core/ids.ts';
import { hours, unixMs } from '../../../core/units.ts';
import { correlation, eventRule, ruleSet, signal } from '../../../test/support/signals.ts';
import { openJudge } from '../../cli/judge.ts';
import type { Alert } from '../../model/alert.ts';
import { openAlerts } from './alerts.ts';
import { openState } from './state.ts';

const T = 1_700_000_000_000;

const alertsOf = (...starts: readonly number[]): readonly Alert[] => {
  const judge = openJudge(ruleSet(eventRule('fail'), correlation('brute', { level: 'high' })));
  for (const from of starts) judge.judge({ signals: [0, 1, 2].map((at) => signal({ at: T + from + at })), watermarks: {} });
  const alerts = judge.alerts();
  judge.close();
  return alerts;
};

const open = (alerts: readonly Alert[]) => {
  const core = openState(':memory:');
  const index = openAlerts(core.db, (collection, id) => core.get(collection, id)?.value ?? null);
  const write = (alert: Alert): void => {
    core.put('alert', alert.id, alert);
    index.note('alert', alert.id, alert);
  };
  for (const alert of alerts) write(alert);
  return { core, index, write };
};

describe('the index of alerts', () => {
  it('finds the live alerts of a pair that touch a span, lowest number first, and leaves merged ones out', () => {
    const [a, b] = alertsOf(0, hours(5)) as [Alert, Alert];
    const { index, write } = open([b, a]);
    const pair = { rule: 'brute', entity: a.entity, replay: false };
    expect(index.touching(pair, unixMs(T), unixMs(T + hours(6)))).toEqual([a, b]);
    expect(index.touching(pair, unixMs(T + 2), unixMs(T + 2))).toEqual([a]);
    expect(index.touching(pair, unixMs(T + 3), unixMs(T + 4))).toEqual([]);
    expect(index.touching({ ...pair, replay: true }, unixMs(T), unixMs(T + hours(6)))).toEqual([]);
    write({ ...b, status: 'merged', mergedInto: a.id });
    expect(index.touching(pair, unixMs(T), unixMs(T + hours(6)))).toEqual([a]);
    expect(index.lastNumber(pair)).toBe(2);
  });

  it('follows an alert whose span and entities change', () => {
    const [a] = alertsOf(0) as [Alert];
    const { index, write } = open([a]);
    const ask = (from: number, to: number) =>
      index
        .linked({
          entities: [a.entity],
          aboutAddress: false,
          replay: false,
          opens: true,
          from: unixMs(T + from),
          to: unixMs(T + to),
          onHost: { from: unixMs(T + from), to: unixMs(T + to) },
          limit: 10,
        })
        .map(({ id }) => id);
    expect(ask(hours(1), hours(2))).toEqual([]);
    write({ ...a, last: unixMs(T + hours(1)) });
    expect(ask(hours(1), hours(2))).toEqual([a.id]);
    write({ ...a, entities: [] });
    expect(ask(0, hours(2))).toEqual([]);
  });

  it('knows what people put in and took out, from the state that their commands write', () => {
    const [a, b] = alertsOf(0, hours(5)) as [Alert, Alert];
    const { core, index } = open([a, b]);
    const incident = makeId('inc');
    core.put('incidentWork', incident, { state: 'new', added: [a.id], removed: [b.id] });
    expect(index.pins(a.id)).toEqual({ added: incident, removed: false });
    expect(index.pins(b.id)).toEqual({ added: null, removed: true });
    core.put('incidentWork', incident, { state: 'triaged', added: [b.id] });
    expect(index.pins(a.id)).toEqual({ added: null, removed: false });
    expect(index.pins(b.id)).toEqual({ added: incident, removed: false });
  });

  it('vanishes with a transaction that fails', () => {
    const [a] = alertsOf(0) as [Alert];
    const { core, index, write } = open([]);
    expect(() =>
      core.transaction(() => {
        write(a);
        throw new Error('a full disk');
      }),
    ).toThrow('a full disk');
    expect(index.lastNumber({ rule: 'brute', entity: a.entity, replay: false })).toBe(0);
    expect(index.links([a.id])).toEqual([]);
  });
});
