// SPDX-License-Identifier: Apache-2.0
/**
 * What audit records mean in ECS: action, category and type by record type, and by system call.
 * Input: a record type, a call's name, path kinds, flags. Output: constant classes, shared by all events.
 */

export interface Class {
  readonly action: string;
  readonly category: readonly string[];
  readonly type: readonly string[];
}

const table = (rows: string): ReadonlyMap<string, Class> => {
  const made = new Map<string, Class>();
  for (const row of rows.trim().split('\n')) {
    const [names = '', action = '', category = '', type = ''] = row.trim().split(/ +/);
    for (const name of names.split(',')) made.set(name, { action, category: category.split(','), type: type.split(',') });
  }
  return made;
};

const RECORDS = table(`
  SYSCALL syscall process info
  EXECVE process-start process start
  PROCTITLE process-title process info
  CWD process-directory process info
  PATH file-access file info
  SOCKADDR socket-address network info
  EOE audit-record host info
  USER_AUTH authentication authentication start
  USER_ERR authentication authentication start
  USER_LOGIN login authentication start
  USER_ACCT account-check authentication info
  GRP_AUTH group-authentication authentication info
  USER_START session-start session start
  USER_END session-end session end
  USER_LOGOUT logout session end
  LOGIN login-identity session start
  CRED_ACQ credentials-acquire authentication info
  CRED_DISP credentials-dispose authentication info
  CRED_REFR credentials-refresh authentication info
  USER_CMD sudo-command process start
  USER_CHAUTHTOK password-change iam user,change
  USER_MGMT user-change iam user,change
  ACCT_LOCK user-lock iam user,change
  ACCT_UNLOCK user-unlock iam user,change
  ADD_USER user-add iam user,creation
  DEL_USER user-delete iam user,deletion
  ADD_GROUP group-add iam group,creation
  DEL_GROUP group-delete iam group,deletion
  GRP_MGMT group-change iam group,change
  GRP_CHAUTHTOK group-password-change iam group,change
  ROLE_ASSIGN,ROLE_MODIFY,ROLE_REMOVE role-change iam user,change
  USER_ROLE_CHANGE role-change session info
  CHGRP_ID,CHUSER_ID identity-change process change
  SERVICE_START service-start process start
  SERVICE_STOP service-stop process end
  SYSTEM_BOOT host-boot host start
  SYSTEM_SHUTDOWN host-shutdown host end
  SYSTEM_RUNLEVEL runlevel-change host change
  CONFIG_CHANGE,DAEMON_CONFIG audit-config-change configuration,process change
  DAEMON_RECONFIG audit-config-change configuration,process info
  FEATURE_CHANGE audit-config-change configuration change
  DAEMON_START auditd-start host,process start
  DAEMON_END auditd-end host,process end
  DAEMON_ABORT auditd-abort host,process end
  DAEMON_ERR auditd-error host,process error
  DAEMON_ROTATE,DAEMON_RESUME auditd-info process change
  DAEMON_ACCEPT auditd-connect network connection,start
  DAEMON_CLOSE auditd-disconnect network connection,end
  USYS_CONFIG system-config-change configuration change
  NETFILTER_CFG firewall-config-change configuration change
  MAC_CONFIG_CHANGE,USER_MAC_CONFIG_CHANGE selinux-config-change configuration change
  MAC_STATUS,USER_MAC_STATUS selinux-mode-change configuration change
  MAC_POLICY_LOAD,USER_MAC_POLICY_LOAD selinux-policy-load configuration change
  AVC,USER_AVC,APPARMOR_DENIED access-check process denied
  APPARMOR_AUDIT,APPARMOR_ALLOWED,APPARMOR_HINT access-check process info
  APPARMOR_STATUS apparmor-profile-change configuration change
  SELINUX_ERR,USER_SELINUX_ERR,APPARMOR_ERROR access-check process error
  SECCOMP seccomp-violation process denied
  LANDLOCK_ACCESS access-check process denied
  KERN_MODULE kernel-module driver start
  BPF bpf-program process info
  TTY,USER_TTY terminal-input process info
  TIME_ADJNTPVAL,TIME_INJOFFSET time-change host change
  CRYPTO_KEY_USER,CRYPTO_SESSION crypto-session process info
  SOFTWARE_UPDATE package-install package info
  ANOM_ABEND process-crash process error
  ANOM_PROMISCUOUS promiscuous-mode intrusion_detection,network info,change
  ANOM_LINK,ANOM_CREAT suspicious-link intrusion_detection,file info
  ANOM_LOGIN_FAILURES login-failures intrusion_detection,authentication start,denied
  ANOM_LOGIN_ACCT,ANOM_LOGIN_LOCATION,ANOM_LOGIN_SESSIONS,ANOM_LOGIN_TIME,ANOM_LOGIN_ROOT login-anomaly intrusion_detection,authentication start,denied
  ANOM_EXEC,ANOM_MK_EXE,ANOM_ACCESS_FS,ANOM_ROOT_TRANS,ANOM_ADD_ACCT,ANOM_DEL_ACCT,ANOM_MOD_ACCT audit-anomaly intrusion_detection info
  INTEGRITY_DATA,INTEGRITY_METADATA,INTEGRITY_HASH,INTEGRITY_RULE integrity-check file info
  VIRT_CONTROL,VIRT_RESOURCE,VIRT_MACHINE_ID,VIRT_CREATE,VIRT_DESTROY,VIRT_MIGRATE_IN,VIRT_MIGRATE_OUT virtual-machine host info
`);

const OTHER: Class = { action: 'audit-record', category: ['host'], type: ['info'] };

/** The class of a record type; one that nobody named is a record of the host. */
export const classOfRecord = (type: string): Class => RECORDS.get(type) ?? OTHER;

const CALLS = table(`
  execve,execveat exec process start
  exit,exit_group exit process end
  kill,tkill,tgkill kill process end
  setuid,setgid,setreuid,setregid,setresuid,setresgid,setfsuid,setfsgid,setgroups identity process change
  sched_setparam,sched_setscheduler,sched_setattr schedule process change
  creat create file creation
  mkdir,mkdirat,mknod,mknodat,link,linkat,symlink,symlinkat,mount create file creation
  open,openat,openat2,read,readlink,readlinkat,open_by_handle_at,access,faccessat,faccessat2 read file info
  stat,stat64,fstat,lstat,newfstatat,statx,statfs,fstatfs,getxattr,lgetxattr,fgetxattr read file info
  write,truncate,ftruncate,fallocate,rename,renameat,renameat2 change file change
  chmod,fchmod,fchmodat,fchmodat2,chown,fchown,fchownat,lchown change file change
  setxattr,lsetxattr,fsetxattr,removexattr,lremovexattr,fremovexattr change file change
  utime,utimes,futimesat,utimensat change file info
  unlink,unlinkat,rmdir,umount,umount2 delete file deletion
  init_module,finit_module load driver start
  delete_module unload driver end
  connect connect network connection,start
  accept,accept4 accept network connection,start
  bind,listen listen network start
  sendto,sendmsg,sendmmsg send network connection,info
  recvfrom,recvmsg,recvmmsg receive network connection,info
  settimeofday,clock_settime,stime,adjtimex,clock_adjtime time host change
  sethostname,setdomainname name host change
`);

const OTHER_CALL: Class = { action: 'call', category: ['process'], type: ['info'] };

/** The class of a system call. */
export const classOfCall = (name: string): Class => CALLS.get(name) ?? OTHER_CALL;

export const FILE_CREATED: readonly string[] = ['creation'];
export const FILE_DELETED: readonly string[] = ['deletion'];
export const FILE_CHANGED: readonly string[] = ['change'];
export const INFO: readonly string[] = ['info'];
export const DENIED: readonly string[] = ['denied'];

const both = new Map<string, readonly string[]>();

/** The members of two lists, each once, the same array for the same lists. */
export const joined = (a: readonly string[], b: readonly string[]): readonly string[] => {
  if (a === b || b.every((member) => a.includes(member))) return a;
  const name = `${a.join()}|${b.join()}`;
  let made = both.get(name);
  if (made === undefined) both.set(name, (made = [...new Set([...a, ...b])]));
  return made;
};

/** Whether an `open` writes or creates: the access mode and the flags are the same on all architectures we name calls for. */
export const opensForChange = (call: string, data: ReadonlyMap<string, string>): boolean => {
  const flags = call === 'open' ? data.get('a1') : call === 'openat' ? data.get('a2') : undefined;
  if (flags === undefined || !/^[0-9a-f]{1,16}$/.test(flags)) return false;
  return (Number.parseInt(flags, 16) & 3) !== 0;
};
