// SPDX-License-Identifier: Apache-2.0
/**
 * The sink of facts over a real database: what a host is, what it was, what a scan repairs, what a check answered.
 * Input: pages of facts. Output: claims on the state.
 */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Fact, type FactFields, type FactKind, factChecksum } from '../../core/fact.ts';
import { hashId } from '../../core/ids.ts';
import { unixMs } from '../../core/units.ts';
import { type FactCommitter, openFactCommitter } from '../commit.ts';
import { type FactAt, hostFactId } from '../model/fact.ts';
import { expireFacts, openFacts } from '../store/embedded/facts.ts';
import { openState, type StateCore } from '../store/embedded/state.ts';
import { makeFactSink } from './apply.ts';
import { itemAt } from './item.ts';

const HOST = hashId('ast', 'web1');
const HOUR = 3_600_000;
const T0 = Date.UTC(2026, 10, 24, 9);

let state: StateCore;
let committer: FactCommitter;
let offset = 0;
let n = 0;
beforeEach(() => {
  state = openState(':memory:');
  committer = openFactCommitter(state);
  offset = 0;
});
afterEach(() => state.close());

const fact = (kind: FactKind, item: string, change: Fact['change'], at: number, fields: FactFields, was?: FactFields): FactAt => ({
  host: HOST,
  event: hashId('evt', ++n),
  received: unixMs(at + 1_000),
  replay: false,
  fact: { kind, item, change, at: unixMs(at), fields, ...(was === undefined ? {} : { was }) },
});
const pkg = (name: string, version: string, change: Fact['change'], at: number): FactAt =>
  fact('package', `dpkg:${name}:amd64`, change, at, { manager: 'dpkg', name, version, arch: 'amd64' });
const scan = (of: FactKind, at: number, items: readonly (readonly [string, FactFields])[], more: FactFields = {}): FactAt =>
  fact('scan', of, 'seen', at, { of, full: false, count: items.length, checksum: factChecksum(items), ...more });
const check = (result: string, change: Fact['change'], at: number, more: FactFields = {}): FactAt =>
  fact('observation', 'ssh-root-login-disabled', change, at, {
    check: 'ssh-root-login-disabled',
    title: 'Root does not log in over SSH',
    result,
    actual: result === 'pass' ? 'no' : 'yes',
    expected: 'no',
    severity: 'high',
    fresh_ms: 2 * HOUR,
    ...more,
  });
const page = (facts: readonly FactAt[], from = offset) => {
  offset = Math.max(offset, from + 100);
  return { collector: 'c', incarnation: 'i', from, to: from + 100, facts };
};
const apply = (...facts: readonly FactAt[]) => committer.commit(page(facts));
const item = (kind: FactKind, name: string) => state.get('hostFact', hostFactId(HOST, kind, name))?.value;
const table = (kind: FactKind) => state.get('factTable', hostFactId(HOST, kind, ''))?.value;
const spans = () => state.list('observation', { limit: 100, orderBy: 'first', ascending: true }).items.map(({ value }) => value);
const fieldsOf = (one: FactAt): readonly [string, FactFields] => [one.fact.item, one.fact.fields];

describe('an item of a host', () => {
  it('is known since its first sight, with each version it had and when it was gone', () => {
    apply(pkg('nginx', '1.26', 'baseline', T0));
    apply(pkg('nginx', '1.26', 'seen', T0 + 24 * HOUR));
    expect(item('package', 'dpkg:nginx:amd64')).toMatchObject({ since: T0, changed: T0, observed: T0 + 24 * HOUR });
    apply(pkg('nginx', '1.28', 'changed', T0 + 30 * HOUR));
    apply(pkg('nginx', '1.28', 'removed', T0 + 40 * HOUR));
    apply(pkg('nginx', '1.30', 'added', T0 + 50 * HOUR));
    const known = item('package', 'dpkg:nginx:amd64');
    expect(known).toMatchObject({ fields: { version: '1.30' }, since: T0 + 50 * HOUR });
    expect(known?.removed).toBeUndefined();
    expect(known?.lives).toEqual([
      { from: T0, to: T0 + 30 * HOUR, version: '1.26' },
      { from: T0 + 30 * HOUR, to: T0 + 40 * HOUR, version: '1.28' },
    ]);
    const versionAt = (hour: number) => known && itemAt(known, unixMs(T0 + hour * HOUR))?.version;
    expect([-1, 0, 29, 30, 39, 40, 49, 50].map(versionAt)).toEqual([
      undefined,
      '1.26',
      '1.26',
      '1.28',
      '1.28',
      undefined,
      undefined,
      '1.30',
    ]);
  });

  it('is not overruled by a late fact, nor changed by the same fact twice', () => {
    const [old, now] = [pkg('a', '1', 'baseline', T0), pkg('a', '2', 'changed', T0 + HOUR)];
    apply(now);
    apply(old);
    expect(item('package', 'dpkg:a:amd64')).toMatchObject({ fields: { version: '2' }, since: T0 + HOUR });
    const before = state.get('hostFact', hostFactId(HOST, 'package', 'dpkg:a:amd64'));
    apply(now);
    expect(state.get('hostFact', hostFactId(HOST, 'package', 'dpkg:a:amd64'))).toEqual(before);
  });

  it('cannot be observed after it arrived, whatever the clock of the host says', () => {
    const ahead = { ...pkg('a', '1', 'added', T0 + 9_999 * HOUR), received: unixMs(T0) };
    apply(ahead);
    expect(item('package', 'dpkg:a:amd64')?.observed).toBe(T0);
  });
});

describe('a scan', () => {
  const [a, b] = [pkg('a', '1', 'baseline', T0), pkg('b', '1', 'baseline', T0)];

  it('whose checksum agrees makes its kind known, one that differs leaves it in doubt', () => {
    apply(a, b, scan('package', T0 + 10, [fieldsOf(a), fieldsOf(b)]));
    expect(table('package')).toMatchObject({ scanned: T0 + 10, doubtful: false, count: 2 });
    apply(scan('package', T0 + HOUR, [fieldsOf(a)]));
    expect(table('package')).toMatchObject({ doubtful: true });
    expect(item('package', 'dpkg:b:amd64')?.removed).toBeUndefined();
  });

  it('that says everything again removes what it does not name, and ends the doubt', () => {
    apply(a, b, scan('package', T0 + 10, [fieldsOf(a)]));
    expect(table('package')?.doubtful).toBe(true);
    apply({ ...a, fact: { ...a.fact, change: 'seen', at: unixMs(T0 + HOUR) }, received: unixMs(T0 + HOUR) });
    apply(scan('package', T0 + HOUR + 50, [fieldsOf(a)], { full: true, took_ms: 60 }));
    expect(table('package')).toMatchObject({ doubtful: false, count: 1 });
    expect(item('package', 'dpkg:b:amd64')?.removed).toBe(T0 + HOUR + 50);
    expect(item('package', 'dpkg:a:amd64')?.removed).toBeUndefined();
  });

  it('is compared again after anything changed, also without a doubt before', () => {
    apply(a, b, scan('package', T0 + 10, [fieldsOf(a), fieldsOf(b)]));
    apply(pkg('b', '2', 'changed', T0 + 20), scan('package', T0 + 30, [fieldsOf(a), fieldsOf(b)]));
    expect(table('package')?.doubtful).toBe(true);
  });
});

describe('an answer of a check', () => {
  it('is one span while it is repeated, and ends when it changes or is missed', () => {
    for (let hour = 0; hour < 6; hour++) apply(check('pass', hour === 0 ? 'baseline' : 'seen', T0 + hour * HOUR));
    apply(check('fail', 'changed', T0 + 6 * HOUR));
    apply(check('pass', 'changed', T0 + 20 * HOUR));
    expect(
      spans().map(({ result, first, last, expires, open }) => [
        result,
        (first - T0) / HOUR,
        (last - T0) / HOUR,
        (expires - T0) / HOUR,
        open,
      ]),
    ).toEqual([
      ['pass', 0, 5, 6, false],
      ['fail', 6, 6, 8, false],
      ['pass', 20, 20, 22, true],
    ]);
    expect(spans()[0]).toMatchObject({
      check: 'ssh-root-login-disabled',
      subject: `host:${HOST}`,
      severity: 'high',
      actual: 'no',
      expected: 'no',
    });
    expect(spans()[0]?.event).toBeDefined();
  });

  it('says which subjects changed, and not those whose answer was only repeated', () => {
    expect(apply(check('pass', 'baseline', T0))?.subjects).toEqual([`host:${HOST}`]);
    expect(apply(check('pass', 'seen', T0 + HOUR))?.subjects).toEqual([]);
    expect(apply(check('fail', 'changed', T0 + 2 * HOUR))?.subjects).toEqual([`host:${HOST}`]);
  });

  it('keeps its waiver, and of a part of the host the part', () => {
    apply(
      check('fail', 'baseline', T0, {
        waiver_reason: 'migration',
        waiver_owner: 'anna',
        waiver_until_at: T0 + 99 * HOUR,
        subject: 'user:bob',
      }),
    );
    expect(spans()[0]).toMatchObject({
      subject: `user:bob@${HOST}`,
      waiver: { reason: 'migration', owner: 'anna', until: T0 + 99 * HOUR },
    });
  });

  it('of a check that is asked no more holds no longer', () => {
    apply(check('pass', 'baseline', T0), check('pass', 'removed', T0 + HOUR));
    expect(spans().map(({ result, first, expires }) => [result, first - T0, expires - T0])).toEqual([
      ['pass', 0, HOUR],
      ['unknown', HOUR, HOUR],
    ]);
  });

  it('that the collector answers itself is not taken from an agent', () => {
    apply(check('pass', 'baseline', T0, { check: 'agent-reporting' }));
    expect(spans()).toEqual([]);
  });

  it('that is none is no observation', () => {
    apply(check('maybe', 'baseline', T0), check('pass', 'baseline', T0, { check: 'Not a check' }));
    expect(spans()).toEqual([]);
  });
});

describe('a page', () => {
  it('that was committed before changes nothing, and none is applied in part', () => {
    const facts = [pkg('a', '1', 'added', T0), check('pass', 'baseline', T0)];
    const first = page(facts);
    committer.commit(first);
    const before = state.list('hostFact', { limit: 100 }).items;
    expect(committer.commit(first)).toBeNull();
    expect(openFactCommitter(state).commit(first)).toBeNull();
    expect(state.list('hostFact', { limit: 100 }).items).toEqual(before);
    expect(state.position('facts')).toMatchObject({ sink: 'facts', incarnation: 'i', offset: first.to });
    const broken = page([pkg('b', '1', 'added', T0), null as unknown as FactAt]);
    expect(() => committer.commit(broken)).toThrow();
    expect(item('package', 'dpkg:b:amd64')).toBeUndefined();
    expect(state.position('facts')?.offset).toBe(first.to);
  });

  it('of a host that names ever new items takes no more than fit, and what is known stays right', () => {
    const sink = makeFactSink({
      reader: openFacts(state),
      write: ({ collection, id, value }) => void state.put(collection, id, value),
      remove: (id) => void state.remove('observation', id),
      limit: 3,
    });
    const flood = Array.from({ length: 9 }, (_, i) => pkg(`p${i}`, '1', 'added', T0 + i));
    const asked = Array.from({ length: 9 }, (_, i) => check('pass', 'baseline', T0, { check: `check-${i}` }));
    const checks = asked.map((one, i) => ({ ...one, fact: { ...one.fact, item: `check-${i}` } }));
    sink.apply(page([...flood, ...checks, pkg('p1', '2', 'changed', T0 + HOUR)]));
    expect(state.list('hostFact', { limit: 100, prefix: `${HOST}/package/` }).total).toBe(3);
    expect(item('package', 'dpkg:p1:amd64')?.fields['version']).toBe('2');
    expect(spans()).toHaveLength(3);
    // As after a transaction that was not ended: the count is taken anew.
    state.remove('hostFact', hostFactId(HOST, 'package', 'dpkg:p0:amd64'));
    sink.forget();
    sink.apply(page([pkg('later', '1', 'added', T0 + HOUR)]));
    expect(item('package', 'dpkg:later:amd64')).toBeDefined();
  });

  it('names the hosts and kinds of which something became different', () => {
    expect(apply(pkg('a', '1', 'added', T0))?.hosts).toEqual({ [HOST]: ['package'] });
    expect(apply(pkg('a', '1', 'seen', T0 + HOUR))?.hosts).toEqual({});
  });
});

describe('what is kept', () => {
  it('is what stands, and what is gone for 400 days or less', () => {
    const DAYS = 24 * HOUR;
    apply(pkg('old', '1', 'baseline', T0), pkg('old', '1', 'removed', T0 + HOUR), pkg('new', '1', 'baseline', T0));
    apply(check('pass', 'baseline', T0), check('fail', 'changed', T0 + HOUR));
    expireFacts(state, unixMs(T0 + 399 * DAYS));
    expect([state.list('hostFact', { limit: 9, prefix: `${HOST}/package/` }).total, spans().length]).toEqual([2, 2]);
    expireFacts(state, unixMs(T0 + 401 * DAYS));
    expect([state.list('hostFact', { limit: 9, prefix: `${HOST}/package/` }).total, spans().map(({ result }) => result)]).toEqual([
      1,
      ['fail'],
    ]);
  });
});
