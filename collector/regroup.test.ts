// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { unixMs } from '../core/units.ts';
import { correlation, eventRule, ruleSet, signal } from '../test/support/signals.ts';
import { openCommitParts, openCommitter } from './commit.ts';
import { regroupingState } from './regroup.ts';
import { openState } from './store/embedded/state.ts';

const T = 1_700_000_000_000;

const opened = () => {
  const core = openState(':memory:');
  const parts = openCommitParts(core);
  const committer = openCommitter(
    parts,
    ruleSet(eventRule('a', { alerts: true, level: 'high' }), eventRule('b', { alerts: true, level: 'low' }), correlation('c')),
  );
  const page = (n: number, signals: readonly ReturnType<typeof signal>[]) =>
    committer.commit({ collector: 'c', incarnation: 'i', from: n - 1, to: n, n, watermarks: {}, signals });
  page(1, [signal({ rule: 'a', at: T, ip: '203.0.113.1' }), signal({ rule: 'a', at: T + 5_000, ip: '203.0.113.2' })]);
  const all = () => core.list('incident', { limit: 10 }).items.map(({ value }) => value);
  const [first, second] = [...all()].sort((x, y) => x.number - y.number);
  return {
    core,
    state: regroupingState(core, parts.index),
    first: first!,
    second: second!,
    incident: (id: string) => core.get('incident', id)?.value,
  };
};

describe('an alert that a person puts into an incident', () => {
  it('is in its sum at once: entities, span, alerts', () => {
    const { core, state, first, second, incident } = opened();
    const alert = second.alerts[0]!;
    state.put('incidentWork', second.id, { state: 'new', removed: [alert] });
    state.put('incidentWork', first.id, { state: 'new', added: [alert] });
    expect(incident(first.id)?.alerts).toEqual([...first.alerts, alert]);
    expect(incident(first.id)?.entities).toContain('ip:203.0.113.2');
    expect(incident(first.id)?.last).toBe(unixMs(T + 5_000));
    expect(core.get('alert', alert)?.value.incident).toBe(first.id);
    core.close();
  });

  it('leaves what nobody moved as it was', () => {
    const { core, state, first, incident } = opened();
    const before = incident(first.id);
    state.put('incidentWork', first.id, { state: 'triaged' });
    expect(incident(first.id)).toEqual(before);
    core.close();
  });
});
