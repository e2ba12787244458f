// SPDX-License-Identifier: Apache-2.0
/**
 * One table, role by permission: the only place that says who may do what.
 * Input: an actor and the permission that a route or command declares. Output: yes or no.
 */
import type { Actor, Permission, Role } from '../model/permission.ts';

const EVERYONE = ['self.write', 'status.read'] as const satisfies readonly Permission[];

/** What each role may do. The auditor reads everything and writes nothing but the own password and sessions. */
export const ROLE_PERMISSIONS: Readonly<Record<Role, ReadonlySet<Permission>>> = {
  admin: new Set<Permission>([
    ...EVERYONE,
    'event.read',
    'alert.read',
    'alert.write',
    'incident.read',
    'incident.write',
    'control.read',
    'risk.read',
    'risk.write',
    'rule.read',
    'fleet.read',
    'fleet.write',
    'user.read',
    'user.write',
    'audit.read',
    'report.read',
    'report.write',
    'store.write',
    'backup.write',
  ]),
  analyst: new Set<Permission>([
    ...EVERYONE,
    'event.read',
    'alert.read',
    'alert.write',
    'incident.read',
    'incident.write',
    'control.read',
    'risk.read',
    'risk.write',
    'rule.read',
    'fleet.read',
    'report.read',
  ]),
  auditor: new Set<Permission>([
    ...EVERYONE,
    'event.read',
    'alert.read',
    'incident.read',
    'control.read',
    'risk.read',
    'rule.read',
    'fleet.read',
    'report.read',
    'user.read',
    'audit.read',
  ]),
};

/** Whether a role holds a permission. */
export const grants = (role: Role, permission: Permission): boolean => ROLE_PERMISSIONS[role].has(permission);

/** Whether the actor may. Who must change the password first may do nothing else. */
export const permits = (actor: Actor, permission: Permission): boolean =>
  actor.mustChangePassword === true && permission !== 'self.write' ? false : grants(actor.role, permission);

/** True when everything the inner role may do is allowed to the outer one too: a token never outgrows its owner. */
export const roleWithin = (inner: Role, outer: Role): boolean =>
  [...ROLE_PERMISSIONS[inner]].every((permission) => ROLE_PERMISSIONS[outer].has(permission));

/** The owner of the data folder, who comes through the control socket. */
export const LOCAL_OWNER: Actor = { kind: 'local-owner', id: 'local-owner', name: 'local owner', role: 'admin' };
