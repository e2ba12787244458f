// SPDX-License-Identifier: Apache-2.0
/**
 * Which logs there are on this host, and what they are: the usual places, and what the configuration names.
 * Input: `tail.paths`, `tail.exclude`. Output: streams to follow with their datasets, and folders that are closed to this user.
 */
import { basename, dirname, isAbsolute, resolve } from 'node:path';
import { expandGlob, globPattern } from './glob.ts';
import { isRotatedName } from './rotated.ts';

export interface Target {
  readonly path: string;
  readonly dataset: string;
  /** Why it is read: the entry of the configuration, or `usual`. */
  readonly because: string;
}

export interface Discovered {
  readonly targets: readonly Target[];
  readonly denied: readonly string[];
  /** Entries of the configuration that match no file now; plain paths never stand here. */
  readonly empty: readonly string[];
}

export interface DiscoverOptions {
  /** `PATH[=DATASET]`, globs allowed. */
  readonly paths: readonly string[];
  readonly exclude: readonly string[];
  /** False: only `paths`. */
  readonly usual: boolean;
}

/** Most files that one agent follows; more are left out and said. */
export const MAX_TARGETS = 2_000;

/** The dataset of a file that no table knows: the collector picks by content. */
export const UNKNOWN_DATASET = 'auto';

// biome-ignore format: one row a line
const USUAL: readonly (readonly [glob: string, dataset: string])[] = [
  ['/var/log/auth.log', 'syslog'],
  ['/var/log/secure', 'syslog'],
  ['/var/log/syslog', 'syslog'],
  ['/var/log/messages', 'syslog'],
  ['/var/log/kern.log', 'syslog'],
  ['/var/log/cron', 'syslog'],
  ['/var/log/cron.log', 'syslog'],
  ['/var/log/daemon.log', 'syslog'],
  ['/var/log/user.log', 'syslog'],
  ['/var/log/maillog', 'syslog'],
  ['/var/log/mail.log', 'syslog'],
  ['/var/log/sudo.log', 'syslog'],
  ['/var/log/ufw.log', 'syslog'],
  ['/var/log/audit/audit.log', 'auditd'],
  ['/var/log/nginx/*access*.log', 'nginx.access'],
  ['/var/log/nginx/*error*.log', 'nginx.error'],
  ['/var/log/apache2/*access*.log', 'apache.access'],
  ['/var/log/apache2/*error*.log', 'apache.error'],
  ['/var/log/httpd/*access*log', 'apache.access'],
  ['/var/log/httpd/*error*log', 'apache.error'],
  ['/var/log/dpkg.log', 'dpkg'],
  ['/var/log/apt/history.log', 'apt'],
  ['/var/log/dnf.rpm.log', 'dnf'],
  ['/var/log/fail2ban.log', 'fail2ban'],
  ['/var/log/mysql/error.log', 'mysql'],
  ['/var/log/postgresql/*.log', 'postgres'],
  ['/var/log/caddy/*.log', 'caddy'],
  ['/var/log/traefik/access.log', 'traefik.access'],
  ['/var/log/exim4/mainlog', 'exim'],
  ['/var/log/proftpd/proftpd.log', 'proftpd'],
  ['/var/log/named/*.log', 'named'],
  ['/var/log/squid/access.log', 'squid.access'],
  ['/var/log/haproxy.log', 'syslog'],
  ['/var/log/samba/log.smbd', 'samba'],
  ['/var/log/vsftpd.log', 'vsftpd'],
];

// Names that tell the dataset wherever the file lies; the folder decides between products of one form.
const BY_NAME: readonly (readonly [name: RegExp, dataset: string])[] = [
  [/nginx.*access/, 'nginx.access'],
  [/nginx.*error/, 'nginx.error'],
  [/(apache|httpd).*access/, 'apache.access'],
  [/(apache|httpd).*error/, 'apache.error'],
  [/(^|\/)audit\.log$/, 'auditd'],
  [/(^|\/)(auth\.log|secure|syslog|messages|mail\.log|maillog|kern\.log|cron(\.log)?|daemon\.log)$/, 'syslog'],
  [/(^|\/)dpkg\.log$/, 'dpkg'],
  [/(^|\/)[^/]*access[^/]*log$/, 'apache.access'],
];

/** The dataset that a path's name suggests. */
export const datasetOf = (path: string): string =>
  USUAL.find(([glob]) => globPattern(glob).test(path))?.[1] ?? BY_NAME.find(([name]) => name.test(path))?.[1] ?? UNKNOWN_DATASET;

/** Takes `PATH[=DATASET]` apart. A `=` inside the path counts only when what follows looks like no dataset. */
export const parseEntry = (entry: string, from: string): { readonly glob: string; readonly dataset: string | undefined } => {
  const match = /^(.+)=([a-z0-9][a-z0-9_.-]*)$/.exec(entry);
  const path = match ? match[1]! : entry;
  return { glob: isAbsolute(path) ? path : resolve(from, path), dataset: match?.[2] };
};

/** Looks at the host as it is now. */
export const discover = (options: DiscoverOptions, from: string): Discovered => {
  const targets = new Map<string, Target>();
  const denied = new Set<string>();
  const excluded = options.exclude.map((entry) => globPattern(parseEntry(entry, from).glob));
  const empty: string[] = [];
  const add = (glob: string, dataset: string | undefined, because: string): void => {
    const found = expandGlob(glob);
    for (const folder of found.denied) denied.add(folder);
    if (found.paths.length === 0 && because !== 'usual') empty.push(because);
    for (const path of found.paths) {
      if (targets.has(path) || excluded.some((pattern) => pattern.test(path))) continue;
      targets.set(path, { path, dataset: dataset ?? datasetOf(path), because });
    }
  };
  for (const entry of options.paths) {
    const { glob, dataset } = parseEntry(entry, from);
    add(glob, dataset, entry);
  }
  if (options.usual) for (const [glob, dataset] of USUAL) add(glob, dataset, 'usual');
  return { targets: withoutRotated([...targets.values()]).slice(0, MAX_TARGETS), denied: [...denied], empty };
};

/** A rotated file is read as part of the stream it came from, not as one of its own, when that stream is there. Packed files never are. */
const withoutRotated = (targets: readonly Target[]): readonly Target[] => {
  const byFolder = Map.groupBy(targets, ({ path }) => dirname(path));
  return targets.filter(({ path }) => {
    if (/\.(gz|zst|bz2|xz|Z)$/.test(path)) return false;
    const name = basename(path);
    return !(byFolder.get(dirname(path)) ?? []).some((other) => other.path !== path && isRotatedName(basename(other.path), name));
  });
};
