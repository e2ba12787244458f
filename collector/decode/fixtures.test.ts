// SPDX-License-Identifier: Apache-2.0
/**
 * Pairs of log and events: each line of `test/fixtures/decode/<dataset>/<case>.log` gives the event beside it.
 * Input: the fixtures; `UPDATE=1` writes the events anew, to be read before they are committed. Output: one test a file.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { unixMs } from '../../core/units.ts';
import { decodeLines, said, splitLines } from '../cli/decode.ts';
import { DECODERS } from './registry.ts';
import { ENVELOPE } from './shape.ts';

const FIXTURES = join(import.meta.dirname, '../../test/fixtures/decode');
const READ_AT = unixMs(Date.UTC(2026, 10, 25, 12));

const decodeFile = async (dataset: string, file: string) => {
  const bytes = readFileSync(file);
  const stream = (async function* () {
    yield bytes;
  })();
  const found: { outcome: string; event: Record<string, unknown> }[] = [];
  for await (const { outcome, event } of decodeLines(splitLines(stream), { dataset, zone: 'Europe/Berlin', readAt: READ_AT })) {
    found.push({ outcome, event: said(event) });
  }
  return found;
};

for (const dataset of readdirSync(FIXTURES)) {
  describe(dataset, () => {
    for (const name of readdirSync(join(FIXTURES, dataset))) {
      if (!name.endsWith('.log')) continue;
      it(`${name.slice(0, -4)} decode to the events beside them`, async () => {
        const file = join(FIXTURES, dataset, name);
        const events = await decodeFile(dataset, file);
        const beside = file.replace(/\.log$/, '.json');
        if (process.env['UPDATE'] === '1') writeFileSync(beside, `[\n${events.map((event) => JSON.stringify(event)).join(',\n')}\n]\n`);
        expect(events).toEqual(JSON.parse(readFileSync(beside, 'utf8')));
      });
    }
  });
}

describe('auto', () => {
  /** Lines that could be anybody's. */
  const ANYBODY = /^(?:Error: |\{"broken":|-$|\{"action":"unheard-of"|2026-11-24 09:14:02 something)/;
  for (const dataset of readdirSync(FIXTURES)) {
    it(`tells ${dataset} by its content`, async () => {
      const logs = readdirSync(join(FIXTURES, dataset)).filter((name) => name.endsWith('.log'));
      expect(logs).not.toEqual([]);
      for (const name of logs) {
        const file = join(FIXTURES, dataset, name);
        const [declared, found] = [await decodeFile(dataset, file), await decodeFile('auto', file)];
        const kinds = (events: typeof found) =>
          events
            .map(({ event }) => event)
            .filter((event) => !ANYBODY.test(String(event['event.original'])))
            .map((event) => event['event.dataset']);
        expect(kinds(found)).toEqual(kinds(declared));
      }
    });
  }
});

describe('forged lines', () => {
  it('never name the address that their sender wrote', async () => {
    for (const dataset of readdirSync(FIXTURES)) {
      for (const name of readdirSync(join(FIXTURES, dataset))) {
        if (!name.endsWith('.log')) continue;
        for (const { event } of await decodeFile(dataset, join(FIXTURES, dataset, name))) {
          expect(event['source.ip'], String(event['event.original'])).not.toBe('192.0.2.66');
          expect(event['related.ip'] ?? [], String(event['event.original'])).not.toContain('192.0.2.66');
        }
      }
    }
  });
});

describe('declarations', () => {
  it('name every field that a decoder fills, on every fixture', async () => {
    const byDataset = new Map(DECODERS.map((decoder) => [decoder.dataset, new Set<string>(decoder.emits)]));
    const always = new Set(
      Object.keys(ENVELOPE).filter(
        (name) => !/^(?:tags|event\.(?:outcome|reason)|process\.|source\.|related\.|user\.|log\.level|vigil\.extra)/.test(name),
      ),
    );
    for (const name of ['process.name', 'process.pid', 'log.syslog.msgid', 'log.syslog.structured_data']) always.add(name);
    for (const dataset of readdirSync(FIXTURES)) {
      for (const name of readdirSync(join(FIXTURES, dataset))) {
        if (!name.endsWith('.log')) continue;
        for (const { event } of await decodeFile(dataset, join(FIXTURES, dataset, name))) {
          const declared = byDataset.get(String(event['event.dataset']));
          // JSON carries whatever its writer put in; a repeated message says so for any decoder.
          if (declared === undefined || event['event.dataset'] === 'json') continue;
          // The journal says more of a sender than the message's decoder does.
          const around = dataset === 'journald' ? byDataset.get(dataset) : undefined;
          const undeclared = Object.keys(event).filter(
            (field) =>
              !always.has(field) &&
              !declared.has(field) &&
              around?.has(field) !== true &&
              !(field === 'vigil.extra' && 'syslog.repeated' in (event[field] as object)),
          );
          expect(undeclared, `${event['event.dataset']}: ${event['event.original']}`).toEqual([]);
        }
      }
    }
  });
});
