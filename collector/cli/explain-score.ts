// SPDX-License-Identifier: Apache-2.0
/**
 * `vigil explain score`: how an entity's two scores come about, share by share, down to the raw lines; now or at a past time.
 * Input: an entity, an address or a host's name, and a running collector. Output: an indented chain for people, the API's answer for programs.
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

/** A source of a figure: an alert, an observation, with its first raw lines. */
export interface SourceChain {
  readonly id: string;
  readonly text: string;
  readonly lines: readonly Line[];
}

interface ScoreChain {
  readonly entity: string;
  readonly name: string;
  readonly at: string;
  readonly threat: number;
  readonly exposure: number;
  readonly inputsSince: string;
  readonly weights: number;
  readonly how: readonly string[];
  readonly lowers: readonly string[];
  readonly shares: readonly {
    readonly side: 'threat' | 'exposure';
    readonly title: string;
    readonly weight: number;
    readonly share: number;
    readonly without: number;
    readonly count: number;
    readonly held: boolean;
    readonly chain: readonly SourceChain[];
    readonly more: number;
  }[];
}

export const runExplainScore = async (
  id: string,
  at: string | undefined,
  target: Target,
  json: boolean,
  terminal: Terminal,
): Promise<void> => {
  const score = await callCollector<ScoreChain>(target, { path: `/api/v1/scores/${encodeURIComponent(id)}/explain`, query: { at } });
  if (json) {
    terminal.out(jsonLine(score));
    return;
  }
  const say = (depth: number, text: string): void => terminal.out(`${'  '.repeat(depth)}${text}\n`);
  say(
    0,
    styled(
      terminal,
      'bold',
      `${visible(score.name)}  Threat ${score.threat.toFixed(1)}  Exposure ${score.exposure.toFixed(1)}  (${score.at})`,
    ),
  );
  say(1, `${visible(score.entity)}, inputs that stand since ${score.inputsSince}, weights version ${score.weights}`);
  for (const sentence of [...score.how, ...score.lowers]) say(1, visible(sentence));
  for (const side of ['threat', 'exposure'] as const) {
    const shares = score.shares.filter((share) => share.side === side);
    if (shares.length === 0) continue;
    say(0, `What raises the ${side}`);
    for (const share of shares) {
      const held = share.held ? ', held by an open incident' : '';
      const times = share.count > 1 ? `, ${share.count} times` : '';
      const figures = `share ${share.share.toFixed(1)}, weight ${share.weight.toFixed(1)}, without it ${share.without.toFixed(1)}${held}${times}`;
      say(1, `${styled(terminal, 'bold', visible(share.title))}  ${figures}`);
      saySources(share.chain, 2, terminal);
      if (share.more > 0) say(2, `and ${share.more} more`);
    }
  }
};

/** Sources with their raw lines, indented. */
export const saySources = (sources: readonly SourceChain[], depth: number, terminal: Terminal): void => {
  const say = (deep: number, text: string): void => terminal.out(`${'  '.repeat(deep)}${text}\n`);
  for (const source of sources) {
    say(depth, `${source.id}  ${visible(source.text)}`);
    for (const line of source.lines) {
      say(depth + 1, `${line.time}  ${visible(line.original)}`);
      say(depth + 2, styled(terminal, 'dim', `${line.event}  ${visible(line.stream)} record ${line.seq}, journal offset ${line.offset}`));
    }
  }
};
