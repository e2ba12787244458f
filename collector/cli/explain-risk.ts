// SPDX-License-Identifier: Apache-2.0
/**
 * `vigil risk list` and `vigil explain risk`: what was assessed beside what telemetry indicates, and what that rests on.
 * Input: a risk's number or id, and a running collector. Output: a table or an indented chain for people, NDJSON for programs.
 */
import { callCollector, type Target } from './client.ts';
import { countsText } from './explain-control.ts';
import { saySources } from './explain-score.ts';
import { jsonLine, styled, type Terminal, table, visible } from './terminal.ts';

interface Shown {
  readonly id: string;
  readonly reference: string;
  readonly title: string;
  readonly scenario: string;
  readonly status: string;
  readonly tolerance: string;
  readonly assessed: { readonly likelihood: string; readonly impact: string; readonly by: string; readonly at: string };
  readonly level: { readonly assessed: string; readonly indicated: string };
  readonly aboveTolerance: boolean;
  readonly indicated: {
    readonly likelihood: string;
    readonly since: string;
    readonly now: string;
    readonly coverage: { readonly measured: number; readonly expected: number };
    readonly rate: { readonly expected: number; readonly indicated: number; readonly incidents: number; readonly years: number } | null;
    readonly because: readonly {
      readonly id: string;
      readonly text: string;
      readonly lines?: Parameters<typeof saySources>[0][number]['lines'];
    }[];
  };
}

interface Chain extends Shown {
  readonly states: readonly {
    readonly ref: string;
    readonly state: string;
    readonly measured: boolean;
    readonly counts: Parameters<typeof countsText>[0];
  }[];
}

export const listRisks = async (at: string | undefined, target: Target, json: boolean, terminal: Terminal): Promise<void> => {
  const { items } = await callCollector<{ readonly items: readonly Shown[] }>(target, { path: '/api/v1/risks', query: { at } });
  if (json) {
    for (const item of items) terminal.out(jsonLine(item));
    return;
  }
  if (items.length === 0) {
    terminal.out('The register is empty.\n');
    return;
  }
  const titles = ['risk', 'title', 'likelihood', 'indicated', 'impact', 'level', 'tolerance', 'measured', 'status'];
  const rows = items.map((risk) => [
    risk.reference,
    risk.title,
    risk.assessed.likelihood,
    risk.indicated.likelihood,
    risk.assessed.impact,
    risk.level.indicated,
    risk.aboveTolerance ? `${risk.tolerance}, above it` : risk.tolerance,
    `${risk.indicated.coverage.measured} of ${risk.indicated.coverage.expected}`,
    risk.status === 'proposed' ? 'proposed, unreviewed' : risk.status,
  ]);
  terminal.out(
    `${table(
      terminal,
      titles.map((title) => ({ title })),
      rows,
    )}\n`,
  );
};

export const runExplainRisk = async (
  id: string,
  at: string | undefined,
  target: Target,
  json: boolean,
  terminal: Terminal,
): Promise<void> => {
  const risk = await callCollector<Chain>(target, { path: `/api/v1/risks/${encodeURIComponent(id)}/explain`, query: { at } });
  if (json) {
    terminal.out(jsonLine(risk));
    return;
  }
  const say = (depth: number, text: string): void => terminal.out(`${'  '.repeat(depth)}${text}\n`);
  const { assessed, indicated } = risk;
  say(
    0,
    styled(
      terminal,
      'bold',
      `${risk.reference}  ${visible(risk.title)}  (${risk.status === 'proposed' ? 'proposed, unreviewed' : risk.status})`,
    ),
  );
  say(1, visible(risk.scenario));
  const by = assessed.by === 'proposed' ? 'proposed' : `assessed by ${visible(assessed.by)}`;
  say(1, `Likelihood ${assessed.likelihood}, impact ${assessed.impact}: ${by} at ${assessed.at}. Level ${risk.level.assessed}.`);
  say(
    1,
    `Indicated likelihood ${indicated.likelihood} since ${indicated.since}${indicated.now === indicated.likelihood ? '' : `; by itself it would be ${indicated.now} now, which needs a decision`}. Level ${risk.level.indicated}, ${risk.aboveTolerance ? 'above' : 'within'} the tolerance of ${risk.tolerance}.`,
  );
  say(1, `It rests on ${indicated.coverage.measured} of ${indicated.coverage.expected} answers.`);
  if (indicated.rate !== null) {
    const { incidents, years, expected, indicated: rate } = indicated.rate;
    say(
      1,
      `${incidents} confirmed ${incidents === 1 ? 'incident' : 'incidents'} in ${years.toFixed(2)} years: ${rate.toFixed(2)} a year, where ${expected.toFixed(2)} was expected.`,
    );
  }
  if (indicated.because.length > 0) say(0, 'Because');
  saySources(
    indicated.because.map((basis) => ({ ...basis, lines: basis.lines ?? [] })),
    1,
    terminal,
  );
  say(0, 'Controls against it');
  for (const { ref, state, measured, counts } of risk.states)
    say(1, `${ref}  ${measured ? `${state}: ${countsText(counts)}` : 'not measured'}`);
};
