// SPDX-License-Identifier: Apache-2.0
/**
 * The collector's coded errors, one table: what happened, what to do. Each has an anchor in docs/errors.md.
 * Input: nothing. Output: `fault(code, details)` for every part of the collector. Retired codes: none.
 */
import { type ErrorTable, errorsOf } from '../core/errors.ts';

export const COLLECTOR_ERRORS = {
  USAGE: { text: '{reason}.', hint: 'Add --help to see the command with an example.', status: 400, exit: 2 },
  FILE_UNREADABLE: { text: '{file} cannot be read: {reason}.', hint: 'Check the path and its permissions.', status: 400, exit: 2 },
  PORT_TAKEN: {
    text: '{address} is in use{owner}.',
    hint: 'Stop that program, or choose another port with {flag}; :0 picks a free one.',
    exit: 2,
  },
  DATA_FOLDER_UNUSABLE: {
    text: 'The data folder {dir} cannot be used: {reason}.',
    hint: 'Name a folder of this user with --data, on a disk with free space.',
    exit: 2,
  },
  DEMO_FOLDER_USED: {
    text: 'The folder {dir} is not empty; the demo begins on a fresh one.',
    hint: 'Name another folder with --data, or none: then the demo makes one and removes it at the end.',
    exit: 2,
  },
  CATALOGUE_BAD: {
    text: '{file}, line {line}: {reason}.',
    hint: 'Put the file back as it came with Vigil (rules/controls).',
    exit: 2,
  },
  MAP_BAD: {
    text: '{file}, line {line}: {reason}.',
    hint: 'Mend the line; each group names control, relationship, reason and checks.',
    exit: 2,
  },
  SIMULATION_BAD: {
    text: '{what}: {reason}.',
    hint: 'A scenario is {"frequency":{"poisson":0.5},"loss":{"lognormal":{"p5":10000,"p95":500000}},"draws":100000,"seed":1}.',
    exit: 2,
  },
  PACKAGE_FAILED: {
    text: 'The package for agents cannot be made: {reason}.',
    hint: 'Run `npm ci` in the checkout of the collector; on this host, enrol with the token alone.',
    status: 503,
    exit: 3,
  },
  NOT_RUNNING: {
    text: 'No collector runs on {dir}.',
    hint: 'Start it with `vigil start --data {dir}`, or name another folder with --data.',
    exit: 2,
  },
  UNREACHABLE: {
    text: 'No collector answers at {url}: {reason}.',
    hint: 'Give the address that `vigil start` prints as console, and check that this host may reach it.',
    exit: 2,
  },
  CONTROL_DENIED: {
    text: 'This user may not speak to the collector on {dir}.',
    hint: 'Run the command as the user who owns that folder, or give --url and an API token in VIGIL_TOKEN.',
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
  THREAD_FAILED: {
    text: 'The {what} cannot go on: {reason}.',
    hint: 'The collector stops; nothing acknowledged is lost, and the next start goes on where it was. See its log.',
  },
  CONSOLE_BUILD_FAILED: {
    text: 'The console could not be built: {reason}.',
    hint: 'Run `npm ci` again; the API and the commands work without the console.',
  },
  WEEK_MALFORMED: {
    text: '{week} is no week.',
    hint: 'Write an ISO week with its year, such as 2026-W47; a year has 52 or 53.',
    status: 400,
    exit: 2,
  },
  WEEK_NOT_OVER: {
    text: 'The week {week} is not over: it ends {ends}.',
    hint: 'Ask for a week that has ended; without --week it is the last full one.',
    status: 400,
    exit: 2,
  },
  REPORT_TOO_LARGE: {
    text: 'The week has {count} documents of kind {what}; a report takes at most {most}.',
    hint: 'Tune the rule that raised most of them; `vigil query --in alerts --by rule` names it.',
    status: 503,
  },
  REPORT_NOT_KEPT: {
    text: 'The report of {week} could not be kept: {reason}.',
    hint: 'Free space in the data folder; the next hour tries again.',
  },
  REPORT_DAMAGED: {
    text: 'The report file {file} cannot be used: {reason}.',
    hint: 'Put it back from a backup; `vigil verify` on the folder of reports says which others hold.',
  },
  FILE_UNWRITABLE: {
    text: '{file} cannot be written: {reason}.',
    hint: 'Check that its folder is there and has room.',
    exit: 2,
  },
  REPORT_FORMAT: {
    text: 'A report cannot be made as {format} yet.',
    hint: 'Take html and print it from a browser, or json for every figure, or text.',
    status: 400,
    exit: 2,
  },
  NOT_FOUND: { text: 'There is no {what} {id}.', hint: 'Check the id; lists show the ones that exist.', status: 404, exit: 2 },
  STATE_CONFLICT: { text: '{what} {id} was changed by somebody else.', hint: 'Read it again and repeat the change.', status: 412 },
  STATE_TOO_NEW: {
    text: '{file} was written by a newer Vigil (step {version}; this one knows {known}).',
    hint: 'Start the newer version again, or restore a backup made by this one.',
    exit: 2,
  },
  STORE_CLOSED: { text: 'The store is closed.', hint: 'The collector is stopping; ask again when it runs.', status: 503 },
  STORE_ENGINE_DOWN: {
    text: 'The query engine is not running: {reason}.',
    hint: 'It is started again by itself; nothing is lost.',
    status: 503,
  },
  STORE_TOO_MUCH: {
    text: 'The question needs more memory than the query engine has.',
    hint: 'Narrow the time window, or ask for a field with fewer values.',
    status: 503,
  },
  STORE_ENGINE_FAILED: { text: 'The query engine refused: {reason}.', hint: 'This is a fault of Vigil; please report it with the log.' },
  STORE_RANGE_BROKEN: {
    text: 'The batch {from} to {to} begins before {held}, which the store already holds.',
    hint: 'The pass must go on from the position of the store.',
  },
  STORE_BUSY: { text: 'The answer took longer than {limitMs} ms.', hint: 'Narrow the time window or the query.', status: 503 },
  AUTH_BUSY: { text: 'Too many logins are being checked.', hint: 'Try again in a few seconds.', status: 503 },
  AUTH_TOKEN_BAD: {
    text: 'The API token cannot be made: {reason}.',
    hint: 'Give a short plain name and a future expiry.',
    status: 400,
    exit: 2,
  },
  AUTH_TOKEN_TOO_STRONG: {
    text: 'A token of role {role} may do more than you may as {own}.',
    hint: 'Choose a role that your own one covers.',
    status: 403,
    exit: 2,
  },
  USER_NAME_BAD: {
    text: 'A user cannot be named {name}.',
    hint: 'Use 2 to 64 lower-case letters, digits, and . _ - @, beginning with a letter or digit.',
    status: 400,
    exit: 2,
  },
  USER_EXISTS: {
    text: 'There is a user {name} already.',
    hint: 'Choose another name, or `vigil user reset {name}`.',
    status: 409,
    exit: 2,
  },
  USER_PASSWORD_BAD: {
    text: 'The new password is not taken: {reason}.',
    hint: 'Use twelve or more characters, e.g. four words.',
    status: 400,
    exit: 2,
  },
  USER_PASSWORD_WRONG: { text: 'The current password is wrong.', hint: 'Type the password you logged in with.', status: 403, exit: 2 },
  USER_LAST_ADMIN: {
    text: '{name} is the last admin who can log in.',
    hint: 'Make another user admin first: `vigil user role NAME admin`.',
    status: 409,
    exit: 2,
  },
  LOGIN_WAIT: {
    text: 'Too many attempts; the next one counts in {seconds} s.',
    hint: 'Wait, or have an admin reset the password.',
    status: 429,
  },
  AUDIT_FAILED: {
    text: 'The audit trail could not be written: {reason}.',
    hint: 'Nothing is changed without it: free space or mend the disk, then repeat.',
    status: 503,
  },
  IDENTITY_REFUSED: {
    text: 'The identity was refused: {reason}.',
    hint: 'Keep keys and spool; see `vigil agent list` on the collector, or enrol again with a new token.',
    status: 401,
    exit: 2,
  },
  ENROL_BAD: { text: 'The enrolment cannot be taken: {reason}.', hint: 'Update the agent, or make a new token.', status: 400, exit: 2 },
  AGENT_DOOR_BUSY: { text: 'Too many requests at once.', hint: 'Send again after the time in Retry-After.', status: 503 },
  TOO_MANY_REQUESTS: { text: 'Too many refused requests from {address}.', hint: 'Send again after the time in Retry-After.', status: 429 },
  LISTENER_FAILED: {
    text: 'The listener on {address} cannot be opened: {reason}.',
    hint: 'Give an address of this host and a port that this user may open.',
    exit: 2,
  },
  REQUEST_TOO_LARGE: { text: 'The request is larger than {limit} bytes.', hint: 'Send fewer blocks in one request.', status: 413 },
  JOB_BAD: { text: 'The job {name} cannot be scheduled: {reason}.', hint: 'This is a fault of the program; report it.' },
  NO_SUCH_DOOR: {
    text: 'There is nothing at {path}.',
    hint: 'The agents speak to /agent/v1/…; the console has its own port.',
    status: 404,
  },
  TOKEN_NEEDS_URL: {
    text: 'Agents on other hosts cannot reach {url}.',
    hint: 'Start the collector with --agents ADDR:PORT and --public-url URL, or add --local when the agent is on this host.',
    status: 409,
    exit: 2,
  },
  TOKEN_BAD: { text: 'The token cannot be made: {reason}.', hint: 'See `vigil agent token create --help`.', status: 400, exit: 2 },
  KEY_FILE_BAD: {
    text: 'The key in {file} cannot be used: {reason}.',
    hint: 'Restore the file from a backup; a new key means that every agent enrols again.',
    exit: 3,
  },
  REQUEST_BAD: {
    text: 'The request cannot be taken: {reason}.',
    hint: 'See /api/v1/openapi.json for what the route takes.',
    status: 400,
    exit: 2,
  },
  MEDIA_TYPE: { text: 'A body of this type is not taken.', hint: 'Send application/json.', status: 415, exit: 2 },
  NOT_SIGNED_IN: {
    text: 'Nobody is signed in.',
    hint: 'Sign in, or send an API token: `vigil token create --role auditor`.',
    status: 401,
    exit: 2,
  },
  LOGIN_REFUSED: {
    text: 'The name or the password is wrong, or the user is disabled.',
    hint: 'An admin can reset it: `vigil user reset NAME`.',
    status: 401,
    exit: 2,
  },
  NOT_PERMITTED: {
    text: 'Your role {role} does not hold {permission}.',
    hint: 'Ask an admin for a role that does.',
    status: 403,
    exit: 2,
  },
  PASSWORD_MUST_CHANGE: {
    text: 'The one-time password must be changed first.',
    hint: 'Change it in the console, or POST /api/v1/auth/password.',
    status: 403,
    exit: 2,
  },
  CROSS_SITE: {
    text: 'The request does not come from the console itself.',
    hint: 'Programs send an API token instead of a cookie.',
    status: 403,
    exit: 2,
  },
  HOST_UNKNOWN: {
    text: 'The collector is not {host}.',
    hint: 'Use the address it printed at its start.',
    status: 421,
    exit: 2,
  },
  IF_MATCH_MISSING: {
    text: 'The change names no version.',
    hint: 'Send the ETag of what you read in If-Match.',
    status: 428,
    exit: 2,
  },
  SLOW_DOWN: { text: 'Too many requests.', hint: 'Send again in {retryAfterSeconds} s.', status: 429 },
  NO_SUCH_ROUTE: { text: 'There is nothing at {path}.', hint: '/api/v1/openapi.json lists every route.', status: 404, exit: 2 },
  ROUTE_BAD: { text: 'The route {route} cannot be opened: {reason}.', hint: 'This is a fault of Vigil; please report it.' },
  CONTROL_TAKEN: {
    text: 'Another collector answers on {file}.',
    hint: 'Stop that collector, or name another folder with --data.',
    exit: 2,
  },
  HTTP_FAULT: { text: 'The collector met a fault of its own.', hint: 'Its log says more; please report it.' },
  INGEST_MALFORMED: {
    text: 'The request of blocks cannot be read: {reason}.',
    hint: 'Check the versions of agent and collector; the agent keeps its blocks.',
    status: 400,
  },
  INGEST_TOO_LARGE: {
    text: 'The request is larger than {limit} bytes.',
    hint: 'The agent splits it and sends again.',
    status: 413,
  },
  INGEST_BUSY: {
    text: 'The collector has as much under way as it may: {bytes} bytes.',
    hint: 'The agent keeps its blocks and sends again after the time in Retry-After.',
    status: 503,
  },
  INGEST_BEHIND: {
    text: 'The store is {bytes} bytes behind the journal, which is as much as it may be.',
    hint: 'Agents keep their records and go on by themselves when the store has caught up; see the condition in /health.',
    status: 503,
  },
  INGEST_QUOTA: {
    text: 'Agent {agent} sends more than {bytesPerSecond} bytes a second.',
    hint: 'The agent keeps its blocks and sends again after the time in Retry-After; raise the quota if the host is meant to.',
    status: 429,
  },
  JOURNAL_BUSY: {
    text: 'More than {limitBytes} bytes wait to be written to the journal.',
    hint: 'Send again after the time in Retry-After; if it stays, the disk is too slow for the load.',
    status: 503,
  },
  JOURNAL_FAILED: {
    text: 'The journal cannot be written: {reason}.',
    hint: 'Free space or mend the disk under {dir}; agents keep what was not acknowledged and send it again.',
    status: 503,
  },
  JOURNAL_CLOSED: { text: 'The journal is closed.', hint: 'The collector is stopping; send again when it runs.', status: 503 },
  MOVE_REFUSED: { text: 'This is not possible: {reason}.', hint: 'Read it again; its state shows what can follow.', status: 409, exit: 2 },
  VERDICT_NEEDED: {
    text: 'A verdict is missing: {reason}.',
    hint: 'Give true-positive, true-positive-no-impact, benign, false-positive, duplicate or insufficient-data.',
    status: 422,
    exit: 2,
  },
  BACKUP_RUNNING: { text: 'A backup is under way.', hint: 'Wait for its end; it may be seen at GET /api/v1/backup.', status: 409, exit: 2 },
  BACKUP_FAILED: {
    text: 'The backup {file} could not be taken: {reason}.',
    hint: 'Nothing is left behind and nothing was changed: free space or name another place, then repeat.',
  },
  BACKUP_BROKEN: {
    text: '{file} does not hold at {part}: {reason}.',
    hint: 'Take an older backup, or fetch this one again from where it is kept.',
    exit: 2,
  },
  RESTORE_NOT_EMPTY: {
    text: '{dir} is not empty: it holds {name}.',
    hint: 'Restore into a new folder, then start the collector there with --data.',
    exit: 2,
  },
  RESTORE_UNFINISHED: {
    text: 'A restore into {dir} was cut short.',
    hint: 'Empty the folder and repeat `vigil restore FILE --data {dir}`.',
    exit: 2,
  },
  REDECODE_RUNNING: {
    text: 'A range is being decoded again already.',
    hint: 'Wait for its end; it may be seen at GET /api/v1/redecode.',
    status: 409,
    exit: 2,
  },
  REDECODE_FAILED: {
    text: 'The range could not be decoded again: {reason}.',
    hint: 'The events are as they were; repeat it.',
  },
  REASON_NEEDED: { text: 'A reason is missing: {reason}.', hint: 'Say in a sentence why.', status: 422, exit: 2 },
} as const satisfies ErrorTable;

export type CollectorErrorCode = keyof typeof COLLECTOR_ERRORS;

export const fault = errorsOf(COLLECTOR_ERRORS);
