// SPDX-License-Identifier: Apache-2.0
/**
 * What a fact means as something that happened: ECS kind, category, type, and our action.
 * Input: a fact. Output: the four fields that rules and people pick events by.
 */
import type { Fact, FactChange, FactKind } from '../../../core/fact.ts';
import type { EventDraft } from '../../model/event.ts';

interface Meaning {
  readonly category: readonly string[];
  /** Stands before the change: `file-added`. */
  readonly noun: string;
  /** ECS types beside the change itself. */
  readonly type?: readonly string[];
}

const HOST: readonly string[] = ['host'];
const IAM: readonly string[] = ['iam'];
const CONFIGURATION: readonly string[] = ['configuration'];
const PACKAGE: readonly string[] = ['package'];
const USER: readonly string[] = ['user'];
/** An account that may act as root. */
const ADMIN: readonly string[] = ['admin'];
const NONE: readonly string[] = [];

const MEANINGS: Readonly<Record<FactKind, Meaning>> = {
  os: { category: HOST, noun: 'os' },
  hardware: { category: HOST, noun: 'hardware' },
  package: { category: PACKAGE, noun: 'package' },
  user: { category: IAM, noun: 'user', type: USER },
  group: { category: IAM, noun: 'group', type: ['group'] },
  'sudo-rule': { category: IAM, noun: 'sudo-rule', type: ['admin'] },
  'ssh-key': { category: IAM, noun: 'ssh-key', type: USER },
  service: { category: CONFIGURATION, noun: 'service' },
  timer: { category: CONFIGURATION, noun: 'timer' },
  listener: { category: ['network'], noun: 'listener' },
  disk: { category: HOST, noun: 'disk' },
  mount: { category: HOST, noun: 'mount' },
  interface: { category: HOST, noun: 'interface' },
  certificate: { category: CONFIGURATION, noun: 'certificate' },
  module: { category: ['driver'], noun: 'module' },
  file: { category: ['file'], noun: 'file' },
  upgrade: { category: PACKAGE, noun: 'upgrade' },
  observation: { category: CONFIGURATION, noun: 'setting' },
  scan: { category: HOST, noun: 'scan' },
};

const TYPES: Readonly<Record<FactChange, string>> = {
  baseline: 'info',
  added: 'creation',
  changed: 'change',
  removed: 'deletion',
  seen: 'info',
};

/** The words of ECS for a change: a package is installed, a listener only appears. */
const typeOf = ({ kind, change }: Fact): string => {
  if (kind === 'scan' || kind === 'listener') return 'info';
  if (kind === 'package' && change === 'added') return 'installation';
  // Files that a package transaction changed are the package's own doing.
  if (kind === 'upgrade' && change !== 'seen' && change !== 'baseline') return 'change';
  return TYPES[change];
};

/** A setting that passed and fails has drifted, the other way round it was mended: rules and people ask for these two. */
const actionOf = ({ kind, change, fields, was }: Fact): string => {
  if (kind === 'scan') return 'scan-done';
  if (kind === 'upgrade' && change === 'added') return 'packages-upgraded';
  if (kind === 'observation' && change === 'changed' && was?.['result'] !== undefined) {
    if (was['result'] === 'pass' && fields['result'] === 'fail') return 'setting-drifted';
    if (was['result'] === 'fail' && fields['result'] === 'pass') return 'setting-mended';
  }
  return `${MEANINGS[kind].noun}-${change}`;
};

/** True when something became different, and is not only said to be so. */
export const isChange = ({ kind, change }: Fact): boolean => kind !== 'scan' && change !== 'baseline' && change !== 'seen';

/** Fills what happened. */
export const setAction = (event: EventDraft, fact: Fact): void => {
  const { category, type = [] } = MEANINGS[fact.kind];
  const rights = fact.kind === 'user' && fact.fields['admin'] === true ? ADMIN : NONE;
  event['event.kind'] = isChange(fact) ? 'event' : 'state';
  event['event.category'] = category;
  event['event.type'] = [...type, ...rights, typeOf(fact)];
  event['event.action'] = actionOf(fact);
};
