// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { parseFact } from '../core/fact.ts';
import { unixMs } from '../core/units.ts';
import { storyClock } from './clock.ts';
import { BEGIN, END } from './play.ts';
import { at } from './said.ts';
import { events, INTRUDER, lostRecords } from './story/events.ts';
import { facts } from './story/facts.ts';
import { quietWork } from './story/work.ts';

const checks = [{ id: 'a-check', title: 'A check', policy: 'p', severity: 'high', expected: 'no', fix: 'say no' }];

describe('the story', () => {
  it('is the same every time', () => {
    expect(quietWork(BEGIN, END)).toEqual(quietWork(BEGIN, END));
    expect(events()).toEqual(events());
    expect(facts(BEGIN, END, checks)).toEqual(facts(BEGIN, END, checks));
  });

  it('lies between its beginning and its end', () => {
    for (const said of [...quietWork(BEGIN, END), ...events(), ...facts(BEGIN, END, checks), ...lostRecords()])
      expect(said.at >= BEGIN && said.at <= END, said.text).toBe(true);
  });

  it('says facts that a collector reads', () => {
    for (const { text } of facts(BEGIN, END, checks)) expect(parseFact(text), text).not.toBeNull();
  });

  it('tells 1,284 wrong passwords for 37 names before one that was right', () => {
    const lines = events().filter(({ text }) => text.includes(INTRUDER) && text.includes('sshd'));
    const failed = lines.filter(({ text }) => text.includes('Failed password'));
    expect(failed).toHaveLength(1284);
    expect(new Set(failed.map(({ text }) => /for (?:invalid user )?(\S+) from/.exec(text)?.[1])).size).toBe(37);
    expect(failed[0]?.at).toBe(at('19 01:52:10'));
    expect(failed.at(-1)?.at).toBe(at('19 02:13:48'));
    expect(lostRecords()).toHaveLength(17);
  });
});

describe('the clocks of the story', () => {
  it('stand between moves, and end waits that the story passes', async () => {
    const clock = storyClock(unixMs(1_000));
    expect(clock.clock.now()).toBe(1_000);
    const slept = clock.lived.sleep(60_000 as never);
    clock.moveTo(unixMs(61_001));
    await slept;
    expect([clock.clock.now(), clock.lived.now()]).toEqual([61_001, 61_001]);
    clock.moveTo(unixMs(5_000));
    expect(clock.clock.now()).toBe(61_001);
  });
});
