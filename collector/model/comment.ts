// SPDX-License-Identifier: Apache-2.0
/**
 * What a person says of an alert or an incident, beside its verdict. Said once and kept: nothing is changed or taken back.
 * Input: people, through the console or the API. Output: the timeline of what it is about.
 */
import type { AlertId, CommentId, IncidentId } from '../../core/ids.ts';
import type { UnixMs } from '../../core/units.ts';

/** Characters of one comment. */
export const COMMENT_LENGTH = 4_000;

export interface Comment {
  readonly id: CommentId;
  readonly about: AlertId | IncidentId;
  readonly at: UnixMs;
  /** Who said it: an id, and the name it had then. */
  readonly by: string;
  readonly byName: string;
  readonly text: string;
}
