// SPDX-License-Identifier: Apache-2.0
/**
 * `vigil host`: how hosts stand, what is known of one, who may log in there, what its checks answered; decisions about it.
 * Input: a running collector. Output: tables for people, one item a line as NDJSON.
 */
import { Argument, type Command, Option } from 'commander';
import { FACT_KINDS } from '../../core/fact.ts';
import { fault } from '../errors.ts';
import { RESULTS } from '../model/observation.ts';
import { CRITICALITIES } from '../model/scores.ts';
import { callCollector } from './client.ts';
import { type Reach, targetOf } from './look.ts';
import { example, json, reaching } from './program.ts';
import { jsonLine, type Terminal, table, visible } from './terminal.ts';

type Row = Readonly<Record<string, unknown>>;
interface Items {
  readonly items: readonly Row[];
  readonly next?: string | null;
}
type Asked = Reach & { readonly json?: boolean };
type Column = readonly [title: string, show: (row: Row) => string];

const cell = (value: unknown): string => (value === undefined || value === null || value === '' ? '–' : visible(String(value)));
const field = (name: string, title = name): Column => [title, (row) => cell(row[name])];

const show = (terminal: Terminal, items: readonly Row[], asJson: boolean, columns: readonly Column[], empty: string): void => {
  if (asJson) for (const item of items) terminal.out(jsonLine(item));
  else if (items.length === 0) terminal.out(`${empty}\n`);
  else
    terminal.out(
      `${table(
        terminal,
        columns.map(([title]) => ({ title, max: 60 })),
        items.map((item) => columns.map(([, text]) => text(item))),
      )}\n`,
    );
};

const pathOf = (host: string, rest = ''): string => `/api/v1/facts/hosts/${encodeURIComponent(host)}${rest}`;

interface HostShown {
  readonly id: string;
  readonly name: string;
  readonly standing: string;
  readonly since: string | null;
  readonly lastSeen: string | null;
  readonly group: string;
  readonly criticality: string;
  readonly agents: readonly string[];
  readonly decisions: readonly { readonly kind: string; readonly at: string; readonly by: string; readonly reason: string }[];
  readonly os: { readonly fields: Readonly<Record<string, unknown>> } | null;
  readonly kinds: readonly { readonly kind: string; readonly count: number; readonly doubtful: boolean }[];
}

/** A host as a person reads it: who it is, how it stands, what is known of it. */
const hostText = (host: HostShown): string => {
  const os = host.os?.fields ?? {};
  const system = ['name', 'version', 'kernel', 'arch'].flatMap((name) => (os[name] === undefined ? [] : [String(os[name])])).join(' ');
  const lines = [
    `${host.name}  ${host.standing}${host.since === null ? '' : ` since ${host.since}`}  (${host.id})`,
    `  system       ${system === '' ? 'not known' : system}`,
    `  group        ${host.group}, criticality ${host.criticality}`,
    `  last heard   ${host.lastSeen ?? 'never'}${host.agents.length === 0 ? '' : ` through ${host.agents.join(', ')}`}`,
    `  known        ${host.kinds.length === 0 ? 'nothing yet' : host.kinds.map(({ kind, count, doubtful }) => `${count} ${kind}${doubtful ? ' (in doubt until the next full scan)' : ''}`).join(', ')}`,
    ...host.decisions.map(({ kind, at, by, reason }) => `  decided      ${kind} by ${by} at ${at}: ${reason}`),
    `  more: vigil host facts ${host.name} --kind package, vigil host access ${host.name}, vigil host observations ${host.name}`,
  ];
  return `${lines.map(visible).join('\n')}\n`;
};

export const addHostCommands = (host: Command, terminal: Terminal): void => {
  example(
    json(reaching(host.command('list').description('List hosts with how they stand, and machines that only others’ logs name.'))).action(
      async (o: Asked) => {
        const { items } = await callCollector<Items>(targetOf(o, terminal), { path: '/api/v1/fleet/hosts', query: { limit: 1000 } });
        const columns = [field('id'), field('name'), field('standing'), field('since'), field('lastSeen', 'last seen'), field('origin')];
        show(terminal, items, o.json === true, columns, 'No hosts. `vigil agent token create` makes a token for the first.');
      },
    ),
    'vigil host list',
  );
  example(
    json(reaching(host.command('show').description('Show a host: standing, decisions, what is known of it.').argument('<host>'))).action(
      async (name: string, o: Asked) => {
        const target = targetOf(o, terminal);
        const standing = await callCollector<Row>(target, { path: `/api/v1/fleet/hosts/${encodeURIComponent(name)}` });
        const { os, kinds } = await callCollector<Row>(target, { path: pathOf(name) });
        if (o.json) terminal.out(`${JSON.stringify({ ...standing, os, kinds })}\n`);
        else terminal.out(hostText({ ...standing, os, kinds } as unknown as HostShown));
      },
    ),
    'vigil host show web-1',
  );
  addItems(host, terminal);
  addAccess(host, terminal);
  addChecks(host, terminal);
  addCriticality(host, terminal);
  addDecision(host, terminal, 'retire', 'retired', 'Retire a host that is gone for good: it leaves every population, its history stays.');
  addDecision(host, terminal, 'expect', 'expected', 'Expect a host: it counts from now on, also while it does not report.');
  addDecision(host, terminal, 'plan-off', 'planned-off', 'Plan a host off until a time: it counts, and is not called silent before.');
};

const addItems = (host: Command, terminal: Terminal): void => {
  example(
    json(
      reaching(
        host
          .command('facts')
          .description('List what is known of a host, now or at a past time: packages, accounts, keys, listeners, files.')
          .argument('<host>')
          .addOption(new Option('--kind <kind>', 'one kind of item').choices(Object.keys(FACT_KINDS)))
          .option('--at <time>', 'what stood at a past time, e.g. 2026-11-23T08:40Z')
          .option('--removed', 'also what is gone'),
      ),
    ).action(async (name: string, o: Asked & { readonly kind?: string; readonly at?: string; readonly removed?: boolean }) => {
      const target = targetOf(o, terminal);
      const items: Row[] = [];
      let after: string | undefined;
      do {
        const page = await callCollector<Items>(target, {
          path: pathOf(name, '/items'),
          query: { kind: o.kind, at: o.at, removed: o.removed, limit: 1000, after },
        });
        items.push(...page.items);
        after = page.next ?? undefined;
      } while (after !== undefined);
      const text = (row: Row): string =>
        Object.entries(row['fields'] as Row)
          .map(([key, value]) => `${key}=${String(value)}`)
          .join(' ');
      const columns: readonly Column[] = [field('kind'), field('item'), field('since'), ['fields', (row) => visible(text(row))]];
      show(terminal, items, o.json === true, columns, 'Nothing of it is known.');
    }),
    'vigil host facts web-1 --kind package --at 2026-11-20T00:00Z',
  );
};

const addAccess = (host: Command, terminal: Terminal): void => {
  example(
    json(
      reaching(host.command('access').description('List who may log in on a host and act as root there, and why.').argument('<host>')),
    ).action(async (name: string, o: Asked) => {
      const { items } = await callCollector<Items>(targetOf(o, terminal), { path: pathOf(name, '/access') });
      const ways = (row: Row): string => {
        const keys = row['keys'] as readonly unknown[];
        return [...(row['password'] === true ? ['password'] : []), ...(keys.length > 0 ? [`${keys.length} keys`] : [])].join(', ');
      };
      const columns: readonly Column[] = [
        field('user'),
        field('shell'),
        ['logs in with', (row) => cell(ways(row))],
        ['acts as root by', (row) => cell((row['through'] as readonly string[]).join(', '))],
        field('lastLogin', 'last login'),
      ];
      show(terminal, items, o.json === true, columns, 'No account of it is known.');
    }),
    'vigil host access web-1',
  );
};

const addChecks = (host: Command, terminal: Terminal): void => {
  example(
    json(
      reaching(
        host
          .command('observations')
          .description('List what checks answered about a host, or about all; what is not listed is unknown.')
          .argument('[host]')
          .addOption(new Option('--result <result>', 'only these answers').choices([...RESULTS]))
          .option('--check <check>', 'only this check')
          .option('--at <time>', 'what held at a past time')
          .option('--history', 'every answer there was'),
      ),
    ).action(
      async (
        name: string | undefined,
        o: Asked & { readonly result?: string; readonly check?: string; readonly at?: string; readonly history?: boolean },
      ) => {
        const { items } = await callCollector<Items>(targetOf(o, terminal), {
          path: '/api/v1/facts/observations',
          query: { host: name, result: o.result, check: o.check, at: o.at, history: o.history, limit: 1000 },
        });
        const columns = ['check', 'result', 'severity', 'actual', 'expected', 'subject'].map((one) => field(one));
        show(terminal, items, o.json === true, [...columns, field('first', 'since')], 'No check has answered.');
      },
    ),
    'vigil host observations web-1 --result fail',
  );
};

const addDecision = (host: Command, terminal: Terminal, name: string, kind: string, about: string): void => {
  const command = host.command(name).description(about).argument('<host>').requiredOption('--reason <text>', 'why; kept for good');
  if (kind === 'planned-off') command.requiredOption('--until <time>', 'when it is back, e.g. 2026-11-30T08:00Z');
  const until = kind === 'planned-off' ? ' --until 2026-11-30T08:00Z' : '';
  example(
    json(reaching(command)).action(async (id: string, o: Asked & { readonly reason: string; readonly until?: string }) => {
      if (o.reason.trim().length < 3) throw fault('USAGE', { reason: '--reason says why, in at least three letters' });
      const answer = await callCollector<Row>(targetOf(o, terminal), {
        method: 'POST',
        path: `/api/v1/fleet/hosts/${encodeURIComponent(id)}/decisions`,
        body: { kind, reason: o.reason, ...(o.until === undefined ? {} : { until: o.until }) },
      });
      terminal.out(o.json ? jsonLine(answer) : `${id} is ${String(answer['standing'])}.\n`);
    }),
    `vigil host ${name} web-1 --reason "replaced by web-2"${until}`,
  );
};

const addCriticality = (host: Command, terminal: Terminal): void => {
  example(
    json(
      reaching(
        host
          .command('criticality')
          .description('Say how much depends on a host: it multiplies the odds of its scores by 0.5, 1, 1.5 or 2.')
          .argument('<host>')
          .addArgument(new Argument('<level>', 'how much').choices([...CRITICALITIES]))
          .requiredOption('--reason <text>', 'why; kept for good'),
      ),
    ).action(async (id: string, criticality: string, o: Asked & { readonly reason: string }) => {
      if (o.reason.trim().length < 3) throw fault('USAGE', { reason: '--reason says why, in at least three letters' });
      const answer = await callCollector<Row>(targetOf(o, terminal), {
        method: 'PUT',
        path: `/api/v1/fleet/hosts/${encodeURIComponent(id)}/criticality`,
        body: { criticality, reason: o.reason },
      });
      terminal.out(o.json ? jsonLine(answer) : `${id} is of ${criticality} criticality.\n`);
    }),
    'vigil host criticality db-1 critical --reason "all customers are in it"',
  );
};
