// SPDX-License-Identifier: Apache-2.0
/**
 * What the usual daemons of a host say: logging itself, clocks, addresses, name resolution, containers, the bus.
 * Input: the message of a syslog line. Output: a host event; lines that were lost or a clock that was moved stand out by their action.
 */
import type { EventDraft } from '../../model/event.ts';
import { ipOf } from '../address.ts';
import { setExtra } from '../build.ts';
import { type Decoder, type Frame, GRAMMAR_LIMIT } from '../decoder.ts';
import { processEvent } from '../shape.ts';
import { act, CHANGE, CONFIGURATION, END, ERROR, HOST, INFO, PROCESS, START } from './act.ts';

type Row = readonly [
  pattern: RegExp,
  action: string,
  category: readonly string[],
  type: readonly string[],
  outcome?: 'success' | 'failure',
];

/** First those that say that something is missing, then what is usual. */
const ROWS: readonly Row[] = [
  [
    /(?:^|: )(?:Suppressed \d{1,12} messages from |(?:imuxsock|imjournal).{0,64}(?:lost|begin to drop) |\d{1,12} messages lost due to rate-limiting|Missed \d{1,12} kernel messages|imuxsock.{0,64}messages lost)/,
    'log-lost',
    HOST,
    ERROR,
  ],
  [/^File \S{1,512} corrupted or uncleanly shut down/, 'log-damaged', HOST, ERROR],
  [
    /^(?:System clock (?:wrong|was stepped) by |step time server |Step time by|time stepped by |Time has been changed)/i,
    'time-change',
    HOST,
    CHANGE,
  ],
  [
    /^(?:System clock TAI|Selected source|Can't synchronise|Frequency |Initial (?:clock )?synchronization|Synchronized to time server|Contacted time server|Received KoD|Source \S{1,64} (?:offline|online|replaced)|Loaded |Using |Listen|kernel reports TIME_ERROR|Soliciting pool|Timed out waiting for reply|Backward time jump|Forward time jump)/,
    'time-info',
    HOST,
    INFO,
  ],
  [/^\[origin software="rsyslogd" .{0,256}\] (?:rsyslogd was HUPed|start$|rsyslogd's )/, 'log-daemon', HOST, INFO],
  [/^\[origin software="rsyslogd" .{0,256}\] exiting on signal/, 'log-daemon-stop', HOST, END],
  [
    /^(?:action '.{1,128}' (?:suspended|resumed)|imuxsock: |rsyslogd's |environment variable TZ|Journal (?:started|stopped)|Runtime Journal|System Journal|Time spent on flushing|Received client request to |Forwarding to syslog missed|Collecting audit messages|Data hash table|Vacuuming|Rotating)/,
    'log-daemon',
    HOST,
    INFO,
  ],
  [
    /^(?:DHCP(?:ACK|REQUEST|DISCOVER|OFFER|NAK|RELEASE|INFORM|DECLINE)\b|bound to |XMT: |RCV: |PRC: |(?:\S{1,32}: )?(?:DHCPv4 address |DHCPv6 |leased |soliciting |rebinding |carrier |adding (?:default )?route|deleting |IAID |confirming |probing |using IPv4LL)|Internet Systems Consortium|Listening on LPF|Sending on )/,
    'address-lease',
    HOST,
    INFO,
  ],
  [
    /^(?:\S{1,32}: )?(?:Gained (?:carrier|IPv6LL)|Lost carrier|Link (?:UP|DOWN)|Configuring|Configured|Interface name change|Flushing|Clock change detected)/,
    'link-info',
    HOST,
    INFO,
  ],
  [/^<(?:info|warn|error|debug)> +(?:\[[\d.]{1,32}\] )?/, 'network-manager', HOST, INFO],
  [
    /^(?:Using degraded feature set|Server returned error|Clock change detected|Positive Trust Anchors|Negative trust anchors|Flushed all caches|Grace period over|Switching to|DNSSEC validation failed|Using system hostname|mDNS|Failed to send hostname reply)/,
    'resolver-info',
    HOST,
    INFO,
  ],
  [
    /^(?:\[(?:system|session uid=\d{1,10} pid=\d{1,10})\] )?(?:Successfully activated service|Activating (?:via systemd: )?service|Reloaded configuration|Rejected send message|Failed to activate service|Activated service|Connection has not authenticated)/,
    'bus-message',
    HOST,
    INFO,
  ],
  [/^time="[^"]{1,64}" level=(?:info|debug|warning|error|fatal) /, 'container-daemon', HOST, INFO],
  [
    /^(?:started daemon|daemon (?:started|shutdown|exiting)|Starting|Started|Stopping|Shutting down|Reloading|reloading|exiting|Exiting|caught signal|received signal|terminated)\b/i,
    'daemon-state',
    PROCESS,
    INFO,
  ],
  [/^(?:Created|Removed|Deleted|Cleaning up|Set up|Configuration|config(?:uration)? )/, 'daemon-info', CONFIGURATION, INFO],
];

const decodeDaemon = (frame: Frame): EventDraft | null => {
  const text = frame.text;
  if (text.length > GRAMMAR_LIMIT) return null;
  for (const [pattern, action, category, type, outcome] of ROWS) {
    if (!pattern.test(text)) continue;
    const event = processEvent(frame);
    event['message'] = text;
    const lease = action === 'address-lease' ? /\b(?:of|to|address|leased) ([0-9A-Fa-f.:]{2,64})(?:[ /]|$)/.exec(text)?.[1] : undefined;
    if (lease !== undefined && ipOf(lease) !== undefined) setExtra(event, 'lease.ip', lease);
    const isStart = action === 'daemon-state' && /^(?:started|starting|daemon started)/i.test(text);
    return act(event, action, category, isStart ? START : type, outcome);
  }
  return null;
};

export const daemon: Decoder = {
  dataset: 'daemon',
  title: 'usual daemons: syslog, journal, clocks, addresses, resolver, bus, containers',
  logsource: [{ product: 'linux', service: 'syslog' }],
  emits: ['message', 'event.outcome', 'vigil.extra'],
  programs: [
    'rsyslogd',
    'syslog-ng',
    'systemd-journald',
    'systemd-timesyncd',
    'systemd-resolved',
    'systemd-networkd',
    'systemd-udevd',
    'systemd-hostnamed',
    'systemd-timedated',
    'systemd-oomd',
    'chronyd',
    'ntpd',
    'ntpdate',
    'dhclient',
    'dhcpcd',
    'dhcpd',
    'NetworkManager',
    'dbus-daemon',
    'dbus-broker-launch',
    'dockerd',
    'docker',
    'containerd',
    'snapd',
    'irqbalance',
    'smartd',
    'acpid',
    'multipathd',
    'thermald',
    'unattended-upgrade',
    'udisksd',
  ],
  form: 'message',
  decode: decodeDaemon,
};
