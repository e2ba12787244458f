// SPDX-License-Identifier: Apache-2.0
/**
 * Adds what is known of the host that an event came from; says nothing about addresses yet.
 * Input: a decoded event and a look-up by asset. Output: the same event with criticality and zone, its shape unchanged.
 */
import type { AssetId } from '../../core/ids.ts';
import type { Event, EventDraft } from '../model/event.ts';
import type { Criticality } from '../model/scores.ts';

/** What people and inventory say of a host. */
export interface AssetFacts {
  readonly criticality?: Criticality;
  /** Network zone, e.g. `internet-exposed`. */
  readonly zone?: string;
}

/** Answers from memory; undefined for a host nothing is known of. */
export type AssetLookup = (asset: AssetId) => AssetFacts | undefined;

/**
 * Makes the step. It fills fields of the very event it is given, which nobody else holds yet: decode has made it, and
 * store, detect and facts come after. Facts that the lookup no longer has are not left over from an earlier pass.
 */
export const makeEnrich =
  (lookup: AssetLookup) =>
  (event: Event): Event => {
    const host = event['host.id'];
    if (host === undefined) return event;
    const facts = lookup(host as AssetId);
    const draft = event as EventDraft;
    draft['vigil.asset.criticality'] = facts?.criticality;
    draft['vigil.zone'] = facts?.zone;
    return event;
  };
