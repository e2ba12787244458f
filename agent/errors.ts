// SPDX-License-Identifier: Apache-2.0
/**
 * The agent's coded errors, one table: what happened, what to do. Each has an anchor in docs/errors.md.
 * Input: nothing. Output: `fault(code, details)` for every part of the agent. Retired codes: none.
 */
import { type ErrorTable, errorsOf } from '../core/errors.ts';

export const AGENT_ERRORS = {
  AGENT_USAGE: { text: '{reason}.', hint: 'Add --help to see the command with an example.', exit: 2 },
} as const satisfies ErrorTable;

export type AgentErrorCode = keyof typeof AGENT_ERRORS;

export const fault = errorsOf(AGENT_ERRORS);
