// SPDX-License-Identifier: Apache-2.0
/**
 * `POST /api/v1/replay`: old log files of this host through the whole pipeline, for the owner of the data folder.
 * Input: paths that the owner named. Output: how many lines were new.
 */
import { Type } from 'typebox';
import { minutes } from '../../core/units.ts';
import { Count, closed, type Route, route } from '../http/route.ts';
import type { Actor } from '../model/permission.ts';
import type { ReplayResult } from './replay.ts';

export interface ReplayAsked {
  readonly path: string;
  readonly dataset: string;
  readonly host: string;
  readonly zone: string;
  readonly year?: number;
}

export interface ReplayPorts {
  /** Resolves when the appended lines are judged and searchable. Audited. @throws CodedError FILE_UNREADABLE, NOT_PERMITTED for anyone but the local owner. */
  replay(by: Actor, asked: ReplayAsked, from: string): Promise<ReplayResult>;
}

export const replayRoutes = (ports: ReplayPorts): readonly Route[] => [
  route({
    method: 'POST',
    path: '/api/v1/replay',
    tag: 'fleet',
    summary: 'Replays a log file of the collector’s own host; only through the control socket.',
    permission: 'fleet.write',
    timeoutMs: minutes(15),
    body: closed({
      path: Type.String({ minLength: 1, maxLength: 4096 }),
      dataset: Type.String({ pattern: '^[a-z0-9][a-z0-9._-]{0,63}$' }),
      host: Type.String({ minLength: 1, maxLength: 253 }),
      zone: Type.String({ maxLength: 64 }),
      year: Type.Optional(Type.Integer({ minimum: 1970, maximum: 2200 })),
    }),
    answer: Type.Object({ lines: Count, known: Count, appended: Count, blocks: Count, bytes: Count, uncertain: Type.Boolean() }),
    handle: async ({ actor, body, from }) => ({ body: await ports.replay(actor, body, from) }),
  }),
];
