// SPDX-License-Identifier: Apache-2.0
/**
 * Facts on their way from the pass to state: what a page of them holds, and the latest state of each item of each host.
 * Input: blocks of kind `facts` (core/fact.ts). Output: hosts, packages, accounts for scores, controls, the report and the console.
 */
import type { Fact, FactFields, FactKind } from '../../core/fact.ts';
import type { AssetId, EventId } from '../../core/ids.ts';
import type { UnixMs } from '../../core/units.ts';
import type { JournalRange } from './page.ts';

/** One fact with whose it is; `event` is the event that decode made of the same record. */
export interface FactAt {
  readonly host: AssetId;
  readonly event: EventId;
  readonly received: UnixMs;
  readonly replay: boolean;
  readonly fact: Fact;
}

/** Facts of one journal range, in the order of the journal (J2, J3). */
export interface FactPage extends JournalRange {
  readonly facts: readonly FactAt[];
}

/** An item of a host as last known. Kept after it is gone, so that what was installed when can be answered. */
export interface HostFact {
  readonly host: AssetId;
  readonly kind: FactKind;
  readonly item: string;
  readonly fields: FactFields;
  /** First sight of the item in this life of it. */
  readonly since: UnixMs;
  /** Last time a field changed. */
  readonly changed: UnixMs;
  /** Last time it was said to be so. */
  readonly observed: UnixMs;
  /** Last time its source reported it as added or changed; what a restatement merely shows is a baseline, or was explained. */
  readonly reported?: UnixMs;
  readonly removed?: UnixMs;
  /** The event that said the latest change. */
  readonly event: EventId;
  /** Lives before this one, oldest first, at most 20: from, to, and the version or digest where there is one. */
  readonly lives?: readonly { readonly from: UnixMs; readonly to: UnixMs; readonly version?: string }[];
}

/** Id of a host fact's document. */
export const hostFactId = (host: AssetId, kind: FactKind, item: string): string => `${host}/${kind}/${item}`;

/** Whether all that stands of a kind on a host is known: after a scan whose checksum agrees. */
export interface FactTable {
  readonly host: AssetId;
  readonly kind: FactKind;
  readonly scanned: UnixMs;
  /** The checksums differ: until the next full restatement what stands here is in doubt. */
  readonly doubtful: boolean;
  readonly count: number;
}
