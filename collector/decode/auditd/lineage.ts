// SPDX-License-Identifier: Apache-2.0
/**
 * Which program a process ran last, so that the parent of a new process can be named: audit records carry only its number.
 * Input: events of the audit system in order. Output: the parent's executable and command line, where it was seen to start.
 */
import type { EventDraft } from '../../model/event.ts';

interface Seen {
  readonly executable: string;
  readonly commandLine: string | undefined;
}

export interface Lineage {
  /** Fills the parent's fields from what was seen before, then remembers the event's own process. */
  follow(event: EventDraft): void;
}

const COMMAND_KEPT = 1_024;

/** Remembers at most `limit` processes of all hosts; the one heard of longest ago goes first. */
export const makeLineage = (limit = 65_536): Lineage => {
  const seen = new Map<string, Seen>();
  const remember = (key: string, one: Seen): void => {
    seen.delete(key);
    seen.set(key, one);
    if (seen.size > limit) {
      const { value } = seen.keys().next();
      if (value !== undefined) seen.delete(value);
    }
  };
  return {
    follow: (event) => {
      const pid = event['process.pid'];
      if (pid === undefined) return;
      // Several hosts may speak through one relay.
      const host = `${event['host.id']} ${event['log.syslog.hostname'] ?? ''} ${event['vigil.extra']?.['auditd.node'] ?? ''}`;
      const parent = event['process.parent.pid'];
      const known = parent === undefined ? undefined : seen.get(`${host} ${parent}`);
      if (known !== undefined) {
        event['process.parent.executable'] = known.executable;
        event['process.parent.name'] = known.executable.slice(known.executable.lastIndexOf('/') + 1);
        event['process.parent.command_line'] = known.commandLine;
      }
      const executable = event['process.executable'];
      if (executable === undefined) return;
      const key = `${host} ${pid}`;
      const before = seen.get(key);
      // Another program under that number, by execve or because the number was given again.
      const started = event['event.category']?.includes('process') === true && event['event.type']?.includes('start') === true;
      if (started) remember(key, { executable, commandLine: event['process.command_line']?.slice(0, COMMAND_KEPT) });
      else if (before === undefined || before.executable !== executable) remember(key, { executable, commandLine: undefined });
    },
  };
};
