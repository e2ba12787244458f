// SPDX-License-Identifier: Apache-2.0
/**
 * Raw log lines that a Linux host would write if what a Sigma rule describes happened: audit records, access logs, syslog, JSON.
 * Input: a rule's log source and one choice of values for its fields. Output: datasets with lines, to be tried in turn.
 */
import type { LogSource } from '../../collector/model/rule.ts';

/** What a rule wants of one field; `null` stands for keywords. */
export interface Piece {
  readonly field: string | null;
  readonly op: 'equals' | 'contains' | 'startswith' | 'endswith';
  readonly text: string;
}

export interface Lines {
  readonly dataset: string;
  readonly lines: readonly string[];
}

/** One value that has all pieces of a field, or undefined where the rule wants nothing of it. */
const wanted = (pieces: readonly Piece[], field: string | null): string | undefined => {
  const own = pieces.filter((piece) => piece.field === field);
  if (own.length === 0) return undefined;
  const of = (op: Piece['op']): readonly string[] => own.filter((piece) => piece.op === op).map(({ text }) => text);
  const longest = (texts: readonly string[]): string => [...texts].sort((a, b) => b.length - a.length)[0] ?? '';
  const [equal] = of('equals');
  if (equal !== undefined) return equal;
  let value = longest(of('startswith'));
  for (const text of of('contains')) value += `${value === '' || value.endsWith(' ') || text.startsWith(' ') ? '' : ' '}${text}`;
  const end = longest(of('endswith'));
  // A text that ends in a blank is inside a command: something follows.
  if (end === '') return value.endsWith(' ') ? `${value}x` : value;
  const isPath = /^[/.]/.test(end) && !value.includes(' ');
  return `${value}${value === '' || isPath ? '' : ' '}${end}`;
};

const quoted = (text: string): string => (/^[\x21\x23-\x7e]*$/.test(text) ? `"${text}"` : Buffer.from(text).toString('hex').toUpperCase());
const absolute = (path: string, folder: string): string => (path.startsWith('/') ? path : `${folder}/${path}`);
const nameOf = (path: string): string => path.slice(path.lastIndexOf('/') + 1).slice(0, 15);

let serial = 0;
const head = (): string => `msg=audit(1795515242.100:${++serial}):`;

interface Call {
  readonly image: string;
  readonly pid?: number;
  readonly parent?: number;
  readonly user?: string;
  readonly key?: string;
  readonly a?: string;
  readonly euid?: string;
  readonly comm?: string;
}

const syscall = (
  at: string,
  number: number,
  { image, pid = 500, parent = 400, user, key = 'k', a = 'a0=1 a1=2 a2=3', euid = '1000', comm }: Call,
): string =>
  `type=SYSCALL ${at} arch=c000003e syscall=${number} success=yes exit=0 ${a} items=2 ppid=${parent} pid=${pid} auid=1000 uid=1000 gid=1000 euid=${euid} ses=0 ` +
  `comm=${quoted(comm ?? nameOf(image))} exe=${quoted(image)} key=${quoted(key)}${user === undefined ? '' : `\u001dUID="${user}" EUID="${user}"`}`;

const title = (at: string): string => `type=PROCTITLE ${at} proctitle=78`;

/** An execve as five records. */
const exec = (call: Call, command: string, cwd = '/'): readonly string[] => {
  const at = head();
  const args = command.split(' ');
  return [
    syscall(at, 59, call),
    `type=EXECVE ${at} argc=${args.length} ${args.map((arg, i) => `a${i}=${quoted(arg)}`).join(' ')}`,
    `type=CWD ${at} cwd=${quoted(cwd)}`,
    `type=PATH ${at} item=0 name=${quoted(call.image)} inode=1 mode=0100755 ouid=0 ogid=0 nametype=NORMAL`,
    title(at),
  ];
};

type Value = (field: string, otherwise: string) => string;

const processLines = (value: Value, has: (field: string) => boolean): readonly string[] => {
  const image = absolute(value('Image', '/usr/bin/x'), '/usr/bin');
  const parent = absolute(value('ParentImage', '/usr/bin/parent'), '/usr/bin');
  const before =
    has('ParentImage') || has('ParentCommandLine') ? exec({ image: parent, pid: 400, parent: 1 }, value('ParentCommandLine', parent)) : [];
  const user = value('User', 'root');
  return [...before, ...exec({ image, user }, value('CommandLine', `${image} x`), value('CurrentDirectory', '/'))];
};

const fileLines = (value: Value): readonly string[] => {
  const at = head();
  return [
    syscall(at, 257, { image: absolute(value('Image', '/usr/bin/x'), '/usr/bin'), a: 'a0=ffffff9c a1=7 a2=241' }),
    `type=CWD ${at} cwd="/"`,
    `type=PATH ${at} item=0 name="/" nametype=PARENT`,
    `type=PATH ${at} item=1 name=${quoted(absolute(value('TargetFilename', '/x'), '/x'))} inode=3 mode=0100644 nametype=CREATE`,
    title(at),
  ];
};

const networkLines = (value: Value): readonly string[] => {
  const at = head();
  const ip = Buffer.from(value('DestinationIp', '203.0.113.7').split('.').map(Number)).toString('hex').toUpperCase();
  const port = Number(value('DestinationPort', '80')).toString(16).padStart(4, '0').toUpperCase();
  return [
    syscall(at, 42, { image: absolute(value('Image', '/usr/bin/x'), '/usr/bin') }),
    `type=SOCKADDR ${at} saddr=0200${port}${ip}0000000000000000`,
    title(at),
  ];
};

const CALLS: Readonly<Record<string, number>> = {
  socket: 41,
  memfd_create: 319,
  personality: 135,
  mknod: 133,
  execve: 59,
  execveat: 322,
  sysinfo: 99,
  syslog: 103,
};

const auditLines = (value: Value, has: (field: string) => boolean, words: string): readonly string[] => {
  const at = head();
  const type = value('type', 'SYSCALL').toUpperCase();
  if (!/^(?:SYSCALL|EXECVE|PATH)$/.test(type))
    return [`type=${type} ${at} pid=1 uid=0 auid=1 ses=1 msg='unit=${value('unit', 'x')} comm="systemd" exe="/x" res=success'`];
  const args = Array.from({ length: 8 }, (_, n) => value(`a${n}`, ''));
  while (args.at(-1) === '') args.pop();
  const call = { image: value('exe', '/usr/bin/x'), key: value('key', 'k'), euid: value('euid', '1000'), comm: value('comm', 'x') };
  const isCall = has('SYSCALL');
  const lines = [
    syscall(at, isCall ? (CALLS[value('SYSCALL', '')] ?? 0) : 59, { ...call, ...(isCall ? { a: `a0=${value('a0', '1')} a1=2` } : {}) }),
  ];
  const all = [...args, ...words.split(' ').filter((word) => word !== '')];
  if (!isCall && type !== 'PATH' && all.length > 0)
    lines.push(`type=EXECVE ${at} argc=${all.length} ${all.map((arg, i) => `a${i}=${quoted(arg === '' ? 'x' : arg)}`).join(' ')}`);
  lines.push(`type=CWD ${at} cwd="/"`);
  if (type === 'PATH')
    lines.push(`type=PATH ${at} item=0 name=${quoted(value('name', '/x'))} nametype=${value('nametype', 'NORMAL').toUpperCase()}`);
  return [...lines, title(at)];
};

const webLines = (value: Value, words: string): readonly Lines[] => {
  const query = value('cs-uri-query', '');
  const whole =
    value('cs-uri', '') ||
    value('c-uri', '') ||
    `${value('cs-uri-stem', '/x')}${query === '' || query.startsWith('/') ? query : `?${query}`}`;
  const url = absolute(`${whole}${words === '' ? '' : `${whole.includes('?') ? '&' : '?'}${words}`}`, '')
    .replaceAll(' ', '%20')
    .replaceAll('"', '%22');
  const agent = value('cs-user-agent', value('c-useragent', 'x')).replaceAll('"', '\\x22');
  const line = `203.0.113.7 - ${value('cs-username', '-')} [24/Nov/2026:10:00:00 +0000] "${value('cs-method', 'GET').toUpperCase()} ${url} HTTP/1.1" ${value('sc-status', '200')} ${value('sc-bytes', '512')} "${value('cs-referer', '-')}" "${agent}"`;
  return [
    { dataset: 'nginx.access', lines: [line] },
    { dataset: 'apache.access', lines: [line] },
  ];
};

const PROGRAMS: Readonly<Record<string, string>> = { cron: 'CRON', clamav: 'clamd', guacamole: 'guacd', auth: 'sshd' };

/** Lines of the log source, with these values in them. */
export const linesFor = ({ category, service }: LogSource, pieces: readonly Piece[]): readonly Lines[] => {
  const value: Value = (field, otherwise) => wanted(pieces, field) ?? otherwise;
  const has = (field: string): boolean => pieces.some((piece) => piece.field === field);
  const words = pieces
    .filter(({ field }) => field === null)
    .map(({ text }) => text)
    .join(' ');
  if (category === 'process_creation') return [{ dataset: 'auditd', lines: processLines(value, has) }];
  if (category === 'file_event') return [{ dataset: 'auditd', lines: fileLines(value) }];
  if (category === 'network_connection') return [{ dataset: 'auditd', lines: networkLines(value) }];
  if (service === 'auditd') return [{ dataset: 'auditd', lines: auditLines(value, has, words) }];
  if (category === 'webserver') return webLines(value, words);
  if (service === 'sudo')
    return [
      {
        dataset: 'syslog',
        lines: [`Nov 24 10:00:00 h sudo[1]:     anna : TTY=pts/0 ; PWD=/ ; USER=${value('USER', 'root')} ; COMMAND=/bin/sh`],
      },
    ];
  return [
    { dataset: 'syslog', lines: [`Nov 24 10:00:00 h ${PROGRAMS[service ?? ''] ?? service ?? 'app'}[1]: ${words}`] },
    { dataset: 'syslog', lines: [`Nov 24 10:00:00 h app[1]: ${words}`] },
    { dataset: 'nginx.error', lines: [`2026/11/24 10:00:00 [error] 1#1: ${words}`] },
    { dataset: 'json', lines: [JSON.stringify({ message: words })] },
  ];
};
