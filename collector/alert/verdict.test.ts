// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { isCoded } from '../../core/errors.ts';
import { makeId } from '../../core/ids.ts';
import { unixMs } from '../../core/units.ts';
import { handClock, listAudit, memoryState } from '../../test/support/memory-state.ts';
import { correlation, eventRule, ruleSet, signal } from '../../test/support/signals.ts';
import { openJudge } from '../cli/judge.ts';
import type { Actor } from '../model/permission.ts';
import { acknowledgeAlert, assignAlert, closeAlert, reopenAlert } from './commands.ts';
import { decideAlert, UNTOUCHED } from './verdict.ts';

const now = unixMs(1_700_000_000_000);
const user = makeId('usr');
const actor: Actor = { kind: 'user', id: user, name: 'pn', role: 'analyst' };

describe('what people say of an alert', () => {
  it('needs a verdict to close it and a reason to reopen it', () => {
    expect(decideAlert(UNTOUCHED, { to: 'closed' }, user, now)).toMatchObject({ kind: 'refused', code: 'VERDICT_NEEDED' });
    const closed = decideAlert(UNTOUCHED, { to: 'closed', verdict: 'benign' }, user, now);
    expect(closed).toEqual({ kind: 'ok', work: { state: 'closed', verdict: 'benign', acknowledgedAt: now, closedAt: now } });
    if (closed.kind !== 'ok') return;
    expect(decideAlert(closed.work, { to: 'new', reason: ' ' }, user, now)).toMatchObject({ code: 'REASON_NEEDED' });
    expect(decideAlert(closed.work, { to: 'new', reason: 'it went on' }, user, now)).toEqual({
      kind: 'ok',
      work: { state: 'new', reason: 'it went on', acknowledgedAt: now },
    });
  });

  it('gives an alert to whoever acknowledges it first', () => {
    expect(decideAlert(UNTOUCHED, { to: 'acknowledged' }, user, now)).toEqual({
      kind: 'ok',
      work: { state: 'acknowledged', assignee: user, acknowledgedAt: now },
    });
    const other = makeId('usr');
    expect(decideAlert({ state: 'new', assignee: other }, { to: 'acknowledged' }, user, now)).toMatchObject({ work: { assignee: other } });
  });

  it('has no way from closed to acknowledged', () => {
    expect(decideAlert({ state: 'closed', verdict: 'benign' }, { to: 'acknowledged' }, user, now)).toMatchObject({ code: 'MOVE_REFUSED' });
  });
});

describe('acts on alerts', () => {
  const desk = async () => {
    const judge = openJudge(ruleSet(eventRule('fail'), correlation('brute')));
    judge.judge({ signals: [0, 1, 2].map((at) => signal({ at: now + at })), watermarks: {} });
    const alert = judge.alerts()[0]!;
    judge.close();
    const state = memoryState();
    await state.put('alert', alert.id, alert);
    const audit = listAudit();
    return { state, audit, clock: handClock(now), act: { actor, id: alert.id } };
  };

  it('are audited and written against the version that was seen', async () => {
    const d = await desk();
    const seen = await acknowledgeAlert(d, { ...d.act, ifVersion: 0 });
    expect(seen).toMatchObject({ value: { state: 'acknowledged', assignee: user }, version: 1 });
    await expect(closeAlert(d, { ...d.act, ifVersion: 0 }, { verdict: 'benign' })).rejects.toSatisfy((e) => isCoded(e, 'STATE_CONFLICT'));
    await closeAlert(d, { ...d.act, ifVersion: 1 }, { verdict: 'benign', reason: 'a drill' });
    await reopenAlert(d, d.act, 'no drill after all');
    expect((await d.audit.read(10)).map(({ act, phase }) => `${act} ${phase}`)).toEqual(
      Array.from({ length: 3 }, () => ['alert.move done', 'alert.move intent']).flat(),
    );
  });

  it('are no acts where they are refused', async () => {
    const d = await desk();
    await expect(closeAlert(d, d.act, {})).rejects.toSatisfy((e) => isCoded(e, 'VERDICT_NEEDED'));
    await expect(acknowledgeAlert(d, { ...d.act, id: makeId('alr') })).rejects.toSatisfy((e) => isCoded(e, 'NOT_FOUND'));
    await expect(assignAlert(d, d.act, makeId('usr'))).rejects.toSatisfy((e) => isCoded(e, 'NOT_FOUND'));
    expect(await d.audit.read(10)).toEqual([]);
  });
});
