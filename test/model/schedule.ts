// SPDX-License-Identifier: Apache-2.0
/**
 * Schedules: what happens in a run, drawn from a seed.
 * Input: a seed. Output: a family of faults, a list of actions. The same seed gives the same list.
 */
import { type Random, seeded } from './random.ts';

export const ACTIONS = [
  // The log.
  'append',
  'rotate',
  'copytruncate',
  'truncate',
  // An agent's work and the network's.
  'seal',
  'send',
  'ship',
  'deliver',
  'drop',
  'double',
  'timeout',
  'sync',
  'hold-syncs',
  'store',
  'beat',
  'hour',
  // Crashes and failing disks.
  'agent-kill',
  'agent-power',
  'agent-crash-in',
  'agent-disk-fails',
  'collector-kill',
  'collector-power',
  'collector-crash-in',
  'collector-disk-fails',
  // Retention.
  'agent-release',
  'collector-retain',
  // Things put back.
  'agent-copy',
  'agent-put-back',
  'host-put-back',
  'agent-lost',
  'backup',
  'restore',
  'plain-copy',
  'plain-put-back',
  // Identities.
  'renew',
  'clone',
  'swap',
] as const;
export type ActionKind = (typeof ACTIONS)[number];

/** Two numbers with it say how much, which and where; each action reads them as it needs. */
export type Action = readonly [kind: ActionKind, a: number, b: number];

const LINE: readonly ActionKind[] = ['append', 'seal', 'send', 'deliver', 'sync', 'store'];
const ALWAYS: readonly ActionKind[] = [
  'timeout',
  'drop',
  'double',
  'deliver',
  'deliver',
  'sync',
  'hold-syncs',
  'agent-kill',
  'collector-kill',
  'beat',
];
const WHOLE: readonly ActionKind[] = ['ship', 'append', 'seal'];

export const FAMILIES = {
  messages: ['rotate', 'copytruncate', 'agent-release', 'collector-retain'],
  disks: ['agent-power', 'agent-crash-in', 'agent-disk-fails', 'collector-power', 'collector-crash-in', 'collector-disk-fails', 'rotate'],
  agent: ['agent-copy', 'agent-put-back', 'host-put-back', 'agent-lost', 'rotate', 'agent-release'],
  collector: ['backup', 'backup', 'restore', 'agent-release', 'rotate', 'collector-retain'],
  silent: ['plain-copy', 'plain-put-back', 'agent-release', 'rotate'],
  clones: ['clone', 'swap', 'swap', 'renew', 'rotate', 'agent-release'],
  both: ['agent-copy', 'agent-put-back', 'agent-lost', 'backup', 'backup', 'restore', 'rotate', 'agent-release'],
  all: ACTIONS.filter((kind) => !['truncate', 'ship', ...LINE, ...ALWAYS].includes(kind)),
} as const satisfies Readonly<Record<string, readonly ActionKind[]>>;
export type Family = keyof typeof FAMILIES;

const many = <T>(list: readonly T[], times: number): T[] => Array.from({ length: times }, () => list).flat();

const draw = (random: Random, pool: readonly ActionKind[]): Action => [random.of(pool), random.below(6), random.below(1_000)];

export interface Schedule {
  readonly family: Family;
  readonly actions: readonly Action[];
}

/** The schedule of a seed. */
export const scheduleOf = (seed: number): Schedule => {
  const random = seeded(seed * 7_919 + 17);
  const family = random.of(Object.keys(FAMILIES) as Family[]);
  const pool = [...many(LINE, 6), ...ALWAYS, ...many(WHOLE, 4), ...many(FAMILIES[family], 3)];
  const actions = Array.from({ length: 15 + random.below(56) }, () => draw(random, pool));
  return { family, actions };
};

export const showAction = ([kind, a, b]: Action): string => `${kind}(${a},${b})`;
