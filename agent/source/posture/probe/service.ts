// SPDX-License-Identifier: Apache-2.0
/**
 * Services by their unit files: enabled, disabled, masked, or not there at all. No manager is asked.
 * Input: unit names, of which one suffices for `enabled`. Output: what the links in the unit folders say.
 */
import { answer, type Probe, some } from '../answer.ts';
import type { Tree } from '../tree.ts';

const FOLDERS = [
  '/etc/systemd/system',
  '/run/systemd/system',
  '/usr/local/lib/systemd/system',
  '/usr/lib/systemd/system',
  '/lib/systemd/system',
];

type State = 'enabled' | 'disabled' | 'masked' | 'static' | 'absent';

export const stateOf = (tree: Tree, name: string): State => {
  const unit = name.includes('.') ? name : `${name}.service`;
  const found = FOLDERS.map((folder) => `${folder}/${unit}`).find((path) => tree.lstat(path) !== undefined);
  const init = unit.endsWith('.service') ? `/etc/init.d/${unit.slice(0, -8)}` : undefined;
  if (found === undefined) {
    if (init === undefined || tree.stat(init) === undefined) return 'absent';
    return tree.glob(`/etc/rc[2345].d/S[0-9][0-9]${unit.slice(0, -8)}`).length > 0 ? 'enabled' : 'disabled';
  }
  const target = tree.link(found);
  if (target === '/dev/null' || (target === undefined && tree.stat(found)?.isFile() === true && (tree.read(found) ?? '') === ''))
    return 'masked';
  const wants = ['/etc/systemd/system', '/run/systemd/system', '/usr/lib/systemd/system', '/lib/systemd/system'].flatMap((folder) => [
    ...tree.glob(`${folder}/*.wants/${unit}`),
    ...tree.glob(`${folder}/*.requires/${unit}`),
  ]);
  if (wants.length > 0) return 'enabled';
  // A unit that others pull in by its other name.
  const text = tree.read(found) ?? '';
  const aliases = [...text.matchAll(/^Alias=(.+)$/gm)].flatMap((match) => (match[1] as string).trim().split(/\s+/));
  if (aliases.some((alias) => tree.lstat(`/etc/systemd/system/${alias}`) !== undefined)) return 'enabled';
  return /^\[Install\]/m.test(text) ? 'disabled' : 'static';
};

export const service: Probe<'service'> = (params, tree) => {
  const states = params.unit.map((unit) => ({ unit, state: stateOf(tree, unit) }));
  const told = some(states.map(({ unit, state }) => `${unit} is ${state}`));
  switch (params.state) {
    case 'enabled':
      return answer(
        states.some(({ state }) => state === 'enabled' || state === 'static'),
        told,
        params.unit,
      );
    case 'off': {
      const on = states.filter(({ state }) => state === 'enabled' || state === 'static');
      return answer(
        on.length === 0,
        told,
        on.map(({ unit }) => unit),
      );
    }
    default: {
      const wrong = states.filter(({ state }) => state !== params.state);
      return answer(
        wrong.length === 0,
        told,
        wrong.map(({ unit }) => unit),
      );
    }
  }
};
