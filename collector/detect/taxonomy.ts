// SPDX-License-Identifier: Apache-2.0
/**
 * Sigma's field names and where their values stand in an event: ECS names first, then the names of other sources of the same thing.
 * Input: the Sigma taxonomy. Output: `fields.ts` resolves every name once for each rule set.
 */

const TAXONOMY: Readonly<Record<string, readonly string[]>> = {
  // process creation
  CommandLine: ['process.command_line', 'ProcessCommandLine'],
  Image: ['process.executable', 'NewProcessName'],
  ParentImage: ['process.parent.executable', 'ParentProcessName'],
  ParentCommandLine: ['process.parent.command_line'],
  CurrentDirectory: ['process.working_directory'],
  ProcessId: ['process.pid'],
  ParentProcessId: ['process.parent.pid'],
  ProcessName: ['process.name'],
  User: ['user.name'],
  LogonId: ['SubjectLogonId', 'auditd.ses'],
  OriginalFileName: ['process.pe.original_file_name'],
  Details: ['NewValue'],
  // files
  TargetFilename: ['file.path'],
  // network
  SourceIp: ['source.ip'],
  SourcePort: ['source.port'],
  SourceHostname: ['source.domain'],
  DestinationIp: ['destination.ip'],
  DestinationPort: ['destination.port'],
  DestinationHostname: ['destination.domain'],
  Protocol: ['network.transport'],
  QueryName: ['dns.question.name'],
  query: ['dns.question.name'],
  record_type: ['dns.question.type'],
  src_ip: ['source.ip'],
  src_port: ['source.port'],
  dst_ip: ['destination.ip'],
  dst_port: ['destination.port'],
  action: ['event.action'],
  Computer: ['host.name'],
  ComputerName: ['host.name'],
  Hostname: ['host.name'],
  // web, in both spellings
  'c-ip': ['source.ip'],
  'c-uri': ['url.original', 'url.full', 'url.path'],
  'cs-uri': ['url.original', 'url.full', 'url.path'],
  'c-uri-query': ['url.query'],
  'cs-uri-query': ['url.query', 'url.original'],
  'c-uri-stem': ['url.path'],
  'cs-uri-stem': ['url.path'],
  'c-uri-extension': ['url.extension'],
  'cs-method': ['http.request.method'],
  'sc-status': ['http.response.status_code'],
  'c-useragent': ['user_agent.original'],
  'cs-useragent': ['user_agent.original'],
  'cs-user-agent': ['user_agent.original'],
  'c-user-agent': ['user_agent.original'],
  'cs-host': ['url.domain', 'destination.domain'],
  'r-dns': ['url.domain', 'destination.domain'],
  'cs-referer': ['http.request.referrer'],
  'cs-referrer': ['http.request.referrer'],
  'cs-username': ['user.name', 'url.username'],
  'cs-version': ['http.version'],
  'sc-bytes': ['http.response.body.bytes'],
  'cs-bytes': ['http.request.body.bytes'],
  // auditd: what the decoder lifted out of the records
  exe: ['process.executable'],
  comm: ['process.name'],
  name: ['auditd.names', 'file.path'],
  nametype: ['auditd.nametypes'],
  type: ['auditd.types', 'event.code', 'auditd.type'],
  key: ['tags'],
  SYSCALL: ['auditd.syscall'],
  unit: ['service.name'],
  cwd: ['process.working_directory'],
  pid: ['process.pid'],
  ppid: ['process.parent.pid'],
  uid: ['user.id'],
  euid: ['user.effective.id'],
  acct: ['user.name'],
  addr: ['source.ip'],
  proctitle: ['process.title'],
  // auth and syslog
  USER: ['user.target.name', 'user.effective.name'],
  UserName: ['user.name'],
  user: ['user.name'],
  service: ['service.name'],
  program: ['log.syslog.appname', 'process.name'],
};

// Rules in ECS names reach events in Sigma's names too: the way back over the first candidate of each.
const SIGMA_NAMES = new Map<string, string[]>();
for (const [sigma, [ecs]] of Object.entries(TAXONOMY)) {
  if (ecs === undefined) continue;
  const names = SIGMA_NAMES.get(ecs);
  if (names) names.push(sigma);
  else SIGMA_NAMES.set(ecs, [sigma]);
}
const NONE: readonly string[] = [];

/** Where the value of a field may stand, in order; the field's own name always comes before and is not named. */
export const candidatesOf = (field: string): readonly string[] =>
  (Object.hasOwn(TAXONOMY, field) ? TAXONOMY[field] : SIGMA_NAMES.get(field)) ?? NONE;

/** Rules write paths under these too, so they are matched against the query and the whole URL. */
export const WHOLE_URL: ReadonlySet<string> = new Set(['cs-uri-query', 'c-uri-query']);

/** Member of process.args that an auditd argument (`a0`, `a12`) is; -1 for other names. */
export const argumentOf = (field: string): number => (/^a\d{1,3}$/.test(field) ? Number(field.slice(1)) : -1);

/** Raw fields of audit records stand in vigil.extra under this prefix. */
export const RAW_PREFIX = 'auditd.';

/** Texts that list the values of several audit records of one event, a line each: a field is each of them. */
export const LISTS: ReadonlySet<string> = new Set(['auditd.types', 'auditd.names', 'auditd.nametypes']);

/** Names without space and case: Windows logs write `Source Name` where rules write `SourceName`. */
export const foldName = (name: string): string => name.replace(/\s+/g, '').toLowerCase();
