// SPDX-License-Identifier: Apache-2.0
/**
 * `vigil explain`: the chain of an alert or incident, down to the raw lines and the blocks that hold them.
 * Input: an id and a running collector. Output: an indented chain for people, the API's answer as NDJSON for programs.
 */
import { callCollector, type Target } from './client.ts';
import { jsonLine, styled, type Terminal, visible } from './terminal.ts';

interface Line {
  readonly event: string;
  readonly time: string;
  readonly original: string;
  readonly stream: string;
  readonly seq: number;
  readonly offset: number;
}

interface AlertChain {
  readonly id: string;
  readonly title: string;
  readonly level: string;
  readonly rule: string;
  readonly entity: string;
  readonly entityName: string;
  readonly count: number;
  readonly first: string;
  readonly last: string;
  readonly why: readonly string[];
  readonly lines: readonly Line[];
  /** Signals that are counted but not among the sample. */
  readonly more: number;
}

interface Chain {
  readonly id: string;
  readonly number?: string;
  readonly title: string;
  readonly severity?: string;
  readonly why?: readonly string[];
  readonly alerts: readonly AlertChain[];
}

/** `8`, `inc-8` and `INC-8` are the same incident to the one who types. */
export const incidentId = (text: string): string => (/^(?:inc-)?\d+$/i.test(text) ? `INC-${text.replace(/\D/g, '')}` : text);

export const runExplain = async (
  what: 'alert' | 'incident',
  id: string,
  target: Target,
  json: boolean,
  terminal: Terminal,
): Promise<void> => {
  const named = what === 'incident' ? incidentId(id) : id;
  const chain = await callCollector<Chain>(target, { path: `/api/v1/${what}s/${encodeURIComponent(named)}/explain` });
  if (json) {
    terminal.out(jsonLine(chain));
    return;
  }
  const say = (depth: number, text: string): void => terminal.out(`${'  '.repeat(depth)}${text}\n`);
  let depth = 0;
  if (what === 'incident') {
    say(0, styled(terminal, 'bold', `${chain.number ?? chain.id}  ${visible(chain.title)}  (${chain.severity ?? ''})`));
    for (const reason of chain.why ?? []) say(1, `because ${visible(reason)}`);
    depth = 1;
  }
  for (const alert of chain.alerts) sayAlert(alert, depth, what === 'incident' ? LINES_OF_EACH : alert.lines.length, say, terminal);
};

/** Of each alert of an incident; the alert itself is explained with all of them. */
const LINES_OF_EACH = 10;

const sayAlert = (
  alert: AlertChain,
  depth: number,
  limit: number,
  say: (depth: number, text: string) => void,
  terminal: Terminal,
): void => {
  say(
    depth,
    styled(terminal, 'bold', `${visible(alert.title)}  (${alert.level}, ${alert.count} ${alert.count === 1 ? 'signal' : 'signals'})`),
  );
  say(depth + 1, `${alert.id}  rule ${visible(alert.rule)}  ${visible(alert.entityName)}  ${alert.first} to ${alert.last}`);
  for (const reason of alert.why) say(depth + 1, `because ${visible(reason)}`);
  for (const line of alert.lines.slice(0, limit)) {
    say(depth + 1, `${line.time}  ${visible(line.original)}`);
    say(depth + 2, styled(terminal, 'dim', `${line.event}  ${visible(line.stream)} record ${line.seq}, journal offset ${line.offset}`));
  }
  const left = alert.lines.length - limit;
  if (left > 0) say(depth + 1, `and ${left + alert.more} more: vigil explain alert ${alert.id}`);
  else if (alert.more > 0) say(depth + 1, `and ${alert.more} more`);
};
