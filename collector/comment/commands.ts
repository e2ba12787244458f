// SPDX-License-Identifier: Apache-2.0
/**
 * Comments of people: said, audited, and read oldest first. Two people who comment at once both stand.
 * Input: an actor, what it is about, the text. Output: the comment.
 */
import type { Clock } from '../../core/clock.ts';
import { makeId } from '../../core/ids.ts';
import { fault } from '../errors.ts';
import type { AuditTrail } from '../model/audit.ts';
import type { Comment } from '../model/comment.ts';
import type { Actor } from '../model/permission.ts';
import type { StateStore } from '../store/store.ts';

export interface CommentDesk {
  readonly state: StateStore;
  readonly audit: AuditTrail;
  readonly clock: Clock;
}

/** Comments of one thing that are shown, the newest where there are more. */
const SHOWN = 500;

/** Comments oldest first. */
export const commentsOn = async (state: StateStore, about: Comment['about']): Promise<readonly Comment[]> => {
  const literal = (text: string) => ({ text, quoted: true, at: 0 });
  const where = { kind: 'is', field: literal('about'), value: literal(about) } as const;
  const { items } = await state.list('comment', { where, limit: SHOWN, orderBy: 'at' });
  return items.map(({ value }) => value).reverse();
};

/** @throws CodedError USAGE for a text of blanks. */
export const comment = async (desk: CommentDesk, actor: Actor, about: Comment['about'], text: string, from?: string): Promise<Comment> => {
  const said = text.trim();
  if (said === '') throw fault('USAGE', { reason: 'A comment says something' });
  const one: Comment = { id: makeId('cmt'), about, at: desk.clock.now(), by: actor.id, byName: actor.name, text: said };
  await desk.audit.act(
    { act: 'comment.add', on: about, details: { comment: one.id }, actor, ...(from === undefined ? {} : { from }) },
    () => desk.state.put('comment', one.id, one, { ifVersion: 0 }),
  );
  return one;
};
