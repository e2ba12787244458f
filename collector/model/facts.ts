// SPDX-License-Identifier: Apache-2.0
/**
 * What the sink of facts asks of the state while it applies a page, in the page's transaction.
 * Input: implemented over SQLite in the state worker (store/embedded/facts.ts). Output: `collector/facts` decides from it.
 */
import type { FactKind } from '../../core/fact.ts';
import type { AssetId } from '../../core/ids.ts';
import type { UnixMs } from '../../core/units.ts';
import type { Entity } from './entity.ts';
import type { FactTable, HostFact } from './fact.ts';
import type { Observation } from './observation.ts';

export interface FactReader {
  item(host: AssetId, kind: FactKind, item: string): HostFact | null;
  /** All of a kind on a host, those that are gone included. */
  items(host: AssetId, kind: FactKind): readonly HostFact[];
  /** How many `items` would give. */
  count(host: AssetId, kind: FactKind): number;
  table(host: AssetId, kind: FactKind): FactTable | null;
  /** Spans of a pair around a time, oldest first: up to three that begin at it or before, up to three that begin after it. */
  spansNear(check: string, subject: Entity, at: UnixMs): readonly Observation[];
}
