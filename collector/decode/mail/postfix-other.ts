// SPDX-License-Identifier: Apache-2.0
/**
 * What Postfix says beside mail and clients: TLS, its own connections, its processes, warnings about names.
 * Input: the message of a syslog line that is no other form. Output: the event filled, or nothing.
 */
import type { EventDraft } from '../../model/event.ts';
import { setDestination, setSource } from '../address.ts';
import { setExtra } from '../build.ts';

interface Form {
  readonly pattern: RegExp;
  readonly action: string;
  readonly category: readonly string[];
  readonly type: readonly string[];
  readonly outcome?: 'success' | 'failure' | 'unknown';
}

const NETWORK: readonly string[] = ['network', 'email'];
const EMAIL: readonly string[] = ['email'];
const HOST: readonly string[] = ['host'];
const PROCESS: readonly string[] = ['process'];
const INFO: readonly string[] = ['info'];
const ERROR: readonly string[] = ['error'];
const START: readonly string[] = ['start'];
const END: readonly string[] = ['end'];
const CONNECTION: readonly string[] = ['connection'];
const CONFIGURATION: readonly string[] = ['configuration'];

/** Groups by name: source, to, port, tls, cipher, reason, queue. An address in brackets follows a name that its owner chose. */
const FORMS: readonly Form[] = [
  {
    pattern:
      /^(?:Anonymous|Trusted|Untrusted|Verified) TLS connection established (?:from (?:\S{1,255})?\[(?<source>[0-9A-Fa-f.:]{2,64})\](?::\d{1,5})?|to (?:\S{1,255})?\[(?<to>[0-9A-Fa-f.:]{2,64})\](?::(?<port>\d{1,5}))?): (?<tls>\S{1,16}) with cipher (?<cipher>\S{1,64}) /,
    action: 'tls-established',
    category: NETWORK,
    type: CONNECTION,
    outcome: 'success',
  },
  {
    pattern: /^connect to (?:\S{1,255})?\[(?<to>[0-9A-Fa-f.:]{2,64})\](?::(?<port>\d{1,5}))?: (?<reason>.{1,256})$/s,
    action: 'smtp-client-connect',
    category: NETWORK,
    type: ERROR,
    outcome: 'failure',
  },
  {
    pattern: /^(?:SSL_connect error to|Cannot start TLS|TLS (?:handshake|SNI)) ?(?<reason>.{0,256})$/s,
    action: 'tls-handshake',
    category: NETWORK,
    type: ERROR,
    outcome: 'failure',
  },
  {
    pattern: /^(?:warning: )?TLS library problem: (?<reason>.{1,256})/s,
    action: 'tls-error',
    category: NETWORK,
    type: ERROR,
    outcome: 'failure',
  },
  {
    pattern: /^warning: hostname \S{1,255} does not resolve to address (?<source>[0-9A-Fa-f.:]{2,64})(?:: (?<reason>.{1,256}))?$/s,
    action: 'smtp-name-mismatch',
    category: NETWORK,
    type: INFO,
    outcome: 'unknown',
  },
  {
    pattern: /^statistics: max (?:connection|message|recipient|auth|newtls|cache) /,
    action: 'smtp-statistics',
    category: EMAIL,
    type: INFO,
  },
  { pattern: /^daemon started -- version /, action: 'service-start', category: PROCESS, type: START, outcome: 'success' },
  {
    pattern: /^(?:terminating on signal|stopping the Postfix mail system)/,
    action: 'service-stop',
    category: PROCESS,
    type: END,
    outcome: 'success',
  },
  {
    pattern: /^(?:reload -- version|refreshing the Postfix mail system|starting the Postfix mail system)/,
    action: 'service-reload',
    category: CONFIGURATION,
    type: INFO,
  },
  {
    pattern:
      /^(?<queue>[0-9A-Za-z]{6,20}): (?:sender (?:non-)?delivery(?: status)? notification|postmaster non-delivery notification|sender delay notification)/,
    action: 'mail-bounce',
    category: EMAIL,
    type: INFO,
    outcome: 'failure',
  },
  {
    pattern:
      /^(?<queue>[0-9A-Za-z]{6,20}): (?:removed|skipped, still being delivered|conversation with |lost connection with |host |enabling PIX|replace: |filter: |info: |warning: |expired)/,
    action: 'mail-info',
    category: EMAIL,
    type: INFO,
  },
  {
    pattern:
      /^(?:cache |lookup |address|setting up TLS|initializing the |SSL_accept:|certificate |fingerprint|Host offered|scanned|using backwards-compatible)/,
    action: 'mail-info',
    category: EMAIL,
    type: INFO,
  },
  { pattern: /^warning: (?<reason>.{1,512})/s, action: 'mail-warning', category: HOST, type: INFO },
  { pattern: /^(?:error|fatal|panic): (?<reason>.{1,512})/s, action: 'mail-error', category: HOST, type: ERROR, outcome: 'failure' },
];

/** Fills the event from the first form that fits; null where none does. */
export const setOther = (event: EventDraft, text: string): EventDraft | null => {
  for (const { pattern, action, category, type, outcome } of FORMS) {
    const groups = pattern.exec(text);
    if (groups === null) continue;
    const { source, to, port, tls, cipher, reason, queue } = groups.groups ?? {};
    event['event.action'] = action;
    event['event.category'] = category;
    event['event.type'] = type;
    event['event.outcome'] = outcome;
    if (source !== undefined) setSource(event, source);
    if (to !== undefined) setDestination(event, to, port);
    if (reason !== undefined && reason !== '') event['event.reason'] = reason;
    if (queue !== undefined) event['event.code'] = queue;
    if (tls !== undefined) setExtra(event, 'tls.protocol', tls);
    if (cipher !== undefined) setExtra(event, 'tls.cipher', cipher);
    return event;
  }
  return null;
};
