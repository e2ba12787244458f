// SPDX-License-Identifier: Apache-2.0
/**
 * What runs by the clock: timers of systemd, tables and folders of cron.
 * Input: unit files, crontabs. Output: items by unit, or by path and a print of the entry, so that a line more moves no other.
 */
import { basename } from 'node:path';
import { type Clean, type Found, item, PAUSE, shortPrint } from './found.ts';
import { execOf } from './services.ts';
import { absence, LINE_CHARS, oddities, readText } from './text.ts';
import type { Tree } from './tree.ts';
import { readUnits, type Unit } from './units.ts';

export const CRON_FOLDER = '/etc/cron.d';
export const CRON_SPOOLS = ['/var/spool/cron/crontabs', '/var/spool/cron', '/etc/crontabs'];
export const CRON_PERIODS = ['hourly', 'daily', 'weekly', 'monthly'];
const SCHEDULES = ['OnCalendar', 'OnBootSec', 'OnStartupSec', 'OnUnitActiveSec', 'OnUnitInactiveSec', 'OnActiveSec'];
const CRON_BYTES = 4_194_304;

export function* timerItems(tree: Tree, clean: Clean): Generator<Found> {
  const timers = yield* readUnits(tree, (name) => name.endsWith('.timer'));
  const served = new Set(timers.map(serviceOf));
  const services = new Map((yield* readUnits(tree, (name) => served.has(name))).map((unit) => [unit.name, unit]));
  for (const timer of timers) {
    const { name, path, values } = timer;
    const service = services.get(serviceOf(timer));
    const schedule = SCHEDULES.flatMap((key) =>
      (values.get(`Timer.${key}`) ?? []).map((value) => (key === 'OnCalendar' ? value : `${key}=${value}`)),
    );
    yield item(name, {
      name,
      form: 'systemd',
      schedule: schedule.join('; '),
      command: service && execOf(service, clean),
      user: service?.values.get('Service.User')?.at(-1),
      path,
    });
  }
  yield PAUSE;
  yield* tableItems(tree, clean, '/etc/crontab', undefined);
  // cron passes over names with a dot: what packages and editors leave behind.
  for (const name of tree.list(CRON_FOLDER)) if (!name.includes('.')) yield* tableItems(tree, clean, `${CRON_FOLDER}/${name}`, undefined);
  for (const folder of CRON_SPOOLS) {
    const closed = tree.closed(folder);
    if (closed) yield* absence(folder, closed, undefined);
    for (const name of tree.list(folder))
      if (tree.stat(`${folder}/${name}`)?.isFile() && !name.includes('.')) yield* tableItems(tree, clean, `${folder}/${name}`, name);
  }
  for (const period of CRON_PERIODS) yield* folderItems(tree, period);
  yield* anacronItems(tree, clean);
}

const serviceOf = ({ name, values }: Unit): string => values.get('Timer.Unit')?.at(-1) ?? name.replace(/\.timer$/, '.service');

const FIELD = /^[\d*,/A-Za-z~?L#W-]+$/;

/** A table of one user, or of the system, whose entries name one. */
function* tableItems(tree: Tree, clean: Clean, path: string, owner: string | undefined): Generator<Found> {
  const text = yield* readText(tree, path, { field: 'path', value: path }, CRON_BYTES);
  const odd = oddities();
  for (const [i, line] of (text ?? '').split('\n').entries()) {
    const entry = line.trim();
    if (entry === '' || entry.startsWith('#') || /^[\w"']+\s*=/.test(entry)) continue;
    const words = line.length > LINE_CHARS ? [] : entry.split(/\s+/);
    const width = entry.startsWith('@') ? 1 : 5;
    const rest = words.slice(width);
    const user = owner ?? rest.shift();
    const schedule = words.slice(0, width);
    if (rest.length === 0 || !schedule.every((word) => word.startsWith('@') || FIELD.test(word))) {
      odd.add(i + 1, 'is no entry of cron');
      continue;
    }
    const command = clean(rest.join(' '));
    yield item(`${path}#${shortPrint(`${schedule.join(' ')} ${user} ${command}`)}`, {
      name: basename(path),
      form: 'cron',
      schedule: schedule.join(' '),
      command,
      user,
      path,
    });
  }
  yield* odd.tell(path);
}

function* folderItems(tree: Tree, period: string): Generator<Found> {
  const folder = `/etc/cron.${period}`;
  for (const name of tree.list(folder)) {
    const path = `${folder}/${name}`;
    const stat = tree.stat(path);
    if (name.startsWith('.') || !stat?.isFile() || (stat.mode & 0o111) === 0) continue;
    yield item(path, { name, form: 'cron-folder', schedule: period, command: path, user: 'root', path });
  }
}

function* anacronItems(tree: Tree, clean: Clean): Generator<Found> {
  const path = '/etc/anacrontab';
  const text = yield* readText(tree, path, { field: 'path', value: path }, CRON_BYTES);
  for (const line of (text ?? '').split('\n')) {
    const [, period, name, command] = /^\s*(@?\w+)\s+\d+\s+(\S+)\s+(\S.*)$/.exec(line) ?? [];
    if (period === undefined || command === undefined || name === undefined) continue;
    yield item(`${path}#${shortPrint(clean(line.trim()))}`, {
      name,
      form: 'anacron',
      schedule: period,
      command: clean(command.trim()),
      user: 'root',
      path,
    });
  }
}
