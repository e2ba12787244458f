// SPDX-License-Identifier: Apache-2.0
/**
 * An agent as a person reads it: how it stands, what it costs its host, each source with how far behind, what is wrong and what to do.
 * Input: an agent as the API gives it. Output: text. Pure.
 */
import { countText, sizeText, spanText, type Terminal, table, visible } from './terminal.ts';

export interface AgentShown {
  readonly id: string;
  readonly host: string;
  readonly group: string;
  readonly state: string;
  readonly version: string;
  readonly zone: string;
  readonly enrolledAt: string;
  readonly lastSeen: string | null;
  readonly silent: boolean;
  readonly clockOffsetMs: number | null;
  readonly sources: readonly {
    readonly stream: string;
    readonly dataset: string;
    readonly lagMs: number;
    readonly behindBytes: number;
    readonly counts: Readonly<Record<string, number>>;
  }[];
  readonly conditions: readonly { readonly code: string; readonly about: string; readonly hint: string }[];
  readonly cost: { readonly cpuMs: number; readonly rssBytes: number; readonly spoolBytes: number; readonly sentBytes: number } | null;
  readonly held?: { readonly key: string; readonly since: string; readonly from: string };
}

export const agentText = (agent: AgentShown, terminal: Terminal): string => {
  const { cost, held } = agent;
  const heard = agent.lastSeen === null ? 'never' : `${agent.lastSeen}${agent.silent ? ', silent since' : ''}`;
  const lines = [
    `${agent.id} on ${agent.host}: ${held ? `held since ${held.since}, when an older key of it came from ${held.from}` : agent.state}`,
    `  version      ${agent.version}, group ${agent.group}, enrolled ${agent.enrolledAt}`,
    `  last heard   ${heard}`,
    `  clock        ${agent.clockOffsetMs === null ? 'not known' : clockText(agent.clockOffsetMs)}, zone ${agent.zone}`,
    cost === null
      ? '  cost         not known'
      : `  cost         ${sizeText(cost.rssBytes)} of memory, ${shareText(cost.cpuMs)} of a processor, ${sizeText(cost.spoolBytes)} kept on the host, ${sizeText(cost.sentBytes)} sent`,
    ...(held ? [`  To decide: vigil agent held show ${agent.id}, then vigil agent held release or discard.`] : []),
    ...agent.conditions.flatMap(({ code, about, hint }) => [`  ${code} ${about}`, `    ${hint}`]),
  ];
  const sources = agent.sources.map(({ stream, dataset, lagMs, behindBytes, counts }) => [
    stream,
    dataset,
    spanText(lagMs),
    sizeText(behindBytes),
    countsText(counts),
  ]);
  const shown = sources.length === 0 ? '  It has told of no source yet.' : table(terminal, COLUMNS, sources);
  return `${lines.map(visible).join('\n')}\n\n${shown}\n`;
};

/** Heartbeats come this far apart (core/protocol.ts). */
const HEARTBEAT_MS = 30_000;
const COLUMNS = [
  { title: 'source', max: 80 },
  { title: 'dataset' },
  { title: 'lag', align: 'right' },
  { title: 'behind', align: 'right' },
  { title: 'counted', max: 80 },
] as const;

/** Cost is told for the time since the heartbeat before. */
const shareText = (cpuMs: number): string => `${((cpuMs / HEARTBEAT_MS) * 100).toFixed(1)} %`;

const clockText = (offsetMs: number): string =>
  Math.abs(offsetMs) < 1_000 ? 'right' : `${spanText(Math.abs(offsetMs))} ${offsetMs > 0 ? 'ahead of' : 'behind'} the collector’s`;

const countsText = (counts: Readonly<Record<string, number>>): string =>
  Object.entries(counts)
    .filter(([, n]) => n > 0)
    .map(([name, n]) => `${countText(n)} ${name}`)
    .join(', ') || '–';
