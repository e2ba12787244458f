// SPDX-License-Identifier: Apache-2.0
/**
 * `GET /api/v1/verify/:id`: whether the raw lines behind an event, alert or incident are as their agents signed them.
 * Input: a function that proves. Output: the route.
 */
import { Type } from 'typebox';
import { Count, OneId, type Route, route } from '../http/route.ts';
import type { Proof } from './prove.ts';

const ProofSchema = Type.Object({
  event: Type.String(),
  holds: Type.Boolean(),
  text: Type.String(),
  block: Type.Union([Type.String(), Type.Null()]),
  offset: Count,
  seq: Count,
  stream: Type.String(),
});

export const proofRoutes = (prove: (id: string) => Promise<readonly Proof[]>): readonly Route[] => [
  route({
    method: 'GET',
    path: '/api/v1/verify/:id',
    tag: 'query',
    summary: 'Checks the signed blocks that an event, alert or incident rests on.',
    permission: 'event.read',
    params: OneId,
    answer: Type.Object({ holds: Type.Boolean(), records: Type.Array(ProofSchema) }),
    handle: async ({ params }) => {
      const records = await prove(params.id);
      return { body: { holds: records.length > 0 && records.every(({ holds }) => holds), records: [...records] } };
    },
  }),
];
