// SPDX-License-Identifier: Apache-2.0
/**
 * A fact as one sentence for people.
 * Input: a fact. Output: the event's message.
 */
import type { Fact, FactChange, FactFields, FactKind, FactValue } from '../../../core/fact.ts';
import { clip, wellFormed } from '../build.ts';

const VALUE_SHOWN = 80;
const FIELDS_SHOWN = 6;

const show = (value: FactValue | undefined): string => {
  if (value === undefined) return '';
  const text = typeof value === 'object' ? value.join(', ') : String(value);
  return text.length > VALUE_SHOWN ? `${text.slice(0, VALUE_SHOWN)}…` : text;
};

const of = (fields: FactFields, name: string): string => show(fields[name]);
const withText = (before: string, text: string, after = ''): string => (text === '' ? '' : `${before}${text}${after}`);

/** How the item of a kind is called. */
const NAMES: Readonly<Record<FactKind, (fields: FactFields, item: string) => string>> = {
  os: (f) => `Operating system ${of(f, 'name')} ${of(f, 'version')}`.trim(),
  hardware: (f) =>
    `Hardware: ${f['cores'] ?? '?'} processors${f['memory'] === undefined ? '' : `, ${(Number(f['memory']) / 1e9).toFixed(1)} GB of memory`}`,
  package: (f, item) => `Package ${of(f, 'name') || item}${withText(' ', of(f, 'version'))}`,
  user: (f, item) => `User ${of(f, 'name') || item}`,
  group: (f, item) => `Group ${of(f, 'name') || item}`,
  'sudo-rule': (f) => `Sudo rule of ${of(f, 'who')} in ${of(f, 'file')}`,
  'ssh-key': (f, item) => `SSH key ${of(f, 'fingerprint') || item} of ${of(f, 'user')}${withText(' (', of(f, 'comment'), ')')}`,
  service: (_, item) => `Service ${item}`,
  timer: (f, item) => `Timer ${item}${withText(': ', of(f, 'command'))}`,
  listener: (f, item) => `Listener ${item}${withText(' of ', of(f, 'process'))}`,
  disk: (_, item) => `Disk ${item}`,
  mount: (f, item) => `Mount ${item}${withText(' of ', of(f, 'source'))}`,
  interface: (_, item) => `Network interface ${item}`,
  certificate: (f, item) => `Certificate ${of(f, 'subject') || item} in ${of(f, 'path')}`,
  module: (_, item) => `Kernel module ${item}`,
  file: (f, item) => `${of(f, 'type') === 'dir' ? 'Directory' : 'File'} ${of(f, 'path') || item}`,
  upgrade: (f, item) => `Upgrade of ${of(f, 'packages') || item}`,
  observation: (f, item) => of(f, 'title') || item,
  scan: (f, item) => `Scan of ${of(f, 'of') || item}`,
};

const SAID: Readonly<Record<FactChange, string>> = {
  baseline: 'at first sight',
  added: 'was added',
  changed: 'changed',
  removed: 'is gone',
  seen: 'as before',
};

/** `mode 0644 → 4755, owner anna → root`. */
const changesText = ({ fields, was }: Fact): string => {
  const names = Object.keys(was ?? {});
  const shown = names.slice(0, FIELDS_SHOWN).map((name) => `${name} ${show(was?.[name])} → ${show(fields[name]) || 'none'}`);
  return names.length > FIELDS_SHOWN ? `${shown.join(', ')} and ${names.length - FIELDS_SHOWN} more` : shown.join(', ');
};

const sentence = (fact: Fact): string => {
  const { kind, item, change, fields } = fact;
  const name = NAMES[kind](fields, item);
  if (kind === 'observation')
    return `${name}: ${of(fields, 'result')}${withText(', found ', of(fields, 'actual'))}${withText(', expected ', of(fields, 'expected'))}`;
  if (kind === 'scan') return `${name}: ${of(fields, 'count')} items${fields['full'] === true ? ', all said again' : ''}`;
  if (kind === 'upgrade') return `${name} changed ${of(fields, 'files')} files`;
  return `${name} ${SAID[change]}${change === 'changed' ? withText(': ', changesText(fact)) : ''}`;
};

export const factMessage = (fact: Fact): string => clip(wellFormed(sentence(fact)));
