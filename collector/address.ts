// SPDX-License-Identifier: Apache-2.0
/**
 * Addresses that listeners are told and names that peers may call them by.
 * Input: configuration, this host's interfaces. Output: host and port; names for certificates and for the check of the Host header.
 */
import { hostname, networkInterfaces } from 'node:os';
import type { CollectorConfig } from './config.ts';
import { fault } from './errors.ts';

/** Names and addresses that agents and browsers may call the listeners by; all of this host's where one listens on all. */
export const namesOf = (config: CollectorConfig): readonly string[] => {
  const listens = [config['agents.listen'], config['console.listen']].map((text) => splitAddress(text).host);
  const isAll = (host: string): boolean => host === '0.0.0.0' || host === '::';
  const own = Object.values(networkInterfaces()).flatMap((list) => (list ?? []).map(({ address }) => address.replace(/%.*$/, '')));
  const names = [
    'localhost',
    '127.0.0.1',
    '::1',
    hostname(),
    ...listens.filter((host) => !isAll(host)),
    ...(listens.some(isAll) ? own : []),
  ];
  if (config['agents.public_url'] !== null) names.push(new URL(config['agents.public_url']).hostname);
  return [...new Set(names)];
};

/** `127.0.0.1:7480`, `[::1]:7480`. @throws CodedError USAGE. */
export const splitAddress = (text: string): { readonly host: string; readonly port: number } => {
  const match = /^(?:\[([0-9a-f:]+)\]|([^:]+)):(\d{1,5})$/i.exec(text);
  const port = Number(match?.[3]);
  if (!match || port > 65_535) throw fault('USAGE', { reason: `"${text}" is not an address and port such as 127.0.0.1:7480` });
  return { host: (match[1] ?? match[2]) as string, port };
};
