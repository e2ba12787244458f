// SPDX-License-Identifier: Apache-2.0
/**
 * The settings of a stock Debian, without its comments: what stands under a case that appends to a file or deletes lines of one.
 * Input: nothing. Output: texts by path.
 */

const AUTH = 'auth\t[success=1 default=ignore]\tpam_unix.so nullok\nauth\trequisite\tpam_deny.so\nauth\trequired\tpam_permit.so\n';
const ACCOUNT =
  'account\t[success=1 new_authtok_reqd=done default=ignore]\tpam_unix.so\naccount\trequisite\tpam_deny.so\naccount\trequired\tpam_permit.so\n';
const PASSWORD =
  'password\t[success=1 default=ignore]\tpam_unix.so obscure yescrypt\npassword\trequisite\tpam_deny.so\npassword\trequired\tpam_permit.so\n';
const SESSION =
  'session\t[default=1]\tpam_permit.so\nsession\trequisite\tpam_deny.so\nsession\trequired\tpam_permit.so\nsession\trequired\tpam_unix.so\n';

const SYSTEM: readonly (readonly [name: string, uid: number, home: string, shell: string])[] = [
  ['daemon', 1, '/usr/sbin', '/usr/sbin/nologin'],
  ['bin', 2, '/bin', '/usr/sbin/nologin'],
  ['sys', 3, '/dev', '/usr/sbin/nologin'],
  ['sync', 4, '/bin', '/bin/sync'],
  ['games', 5, '/usr/games', '/usr/sbin/nologin'],
  ['man', 6, '/var/cache/man', '/usr/sbin/nologin'],
  ['mail', 8, '/var/mail', '/usr/sbin/nologin'],
  ['www-data', 33, '/var/www', '/usr/sbin/nologin'],
  ['backup', 34, '/var/backups', '/usr/sbin/nologin'],
  ['nobody', 65534, '/nonexistent', '/usr/sbin/nologin'],
  ['sshd', 100, '/run/sshd', '/usr/sbin/nologin'],
];

export const DEBIAN: Readonly<Record<string, string>> = {
  '/etc/os-release': 'PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nNAME="Debian GNU/Linux"\nVERSION_ID="12"\nID=debian\n',
  '/etc/hostname': 'debian\n',
  '/etc/passwd': `root:x:0:0:root:/root:/bin/bash\n${SYSTEM.map(([name, uid, home, shell]) => `${name}:x:${uid}:${uid}::${home}:${shell}\n`).join('')}`,
  '/etc/shadow': `root:*:19700:0:99999:7:::\n${SYSTEM.map(([name]) => `${name}:*:19700:0:99999:7:::\n`).join('')}`,
  '/etc/group':
    `root:x:0:\n${SYSTEM.map(([name, uid]) => `${name}:x:${uid}:\n`).join('')}adm:x:4:\nshadow:x:42:\nsudo:x:27:\nusers:x:101:\n`.replace(
      'sync:x:4:\n',
      '',
    ),
  '/etc/shells': '/bin/sh\n/bin/bash\n/usr/bin/bash\n/bin/rbash\n/usr/bin/rbash\n/usr/bin/sh\n/bin/dash\n/usr/bin/dash\n',
  '/etc/login.defs':
    'MAIL_DIR\t/var/mail\nUMASK\t\t022\nHOME_MODE\t0700\nPASS_MAX_DAYS\t99999\nPASS_MIN_DAYS\t0\nPASS_WARN_AGE\t7\nUID_MIN\t1000\nUID_MAX\t60000\nLOGIN_RETRIES\t5\nLOGIN_TIMEOUT\t60\nENCRYPT_METHOD YESCRYPT\n',
  '/etc/profile': 'if [ "$PS1" ]; then\n  if [ -f /etc/bash.bashrc ]; then\n    . /etc/bash.bashrc\n  fi\nfi\n',
  '/etc/bash.bashrc': '[ -z "$PS1" ] && return\nshopt -s checkwinsize\n',
  '/etc/environment': '',
  '/etc/issue': 'Debian GNU/Linux 12 \\n \\l\n',
  '/etc/issue.net': 'Debian GNU/Linux 12\n',
  '/etc/motd': 'The programs included with this system are free software.\n',
  '/etc/default/useradd': 'SHELL=/bin/sh\n',
  '/etc/pam.d/common-auth': AUTH,
  '/etc/pam.d/common-account': ACCOUNT,
  '/etc/pam.d/common-password': PASSWORD,
  '/etc/pam.d/common-session': SESSION,
  '/etc/pam.d/login':
    'auth optional pam_faildelay.so delay=3000000\nauth requisite pam_nologin.so\nsession required pam_loginuid.so\n@include common-auth\n@include common-account\n@include common-session\n@include common-password\n',
  '/etc/pam.d/passwd': '@include common-password\n',
  '/etc/pam.d/su':
    'auth sufficient pam_rootok.so\nsession required pam_env.so readenv=1\n@include common-auth\n@include common-account\n@include common-session\n',
  '/etc/pam.d/sudo':
    'session required pam_limits.so\n@include common-auth\n@include common-account\n@include common-session-noninteractive\n',
  '/etc/security/limits.conf': '',
  '/etc/security/namespace.conf': '',
  '/etc/security/faillock.conf': '',
  '/etc/sudoers':
    'Defaults\tenv_reset\nDefaults\tmail_badpass\nDefaults\tsecure_path="/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"\nroot\tALL=(ALL:ALL) ALL\n%sudo\tALL=(ALL:ALL) ALL\n@includedir /etc/sudoers.d\n',
  '/etc/ssh/sshd_config':
    'Include /etc/ssh/sshd_config.d/*.conf\nKbdInteractiveAuthentication no\nUsePAM yes\nX11Forwarding yes\nPrintMotd no\nAcceptEnv LANG LC_*\nSubsystem\tsftp\t/usr/lib/openssh/sftp-server\n',
  '/etc/ssh/ssh_config':
    'Include /etc/ssh/ssh_config.d/*.conf\nHost *\n    SendEnv LANG LC_*\n    HashKnownHosts yes\n    GSSAPIAuthentication yes\n',
  '/etc/audit/auditd.conf':
    'local_events = yes\nwrite_logs = yes\nlog_file = /var/log/audit/audit.log\nlog_group = adm\nlog_format = ENRICHED\nflush = INCREMENTAL_ASYNC\nfreq = 50\nmax_log_file = 8\nnum_logs = 5\npriority_boost = 4\nname_format = NONE\nmax_log_file_action = ROTATE\nspace_left = 75\nspace_left_action = SYSLOG\n',
  '/etc/audit/rules.d/audit.rules': '-D\n-b 8192\n-f 1\n--backlog_wait_time 60000\n',
  '/etc/systemd/system.conf': '[Manager]\n',
  '/etc/systemd/journald.conf': '[Journal]\n',
  '/usr/lib/systemd/system/rescue.service': '[Service]\nExecStart=-/lib/systemd/systemd-sulogin-shell rescue\n',
  '/usr/lib/systemd/system/emergency.service': '[Service]\nExecStart=-/lib/systemd/systemd-sulogin-shell emergency\n',
  '/usr/bin/env': '',
  '/usr/sbin/ip': '',
  '/bin/sh': '',
  '/sbin/init': '',
  '/usr/local/bin/.keep': '',
  '/usr/local/sbin/.keep': '',
  '/usr/games/.keep': '',
  '/usr/local/games/.keep': '',
};
