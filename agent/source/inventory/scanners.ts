// SPDX-License-Identifier: Apache-2.0
/**
 * Every kind of item that is taken inventory of, with what shows cheaply that it moved.
 * Input: the looks of this folder. Output: one table for the source, the plan and the tests.
 */
import { groupItems, steadyLogin, userItems } from './accounts.ts';
import { APK_FILES, apkItems } from './apk.ts';
import { certificateItems } from './certificates.ts';
import { DPKG_STATUS, dpkgItems } from './dpkg.ts';
import type { Found, Scanner } from './found.ts';
import { type Hardware, makeHardwareItems } from './hardware.ts';
import { interfaceItems } from './interfaces.ts';
import { listenerMark, makeListenerItems } from './listeners.ts';
import { moduleItems } from './modules.ts';
import { osItems, steadyBoot } from './os.ts';
import { quietly, readAccounts } from './passwd.ts';
import { RPM_FILES, rpmItems } from './rpm.ts';
import { RUN_LEVELS, serviceItems } from './services.ts';
import { keyFiles, sshKeyItems } from './ssh-keys.ts';
import { diskItems, mountItems, steadyUse } from './storage.ts';
import { SUDOERS, sudoItems } from './sudoers.ts';
import { CRON_FOLDER, CRON_PERIODS, CRON_SPOOLS, timerItems } from './timers.ts';
import type { Tree } from './tree.ts';
import { UNIT_FOLDERS } from './units.ts';

const ACCOUNT_FILES = ['/etc/passwd', '/etc/shadow', '/etc/group'];
const WANTS = ['multi-user', 'graphical', 'sockets', 'timers', 'sysinit', 'default'].map(
  (target) => `/etc/systemd/system/${target}.target.wants`,
);
const UNIT_PATHS = [...UNIT_FOLDERS, ...WANTS];

/** A new set: some remember the look before. */
export const makeScanners = (hardware: () => Hardware | undefined = () => undefined): readonly Scanner[] => [
  { kind: 'os', look: osItems, steady: steadyBoot, mark: (tree) => stamps(tree, ['/etc/os-release', '/etc/hostname']) },
  { kind: 'hardware', look: makeHardwareItems(hardware) },
  { kind: 'package', look: packageItems, mark: (tree) => stamps(tree, [DPKG_STATUS, ...APK_FILES, ...RPM_FILES]) },
  { kind: 'user', look: userItems, steady: steadyLogin, mark: (tree) => stamps(tree, [...ACCOUNT_FILES, SUDOERS, '/etc/sudoers.d']) },
  { kind: 'group', look: groupItems, mark: (tree) => stamps(tree, ACCOUNT_FILES) },
  { kind: 'sudo-rule', look: sudoItems, mark: (tree) => stamps(tree, [SUDOERS, ...inside(tree, '/etc/sudoers.d')]) },
  { kind: 'ssh-key', look: sshKeyItems, mark: keyMark },
  { kind: 'service', look: serviceItems, mark: (tree) => stamps(tree, [...UNIT_PATHS, ...RUN_LEVELS, '/etc/init.d']) },
  { kind: 'timer', look: timerItems, mark: (tree) => stamps(tree, [...UNIT_PATHS, ...cronPaths(tree)]) },
  { kind: 'listener', look: makeListenerItems(), mark: listenerMark },
  { kind: 'disk', look: diskItems },
  { kind: 'mount', look: mountItems, steady: steadyUse },
  { kind: 'interface', look: interfaceItems },
  { kind: 'certificate', look: certificateItems },
  { kind: 'module', look: moduleItems },
];

function* packageItems(tree: Tree): Generator<Found> {
  yield* dpkgItems(tree);
  yield* rpmItems(tree);
  yield* apkItems(tree);
}

const inside = (tree: Tree, folder: string): readonly string[] => [folder, ...tree.list(folder).map((name) => `${folder}/${name}`)];

const cronPaths = (tree: Tree): readonly string[] => [
  '/etc/crontab',
  ...[CRON_FOLDER, ...CRON_SPOOLS].flatMap((folder) => inside(tree, folder)),
  ...CRON_PERIODS.map((period) => `/etc/cron.${period}`),
];

const keyMark = (tree: Tree): string =>
  stamps(tree, ['/etc/passwd', '/etc/ssh/sshd_config', ...new Set(keyFiles(tree, quietly(readAccounts(tree))).map(({ path }) => path))]);

/** Time of change and size of each path; a path that is not there counts too. */
const stamps = (tree: Tree, paths: readonly string[]): string =>
  paths
    .map((path) => {
      const stat = tree.stat(path);
      return stat ? `${stat.ino}:${stat.size}:${stat.mtimeMs}:${stat.ctimeMs}` : '-';
    })
    .join(' ');
