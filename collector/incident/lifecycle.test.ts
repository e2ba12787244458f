// SPDX-License-Identifier: Apache-2.0
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isCoded } from '../../core/errors.ts';
import { makeId } from '../../core/ids.ts';
import { handClock, listAudit, memoryState } from '../../test/support/memory-state.ts';
import { eventRule, ruleSet, signal } from '../../test/support/signals.ts';
import { openJudge } from '../cli/judge.ts';
import { VERDICTS } from '../model/alert.ts';
import { INCIDENT_STATES, type IncidentWork } from '../model/incident.ts';
import type { Actor } from '../model/permission.ts';
import { addAlert, alertsOf, findIncident, mergeIncident, moveIncident, ownIncident, removeAlert } from './commands.ts';
import { decideIncident, UNTOUCHED } from './lifecycle.ts';

describe('the states of an incident', () => {
  it('follow one another freely, one step at a time', () => {
    let work: IncidentWork = UNTOUCHED;
    for (const to of ['triaged', 'contained', 'eradicated', 'recovered'] as const) {
      const decided = decideIncident(work, { to });
      expect(decided.kind).toBe('ok');
      if (decided.kind === 'ok') work = decided.work;
    }
    expect(decideIncident(work, { to: 'closed' })).toMatchObject({ code: 'VERDICT_NEEDED' });
    expect(decideIncident(work, { to: 'closed', verdict: 'true-positive' })).toEqual({
      kind: 'ok',
      work: { state: 'closed', verdict: 'true-positive' },
    });
  });

  it('need a reason to skip a step, to go back, to dismiss and to reopen', () => {
    expect(decideIncident({ state: 'new' }, { to: 'contained' })).toMatchObject({ code: 'REASON_NEEDED' });
    expect(decideIncident({ state: 'contained' }, { to: 'triaged' })).toMatchObject({ code: 'REASON_NEEDED' });
    expect(decideIncident({ state: 'new' }, { to: 'dismissed', verdict: 'benign' })).toMatchObject({ code: 'REASON_NEEDED' });
    expect(decideIncident({ state: 'closed', verdict: 'benign' }, { to: 'triaged' })).toMatchObject({ code: 'REASON_NEEDED' });
    expect(decideIncident({ state: 'closed', verdict: 'benign', reason: 'x' }, { to: 'triaged', reason: 'again' })).toEqual({
      kind: 'ok',
      work: { state: 'triaged', reason: 'again' },
    });
  });

  it('never lead out of merged, nor into it, and an ended incident always has its verdict', () => {
    const work = fc.record({ state: fc.constantFrom(...INCIDENT_STATES) });
    const wish = fc.record(
      { to: fc.constantFrom(...INCIDENT_STATES), verdict: fc.constantFrom(...VERDICTS), reason: fc.constantFrom('', 'so') },
      { requiredKeys: ['to'] },
    );
    fc.assert(
      fc.property(work, wish, (before, wanted) => {
        const decided = decideIncident(before, wanted);
        if (decided.kind === 'refused') return;
        expect(before.state).not.toBe('merged');
        expect(decided.work.state).not.toBe('merged');
        expect(decided.work.verdict !== undefined).toBe(['closed', 'dismissed'].includes(decided.work.state));
      }),
    );
  });
});

describe('acts on incidents', () => {
  const actor: Actor = { kind: 'user', id: makeId('usr'), name: 'tl', role: 'analyst' };
  const desk = async () => {
    const judge = openJudge(ruleSet(eventRule('a', { alerts: true, level: 'high' })));
    judge.judge({ signals: ['203.0.113.1', '203.0.113.2'].map((ip, i) => signal({ rule: 'a', at: 1000 + i, ip })), watermarks: {} });
    const state = memoryState();
    for (const alert of judge.alerts()) await state.put('alert', alert.id, alert);
    for (const incident of judge.incidents()) await state.put('incident', incident.id, incident);
    const [first, second] = judge.incidents();
    judge.close();
    return { state, audit: listAudit(), clock: handClock(5_000), first: first!, second: second! };
  };

  it('take the number people see as well as the id', async () => {
    const d = await desk();
    expect((await findIncident(d.state, 'inc-2')).id).toBe(d.second.id);
    expect((await findIncident(d.state, d.first.id)).value.number).toBe(1);
    await expect(findIncident(d.state, 'INC-77')).rejects.toSatisfy((e) => isCoded(e, 'NOT_FOUND'));
  });

  it('are written against the version that was seen, and audited', async () => {
    const d = await desk();
    const moved = await moveIncident(d, { actor, incident: 'INC-1', ifVersion: 0 }, { to: 'triaged' });
    expect(moved.value.moves).toEqual([{ to: 'triaged', at: 5_000, by: actor.id }]);
    await expect(moveIncident(d, { actor, incident: 'INC-1', ifVersion: 0 }, { to: 'contained' })).rejects.toSatisfy((e) =>
      isCoded(e, 'STATE_CONFLICT'),
    );
    await expect(ownIncident(d, { actor, incident: 'INC-1' }, makeId('usr'))).rejects.toSatisfy((e) => isCoded(e, 'NOT_FOUND'));
    expect((await d.audit.read(10)).map(({ act, phase }) => [act, phase])).toEqual([
      ['incident.move', 'done'],
      ['incident.move', 'intent'],
    ]);
  });

  it('merge two incidents into one that holds the alerts of both', async () => {
    const d = await desk();
    const merged = await mergeIncident(d, { actor, incident: 'INC-2' }, 'INC-1');
    expect(merged.value).toEqual({
      state: 'merged',
      mergedInto: d.first.id,
      moves: [{ to: 'merged', at: 5_000, by: actor.id }],
    });
    const work = (await d.state.get('incidentWork', d.first.id))?.value ?? null;
    expect(alertsOf(d.first, work)).toEqual([...d.first.alerts, ...d.second.alerts]);
    await expect(mergeIncident(d, { actor, incident: 'INC-1' }, 'INC-2')).rejects.toSatisfy((e) => isCoded(e, 'MOVE_REFUSED'));
    await expect(moveIncident(d, { actor, incident: 'INC-2' }, { to: 'triaged' })).rejects.toSatisfy((e) => isCoded(e, 'MOVE_REFUSED'));
  });

  it('move an alert from one incident to another, and take it out', async () => {
    const d = await desk();
    const alert = d.second.alerts[0]!;
    await addAlert(d, { actor, incident: 'INC-1' }, alert);
    expect((await d.state.get('incidentWork', d.second.id))?.value.removed).toEqual([alert]);
    expect((await d.state.get('incidentWork', d.first.id))?.value.added).toEqual([alert]);
    await removeAlert(d, { actor, incident: 'INC-1' }, alert);
    const work = (await d.state.get('incidentWork', d.first.id))?.value ?? null;
    expect(alertsOf(d.first, work)).toEqual(d.first.alerts);
  });
});
