// SPDX-License-Identifier: Apache-2.0
/**
 * `/api/v1/redecode`: decodes a range of the journal again with today's decoders, as a newer generation of its events (river.md P5).
 * Input: times of ingest. Output: the generation and how many events it has. Signals are not judged again, so nobody is notified.
 */
import { Type } from 'typebox';
import { hours, type UnixMs } from '../../core/units.ts';
import { fault } from '../errors.ts';
import { Count, closed, type Route, route } from '../http/route.ts';
import type { Actor } from '../model/permission.ts';
import { parseTime } from '../query/date.ts';

export interface RedecodeResult {
  /** What `vigil.journal.generation` of its events says. */
  readonly generation: number;
  readonly events: number;
  /** Bytes of the journal that were read. */
  readonly bytes: number;
}

export interface RedecodePorts {
  now(): UnixMs;
  /** From inclusive, to exclusive, by ingest. Audited. @throws CodedError REDECODE_RUNNING, REDECODE_FAILED. */
  redecode(by: Actor, range: { readonly from: UnixMs; readonly to: UnixMs }, from: string, signal: AbortSignal): Promise<RedecodeResult>;
  progress(): { readonly running: boolean; readonly done: number; readonly total: number };
}

const Moment = Type.String({ minLength: 1, maxLength: 64, description: 'ISO 8601 or date math such as now-24h' });

export const redecodeRoutes = (ports: RedecodePorts): readonly Route[] => [
  route({
    method: 'POST',
    path: '/api/v1/redecode',
    tag: 'store',
    summary: 'Decodes what came in between two times again with today’s decoders. Ends when the client goes; then nothing is changed.',
    permission: 'store.write',
    timeoutMs: hours(24),
    body: closed({ from: Moment, to: Type.Optional(Moment) }),
    answer: Type.Object({ generation: Count, events: Count, bytes: Count }),
    handle: async ({ actor, body, from, signal }) => {
      const now = ports.now();
      const [first, last] = [body.from, body.to ?? 'now'].map((text) => {
        const time = parseTime(text, now);
        if (time === null) throw fault('REQUEST_BAD', { reason: `"${text}" is no time` });
        return time.from;
      }) as [UnixMs, UnixMs];
      if (first >= last) throw fault('REQUEST_BAD', { reason: 'the range is empty' });
      return { body: await ports.redecode(actor, { from: first, to: last }, from, signal) };
    },
  }),
  route({
    method: 'GET',
    path: '/api/v1/redecode',
    tag: 'store',
    summary: 'How far a redecode under way is, in bytes of the journal.',
    permission: 'store.write',
    answer: Type.Object({ running: Type.Boolean(), done: Count, total: Count }),
    handle: async () => ({ body: { ...ports.progress() } }),
  }),
];
