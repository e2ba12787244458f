// SPDX-License-Identifier: Apache-2.0
/**
 * One constant object shape for each class of event: every key is there from birth, absent ones undefined,
 * so that each place that reads events meets few hidden classes. Input: the frame. Output: a draft with its envelope filled.
 */
import type { EventDraft } from '../model/event.ts';
import type { Frame } from './decoder.ts';

/** What every event may have, whatever decoded it; a decoder need not declare these. */
export const ENVELOPE = {
  '@timestamp': undefined,
  'event.id': undefined,
  'event.kind': undefined,
  'event.dataset': undefined,
  'vigil.dataset': undefined,
  'event.category': undefined,
  'event.type': undefined,
  'event.action': undefined,
  'event.outcome': undefined,
  'event.reason': undefined,
  'event.created': undefined,
  'event.ingested': undefined,
  'event.original': undefined,
  message: undefined,
  'host.id': undefined,
  'host.name': undefined,
  'log.file.path': undefined,
  'log.level': undefined,
  'log.syslog.hostname': undefined,
  'log.syslog.appname': undefined,
  'log.syslog.priority': undefined,
  'log.syslog.facility.name': undefined,
  'log.syslog.severity.name': undefined,
  'process.name': undefined,
  'process.pid': undefined,
  'related.ip': undefined,
  'related.user': undefined,
  'source.ip': undefined,
  'source.port': undefined,
  'source.address': undefined,
  'source.domain': undefined,
  'user.name': undefined,
  tags: undefined,
  'vigil.agent.id': undefined,
  'vigil.stream': undefined,
  'vigil.epoch': undefined,
  'vigil.seq': undefined,
  'vigil.journal.collector': undefined,
  'vigil.journal.incarnation': undefined,
  'vigil.journal.offset': undefined,
  'vigil.journal.generation': undefined,
  'vigil.decode': undefined,
  'vigil.time.quality': undefined,
  'vigil.original.encoding': undefined,
  'vigil.flags': undefined,
  'vigil.asset.criticality': undefined,
  'vigil.zone': undefined,
  'vigil.extra': undefined,
} satisfies EventDraft;

const AUTH = {
  ...ENVELOPE,
  'user.id': undefined,
  'user.effective.name': undefined,
  'user.effective.id': undefined,
  'user.target.name': undefined,
  'user.target.id': undefined,
  'group.name': undefined,
  'group.id': undefined,
  'process.command_line': undefined,
  'process.executable': undefined,
  'process.working_directory': undefined,
  'destination.ip': undefined,
  'destination.port': undefined,
  'network.protocol': undefined,
  'network.transport': undefined,
  'service.name': undefined,
  'event.code': undefined,
} satisfies EventDraft;

const WEB = {
  ...ENVELOPE,
  'http.request.method': undefined,
  'http.request.referrer': undefined,
  'http.response.status_code': undefined,
  'http.response.body.bytes': undefined,
  'http.version': undefined,
  'url.original': undefined,
  'url.path': undefined,
  'url.query': undefined,
  'url.domain': undefined,
  'url.extension': undefined,
  'user_agent.original': undefined,
  'destination.ip': undefined,
  'destination.port': undefined,
  'event.duration': undefined,
  'event.code': undefined,
  'rule.id': undefined,
  'rule.name': undefined,
  'error.message': undefined,
} satisfies EventDraft;

const NETWORK = {
  ...ENVELOPE,
  'destination.ip': undefined,
  'destination.port': undefined,
  'destination.address': undefined,
  'network.transport': undefined,
  'network.protocol': undefined,
  'network.direction': undefined,
  'network.type': undefined,
  'observer.ingress.interface.name': undefined,
  'observer.egress.interface.name': undefined,
  'source.bytes': undefined,
  'dns.question.name': undefined,
  'dns.question.type': undefined,
  'rule.id': undefined,
  'rule.name': undefined,
  'event.code': undefined,
  'service.name': undefined,
} satisfies EventDraft;

const MAIL = {
  ...ENVELOPE,
  'email.from.address': undefined,
  'email.to.address': undefined,
  'email.message_id': undefined,
  'destination.ip': undefined,
  'destination.port': undefined,
  'network.protocol': undefined,
  'service.name': undefined,
  'event.code': undefined,
  'error.code': undefined,
} satisfies EventDraft;

const PROCESS = {
  ...ENVELOPE,
  'user.id': undefined,
  'user.effective.id': undefined,
  'user.effective.name': undefined,
  'user.group.id': undefined,
  'user.target.name': undefined,
  'group.name': undefined,
  'process.args': undefined,
  'process.args_count': undefined,
  'process.command_line': undefined,
  'process.executable': undefined,
  'process.exit_code': undefined,
  'process.parent.pid': undefined,
  'process.title': undefined,
  'process.working_directory': undefined,
  'file.path': undefined,
  'file.mode': undefined,
  'file.inode': undefined,
  'destination.ip': undefined,
  'destination.port': undefined,
  'service.name': undefined,
  'service.state': undefined,
  'event.code': undefined,
  'event.sequence': undefined,
} satisfies EventDraft;

const AUDIT = {
  ...ENVELOPE,
  'event.code': undefined,
  'event.sequence': undefined,
  'user.id': undefined,
  'user.effective.id': undefined,
  'user.effective.name': undefined,
  'user.group.id': undefined,
  'user.target.id': undefined,
  'user.target.name': undefined,
  'group.id': undefined,
  'group.name': undefined,
  'process.args': undefined,
  'process.args_count': undefined,
  'process.command_line': undefined,
  'process.executable': undefined,
  'process.parent.pid': undefined,
  'process.parent.name': undefined,
  'process.parent.executable': undefined,
  'process.parent.command_line': undefined,
  'process.title': undefined,
  'process.working_directory': undefined,
  'file.path': undefined,
  'file.inode': undefined,
  'file.mode': undefined,
  'file.uid': undefined,
  'file.gid': undefined,
  'service.name': undefined,
  'network.type': undefined,
  'network.direction': undefined,
  'destination.ip': undefined,
  'destination.port': undefined,
  'vigil.seq_last': undefined,
} satisfies EventDraft;

const PACKAGES = {
  ...ENVELOPE,
  'package.name': undefined,
  'package.version': undefined,
  'package.architecture': undefined,
  'process.command_line': undefined,
  'process.executable': undefined,
  'file.path': undefined,
  'user.id': undefined,
} satisfies EventDraft;

const TRANSFER = {
  ...ENVELOPE,
  'network.protocol': undefined,
  'file.path': undefined,
  'file.size': undefined,
} satisfies EventDraft;

const FACT = {
  ...ENVELOPE,
  'vigil.fact': undefined,
  'vigil.item': undefined,
  'vigil.change': undefined,
  'vigil.check': undefined,
  'vigil.result': undefined,
  'file.path': undefined,
  'file.name': undefined,
  'file.hash.sha256': undefined,
  'package.name': undefined,
  'user.id': undefined,
  'group.name': undefined,
  'service.name': undefined,
  'network.transport': undefined,
  'destination.ip': undefined,
  'destination.port': undefined,
  'process.executable': undefined,
  'process.command_line': undefined,
  'rule.name': undefined,
} satisfies EventDraft;

const PLAIN = { ...ENVELOPE } satisfies EventDraft;

const fill = (event: EventDraft, frame: Frame): EventDraft => {
  const { record, origin } = frame;
  event['event.id'] = origin.idPrefix + record.seq.toString(36);
  event['event.kind'] = 'event';
  event['event.created'] = record.readAt;
  event['event.ingested'] = origin.ingested;
  event['event.original'] = frame.original;
  event['host.id'] = origin.hostId;
  event['host.name'] = origin.hostName;
  event['log.file.path'] = origin.path;
  event['log.syslog.hostname'] = frame.hostname;
  event['log.syslog.appname'] = frame.program;
  event['log.syslog.priority'] = frame.priority;
  event['process.name'] = frame.program;
  event['process.pid'] = frame.pid;
  event['vigil.agent.id'] = origin.agent;
  event['vigil.stream'] = origin.stream;
  event['vigil.epoch'] = origin.epoch;
  event['vigil.seq'] = record.seq;
  event['vigil.journal.collector'] = origin.collector;
  event['vigil.journal.incarnation'] = origin.incarnation;
  event['vigil.journal.offset'] = origin.offset;
  event['vigil.journal.generation'] = origin.generation;
  if (frame.escaped) event['vigil.original.encoding'] = 'escaped';
  return event;
};

/** Logins, sessions, privileges, accounts. */
export const authEvent = (frame: Frame): EventDraft => fill({ ...AUTH }, frame);
/** Requests and errors of web servers and proxies. */
export const webEvent = (frame: Frame): EventDraft => fill({ ...WEB }, frame);
/** Firewalls, name servers, listeners. */
export const networkEvent = (frame: Frame): EventDraft => fill({ ...NETWORK }, frame);
/** Mail servers. */
export const mailEvent = (frame: Frame): EventDraft => fill({ ...MAIL }, frame);
/** Processes, services, jobs, the audit system. */
export const processEvent = (frame: Frame): EventDraft => fill({ ...PROCESS }, frame);
/** Files sent and fetched. */
export const fileTransferEvent = (frame: Frame): EventDraft => fill({ ...TRANSFER }, frame);
/** Package managers. */
export const packageEvent = (frame: Frame): EventDraft => fill({ ...PACKAGES }, frame);
/** Events of the audit system, of one record or several. */
export const auditEvent = (frame: Frame): EventDraft => fill({ ...AUDIT }, frame);
/** Facts: what a host is. */
export const factEvent = (frame: Frame): EventDraft => fill({ ...FACT }, frame);
/** Everything that only has an envelope. */
export const plainEvent = (frame: Frame): EventDraft => fill({ ...PLAIN }, frame);
