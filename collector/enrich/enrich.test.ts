// SPDX-License-Identifier: Apache-2.0
/**
 * What is known of a host is added to its events, without a new shape.
 * Input: events and a look-up. Output: claims.
 */
import { describe, expect, it } from 'vitest';
import { type AssetId, hashId } from '../../core/ids.ts';
import { ENVELOPE } from '../decode/shape.ts';
import { type AssetFacts, makeEnrich } from './enrich.ts';

const web = hashId('ast', 'web');

describe('enrich', () => {
  const facts = new Map<AssetId, AssetFacts>([[web, { criticality: 'high', zone: 'internet-exposed' }]]);
  const enrich = makeEnrich((asset) => facts.get(asset));

  it('adds criticality and zone of the host', () => {
    const event = enrich({ ...ENVELOPE, 'host.id': web });
    expect([event['vigil.asset.criticality'], event['vigil.zone']]).toEqual(['high', 'internet-exposed']);
  });

  it('leaves the order of keys as it was', () => {
    expect(Object.keys(enrich({ ...ENVELOPE, 'host.id': web }))).toEqual(Object.keys(ENVELOPE));
  });

  it('takes away what is known no longer, and adds nothing to a stranger', () => {
    const again = enrich({ ...ENVELOPE, 'host.id': hashId('ast', 'other'), 'vigil.zone': 'old' });
    expect(again['vigil.zone']).toBeUndefined();
    expect(enrich({ 'user.name': 'anna' })).toEqual({ 'user.name': 'anna' });
  });
});
