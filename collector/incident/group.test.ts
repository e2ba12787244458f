// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { hours, minutes, ms } from '../../core/units.ts';
import { correlation, eventRule, ruleSet, type SignalSketch, signal } from '../../test/support/signals.ts';
import { openJudge } from '../cli/judge.ts';
import type { IncidentWork } from '../model/incident.ts';

const T = 1_700_000_000_000;
const rule = (id: string, level: 'low' | 'medium' | 'high' | 'critical', service = 'sshd') =>
  eventRule(id, { alerts: true, level, logsource: { service }, rearmMs: ms(minutes(10)) });
const rules = ruleSet(
  rule('brute force', 'medium'),
  rule('success after failures', 'critical'),
  rule('web shell', 'high'),
  rule('root shell', 'high', 'process'),
  rule('new account', 'low', 'process'),
  eventRule('fail'),
  correlation('marked', { level: 'low', incident: true }),
);

const open = () => {
  const judge = openJudge(rules);
  const see = (...sketches: readonly SignalSketch[]) =>
    judge.judge({ signals: sketches.map((s) => signal({ ...s, at: T + s.at })), watermarks: {} });
  const shown = () => judge.incidents().map(({ number, alerts }) => [number, alerts.map((id) => judge.alert(id)?.rule)]);
  const say = (number: number, work: IncidentWork) => judge.say(judge.incidents().find((one) => one.number === number)!.id, work);
  return { judge, see, shown, say };
};

describe('incidents', () => {
  it('are opened by a high alert and joined by lower ones that share an address, with the reason as a sentence', () => {
    const { judge, see } = open();
    expect(see({ rule: 'brute force', at: 0 }).incidents.opened).toEqual([]);
    const { opened } = see({ rule: 'success after failures', at: minutes(4) }).incidents;
    expect(opened).toHaveLength(1);
    expect(judge.incidents()[0]).toMatchObject({
      number: 1,
      severity: 'critical',
      title: 'success after failures: 203.0.113.77, and 1 more rule',
      why: ['same address, account and host, 2 rules in 4 min: brute force, success after failures'],
      first: T,
      last: T + minutes(4),
    });
    expect(judge.alerts().map(({ incident }) => incident)).toEqual([opened[0]?.id, opened[0]?.id]);
  });

  it('are opened by a correlation marked so, whatever its level', () => {
    const { see, shown } = open();
    see({ rule: 'fail', at: 0 }, { rule: 'fail', at: 1 }, { rule: 'fail', at: 2 });
    expect(shown()).toEqual([[1, ['marked']]]);
  });

  it('hold what happened on a host within eight hours, and not what happened later', () => {
    const { see, shown } = open();
    see({ rule: 'web shell', at: 0 });
    see({ rule: 'root shell', at: hours(7), ip: '10.0.0.1', user: 'www' });
    see({ rule: 'root shell', at: hours(30), ip: '10.0.0.2', user: 'ann' });
    expect(shown()).toEqual([
      [1, ['web shell', 'root shell']],
      [2, ['root shell']],
    ]);
  });

  it('do not join two addresses only because both came at the same host', () => {
    const { see, shown } = open();
    see({ rule: 'web shell', at: 0, ip: '203.0.113.1' }, { rule: 'web shell', at: 1, ip: '203.0.113.2' });
    expect(shown()).toEqual([
      [1, ['web shell']],
      [2, ['web shell']],
    ]);
  });

  it('leave out the usual noise of a host that began long before', () => {
    const { see, shown } = open();
    for (let h = 0; h < 12 * 6; h++) see({ rule: 'new account', at: minutes(10) * h, ip: '10.0.0.9' });
    see({ rule: 'root shell', at: hours(11), ip: '10.0.0.1' });
    expect(shown()).toEqual([[1, ['root shell']]]);
  });

  it('leave out what a rule says of a host again and again, also when each time is an alert of its own', () => {
    const { see, shown } = open();
    for (let h = 0; h < 7; h++) see({ rule: 'new account', at: hours(h + 3), ip: '10.0.0.9' });
    see({ rule: 'root shell', at: hours(10), ip: '10.0.0.1' });
    expect(shown()).toEqual([[1, ['root shell']]]);
    const rare = open();
    for (let h = 0; h < 4; h++) rare.see({ rule: 'new account', at: hours(h + 3), ip: '10.0.0.9' });
    rare.see({ rule: 'root shell', at: hours(10), ip: '10.0.0.1' });
    expect(rare.shown()).toEqual([[1, ['new account', 'new account', 'new account', 'new account', 'root shell']]]);
  });

  it('become one, with the lower number, when a late alert shows that they are', () => {
    const { judge, see, shown } = open();
    see({ rule: 'web shell', at: 0, ip: '203.0.113.1' });
    see({ rule: 'root shell', at: hours(9), ip: '203.0.113.2', host: 'ast_b' });
    expect(shown()).toHaveLength(2);
    const { merged } = see({ rule: 'root shell', at: hours(5), ip: '203.0.113.2' }).incidents;
    expect(shown()).toEqual([[1, ['web shell', 'root shell', 'root shell']]]);
    expect(merged.map(({ number, mergedInto }) => [number, mergedInto])).toEqual([[2, judge.incidents()[0]?.id]]);
  });

  it('hold a thousand alerts, count the rest of their story, and lead it there without looking it through again', () => {
    const { judge, see } = open();
    const step = minutes(11);
    const storm = Array.from({ length: 1_500 }, (_, i) => ({ rule: 'root shell', at: i * step }));
    const began = performance.now();
    see(...storm);
    expect(judge.incidents()).toHaveLength(1);
    const [incident] = judge.incidents();
    expect(incident).toMatchObject({ overflow: 500, first: T });
    expect(incident?.alerts).toHaveLength(1_000);
    expect(new Set(judge.alerts().map((alert) => alert.incident))).toEqual(new Set([incident?.id]));
    const late = { rule: 'root shell', at: 1_500 * step };
    expect(see(late).incidents.changed).toMatchObject([{ id: incident?.id, overflow: 501, last: T + 1_500 * step }]);
    expect(see(late).incidents.changed).toEqual([]);
    see(...Array.from({ length: 1_500 }, (_, i) => ({ rule: 'web shell', at: i * step + 1 })));
    expect(judge.incidents()).toMatchObject([{ id: incident?.id, overflow: 2_001 }]);
    expect(performance.now() - began).toBeLessThan(20_000);
  });

  it('rise in severity with the tactics that are seen', () => {
    const set = ruleSet(
      ...['attack.ta0001', 'attack.ta0002', 'attack.ta0003'].map((tag) => eventRule(tag, { alerts: true, level: 'high', tags: [tag] })),
    );
    const judge = openJudge(set);
    judge.judge({ signals: [...set.rules.keys()].map((id, i) => signal({ rule: id, at: T + i })), watermarks: {} });
    expect(judge.incidents()[0]).toMatchObject({ severity: 'critical', tactics: ['TA0001', 'TA0002', 'TA0003'] });
  });
});

describe('what people decided stands', () => {
  const late: SignalSketch = { rule: 'web shell', at: 1000 };

  it('late signals join an alert of a closed incident, and a new episode opens a new one', () => {
    const { judge, see, shown, say } = open();
    see({ rule: 'web shell', at: 0 });
    say(1, { state: 'closed', verdict: 'true-positive' });
    see(late);
    expect(shown()).toEqual([[1, ['web shell']]]);
    expect(judge.incidents()[0]?.last).toBe(T + 1000);
    see({ rule: 'web shell', at: hours(1) });
    expect(shown()).toEqual([
      [1, ['web shell']],
      [2, ['web shell']],
    ]);
  });

  it('an alert that was taken out neither comes back nor opens another', () => {
    const { judge, see, shown, say } = open();
    see({ rule: 'web shell', at: 0 }, { rule: 'success after failures', at: 1 });
    const out = judge.alerts().find((alert) => alert.rule === 'web shell')!;
    say(1, { state: 'new', removed: [out.id] });
    see(late, { rule: 'brute force', at: 5 });
    expect(shown()).toEqual([[1, ['success after failures', 'brute force']]]);
    expect(judge.alert(out.id)?.incident).toBeUndefined();
    expect(judge.alert(out.id)?.count).toBe(2);
  });

  it('an alert that was put in stays, though nothing links it', () => {
    const { judge, see, shown, say } = open();
    see({ rule: 'web shell', at: 0 }, { rule: 'new account', at: 0, ip: '10.0.0.5', host: 'ast_far', user: 'x' });
    const far = judge.alerts().find((alert) => alert.rule === 'new account')!;
    expect(far.incident).toBeUndefined();
    say(1, { state: 'new', added: [far.id] });
    see(late);
    expect(shown()).toEqual([[1, expect.arrayContaining(['web shell', 'new account'])]]);
    expect(judge.alert(far.id)?.incident).toBe(judge.incidents()[0]?.id);
  });

  it('incidents that people have both worked on are not joined by the machine', () => {
    const { see, shown, say } = open();
    see({ rule: 'web shell', at: 0, ip: '203.0.113.1' });
    see({ rule: 'root shell', at: hours(9), ip: '203.0.113.2', host: 'ast_b' });
    say(1, { state: 'triaged' });
    say(2, { state: 'contained', reason: 'cut off' });
    see({ rule: 'root shell', at: hours(5), ip: '203.0.113.2' });
    expect(shown()).toEqual([
      [1, ['web shell', 'root shell']],
      [2, ['root shell']],
    ]);
  });

  it('an incident that somebody works on swallows one that nobody touched, even with a higher number', () => {
    const { see, shown, say } = open();
    see({ rule: 'web shell', at: 0, ip: '203.0.113.1' });
    see({ rule: 'root shell', at: hours(9), ip: '203.0.113.2', host: 'ast_b' });
    say(2, { state: 'triaged' });
    see({ rule: 'root shell', at: hours(5), ip: '203.0.113.2' });
    expect(shown()).toEqual([[2, ['web shell', 'root shell', 'root shell']]]);
  });
});
