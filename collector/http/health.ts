// SPDX-License-Identifier: Apache-2.0
/**
 * How the collector is: alive, ready, its conditions, its figures for people and for Prometheus.
 * Input: functions that the wiring passes in. Output: /health, /ready, /metrics, /api/v1/status.
 */
import { Type } from 'typebox';
import type { Actor } from '../model/permission.ts';
import type { Metrics } from './metrics.ts';
import { publicRoute, type Route, route } from './route.ts';
import { type Condition, ConditionSchema, StatusSchema, type StatusView } from './status.ts';

export interface StatusPorts {
  status(): Promise<StatusView>;
  /** From memory, at once. */
  conditions(): readonly Condition[];
  /** True once every part is open. */
  ready(): boolean;
}

/** Routes about the collector itself. Strangers learn only that it lives. */
export const healthRoutes = (ports: StatusPorts, metrics: Metrics, maySee: (actor: Actor) => boolean): readonly Route[] => [
  publicRoute({
    method: 'GET',
    path: '/health',
    tag: 'status',
    summary: 'Alive, and whether everything is as it should be; the conditions for those who may see them.',
    answer: Type.Object({ status: Type.Enum(['ok', 'degraded']), conditions: Type.Optional(Type.Array(ConditionSchema)) }),
    handle: async ({ actor }) => {
      const conditions = ports.conditions();
      const status = conditions.length === 0 ? ('ok' as const) : ('degraded' as const);
      return { body: { status, ...(actor !== null && maySee(actor) ? { conditions: [...conditions] } : {}) } };
    },
  }),
  publicRoute({
    method: 'GET',
    path: '/ready',
    tag: 'status',
    summary: 'Whether the collector takes requests: 503 until it does.',
    answer: Type.Object({ ready: Type.Boolean() }),
    handle: async () => {
      const ready = ports.ready();
      return { body: { ready }, ...(ready ? {} : { status: 503 }) };
    },
  }),
  route({
    method: 'GET',
    path: '/metrics',
    tag: 'status',
    summary: 'Figures for Prometheus.',
    permission: 'status.read',
    answer: Type.String(),
    handle: async () => ({ body: await metrics.text(), type: metrics.type }),
  }),
  route({
    method: 'GET',
    path: '/api/v1/status',
    tag: 'status',
    summary: 'What runs, what reports, lag, losses, cost, and what cannot be seen.',
    permission: 'status.read',
    answer: StatusSchema,
    handle: async () => ({ body: await ports.status() }),
  }),
];
