// SPDX-License-Identifier: Apache-2.0
/**
 * Windows event log: which Sigma log source a channel, provider and event id are.
 * Input: a flat event with Channel, Provider_Name, EventID. Output: its source; undefined when it is no Windows event.
 */
import type { FlatEvent } from './fields.ts';
import type { EventSource } from './source.ts';

const SYSMON: Readonly<Record<number, readonly string[]>> = {
  1: ['process_creation'],
  2: ['file_change'],
  3: ['network_connection'],
  4: ['sysmon_status'],
  5: ['process_termination'],
  6: ['driver_load'],
  7: ['image_load'],
  8: ['create_remote_thread'],
  9: ['raw_access_thread'],
  10: ['process_access'],
  11: ['file_event'],
  12: ['registry_add', 'registry_delete', 'registry_event'],
  13: ['registry_set', 'registry_event'],
  14: ['registry_rename', 'registry_event'],
  15: ['create_stream_hash'],
  16: ['sysmon_status'],
  17: ['pipe_created'],
  18: ['pipe_created'],
  19: ['wmi_event'],
  20: ['wmi_event'],
  21: ['wmi_event'],
  22: ['dns_query'],
  23: ['file_delete'],
  24: ['clipboard_capture'],
  25: ['process_tampering'],
  26: ['file_delete', 'file_delete_detected'],
  27: ['file_block_executable', 'file_block'],
  28: ['file_block_shredding', 'file_block'],
  29: ['file_executable_detected'],
  255: ['sysmon_error'],
};
const SECURITY: Readonly<Record<number, readonly string[]>> = { 4688: ['process_creation'], 4657: ['registry_event', 'registry_set'] };
const POWERSHELL: Readonly<Record<number, readonly string[]>> = {
  4103: ['ps_module'],
  4104: ['ps_script'],
  400: ['ps_classic_start'],
  600: ['ps_classic_provider_start'],
  800: ['ps_classic_script'],
};

// Channel in lower case → service. Only channels whose service is certain: for others the service stays unknown.
const CHANNELS: Readonly<Record<string, string>> = {
  security: 'security',
  system: 'system',
  application: 'application',
  'microsoft-windows-sysmon/operational': 'sysmon',
  'microsoft-windows-powershell/operational': 'powershell',
  'powershellcore/operational': 'powershell',
  'windows powershell': 'powershell-classic',
  'microsoft-windows-windows defender/operational': 'windefend',
  'microsoft-windows-taskscheduler/operational': 'taskscheduler',
  'microsoft-windows-wmi-activity/operational': 'wmi',
  'microsoft-windows-bits-client/operational': 'bits-client',
  'microsoft-windows-ntlm/operational': 'ntlm',
  'microsoft-windows-dns-client/operational': 'dns-client',
  'dns server': 'dns-server',
};

const get = (event: FlatEvent, ...names: string[]): unknown => {
  for (const name of names) if (event[name] !== undefined) return event[name];
  return undefined;
};

/** The source of a Windows event; undefined when neither channel nor provider say that it is one. */
export const windowsSource = (event: FlatEvent): EventSource | undefined => {
  const channel = get(event, 'Channel', 'winlog.channel');
  const provider = get(event, 'Provider_Name', 'SourceName', 'winlog.provider_name');
  if (typeof channel !== 'string' && typeof provider !== 'string') return undefined;
  const name = typeof channel === 'string' ? channel.toLowerCase() : '';
  const service = CHANNELS[name] ?? (provider === 'Microsoft-Windows-Sysmon' ? 'sysmon' : undefined);
  const id = Number(get(event, 'EventID', 'event.code', 'winlog.event_id'));
  const product = ['windows'];
  if (service === undefined) return { product };
  const table = service === 'sysmon' ? SYSMON : service === 'security' ? SECURITY : service.startsWith('powershell') ? POWERSHELL : {};
  return { product, service: [service], category: table[id] ?? [] };
};
