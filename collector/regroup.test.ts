// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { unixMs } from '../core/units.ts';
import { handClock } from '../test/support/hand-clock.ts';
import { correlation, eventRule, ruleSet, signal } from '../test/support/signals.ts';
import { comment, commentsOn } from './comment/commands.ts';
import { openCommitParts, openCommitter } from './commit.ts';
import { declareIncident } from './incident/declare.ts';
import type { AuditTrail } from './model/audit.ts';
import { regroupingState } from './regroup.ts';
import { openState, stateStore } from './store/embedded/state.ts';

const T = 1_700_000_000_000;

const silentTrail: AuditTrail = { act: (_entry, run) => run(), refused: async () => {}, read: async () => [] };

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

describe('an incident that a person declares', () => {
  it('is said by the machine from then on: number, sum, alerts; later alerts of the same kind leave it whole', async () => {
    const { core, state, first, second, incident } = opened();
    const store = stateStore(state);
    const desk = { state: store, audit: silentTrail, clock: handClock(T + 60_000) };
    const actor = { kind: 'user', id: 'usr_0123456789abcdefghij', name: 'tomas', role: 'analyst' } as const;
    const alerts = [second.alerts[0]!, first.alerts[0]!];
    const made = await declareIncident(desk, actor, { title: 'Two doors, one hand', reason: 'same tool', alerts }, '127.0.0.1');
    expect(made).toMatchObject({ title: 'Two doors, one hand', number: 3, state: 'triaged', owner: actor.id, opener: alerts[0] });
    expect([...made.alerts].sort()).toEqual([...alerts].sort());
    expect(incident(made.id)?.entities).toEqual(expect.arrayContaining(['ip:203.0.113.1', 'ip:203.0.113.2']));
    for (const alert of alerts) expect(core.get('alert', alert)?.value.incident).toBe(made.id);
    expect(made.moves).toEqual([{ to: 'triaged', at: T + 60_000, by: actor.id }]);
    core.close();
  });

  it('needs a title, a reason, and alerts that are there', async () => {
    const { core, state, first } = opened();
    const desk = { state: stateStore(state), audit: silentTrail, clock: handClock(T) };
    const actor = { kind: 'user', id: 'usr_0123456789abcdefghij', name: 'tomas', role: 'analyst' } as const;
    const [alert] = first.alerts;
    const wishes = [
      [{ title: ' ', reason: 'x', alerts: [alert!] }, 'USAGE'],
      [{ title: 'x', reason: ' ', alerts: [alert!] }, 'REASON_NEEDED'],
      [{ title: 'x', reason: 'x', alerts: [alert!, 'alr_none'] }, 'NOT_FOUND'],
    ] as const;
    for (const [wish, code] of wishes) await expect(declareIncident(desk, actor, wish, '')).rejects.toMatchObject({ code });
    expect(core.get('alert', alert!)?.value.incident, 'and nothing was moved').toBe(first.id);
    core.close();
  });
});

describe('comments', () => {
  it('of two people at once both stand, oldest first, each audited', async () => {
    const { core, state, first } = opened();
    const clock = handClock(T);
    const acts: string[] = [];
    const audit = {
      ...silentTrail,
      act: async <R>({ act, on }: { act: string; on: string }, run: () => Promise<R>) => {
        acts.push(`${act} ${on}`);
        return run();
      },
    } as AuditTrail;
    const desk = { state: stateStore(state), audit, clock };
    const who = (name: string) => ({ kind: 'user', id: `usr_${name.padEnd(16, '0')}`, name, role: 'analyst' }) as const;
    await Promise.all([comment(desk, who('tomas'), first.id, ' looks real '), comment(desk, who('mara'), first.id, 'called them')]);
    clock.advance(1_000);
    await comment(desk, who('mara'), first.id, 'they confirm');
    await comment(desk, who('mara'), first.alerts[0]!, 'of the alert');
    const found = await commentsOn(desk.state, first.id);
    expect(found.map(({ byName, text }) => `${byName}: ${text}`).slice(-1)).toEqual(['mara: they confirm']);
    expect(found.map(({ text }) => text).sort()).toEqual(['called them', 'looks real', 'they confirm']);
    expect(acts).toHaveLength(4);
    await expect(comment(desk, who('mara'), first.id, '  ')).rejects.toMatchObject({ code: 'USAGE' });
    core.close();
  });
});
