// SPDX-License-Identifier: Apache-2.0
/**
 * The published mapping of the auditd oracle: names of go-libaudit's parsed records and joined events to the fields that `vigil decode` prints.
 * Input: an expected record or event, one of ours as JSON. Output: the differences, each as text; none where all facts are the same.
 */

/** An event as `vigil decode` prints it. */
export type Printed = Readonly<Record<string, unknown>>;
type Fields = Readonly<Record<string, string>>;

export interface ExpectedRecord {
  readonly '@timestamp': string;
  readonly record_type: string;
  readonly sequence: number;
  readonly raw_msg: string;
  readonly keys?: readonly string[];
  readonly data: Fields;
}

export interface ExpectedEvent {
  readonly '@timestamp': string;
  readonly sequence: number;
  readonly record_type: string;
  readonly result: string;
  readonly session: string;
  readonly tags?: readonly string[];
  readonly user: { readonly ids?: Fields; readonly selinux?: Fields };
  readonly process: Readonly<Record<string, string | readonly string[]>>;
  readonly file?: Fields & { readonly selinux?: Fields };
  readonly source?: Fields;
  readonly destination?: Fields;
  readonly network?: Fields;
  readonly data: Fields;
  readonly paths?: readonly Fields[];
  readonly ecs: { readonly event: { readonly category?: readonly string[]; readonly type?: readonly string[] } };
}

/** Raw fields with a place in ECS; every other stands as `auditd.<name>` in `vigil.extra`. */
const HOMES: Readonly<Record<string, string>> = {
  pid: 'process.pid',
  ppid: 'process.parent.pid',
  uid: 'user.id',
  euid: 'user.effective.id',
  gid: 'user.group.id',
  exe: 'process.executable',
  comm: 'process.name',
  cwd: 'process.working_directory',
  proctitle: 'process.title',
  unit: 'service.name',
  cmd: 'process.command_line',
  addr: 'source.ip',
  name: 'file.path',
};

const PROCESS: Readonly<Record<string, string>> = {
  pid: 'process.pid',
  ppid: 'process.parent.pid',
  title: 'process.title',
  name: 'process.name',
  exe: 'process.executable',
  cwd: 'process.working_directory',
  args: 'process.args',
};

/**
 * Where we name a kind of event otherwise, by record type. LOGIN says which login id a process was given and USER_LOGOUT
 * that it is over: both are a session's, while the authentication is USER_LOGIN.
 */
const KINDS: Readonly<Record<string, string>> = { 'login/authentication': 'session', 'user_logout/authentication': 'session' };

const extraOf = (event: Printed): Fields => (event['vigil.extra'] ?? {}) as Fields;

/** A raw field of ours, from its place in ECS or from `vigil.extra`. */
const rawOf = (event: Printed, key: string): string | undefined => {
  const extra = extraOf(event);
  const raw = extra[`auditd.${key}`];
  if (raw !== undefined) return raw;
  if (key === 'result') return event['event.outcome'] === 'failure' ? 'fail' : (event['event.outcome'] as string | undefined);
  const argument = /^a(\d+)$/.exec(key);
  if (argument !== null) return (event['process.args'] as readonly string[] | undefined)?.[Number(argument[1])];
  // Of a login the id is the account's.
  if (key === 'id') return (event['user.target.id'] ?? event['group.id'] ?? event['user.id']) as string | undefined;
  const home = HOMES[key];
  return home === undefined || event[home] === undefined ? undefined : String(event[home]);
};

const SOCKET = ['family', 'addr', 'port', 'path', 'saddr', 'flow'];

const compare = (differences: string[], what: string, wanted: unknown, actual: unknown): void => {
  if (JSON.stringify(wanted) !== JSON.stringify(actual)) differences.push(`${what}: ${JSON.stringify(wanted)} / ${JSON.stringify(actual)}`);
};

const compareHead = (differences: string[], expected: ExpectedRecord | ExpectedEvent, event: Printed): void => {
  compare(differences, '@timestamp', Date.parse(expected['@timestamp']), Date.parse(String(event['@timestamp'])));
  compare(differences, 'sequence', expected.sequence, event['event.sequence']);
  compare(differences, 'record_type', expected.record_type.toUpperCase(), event['event.code']);
};

/** How our event of one record differs. */
export const recordDifferences = (expected: ExpectedRecord, event: Printed): readonly string[] => {
  const differences: string[] = [];
  compareHead(differences, expected, event);
  compare(differences, 'raw_msg', true, String(event['event.original']).includes(expected.raw_msg));
  compare(differences, 'keys', expected.keys, event['tags']);
  const isSocket = expected.record_type === 'sockaddr';
  for (const [key, wanted] of Object.entries(expected.data))
    compare(differences, `data.${key}`, wanted, rawOf(event, isSocket && SOCKET.includes(key) ? `socket_${key}` : key));
  return differences;
};

const includesAll = (all: unknown, some: readonly string[]): boolean => Array.isArray(all) && some.every((one) => all.includes(one));

/** How our joined event differs. */
export const eventDifferences = (expected: ExpectedEvent, event: Printed): readonly string[] => {
  const differences: string[] = [];
  compareHead(differences, expected, event);
  compare(differences, 'result', expected.result, rawOf(event, 'result'));
  compare(differences, 'session', expected.session, rawOf(event, 'ses'));
  compare(differences, 'tags', expected.tags, event['tags']);
  for (const [key, wanted] of Object.entries(expected.user.ids ?? {})) compare(differences, `user.ids.${key}`, wanted, rawOf(event, key));
  for (const [key, wanted] of Object.entries(expected.user.selinux ?? {}))
    compare(differences, `user.selinux.${key}`, wanted, rawOf(event, `subj_${key}`));
  for (const [key, wanted] of Object.entries(expected.process)) {
    const actual = event[PROCESS[key] ?? ''];
    compare(differences, `process.${key}`, wanted, typeof actual === 'number' ? String(actual) : actual);
  }
  for (const [side, fields] of [
    ['source', expected.source],
    ['destination', expected.destination],
  ] as const) {
    for (const [key, wanted] of Object.entries(fields ?? {}))
      compare(differences, `${side}.${key}`, wanted, String(event[`${side}.${key}`]));
  }
  // The reference gives a direction to logins too; we to connections only.
  if (expected.network && expected.data['syscall'] !== undefined)
    compare(differences, 'network.direction', expected.network['direction'], event['network.direction']);
  for (const [key, wanted] of Object.entries(expected.data)) compare(differences, `data.${key}`, wanted, rawOf(event, key));
  comparePaths(differences, expected, event);
  const { category, type } = expected.ecs.event;
  const kinds = (category ?? []).map((one) => KINDS[`${expected.record_type}/${one}`] ?? one);
  compare(differences, `category ${kinds} in ${event['event.category']}`, true, includesAll(event['event.category'], kinds));
  compare(differences, `type ${type} in ${event['event.type']}`, true, includesAll(event['event.type'], type ?? []));
  return differences;
};

/** The file that the reference chose is one of the paths; we may have chosen the one that was created or deleted. */
const comparePaths = (differences: string[], expected: ExpectedEvent, event: Printed): void => {
  const paths = JSON.parse(extraOf(event)['auditd.paths'] ?? '[]') as readonly Fields[];
  compare(differences, 'paths', expected.paths?.length ?? 0, paths.length);
  for (const [n, path] of (expected.paths ?? []).entries())
    for (const [key, wanted] of Object.entries(path)) compare(differences, `paths.${n}.${key}`, wanted, paths[n]?.[key]);
  const { file } = expected;
  if (file === undefined) return;
  const one = paths.find((path) => path['name'] === file['path'] && path['inode'] === file['inode']);
  const mode = one === undefined ? undefined : (Number.parseInt(one['mode'] ?? '', 8) & 0o7777).toString(8).padStart(4, '0');
  compare(
    differences,
    'file',
    [file['device'], file['mode'], file['uid'], file['gid']],
    [one?.['rdev'], mode, one?.['ouid'], one?.['ogid']],
  );
  for (const [key, wanted] of Object.entries(file.selinux ?? {})) compare(differences, `file.selinux.${key}`, wanted, one?.[`obj_${key}`]);
  compare(
    differences,
    'file.path',
    true,
    paths.some((path) => path['name'] === event['file.path']),
  );
};
