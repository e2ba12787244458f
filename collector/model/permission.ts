// SPDX-License-Identifier: Apache-2.0
/**
 * Permissions: what a route or command may demand. A route without one does not boot.
 * Input: nothing. Output: routes declare them; auth decides by role.
 */
import type { UserId } from '../../core/ids.ts';

export const PERMISSIONS = {
  'event.read': 'Search events and see raw lines.',
  'alert.read': 'See alerts, and the scores of hosts, users and addresses.',
  'alert.write': 'Acknowledge, assign, comment and close alerts.',
  'incident.read': 'See incidents.',
  'incident.write': 'Own, move, merge and close incidents.',
  'control.read': 'See controls with their states, and the checks and observations behind them.',
  'risk.read': 'See the risk register with what telemetry indicates.',
  'risk.write': 'Assess risks.',
  'rule.read': 'See rules and their coverage.',
  'fleet.read': 'See agents, hosts and sources.',
  'fleet.write': 'Make tokens, retire and revoke agents, decide about hosts.',
  'user.read': 'See users, roles and API tokens.',
  'user.write': 'Add, change and disable users, make API tokens for others.',
  'audit.read': 'Read the audit trail.',
  'store.write': 'Decode a range of the journal again.',
  'report.read': 'Read reports.',
  'report.write': 'Make reports and their revisions.',
  'backup.write': 'Take backups of everything, keys included.',
  'status.read': 'See health, lag and counts.',
  'self.write': 'Change the own password and end the own sessions.',
} as const;
export type Permission = keyof typeof PERMISSIONS;

export const ROLES = ['admin', 'analyst', 'auditor'] as const;
export type Role = (typeof ROLES)[number];

/** Who acts: a person, an API token of one, or the owner of the data folder through the control socket. */
export interface Actor {
  readonly kind: 'user' | 'token' | 'local-owner';
  readonly id: UserId | string;
  readonly name: string;
  readonly role: Role;
  /** The person must change the password before anything else. */
  readonly mustChangePassword?: boolean;
}
