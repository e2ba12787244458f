// SPDX-License-Identifier: Apache-2.0
/**
 * The audit trail as a port: intent before the act, outcome after, append-only (implemented in auth).
 * Input: every act of a person, token or local owner. Output: the signed log that `vigil verify` checks.
 */
import type { UnixMs } from '../../core/units.ts';
import type { Actor } from './permission.ts';

export interface AuditEntry {
  readonly seq: number;
  readonly at: UnixMs;
  readonly actor: { readonly kind: Actor['kind']; readonly id: string; readonly name: string };
  /** Dotted, e.g. `user.create`. */
  readonly act: string;
  /** What it is about, e.g. `usr_…`. */
  readonly on: string;
  readonly phase: 'intent' | 'done' | 'failed' | 'refused';
  /** Sequence of the intent, for the other phases. */
  readonly intent?: number;
  readonly details?: Readonly<Record<string, string | number | boolean>>;
  readonly from?: string;
}

export interface AuditTrail {
  /**
   * Runs an act between its intent (fsynced first) and its outcome (fsynced before it resolves).
   * MUST record `failed` and rethrow when the act throws.
   */
  act<T>(entry: Pick<AuditEntry, 'act' | 'on' | 'details' | 'from'> & { readonly actor: Actor }, run: () => Promise<T>): Promise<T>;
  /** Records something that was refused. */
  refused(entry: Pick<AuditEntry, 'act' | 'on' | 'details' | 'from'> & { readonly actor: Actor }): Promise<void>;
  /** Newest first, before a sequence. */
  read(limit: number, before?: number): Promise<readonly AuditEntry[]>;
}
