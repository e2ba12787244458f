// SPDX-License-Identifier: Apache-2.0
/**
 * The status of a collector as it is answered: what runs, what reports, lag, losses, cost, and what cannot be seen.
 * Input: figures of every part, put together by the wiring. Output: /api/v1/status, the command line, the console's sight line.
 */
import { type Static, Type } from 'typebox';
import { Count, Time } from './route.ts';

/** Something that is not as it should be, and what to do about it. */
export const ConditionSchema = Type.Object({
  code: Type.String(),
  about: Type.String({ description: 'a host, a source, a part' }),
  text: Type.String(),
  hint: Type.String(),
});
export type Condition = Static<typeof ConditionSchema>;

export const StatusSchema = Type.Object({
  time: Time,
  version: Type.String(),
  startedAt: Time,
  hosts: Type.Object({ reporting: Count, expected: Count }),
  sources: Type.Object({ reading: Count, unreadable: Count }),
  lost: Type.Integer({ minimum: 0, description: 'records that are known to be gone, of `records`' }),
  records: Count,
  lag: Type.Object({ storeMs: Type.Number(), detectMs: Type.Number() }, { description: 'how far each reader is behind the journal’s end' }),
  rules: Type.Object({ loaded: Count, refused: Count }),
  streams: Type.Array(
    Type.Object({
      host: Type.String(),
      stream: Type.String(),
      dataset: Type.String(),
      seq: Type.Integer({ minimum: 0, description: 'last sealed sequence' }),
      behindBytes: Count,
      readUpTo: Type.Union([Time, Type.Null()]),
      redacted: Type.Integer({ minimum: 0, description: 'records from which a secret was taken out, since the agent’s start' }),
    }),
  ),
  failed: Type.Array(Type.Object({ dataset: Type.String(), pattern: Type.String(), count: Count, sample: Type.String() }), {
    description: 'lines that no decoder understood, by shape, most first; their raw lines are kept',
  }),
  conditions: Type.Array(ConditionSchema),
  store: Type.Object({
    events: Count,
    bytes: Count,
    files: Count,
    deadLetters: Count,
    engineRssBytes: Count,
    engineRestarts: Count,
  }),
  journal: Type.Object({ bytes: Count }),
  process: Type.Object({ rssBytes: Count, longestBlockMs: Type.Number({ description: 'longest time the main thread answered nobody' }) }),
});
/** Times are ISO 8601 text. */
export type StatusView = Static<typeof StatusSchema>;
