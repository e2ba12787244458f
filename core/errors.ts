// SPDX-License-Identifier: Apache-2.0
/**
 * Coded errors: one table per program, each entry with a sentence and what to do about it.
 * Input: the tables in `core/errors.ts`, `agent/errors.ts`, `collector/errors.ts`. Output: thrown faults, CLI messages, HTTP problems, `docs/errors.md`.
 */

export interface ErrorEntry {
  /** What happened, in one sentence; `{name}` is filled from the details. */
  readonly text: string;
  /** What the operator does next. */
  readonly hint: string;
  /** HTTP status where the error can reach a client; 500 when absent. */
  readonly status?: number;
  /** Exit status of a command that ends with it: 2 bad input, 3 a fault (default). */
  readonly exit?: 2 | 3;
}

export type ErrorTable = Readonly<Record<string, ErrorEntry>>;
export type ErrorDetails = Readonly<Record<string, string | number | boolean | undefined>>;

/** A fault with a stable code. The message is the entry's sentence with its details filled in. */
export class CodedError extends Error {
  readonly code: string;
  readonly hint: string;
  readonly status: number;
  readonly exit: 2 | 3;
  readonly details: ErrorDetails;

  constructor(code: string, entry: ErrorEntry, details: ErrorDetails, cause?: unknown) {
    super(fill(entry.text, details), cause === undefined ? undefined : { cause });
    this.name = 'CodedError';
    this.code = code;
    this.hint = fill(entry.hint, details);
    this.status = entry.status ?? 500;
    this.exit = entry.exit ?? 3;
    this.details = details;
  }
}

/** Makes the constructor of a table's errors: `fault('SPOOL_FULL', { quotaBytes })`. */
export const errorsOf =
  <T extends ErrorTable>(table: T) =>
  (code: keyof T & string, details: ErrorDetails = {}, cause?: unknown): CodedError =>
    new CodedError(code, table[code] as ErrorEntry, details, cause);

export const isCoded = (error: unknown, code?: string): error is CodedError =>
  error instanceof CodedError && (code === undefined || error.code === code);

/** Anything that was thrown, as an Error. */
export const toError = (thrown: unknown): Error => (thrown instanceof Error ? thrown : new Error(String(thrown)));

/** The system's error code (`ENOENT`, `EADDRINUSE`), or undefined. */
export const systemCode = (thrown: unknown): string | undefined => {
  const code = thrown instanceof Error ? (thrown as NodeJS.ErrnoException).code : undefined;
  return typeof code === 'string' ? code : undefined;
};

/** Full, read-only, over quota, broken. */
const DISK_CODES: ReadonlySet<string> = new Set(['ENOSPC', 'EROFS', 'EDQUOT', 'EIO']);
/** The same in SQLite's words: read-only, I/O error, full, cannot be opened. */
const SQLITE_DISK_CODES: ReadonlySet<number> = new Set([8, 10, 13, 14]);

/** True for what a disk refuses: it may take the same later, so the work waits instead of being given up. */
export const isDiskFault = (thrown: unknown): boolean => {
  if (DISK_CODES.has(systemCode(thrown) ?? '')) return true;
  const { errcode, cause } = thrown instanceof Error ? (thrown as Error & { readonly errcode?: unknown }) : {};
  return (typeof errcode === 'number' && SQLITE_DISK_CODES.has(errcode & 0xff)) || (cause !== undefined && isDiskFault(cause));
};

const fill = (text: string, details: ErrorDetails): string =>
  text.replace(/\{(\w+)\}/g, (whole, name: string) => (details[name] === undefined ? whole : String(details[name])));

/** Faults of what both programs share. Retired codes: none. */
export const CORE_ERRORS = {
  CONFIG_UNKNOWN_KEY: {
    text: '{file} has the unknown key "{key}".',
    hint: 'The nearest known key is "{nearest}"; --print-config lists all of them.',
    exit: 2,
  },
  CONFIG_BAD_VALUE: { text: '{key} is {value}, which is not {expected}.', hint: 'Set {key} in {file} to {expected}.', exit: 2 },
  CONFIG_UNREADABLE: {
    text: '{file} cannot be read: {reason}.',
    hint: 'Check the path and its permissions, or leave out --config.',
    exit: 2,
  },
  YAML_BAD: {
    text: '{file}:{line}:{column}: {reason}.',
    hint: 'Mend the YAML at that place; anchors, aliases and tags are not taken.',
    status: 400,
    exit: 2,
  },
  POLICY_BAD: {
    text: '{file}:{line}:{column}: {reason}.',
    hint: 'Mend the posture policy at that place; rules/README.md shows what one holds.',
    status: 400,
    exit: 2,
  },
  JSON_TOO_DEEP: { text: 'The JSON is nested deeper than {limit} levels.', hint: 'Flatten the document.', status: 400, exit: 2 },
  JSON_BAD: { text: 'The JSON cannot be read: {reason}.', hint: 'Send one well-formed JSON document.', status: 400, exit: 2 },
  TOO_LARGE: {
    text: '{what} is larger than {limit} bytes.',
    hint: 'Split it, or raise the limit where one can be set.',
    status: 413,
    exit: 2,
  },
  WIRE_BAD_BLOCK: {
    text: 'A block cannot be read: {reason}.',
    hint: 'Check the versions of agent and collector; the block is kept on both sides.',
    status: 400,
  },
  SEGMENT_FAILED: {
    text: 'The file {file} could not be written: {reason}.',
    hint: 'Free space or mend the disk; nothing acknowledged is lost.',
  },
  SEGMENT_BAD: {
    text: 'The file {file} is no segment this version reads: {reason}.',
    hint: 'Keep the file and name it in a report; move it out of the folder to go on without it.',
  },
  KEY_BAD: {
    text: 'The private key cannot be used: {reason}.',
    hint: 'Give an Ed25519 private key in PKCS#8 PEM.',
    exit: 2,
  },
  DATA_FOLDER_BUSY: {
    text: 'The folder {dir} is in use by process {pid}.',
    hint: 'Stop that process, or name another folder with {flag}.',
    exit: 2,
  },
} as const satisfies ErrorTable;

export const coreFault = errorsOf(CORE_ERRORS);
