// SPDX-License-Identifier: Apache-2.0
/**
 * Pages between threads: what was gathered comes out as it was, and stands in the state as it came.
 * Input: signals with hard texts. Output: claims.
 */
import { expect, test } from 'vitest';
import type { AgentId, EventId, SignalId } from '../../core/ids.ts';
import { unixMs } from '../../core/units.ts';
import { SignalGathering } from '../gather.ts';
import { pageOf, storedPage, unpackPage } from './page.ts';
import type { Signal } from './signal.ts';

const signalOf = (n: number, text: string): Signal => ({
  id: `sig_${n}` as SignalId,
  rule: 'r',
  event: `evt_${n}` as EventId,
  time: unixMs(1_000 + n),
  ingested: unixMs(2_000 + n),
  level: 'low',
  entities: [`host:${text}` as Signal['entities'][number]],
  fields: { 'user.name': text },
  why: [`user.name = ${text}`],
  stream: `${'agt_1' as AgentId} file:/x`,
});

test('signals come out of a page as they were gathered, whatever stands in them', () => {
  const signals = ['plain', 'line\nend', 'quote " and \\', 'ünïcode \u{1f600}', 'lone \ud800', '\u2028', ''].map((text, n) =>
    signalOf(n, text),
  );
  const gathering = new SignalGathering({ collector: 'c', from: 5 }, 'i', 3);
  for (const signal of signals) gathering.add(signal);
  gathering.watermark('s', unixMs(7));
  gathering.span.reached(90);
  const packed = gathering.take();
  const page = unpackPage(packed as NonNullable<typeof packed>);
  expect(page).toMatchObject({ collector: 'c', incarnation: 'i', from: 5, to: 90, n: 3, watermarks: { s: 7 }, signals });
  const { texts, packed: bytes, ...bare } = page;
  expect(texts).toHaveLength(signals.length);
  for (const stored of [storedPage(page), storedPage(bare)]) expect(pageOf(stored.value, stored.packed)).toEqual(bare);
  expect(storedPage(page).packed).toBe(bytes);
  expect(pageOf(JSON.stringify(bare), null), 'as the first version kept it').toEqual(bare);
});

test('a page without signals is a page', () => {
  const gathering = new SignalGathering({ collector: 'c', from: 0 }, 'i', 1);
  gathering.span.reached(10);
  const packed = gathering.take();
  expect(unpackPage(packed as NonNullable<typeof packed>).signals).toEqual([]);
  expect(gathering.take()).toBeNull();
});
