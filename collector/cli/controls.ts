// SPDX-License-Identifier: Apache-2.0
/**
 * `vigil controls list`: the controls of a catalogue, offline as they stand there, else with what is measured of them.
 * Input: a catalogue's id, a running collector. Output: a table for people, one control a line as NDJSON.
 */
import { fileURLToPath } from 'node:url';
import { fault } from '../errors.ts';
import { CATALOGUES, isCatalogue } from '../isms/catalogue.ts';
import { readCatalogue } from '../isms/ground.ts';
import { callCollector, type Target } from './client.ts';
import { jsonLine, styled, type Terminal, table } from './terminal.ts';

const RULES = fileURLToPath(new URL('../../rules', import.meta.url));

export interface ControlsOptions {
  readonly catalogue: string;
  readonly offline: boolean;
  readonly at?: string;
  readonly json: boolean;
}

interface Listed {
  readonly id: string;
  readonly kind: string;
  readonly title: string;
  readonly state: string;
  readonly measured: boolean;
  readonly partial: boolean;
  readonly counts: {
    readonly pass: number;
    readonly fail: number;
    readonly excepted: number;
    readonly unknown: number;
    readonly expected: number;
  };
  readonly since: string | null;
}

/** @throws CodedError USAGE for a catalogue that is not known. */
export const listControls = async (options: ControlsOptions, target: () => Target, terminal: Terminal): Promise<void> => {
  const { catalogue, at } = options;
  if (!isCatalogue(catalogue))
    throw fault('USAGE', { reason: `"${catalogue}" is no catalogue that is known; ${Object.keys(CATALOGUES).join(', ')} is` });
  if (options.offline) {
    if (at !== undefined) throw fault('USAGE', { reason: '--at asks for states, which need a collector; leave --offline out' });
    const { controls } = await readCatalogue(RULES, catalogue);
    const leaves = controls.filter(({ kind }) => kind === 'subcategory');
    if (options.json) for (const { id, title } of leaves) terminal.out(jsonLine({ id, title }));
    else
      terminal.out(
        `${table(
          terminal,
          [{ title: 'control' }, { title: 'what it asks', max: 110 }],
          leaves.map(({ id, title }) => [id, title]),
        )}\n`,
      );
    return;
  }
  const { items } = await callCollector<{ readonly items: readonly Listed[] }>(target(), {
    path: '/api/v1/controls',
    query: { catalogue, at },
  });
  const leaves = items.filter(({ kind }) => kind === 'subcategory');
  if (options.json) {
    for (const { id, title, state, measured, partial, counts } of leaves) {
      const { pass, fail, excepted, unknown, expected } = counts;
      terminal.out(jsonLine({ id, title, state, measured, partial, pass, fail, excepted, unknown, expected }));
    }
    return;
  }
  const columns = [
    { title: 'control' },
    { title: 'state' },
    ...['pass', 'fail', 'excepted', 'unknown', 'expected'].map((title) => ({ title, align: 'right' as const })),
    { title: 'since' },
    { title: 'what it asks', max: 70 },
  ];
  const rows = leaves.map(({ id, title, state, measured, partial, counts, since }) => [
    id,
    measured ? `${state}${partial && state === 'satisfied' ? ', as far as it is measured' : ''}` : 'not measured',
    ...(measured ? [counts.pass, counts.fail, counts.excepted, counts.unknown, counts.expected].map(String) : ['', '', '', '', '']),
    measured ? (since?.slice(0, 16) ?? '') : '',
    title,
  ]);
  terminal.out(`${table(terminal, columns, rows)}\n`);
  const measured = leaves.filter((one) => one.measured);
  const satisfied = measured.filter(({ state }) => state === 'satisfied').length;
  terminal.out(
    styled(
      terminal,
      'bold',
      `${satisfied} of ${measured.length} measured controls are satisfied as far as they are measured; ${leaves.length - measured.length} of ${leaves.length} are not measured.\n`,
    ),
  );
};
