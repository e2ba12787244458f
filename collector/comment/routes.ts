// SPDX-License-Identifier: Apache-2.0
/**
 * Comments over HTTP, under the alert or the incident they are about.
 * Input: functions that find what is meant, and read and add comments. Output: JSON, oldest first.
 */
import { type Static, Type } from 'typebox';
import { isoTime } from '../../core/units.ts';
import { closed, Id, OneId, type Route, route, Time } from '../http/route.ts';
import { COMMENT_LENGTH, type Comment } from '../model/comment.ts';
import type { Actor } from '../model/permission.ts';

export interface CommentPorts {
  /** The id of what a reference names. @throws CodedError NOT_FOUND. */
  alert(ref: string): Promise<Comment['about']>;
  incident(ref: string): Promise<Comment['about']>;
  list(about: Comment['about']): Promise<readonly Comment[]>;
  /** Audited. */
  add(by: Actor, about: Comment['about'], text: string, from: string): Promise<Comment>;
}

const CommentSchema = Type.Object({ id: Id, about: Id, at: Time, by: Type.String(), byName: Type.String(), text: Type.String() });

const commentJson = (one: Comment): Static<typeof CommentSchema> => ({ ...one, at: isoTime(one.at) });

export const commentRoutes = (ports: CommentPorts): readonly Route[] =>
  (['alert', 'incident'] as const).flatMap((what) => [
    route({
      method: 'GET',
      path: `/api/v1/${what}s/:id/comments`,
      tag: what,
      permission: `${what}.read`,
      summary: `What people said of the ${what}, oldest first.`,
      params: OneId,
      answer: Type.Object({ items: Type.Array(CommentSchema) }),
      handle: async ({ params }) => ({ body: { items: (await ports.list(await ports[what](params.id))).map(commentJson) } }),
    }),
    route({
      method: 'POST',
      path: `/api/v1/${what}s/:id/comments`,
      tag: what,
      permission: `${what}.write`,
      summary: `Say something of the ${what}; it stays.`,
      params: OneId,
      body: closed({ text: Type.String({ minLength: 1, maxLength: COMMENT_LENGTH }) }),
      status: 201,
      creates: true,
      answer: CommentSchema,
      handle: async ({ params, body, actor, from }) => ({
        body: commentJson(await ports.add(actor, await ports[what](params.id), body.text, from)),
      }),
    }),
  ]);
