// SPDX-License-Identifier: Apache-2.0
/**
 * The agent's coded errors, one table: what happened, what to do. Each has an anchor in docs/errors.md.
 * Input: nothing. Output: `fault(code, details)` for every part of the agent. Retired codes: none.
 */
import { type ErrorTable, errorsOf } from '../core/errors.ts';

export const AGENT_ERRORS = {
  AGENT_USAGE: { text: '{reason}.', hint: 'Add --help to see the command with an example.', exit: 2 },
  AGENT_BAD_RULE: { text: 'The rule "{rule}" cannot be used: {reason}.', hint: 'Mend it under tail.multiline.', exit: 2 },
  REDACT_BAD_RULE: {
    text: 'redact.rules: the rule "{rule}" in {file} cannot be used: {reason}.',
    hint: 'Mend it there, or take the file out of redact.rules; the agent does not start with fewer rules than it was given.',
    exit: 2,
  },
  REDACT_UNREADABLE: {
    text: 'redact.rules: {file} cannot be used: {reason}.',
    hint: 'It is YAML: a list of rules, each with name, pattern and perhaps dataset.',
    exit: 2,
  },
  POSTURE_UNREADABLE: {
    text: '{path} cannot be read: {reason}.',
    hint: 'Let the agent read it, or mend the file; until then the checks that ask for it have no answer.',
    exit: 2,
  },
  POSTURE_BAD_POLICY: {
    text: 'The posture policy {file} cannot be used: {reason}.',
    hint: 'Name a readable file or folder of policies under posture.policies or with --policy.',
    exit: 2,
  },
  POSTURE_BAD_WAIVER: {
    text: '{file}:{line}: {reason}.',
    hint: 'A waiver has check, reason, owner and until (a date); mend it there.',
    exit: 2,
  },
  AGENT_NOT_ENROLLED: {
    text: 'There is no identity in {dir}.',
    hint: 'Enrol this host first: vigil-agent enrol --state {dir} --token TOKEN.',
    exit: 2,
  },
  AGENT_ALREADY_ENROLLED: {
    text: 'The folder {dir} already holds the identity {agent}.',
    hint: 'Use it, enrol anew with --replace, or name another folder with --state.',
    exit: 2,
  },
  AGENT_BAD_IDENTITY: {
    text: 'The identity in {file} cannot be used: {reason}.',
    hint: 'Put the file back from a copy, or enrol again with a token made by `vigil agent token create --replace AGENT`.',
    exit: 2,
  },
  AGENT_SPOOL_FAILED: {
    text: 'The spool cannot be written: {reason}.',
    hint: 'Nothing is lost: it is tried again every few seconds. Make room on the disk, or see why it refuses.',
  },
  AGENT_STATE_UNUSABLE: {
    text: 'The state folder {dir} cannot be used: {reason}.',
    hint: 'It must belong to this user with mode 0700, on a disk with free space.',
    exit: 2,
  },
  AGENT_NOT_RUNNING: { text: 'No agent runs on {dir}.', hint: 'Start it with vigil-agent run --state {dir}.', exit: 2 },
  TOKEN_BAD: {
    text: 'The token cannot be read: {reason}.',
    hint: 'Copy it whole, from `vgl1.` on, or make a new one with `vigil agent token create`.',
    exit: 2,
  },
  ENROL_PIN_MISMATCH: {
    text: 'The collector at {url} is not the one that made this token: {reason}.',
    hint: 'Nothing was sent. Make a new token on the right collector, or look for who answers at that address.',
    exit: 2,
  },
  ENROL_REFUSED: {
    text: 'The collector refused to enrol this host: {reason}.',
    hint: 'Make a new token with `vigil agent token create`.',
    exit: 2,
  },
  COLLECTOR_UNREACHABLE: {
    text: 'The collector at {url} does not answer: {reason}.',
    hint: 'Check the address, the port and the firewall between; nothing is lost while it is away.',
  },
  COLLECTOR_BAD_ANSWER: {
    text: 'The collector answered with what this agent does not understand: {reason}.',
    hint: 'Check the versions of agent and collector.',
  },
} as const satisfies ErrorTable;

export const fault = errorsOf(AGENT_ERRORS);
