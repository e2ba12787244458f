// SPDX-License-Identifier: Apache-2.0
/**
 * The published mapping of protocol P1: their log types to our datasets, their facts to our fields, both event classes to common ones.
 * Input: an expected case, a decoded event. Output: seven comparable facts of each.
 */
import type { Event } from '../../collector/model/event.ts';

/** Log types in scope as P1 lists them, by the name the cases use, and the dataset each is decoded with. */
export const IN_SCOPE: Readonly<Record<string, string>> = {
  syslog: 'syslog',
  nginx: 'nginx',
  'nginx-proxy-manager': 'nginx',
  npmplus: 'nginx',
  bunkerweb: 'nginx',
  apache2: 'apache',
  traefik: 'traefik',
  caddy: 'caddy',
  haproxy: 'haproxy',
  mysql: 'mysql',
  mariadb: 'mysql',
  postgres: 'postgres',
  named: 'named',
  vsftpd: 'vsftpd',
  proftpd: 'proftpd',
  auditd: 'auditd',
  modsecurity: 'modsecurity',
  endlessh: 'endlessh',
  asterisk: 'asterisk',
};

/** Programs in scope behind a syslog header, by the test they stand in. A syslog test of another program is out of scope. */
export const SYSLOG_TESTS =
  /^(?:CVE-2021-4034|sshd|ssh|geoip-enrich|opnsense|pfsense|pf-logs|dovecot|postfix|postscreen|exim|iptables|asterisk|endlessh|bind9|proftpd|vsftpd|haproxy|mysql|pgsql|nginx|apache|segfault|wireguard|auditd|sudo|su-|pam)/;

export const FACTS = ['source', 'user', 'time', 'service', 'http', 'host', 'class'] as const;
export type Fact = (typeof FACTS)[number];
export type Facts = Partial<Record<Fact, string>>;

const clean = (value: unknown): string | undefined =>
  value === undefined || value === '' || value === '-' || value === '<unknown>' ? undefined : String(value);

/** `2020-…` to a key that compares to the second; a year that upstream leaves open or invents is taken out. */
const timeKey = (iso: string, yearless: boolean): string | undefined => {
  const text = yearless ? iso.replace(/^(?:YYYY|\d{4})-/, '2000-') : iso;
  const at = Date.parse(text);
  return Number.isNaN(at) ? undefined : new Date(at).toISOString().slice(yearless ? 5 : 0, 19);
};

/** Their names of services. */
const SERVICES: Readonly<Record<string, string>> = {
  bind9: 'dns',
  'opnsense-gui': 'firewall-console',
  'pfsense-gui': 'firewall-console',
  postscreen: 'postfix',
};

/** Our datasets as services. */
const DATASETS: Readonly<Record<string, string>> = {
  sshd: 'ssh',
  named: 'dns',
  'firewall.console': 'firewall-console',
  'nginx.access': 'http',
  'nginx.error': 'http',
  'apache.access': 'http',
  'apache.error': 'http',
  'traefik.access': 'http',
  'traefik.access.json': 'http',
  'aws.alb': 'http',
  caddy: 'http',
  haproxy: 'http',
  pureftpd: 'pureftpd',
};

/** Their classes and ours to about twenty common ones. */
const CLASSES: Readonly<Record<string, string>> = {
  'ssh_failed-auth': 'login-failed',
  ssh_auth_timeout: 'login-timeout',
  ssh_bad_keyexchange: 'negotiation-failed',
  ssh_dispatch_fatal: 'protocol-error',
  ssh_refused_conn: 'connection-refused',
  auth_success: 'login',
  asterisk_failed_auth: 'login-failed',
  exim_failed_auth: 'mail-rejected',
  'spam-attempt': 'mail-rejected',
  bind9_denied: 'dns-denied',
  endlessh_accept: 'tarpit',
  'http_access-log': 'http-request',
  'http_error-log': 'http-error',
  modsecurity: 'waf',
  iptables_drop: 'packet',
  pf_drop: 'packet',
  pf: 'packet',
  'opnsense-gui-failed-auth': 'login-failed',
  'pfsense-gui-failed-auth': 'login-failed',
  'pftpd_failed-auth': 'login-failed',
  ftp_failed_auth: 'login-failed',
  mariadb_failed_auth: 'login-failed',
  mysql_failed_auth: 'login-failed',
  pgsql_failed_auth: 'login-failed',
  execve: 'execve',
  kernel: 'segfault',
  wireguard_failed_auth: 'connection-refused',
  'CVE-2021-4034-xpl': 'privileged-command',
  postfix: 'mail',
  dovecot_logs: 'mail-login',
};

/** The class of one of our events, in their words. */
const classOf = (event: Event): string | undefined => {
  const action = event['event.action'] ?? '';
  const dataset = event['event.dataset'] ?? '';
  if (action.startsWith('waf-')) return 'waf';
  if (action === 'execve' || action === 'segfault') return action;
  if (dataset === 'postfix') return 'mail';
  if (dataset === 'dovecot') return 'mail-login';
  if (dataset === 'exim') return event['event.outcome'] === 'failure' ? 'mail-rejected' : 'mail';
  if (action === 'dns-query' || action === 'dns-transfer' || action === 'dns-update')
    return event['event.outcome'] === 'failure' ? 'dns-denied' : 'dns';
  if (action.startsWith('tarpit-')) return 'tarpit';
  if (action.startsWith('firewall-') && action !== 'firewall-console-login') return 'packet';
  if (action === 'wireguard-denied' || action === 'ssh-refused-connection') return 'connection-refused';
  if (action === 'ssh-negotiation') return 'negotiation-failed';
  if (action === 'ssh-login-timeout') return 'login-timeout';
  if (action === 'ssh-protocol-error') return event['event.reason'] === 'bad obfuscated handshake' ? 'login-failed' : 'protocol-error';
  if (action === 'pkexec-command') return 'privileged-command';
  if (dataset.endsWith('.error')) return 'http-error';
  if (action === 'http-request') return 'http-request';
  if (event['event.category']?.includes('authentication') === true) return event['event.outcome'] === 'success' ? 'login' : 'login-failed';
  return undefined;
};

/** Classes that only say the service, where the line's kind is compared by its other facts. */
const httpKey = (method: unknown, path: unknown, status: unknown, agent: unknown): string | undefined => {
  const parts = [clean(method), clean(path), status === '0' || status === 0 ? undefined : clean(status), clean(agent)];
  return parts.every((part) => part === undefined) ? undefined : parts.map((part) => part ?? '').join('\u0001');
};

export interface Expected {
  readonly meta: Readonly<Record<string, string>>;
  readonly parsed?: Readonly<Record<string, string>>;
}

/** What a case expects. */
export const expectedFacts = ({ meta }: Expected): Facts => {
  const yearless = meta['timestamp']?.startsWith('YYYY') === true;
  const service = clean(meta['service']);
  const type = clean(meta['log_type']);
  const facts: Facts = {};
  const set = (fact: Fact, value: string | undefined): void => {
    if (value !== undefined) facts[fact] = value;
  };
  set('source', clean(meta['source_ip']));
  set(
    'user',
    clean(meta['target_user'] ?? meta['username'] ?? meta['user'] ?? (type === 'pftpd_failed-auth' ? meta['source_user'] : undefined)),
  );
  set('time', meta['timestamp'] === undefined ? undefined : timeKey(meta['timestamp'], yearless));
  if (service !== 'tcp' && service !== 'udp' && type !== 'modsecurity')
    set('service', service === undefined ? undefined : (SERVICES[service] ?? service));
  set('http', httpKey(meta['http_verb'] ?? meta['verb'], meta['http_path'], meta['http_status'], meta['http_user_agent']));
  set('host', clean(meta['machine']));
  set('class', type === undefined ? undefined : (CLASSES[type] ?? type));
  return facts;
};

/** What our event says, for the facts a case expects. */
export const actualFacts = (event: Event, expected: Expected): Facts => {
  const { meta } = expected;
  const yearless = meta['timestamp']?.startsWith('YYYY') === true;
  const given = (fact: string): boolean => clean(meta[fact]) !== undefined;
  const dataset = event['event.dataset'] ?? '';
  const facts: Facts = {};
  const set = (fact: Fact, value: string | undefined): void => {
    if (value !== undefined) facts[fact] = value;
  };
  set('source', event['source.ip']);
  set(
    'user',
    event['user.name'] ??
      (meta['log_type'] === 'exim_failed_auth' || meta['log_type'] === 'spam-attempt' ? event['email.to.address']?.[0] : undefined),
  );
  set('time', event['vigil.time.quality'] === 'unparsed' ? undefined : timeKey(new Date(event['@timestamp'] ?? 0).toISOString(), yearless));
  set(
    'service',
    dataset === 'pam' && event['service.name'] === 'sshd'
      ? 'ssh'
      : (DATASETS[dataset] ?? (event['network.protocol'] === 'wireguard' ? 'wireguard' : dataset)),
  );
  set(
    'http',
    httpKey(
      given('http_verb') || given('verb') ? event['http.request.method'] : undefined,
      given('http_path') ? event['url.original'] : undefined,
      given('http_status') ? event['http.response.status_code'] : undefined,
      given('http_user_agent') ? event['user_agent.original'] : undefined,
    ),
  );
  set('host', event['log.syslog.hostname']);
  set('class', classOf(event));
  return facts;
};
