// SPDX-License-Identifier: Apache-2.0
/**
 * Secrets in records of the Linux audit system, where a command line is split into a0, a1, … or written in hexadecimal digits (A3).
 * Input: an EXECVE, PROCTITLE, USER_CMD or TTY record. Output: secrets at their place in the record.
 */
import { type Secret, secretsIn, united } from './line.ts';
import type { RuleList } from './rules.ts';

/** Finds records that this module reads; names, and the numbers that the kernel's own log has instead. */
export const AUDIT_HINT = 'type=(?:EXECVE|PROCTITLE|USER_CMD|USER_TTY|TTY|1309|1327|1123|1124|1319) ';

const HEAD = /type=(EXECVE|PROCTITLE|USER_CMD|USER_TTY|TTY|1309|1327|1123|1124|1319) (?:msg=)?(?:audit\([^)]*\))?/;
const KINDS: Readonly<Record<string, 'arguments' | 'title' | 'command'>> = {
  EXECVE: 'arguments',
  '1309': 'arguments',
  PROCTITLE: 'title',
  '1327': 'title',
};
const ARGUMENT = / a(\d+)(?:\[\d+\])?=(?:"([^"]*)"|([0-9A-F]+))/g;
const TITLE = / proctitle=(?:"([^"]*)"|([0-9A-Fa-f]+))/g;
const COMMAND = / (?:cmd|data)=(?:"([^"]*)"|([0-9A-Fa-f]+))/g;

/** The beginning of an event's arguments, for the records that continue it. */
export interface AuditMemory {
  readonly event: string;
  readonly before: string;
}

export interface AuditSecrets {
  /** True when the record is one whose text outside the command line holds nothing of people. */
  readonly whole: boolean;
  readonly secrets: readonly Secret[];
  readonly memory: AuditMemory | undefined;
}

/** A value of the record: what it says, and where. */
interface Piece {
  readonly argument: number;
  /** One character a byte. */
  readonly text: string;
  readonly at: number;
  readonly hex: boolean;
}

const MEMORY_CHARACTERS = 4_096;
/** Stands for a blank inside an argument: a secret ends where its argument ends. */
const INSIDE = '\u0001';

/** Null for any other line. */
export const auditSecrets = (text: string, list: RuleList, memory: AuditMemory | undefined): AuditSecrets | null => {
  const head = HEAD.exec(text.length > 512 ? text.slice(0, 512) : text);
  if (!head) return null;
  const kind = KINDS[head[1] ?? ''] ?? 'command';
  if (kind === 'command')
    return { whole: false, secrets: united(piecesOf(text, COMMAND, false).flatMap((piece) => within(piece, list))), memory };
  if (kind === 'title') {
    const pieces = piecesOf(text, TITLE, false).flatMap(splitTitle);
    return { whole: true, secrets: united(secretsOf(pieces, '', list).secrets), memory };
  }
  const pieces = piecesOf(text, ARGUMENT, true);
  const before = memory !== undefined && memory.event === head[0] && pieces[0]?.argument !== 0 ? memory.before : '';
  const { secrets, joined } = secretsOf(pieces, before, list);
  return { whole: true, secrets: united(secrets), memory: { event: head[0], before: joined.slice(-MEMORY_CHARACTERS) } };
};

const piecesOf = (text: string, pattern: RegExp, numbered: boolean): readonly Piece[] => {
  const pieces: Piece[] = [];
  for (const match of text.matchAll(pattern)) {
    const [quoted, digits] = numbered ? [match[2], match[3]] : [match[1], match[2]];
    const end = match.index + match[0].length;
    const argument = numbered ? Number(match[1]) : 0;
    if (quoted !== undefined) pieces.push({ argument, text: quoted, at: end - 1 - quoted.length, hex: false });
    else if (digits !== undefined)
      pieces.push({ argument, text: Buffer.from(digits, 'hex').toString('latin1'), at: end - digits.length, hex: true });
  }
  return pieces;
};

/** A title holds its arguments with a zero byte between. */
const splitTitle = (title: Piece): readonly Piece[] => {
  let offset = 0;
  return title.text.split('\0').map((text, argument) => {
    const piece = { argument, text, at: title.at + offset * (title.hex ? 2 : 1), hex: title.hex };
    offset += text.length + 1;
    return piece;
  });
};

/** The pieces as one command line: a rule finds `--password` and what follows it, wherever the record cut. */
const secretsOf = (pieces: readonly Piece[], before: string, list: RuleList): { secrets: Secret[]; joined: string } => {
  let joined = before;
  const starts: number[] = [];
  let previous: Piece | undefined;
  let shell = / -[a-z]*c$/.test(before);
  for (const piece of pieces) {
    if (piece.argument !== previous?.argument) {
      shell = previous ? /^-[a-z]*c$/.test(previous.text) : shell;
      joined += ' ';
    }
    starts.push(joined.length);
    // What a shell is given is a command line of its own, in which blanks part words.
    joined += shell ? piece.text : piece.text.replace(/\s/g, INSIDE);
    previous = piece;
  }
  const secrets: Secret[] = [];
  for (const { rule, from, to } of secretsOfText(joined, list))
    pieces.forEach((piece, i) => {
      const start = starts[i] as number;
      const cut = placed(piece, rule, Math.max(from, start) - start, Math.min(to, start + piece.text.length) - start);
      if (cut) secrets.push(cut);
    });
  for (const piece of pieces) if (/\s/.test(piece.text)) secrets.push(...within(piece, list));
  return { secrets, joined };
};

const within = (piece: Piece, list: RuleList): readonly Secret[] =>
  secretsOfText(piece.text.replaceAll('\0', ' '), list).flatMap(({ rule, from, to }) => placed(piece, rule, from, to) ?? []);

const secretsOfText = (text: string, { rules, hint }: RuleList): readonly Secret[] => {
  hint.lastIndex = 0;
  return hint.test(text) ? secretsIn(text, rules) : [];
};

const placed = ({ at, hex }: Piece, rule: string, from: number, to: number): Secret | null => {
  if (from >= to) return null;
  return hex ? { rule, from: at + from * 2, to: at + to * 2, hex } : { rule, from: at + from, to: at + to };
};
