// SPDX-License-Identifier: Apache-2.0
/**
 * The collector's coded errors, one table: what happened, what to do. Each has an anchor in docs/errors.md.
 * Input: nothing. Output: `fault(code, details)` for every part of the collector. Retired codes: none.
 */
import { type ErrorTable, errorsOf } from '../core/errors.ts';

export const COLLECTOR_ERRORS = {
  USAGE: { text: '{reason}.', hint: 'Add --help to see the command with an example.', status: 400, exit: 2 },
  FILE_UNREADABLE: { text: '{file} cannot be read: {reason}.', hint: 'Check the path and its permissions.', exit: 2 },
  PORT_TAKEN: {
    text: '{address} is in use{owner}.',
    hint: 'Stop that program, or choose another port with {flag}; :0 picks a free one.',
    exit: 2,
  },
  NOT_RUNNING: {
    text: 'No collector runs on {dir}.',
    hint: 'Start it with `vigil start --data {dir}`, or name another folder with --data.',
    exit: 2,
  },
  QUERY_MALFORMED: {
    text: 'The query cannot be read at character {at}: {reason}.',
    hint: 'Expected there: {expected}.',
    status: 400,
    exit: 2,
  },
  QUERY_UNKNOWN_FIELD: { text: 'There is no field {field}.', hint: 'The nearest is {nearest}.', status: 400, exit: 2 },
  QUERY_BAD_VALUE: { text: '{value} is not a value of {field}, which is {type}.', hint: 'Write {expected}.', status: 400, exit: 2 },
  NOT_FOUND: { text: 'There is no {what} {id}.', hint: 'Check the id; lists show the ones that exist.', status: 404, exit: 2 },
  STATE_CONFLICT: { text: '{what} {id} was changed by somebody else.', hint: 'Read it again and repeat the change.', status: 412 },
  STORE_CLOSED: { text: 'The store is closed.', hint: 'The collector is stopping; ask again when it runs.', status: 503 },
  STORE_ENGINE_DOWN: {
    text: 'The query engine is not running: {reason}.',
    hint: 'It is started again by itself; nothing is lost.',
    status: 503,
  },
  STORE_BUSY: { text: 'The answer took longer than {limitMs} ms.', hint: 'Narrow the time window or the query.', status: 503 },
} as const satisfies ErrorTable;

export type CollectorErrorCode = keyof typeof COLLECTOR_ERRORS;

export const fault = errorsOf(COLLECTOR_ERRORS);
