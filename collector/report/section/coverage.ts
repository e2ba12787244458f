// SPDX-License-Identifier: Apache-2.0
/**
 * Section 6: what the report could see, and where records can vanish: hosts, sources, losses, rules, techniques.
 * Input: records and notices of the week, hosts, sources and rules as they stand. Output: figures and their section. Pure.
 */
import type { UnixMs } from '../../../core/units.ts';
import type { Standing } from '../../model/host.ts';
import { type Block, end, hatch, type Line, mono, note, query, type Section, strong, table, wide } from '../document.ts';
import type { MomentInput, WindowInput } from '../inputs.ts';
import { capital, count, listed, many, percentText, share, spelt, speltMany, type Times } from '../words.ts';

export interface HostFigure {
  readonly host: string;
  readonly name: string;
  readonly standing: Standing;
  readonly records: number;
  readonly hours: number;
  readonly sources: number;
  readonly unreadable: number;
}

export interface CoverageFigures {
  readonly hours: number;
  /** Hosts in the population: neither retired nor unmanaged. */
  readonly expected: number;
  readonly reporting: number;
  /** Expected hosts of which at least one record of the week was heard. */
  readonly heard: number;
  readonly hosts: readonly HostFigure[];
  readonly unmanaged: readonly string[];
  readonly silent: readonly string[];
  readonly sources: number;
  readonly unreadable: readonly { readonly host: string; readonly code: string; readonly about: string }[];
  readonly records: number;
  readonly failed: number;
  /** Records that were declared lost or missing in the week. */
  readonly lost: number;
  /** Losses of which nobody can say how many records they held. */
  readonly holes: number;
  readonly losses: readonly { readonly at: UnixMs; readonly message: string; readonly event: string }[];
  readonly refusedBlocks: number;
  readonly silences: number;
  /** Counts that agents declared since they started, by name. */
  readonly declared: readonly { readonly name: string; readonly count: number }[];
  /** Datasets that were heard the week before and not in this one. */
  readonly quiet: readonly string[];
  readonly rules: {
    readonly loaded: number;
    readonly refused: readonly { readonly file: string; readonly line: number; readonly message: string }[];
    readonly quarantined: number;
    /** Null where the rules were not looked at. */
    readonly live: number | null;
    readonly silent: number;
    readonly blind: readonly { readonly title: string; readonly missing: readonly string[] }[];
    readonly of: number;
  };
  readonly techniques: { readonly live: number; readonly of: number } | null;
}

const OUTSIDE: ReadonlySet<Standing> = new Set(['retired', 'unmanaged']);
const LOST: ReadonlySet<string> = new Set(['records-lost', 'records-missing']);
const REFUSED: ReadonlySet<string> = new Set(['block-bad', 'block-conflict', 'identity-refused']);
/** Counts of agents that mean records are gone. */
const GONE: ReadonlySet<string> = new Set(['dropped', 'lost', 'gap', 'redacted']);

export const coverageFigures = (window: WindowInput, before: WindowInput, moment: MomentInput, self: string): CoverageFigures => {
  const { records, notices } = window;
  const inside = moment.hosts.filter(({ standing }) => !OUTSIDE.has(standing));
  const byHost = new Map(records.byHost.map((one) => [one.host, one]));
  const hosts = inside.map(({ host, name, standing }) => ({
    host,
    name,
    standing,
    records: byHost.get(host)?.count ?? 0,
    hours: byHost.get(host)?.hours ?? 0,
    sources: moment.sources.filter((one) => one.host === name).length,
    unreadable: moment.unreadable.filter((one) => one.host === name).length,
  }));
  const said = (actions: ReadonlySet<string>) => notices.filter(({ action }) => actions.has(action));
  const losses = said(LOST);
  const declared = new Map<string, number>();
  for (const { counts } of moment.sources)
    for (const [name, n] of Object.entries(counts)) if (GONE.has(name) && n > 0) declared.set(name, (declared.get(name) ?? 0) + n);
  const heardNow = new Set(records.byDataset.map(({ name }) => name));
  const coverage = moment.rules.coverage;
  const live = new Set(coverage?.flatMap((rule) => (rule.state === 'live' ? rule.techniques : [])));
  const all = new Set(coverage?.flatMap(({ techniques }) => techniques));
  return {
    hours: Math.round((window.to - window.from) / 3_600_000),
    expected: inside.length,
    reporting: inside.filter(({ standing }) => standing === 'reporting').length,
    heard: hosts.filter((one) => one.records > 0).length,
    hosts: [...hosts].sort((a, b) => b.records - a.records || (a.name < b.name ? -1 : 1)),
    unmanaged: [
      ...new Set([
        ...moment.hosts.filter(({ host, standing }) => standing === 'unmanaged' && host !== self).map(({ name }) => name),
        ...moment.unmanaged,
      ]),
    ],
    silent: inside.filter(({ standing }) => standing === 'silent').map(({ name }) => name),
    sources: moment.sources.length,
    unreadable: moment.unreadable,
    records: records.total,
    failed: records.failed,
    lost: losses.reduce((sum, one) => sum + one.count, 0),
    holes: losses.filter((one) => one.count === 0).length,
    losses: losses.map(({ at, message, event }) => ({ at, message, event })),
    refusedBlocks: said(REFUSED).length,
    silences: notices.filter(({ action }) => action === 'agent-silent').length,
    declared: [...declared].map(([name, n]) => ({ name, count: n })).sort((a, b) => (a.name < b.name ? -1 : 1)),
    quiet: before.records.byDataset.map(({ name }) => name).filter((name) => !heardNow.has(name)),
    rules: {
      loaded: moment.rules.loaded,
      refused: moment.rules.refused,
      quarantined: new Set(notices.filter(({ action }) => action === 'rule-quarantined').map(({ message }) => message)).size,
      live: coverage === null ? null : coverage.filter(({ state }) => state === 'live').length,
      silent: coverage?.filter(({ state }) => state === 'silent').length ?? 0,
      blind: coverage?.filter(({ state }) => state === 'blind').map(({ title, missing }) => ({ title, missing })) ?? [],
      of: coverage?.length ?? 0,
    },
    techniques: coverage === null ? null : { live: live.size, of: all.size },
  };
};

const STANDING_MARK: Readonly<Record<Standing, Line>> = {
  reporting: [{ mark: 'pass' }, ' reporting'],
  silent: [{ mark: 'warn' }, ' silent'],
  expected: [{ mark: 'unknown' }, ' never heard'],
  'planned-off': [{ mark: 'excepted' }, ' planned off'],
  retired: ['retired'],
  unmanaged: [{ mark: 'unknown' }, ' unmanaged'],
};
const HOSTS_SHOWN = 25;
const BLIND_SHOWN = 5;

export const coverageSection = (figures: CoverageFigures, moment: MomentInput, times: Times): Section => ({
  n: 6,
  title: 'Coverage',
  coverage: ['what this report could see', `hosts and rules as of ${times.moment(moment.at)}`],
  takeaway: takeawayOf(figures),
  blocks: blocksOf(figures, times),
});

const takeawayOf = ({ expected, heard, sources, lost, holes, quiet, records }: CoverageFigures): string => {
  if (expected === 0 && records === 0) return 'No host is expected and nothing was heard: this report could see nothing.';
  const hosts =
    expected === 0
      ? `${capital(spelt(0))} host is expected, and ${many(records, 'record')} came from elsewhere`
      : `${heard === 0 ? 'None' : capital(spelt(heard))} of ${speltMany(expected, 'host')} ${heard <= 1 ? 'was' : 'were'} heard, through ${speltMany(sources, 'source')}`;
  const loss =
    lost === 0 && holes > 0
      ? `Records were lost in ${speltMany(holes, 'place')}, and how many is not known`
      : lost === 0
        ? 'No record is known to be lost'
        : `${capital(many(lost, 'record'))} ${lost === 1 ? 'was' : 'were'} lost`;
  const gone = quiet.length === 0 ? '' : `, and ${listed(quiet)} fell quiet since the week before`;
  return `${hosts}. ${loss}${gone}.`;
};

const blocksOf = (figures: CoverageFigures, times: Times): readonly Block[] => [
  ...hostBlocks(figures),
  lossBlock(figures),
  ...ruleBlocks(figures),
  note(
    figures.records === 0 ? '' : `Understood: ${share(figures.records - figures.failed, figures.records)}, of the records. `,
    ...figures.losses.slice(0, 3).flatMap(({ at, message }): Line => [`${times.moment(at)}: ${message} `]),
    figures.losses.length > 3 ? `${capital(spelt(figures.losses.length - 3))} more losses stand in the figures. ` : '',
    query('records'),
    ' ',
    query('losses'),
    ' ',
    query('rules'),
  ),
];

const hostBlocks = ({ hosts, hours, unmanaged, records, expected }: CoverageFigures): readonly Block[] => {
  if (expected === 0)
    return [hatch('No host is expected here. Enrol one with `vigil agent token create`; until then nothing is measured.')];
  const shown = hosts.slice(0, HOSTS_SHOWN);
  const sum = (pick: (one: HostFigure) => number): number => hosts.reduce((n, one) => n + pick(one), 0);
  return [
    table(
      ['Host', 'Now', end('Records'), end(`Heard, of ${hours} h`), end('Sources')],
      [
        ...shown.map((one): readonly (Line | string)[] => [
          [mono(one.name)],
          STANDING_MARK[one.standing],
          count(one.records),
          [
            {
              bar: [
                { state: 'plain', n: one.hours },
                { state: 'unknown', n: Math.max(0, hours - one.hours) },
              ],
              label: `${one.hours} of ${hours} hours`,
            },
            ` ${count(one.hours)}`,
          ],
          one.unreadable > 0 ? `${count(one.sources)}, ${count(one.unreadable)} unreadable` : count(one.sources),
        ]),
        ...(hosts.length > shown.length ? [[`${count(hosts.length - shown.length)} more hosts`, '', '', '', '']] : []),
        [
          [strong('All')],
          `${count(hosts.filter(({ standing }) => standing === 'reporting').length)} of ${count(expected)}`,
          count(sum((one) => one.records)),
          '',
          count(sum((one) => one.sources)),
        ],
      ],
      true,
    ),
    ...(sum((one) => one.records) < records
      ? [note(`${many(records - sum((one) => one.records), 'record')} came from hosts without an agent.`)]
      : []),
    ...(unmanaged.length > 0 ? [note(`Seen in others’ logs and not managed: ${listed(unmanaged, 8)}.`)] : []),
  ];
};

const lossBlock = (figures: CoverageFigures): Block => {
  const row = (text: string, n: number): readonly (Line | string)[] => [text, n > 0 ? [strong(count(n))] : count(n)];
  const dropped = figures.declared.filter(({ name }) => name !== 'redacted').reduce((sum, one) => sum + one.count, 0);
  const redacted = figures.declared.find(({ name }) => name === 'redacted')?.count ?? 0;
  return table(
    [wide('Where records can vanish'), end('Count')],
    [
      row('Lost or missing, declared in the week', figures.lost),
      row('Dropped at the source, since the agents started', dropped),
      row('Blocks refused by the collector', figures.refusedBlocks),
      row('Not understood, kept raw', figures.failed),
      row('Redacted before they left the host, since the agents started', redacted),
      row('Times a host fell silent', figures.silences),
      row('Sources an agent cannot read', figures.unreadable.length),
    ],
  );
};

const ruleBlocks = ({ rules, techniques }: CoverageFigures): readonly Block[] => {
  const refused = rules.refused.slice(0, 3).map(({ file, line }) => `${file}:${line}`);
  const parts = (n: number, of: number): Line => [
    {
      bar: [
        { state: 'plain', n },
        { state: 'unknown', n: Math.max(0, of - n) },
      ],
      label: `${n} of ${of}`,
    },
  ];
  const all = rules.loaded + rules.refused.length;
  if (rules.live === null || techniques === null)
    return [hatch('Which rules can fire here is not known: the rules were still being read when this report was made.')];
  return [
    table(
      [wide('Rules'), '', end(''), wide('')],
      [
        [
          'Loaded',
          parts(rules.loaded, all),
          `${count(rules.loaded)} of ${count(all)}`,
          refused.length > 0
            ? [`${count(rules.refused.length)} refused: `, mono(refused.join(', '))]
            : rules.quarantined > 0
              ? `${count(rules.quarantined)} put aside for cost`
              : 'none refused',
        ],
        [
          'Can fire on what is heard',
          parts(rules.live, rules.of),
          `${count(rules.live)} of ${count(rules.of)}`,
          `${count(rules.silent)} wait for a source, ${count(rules.blind.length)} lack a field`,
        ],
        [
          'ATT&CK techniques with live data',
          parts(techniques.live, techniques.of),
          `${count(techniques.live)} of ${count(techniques.of)}`,
          percentText(techniques.live, techniques.of),
        ],
      ],
    ),
    ...(rules.blind.length > 0
      ? [
          note(
            `Blind, because no decoder gives a field: ${listed(
              rules.blind.map(({ title, missing }) => `${title} (${missing.slice(0, 2).join(', ')})`),
              BLIND_SHOWN,
            )}.`,
          ),
        ]
      : []),
  ];
};
