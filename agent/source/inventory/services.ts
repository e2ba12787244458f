// SPDX-License-Identifier: Apache-2.0
/**
 * Services of a host and whether they start and run: systemd, OpenRC, and scripts of System V.
 * Input: unit files, run levels, control groups. Output: items named as the system names them.
 */
import { type Clean, type Found, item, PAUSE } from './found.ts';
import { smallText } from './text.ts';
import type { Tree } from './tree.ts';
import { readUnits, type Unit } from './units.ts';

const GROUPS = ['/sys/fs/cgroup', '/sys/fs/cgroup/systemd', '/sys/fs/cgroup/unified'];
export const RUN_LEVELS = ['/etc/rc2.d', '/etc/rc3.d', '/etc/rc4.d', '/etc/rc5.d'];

export function* serviceItems(tree: Tree, clean: Clean): Generator<Found> {
  const running = runningUnits(tree);
  const known = new Set<string>();
  for (const unit of yield* readUnits(tree, (name) => /\.(service|socket)$/.test(name))) {
    known.add(unit.name.replace(/\.service$/, ''));
    yield item(unit.name, {
      name: unit.name,
      start: unit.start,
      active: running && (running.has(unit.name) || (isOneShot(unit) || !unit.name.endsWith('.service') ? undefined : false)),
      exec: execOf(unit, clean),
      path: unit.path,
      user: unit.values.get('Service.User')?.at(-1),
    });
  }
  yield PAUSE;
  yield* openRcItems(tree);
  yield* scriptItems(tree, known);
}

/** The command that starts it, without the signs that stand before its path. */
export const execOf = ({ values }: Unit, clean: Clean): string | undefined => {
  const command = values.get('Service.ExecStart')?.[0]?.replace(/^[-@:+!|]+/, '');
  return command === undefined ? undefined : clean(command);
};

/** Such a service may be active with no process left, which its control group does not show. */
const isOneShot = ({ values }: Unit): boolean =>
  values.get('Service.Type')?.at(-1) === 'oneshot' || values.get('Service.RemainAfterExit')?.at(-1) === 'yes';

/** Units with processes, by their control groups; undefined where systemd does not run or no group can be seen. */
const runningUnits = (tree: Tree): ReadonlySet<string> | undefined => {
  if (!tree.stat('/run/systemd/system')) return undefined;
  const base = GROUPS.find((folder) => tree.stat(`${folder}/system.slice`));
  if (base === undefined) return undefined;
  const running = new Set<string>();
  const walk = (folder: string, depth: number): void => {
    for (const name of tree.list(folder)) {
      if (!/\.(service|socket|slice)$/.test(name)) continue;
      const events = smallText(tree, `${folder}/${name}/cgroup.events`);
      const populated =
        events === undefined ? smallText(tree, `${folder}/${name}/cgroup.procs`) !== undefined : /^populated 1$/m.test(events);
      if (populated && !name.endsWith('.slice')) running.add(name);
      if (populated && name.endsWith('.slice') && depth < 4) walk(`${folder}/${name}`, depth + 1);
    }
  };
  walk(`${base}/system.slice`, 0);
  return running;
};

function* openRcItems(tree: Tree): Generator<Found> {
  if (!tree.stat('/etc/runlevels')) return;
  const enabled = new Set(tree.list('/etc/runlevels').flatMap((level) => tree.list(`/etc/runlevels/${level}`)));
  const state = tree.stat('/run/openrc/started') !== undefined;
  const started = new Set(tree.list('/run/openrc/started'));
  for (const name of tree.list('/etc/init.d')) {
    if (/\.sh$|^functions/.test(name)) continue;
    yield item(name, {
      name,
      start: enabled.has(name) ? 'enabled' : 'disabled',
      active: state ? started.has(name) : undefined,
      path: `/etc/init.d/${name}`,
    });
  }
}

/** Scripts that no unit of the same name stands for. */
function* scriptItems(tree: Tree, units: ReadonlySet<string>): Generator<Found> {
  if (tree.stat('/etc/runlevels')) return;
  const starts = new Set(RUN_LEVELS.flatMap((folder) => tree.list(folder)).flatMap((name) => /^S\d\d(.+)$/.exec(name)?.[1] ?? []));
  for (const name of tree.list('/etc/init.d')) {
    if (units.has(name) || /^(README|functions|skeleton|rc|rcS)$|\.sh$/.test(name)) continue;
    yield item(name, { name, start: starts.has(name) ? 'enabled' : 'disabled', path: `/etc/init.d/${name}` });
  }
}
