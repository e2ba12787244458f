// SPDX-License-Identifier: Apache-2.0
/**
 * `vigil explain control`: why a control stands as it does, check by check and host by host, down to the raw records.
 * Input: a control's id or reference, and a running collector. Output: an indented chain for people, the API's answer for programs.
 */
import { callCollector, type Target } from './client.ts';
import { jsonLine, styled, type Terminal, visible } from './terminal.ts';

interface Counts {
  readonly pass: number;
  readonly fail: number;
  readonly excepted: number;
  readonly unknown: number;
  readonly expected: number;
}

interface ControlChain {
  readonly ref: string;
  readonly statement: string;
  readonly state: string;
  readonly measured: boolean;
  readonly partial: boolean;
  readonly since: string | null;
  readonly counts: Counts;
  readonly checks: readonly {
    readonly check: string;
    readonly title: string;
    readonly relationship: string;
    readonly reason: string;
    readonly fix?: string;
    readonly counts: Counts;
    readonly more: number;
    readonly answers: readonly {
      readonly name: string;
      readonly answer: string;
      readonly observation: {
        readonly id: string;
        readonly actual: string;
        readonly expected: string;
        readonly first: string;
        readonly last: string;
      } | null;
      readonly line?: {
        readonly event: string;
        readonly time: string;
        readonly original: string;
        readonly stream: string;
        readonly seq: number;
        readonly offset: number;
      };
    }[];
  }[];
  readonly turns: readonly { readonly at: string; readonly state: string }[];
}

/** Counts as people read them, always all of them. */
export const countsText = ({ pass, fail, excepted, unknown, expected }: Counts): string =>
  `${pass} of ${expected} pass, ${fail} fail, ${excepted} excepted, ${unknown} unknown`;

/** Answers of a check that are shown one by one; those that pass are only counted. */
const SHOWN = 10;

export const runExplainControl = async (
  id: string,
  at: string | undefined,
  target: Target,
  json: boolean,
  terminal: Terminal,
): Promise<void> => {
  const control = await callCollector<ControlChain>(target, { path: `/api/v1/controls/${encodeURIComponent(id)}/explain`, query: { at } });
  if (json) {
    terminal.out(jsonLine(control));
    return;
  }
  const say = (depth: number, text: string): void => terminal.out(`${'  '.repeat(depth)}${text}\n`);
  const state = control.measured ? control.state : 'not measured';
  say(0, styled(terminal, 'bold', `${control.ref}  ${state}${control.since === null ? '' : ` since ${control.since}`}`));
  say(1, visible(control.statement));
  if (!control.measured) say(1, 'No check speaks for it.');
  else say(1, `${countsText(control.counts)}${control.partial ? '; its checks cover a part of what it asks' : ''}`);
  for (const { at: time, state: turned } of control.turns.slice(-6)) say(1, `${time}  ${turned}`);
  for (const check of control.checks) {
    say(1, styled(terminal, 'bold', `${visible(check.title)}  ${countsText(check.counts)}`));
    say(2, `${check.check}  ${check.relationship}: ${visible(check.reason)}`);
    const open = check.answers.filter(({ answer }) => answer !== 'pass' && answer !== 'not-applicable');
    for (const { name, answer, observation, line } of open.slice(0, SHOWN)) {
      const found =
        observation === null
          ? 'no answer that holds'
          : `is ${visible(observation.actual)}, expected ${visible(observation.expected)}, since ${observation.first}`;
      say(2, `${visible(name)}: ${answer}, ${found}`);
      if (line === undefined) continue;
      say(3, `${line.time}  ${visible(line.original)}`);
      say(3, styled(terminal, 'dim', `${line.event}  ${visible(line.stream)} record ${line.seq}, journal offset ${line.offset}`));
    }
    if (open.length > SHOWN) say(2, `and ${open.length - SHOWN + check.more} more`);
    if (check.fix !== undefined && check.counts.fail > 0) say(2, `fix: ${visible(check.fix)}`);
  }
};
