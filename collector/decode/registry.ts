// SPDX-License-Identifier: Apache-2.0
/**
 * All decoders, by dataset, by program and by content. The one list to add a format to.
 * Input: the format files. Output: `DECODERS` for `rules coverage` and `decode --list`; the look-ups that `decode` picks with.
 */
import { auditd } from './auditd/record.ts';
import { account } from './auth/account.ts';
import { pam } from './auth/pam.ts';
import { polkit } from './auth/polkit.ts';
import { sshd } from './auth/sshd.ts';
import { login, su } from './auth/su.ts';
import { doas, pkexec, sudo } from './auth/sudo.ts';
import { mysql } from './database/mysql.ts';
import { postgres } from './database/postgres.ts';
import type { Decoder } from './decoder.ts';
import { fim, inventory, posture } from './facts/fact.ts';
import { proftpd, pureftpd, vsftpd } from './ftp/ftp.ts';
import { xferlog } from './ftp/xferlog.ts';
import { cron } from './host/cron.ts';
import { daemon } from './host/daemon.ts';
import { journald } from './host/journald.ts';
import { apt, dpkg, rpm } from './host/package.ts';
import { logind, systemd } from './host/system.ts';
import { json } from './json.ts';
import { dovecot } from './mail/dovecot.ts';
import { exim } from './mail/exim.ts';
import { postfix } from './mail/postfix.ts';
import { fail2ban } from './network/fail2ban.ts';
import { kernel } from './network/kernel.ts';
import { named } from './network/named.ts';
import { asterisk, dropbear, endlessh, filterlog, firewallConsole } from './network/perimeter.ts';
import { syslogMessage } from './syslog-message.ts';
import { text } from './text.ts';
import { vigil } from './vigil.ts';
import { albAccess, apacheAccess, nginxAccess, traefikAccess } from './web/access.ts';
import { apacheError } from './web/apache-error.ts';
import { haproxy } from './web/haproxy.ts';
import { caddy, traefikJson } from './web/json-access.ts';
import { nginxError } from './web/nginx-error.ts';

/** In the order in which content is asked; within one program, in the order in which they are tried. */
export const DECODERS: readonly Decoder[] = [
  vigil,
  journald,
  caddy,
  traefikJson,
  postgres,
  json,
  auditd,
  fail2ban,
  dpkg,
  apt,
  rpm,
  nginxError,
  apacheError,
  nginxAccess,
  apacheAccess,
  traefikAccess,
  albAccess,
  haproxy,
  sshd,
  sudo,
  su,
  pam,
  login,
  doas,
  pkexec,
  polkit,
  account,
  postfix,
  dovecot,
  exim,
  xferlog,
  vsftpd,
  proftpd,
  pureftpd,
  mysql,
  kernel,
  named,
  filterlog,
  firewallConsole,
  endlessh,
  asterisk,
  dropbear,
  cron,
  systemd,
  logind,
  daemon,
  syslogMessage,
  fim,
  inventory,
  posture,
  text,
];

/** Product names and other spellings, and the decoders tried for them in this order. */
const PRODUCTS: Readonly<Record<string, readonly Decoder[]>> = {
  vsftpd: [vsftpd, xferlog],
  proftpd: [proftpd, xferlog],
  pureftpd: [pureftpd, xferlog],
  nginx: [nginxError, nginxAccess],
  'nginx-proxy-manager': [nginxError, nginxAccess],
  npmplus: [nginxError, nginxAccess],
  bunkerweb: [nginxError, nginxAccess],
  apache: [apacheError, apacheAccess],
  apache2: [apacheError, apacheAccess],
  httpd: [apacheError, apacheAccess],
  traefik: [traefikJson, traefikAccess],
  caddy: [caddy, apacheAccess],
  web: [nginxError, apacheError, nginxAccess],
  mariadb: [mysql],
  postgresql: [postgres],
  bind: [named],
  bind9: [named],
  iptables: [kernel],
  ufw: [kernel],
  yum: [rpm],
  dnf: [rpm],
  netfilter: [kernel],
  exim4: [exim],
  'aws-alb': [albAccess],
  modsecurity: [nginxError, apacheError, caddy],
};

const byDataset = new Map<string, readonly Decoder[]>(Object.entries(PRODUCTS));
for (const decoder of DECODERS) if (!byDataset.has(decoder.dataset)) byDataset.set(decoder.dataset, [decoder]);

/** The decoders of a dataset in the order tried, or undefined for a dataset without one. */
export const decodersOf = (dataset: string): readonly Decoder[] | undefined => byDataset.get(dataset);

const byProgram = new Map<string, readonly Decoder[]>();
for (const decoder of DECODERS) {
  for (const program of decoder.programs ?? []) byProgram.set(program, [...(byProgram.get(program) ?? []), decoder]);
}
const PROGRAMS_KEPT = 4_096;
const NONE: readonly Decoder[] = [];
const found = new Map<string, readonly Decoder[]>();

/** The decoders of a program as a syslog tag names it: `postfix/smtpd`, `su(pam_unix)`, `auth-worker(17)` are found by their first part. */
export const decodersOfProgram = (program: string): readonly Decoder[] => {
  const known = found.get(program);
  if (known !== undefined) return known;
  if (found.size > PROGRAMS_KEPT) found.clear();
  const base = program.replace(/[(/].*$/s, '');
  const decoders = byProgram.get(program) ?? byProgram.get(base) ?? byProgram.get(base.toLowerCase()) ?? NONE;
  found.set(program, decoders);
  return decoders;
};

/** Decoders that can tell a line as theirs, `line` forms first. */
export const KNOWING: readonly Decoder[] = DECODERS.filter((decoder) => decoder.knows !== undefined);
