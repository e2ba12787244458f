// SPDX-License-Identifier: Apache-2.0
/**
 * Commands that change who may speak and who may look: agent, user, token.
 * Input: flags. Output: acts on a running collector through its API, each audited there.
 */
import type { Command } from 'commander';
import { fault } from '../errors.ts';
import { ROLES, type Role } from '../model/permission.ts';
import { type AgentShown, agentText } from './agent-text.ts';
import { callCollector } from './client.ts';
import { type Reach, targetOf } from './look.ts';
import { example, json, reaching } from './program.ts';
import { jsonLine, spanText, type Terminal, table, visible } from './terminal.ts';

type Row = Readonly<Record<string, unknown>>;
interface Items {
  readonly items: readonly Row[];
}

export const addAdminCommands = (program: Command, terminal: Terminal): void => {
  addAgentCommands(program.command('agent').description('Agents: tokens that let hosts enrol, the list, retiring and revoking.'), terminal);
  addUserCommands(program.command('user').description('Users of the console and their roles.'), terminal);
  addTokenCommands(program.command('token').description('API tokens.'), terminal);
};

const addAgentCommands = (agent: Command, terminal: Terminal): void => {
  const token = agent.command('token').description('Tokens that let hosts enrol.');
  example(
    json(
      reaching(
        token
          .command('create')
          .description('Make a token and print, once, the line to paste on a host.')
          .option('--uses <n>', 'how many hosts may use it', '1')
          .option('--expires <span>', 'how long it is good, e.g. 4h', '4h')
          .option('--group <name>', 'group of the hosts', 'default')
          .option('--replace <agent>', 'give this agent’s identity again')
          .option('--local', 'for an agent on this host'),
      ),
    ).action(async (o: Reach & { uses: string; expires: string; group: string; replace?: string; local?: boolean; json?: boolean }) => {
      const body = {
        uses: usesOf(o.uses),
        expires: spanOf(o.expires),
        group: o.group,
        ...(o.replace === undefined ? {} : { replace: o.replace }),
        local: o.local === true,
      };
      const made = await callCollector<Row>(targetOf(o, terminal), { method: 'POST', path: '/api/v1/fleet/tokens', body });
      if (o.json) terminal.out(`${JSON.stringify(made)}\n`);
      else {
        const [line, hosts] = [made['line'], body.uses === 1 ? 'host' : 'hosts'];
        terminal.out(`${String(line ?? made['token'])}\n`);
        terminal.err(
          line === null
            ? `Good for ${body.uses} ${hosts} until ${String(made['expiresAt'])}. There: vigil-agent enrol --token -   (paste it, then Ctrl-D)\n`
            : `Paste it on the host, as root or as a plain user. Good for ${body.uses} ${hosts} until ${String(made['expiresAt'])}.\n`,
        );
      }
    }),
    'vigil agent token create --uses 30 --expires 8h --group web',
  );
  list(token, terminal, {
    name: 'list',
    about: 'List enrolment tokens.',
    path: '/api/v1/fleet/tokens',
    columns: [['id'], ['group'], ['uses'], ['used'], ['expiresAt', 'expires'], ['state']],
    empty: 'No tokens. `vigil agent token create` makes one.',
  });
  one(token, terminal, {
    name: 'revoke',
    about: 'Revoke an enrolment token.',
    argument: 'token',
    method: 'DELETE',
    path: (id) => `/api/v1/fleet/tokens/${id}`,
    done: 'revoked',
  });
  list(agent, terminal, {
    name: 'list',
    about: 'List agents.',
    path: '/api/v1/fleet/agents',
    flags: [
      ['silent', 'only those that are not heard'],
      ['outdated', 'only those of another version than the collector'],
    ],
    columns: [['id'], ['host'], ['state'], ['version'], ['lastSeen', 'last seen'], ['lagMs', 'lag', lagText]],
    empty: 'No agents. `vigil agent token create` makes a token for the first.',
  });
  one(agent, terminal, {
    name: 'show',
    about: 'Show an agent: how it stands, what it costs its host, its sources, what is wrong and what to do.',
    argument: 'agent',
    method: 'GET',
    path: (id) => `/api/v1/fleet/agents/${id}`,
    done: (answer) => agentText(answer as unknown as AgentShown, terminal),
  });
  example(
    json(
      reaching(
        agent
          .command('retire')
          .description('Retire an agent and its host, which is gone for good: by a decision that is kept, as is its history.')
          .argument('<agent>')
          .option('--reason <text>', 'why; kept with the decision'),
      ),
    ).action(async (id: string, o: Reach & { reason?: string; json?: boolean }) => {
      const path = `/api/v1/fleet/agents/${encodeURIComponent(id)}/retire`;
      const answer = await callCollector<Row>(targetOf(o, terminal), { method: 'POST', path, query: { reason: o.reason } });
      terminal.out(o.json ? jsonLine(answer) : `${id} is retired.\n`);
    }),
    'vigil agent retire agt_… --reason "replaced by web-2"',
  );
  one(agent, terminal, {
    name: 'revoke',
    about: 'Revoke an agent: it is refused at once.',
    argument: 'agent',
    method: 'POST',
    path: (id) => `/api/v1/fleet/agents/${id}/revoke`,
    done: 'revoked',
  });
  addHeldCommands(agent.command('held').description('Agents whose older key came again, for a person to decide.'), terminal);
};

/** A key that came again after it was replaced: a copy, a snapshot or a theft. A person decides. */
const addHeldCommands = (held: Command, terminal: Terminal): void => {
  list(held, terminal, {
    name: 'list',
    about: 'List held agents: an older key of theirs came again.',
    path: '/api/v1/fleet/held',
    columns: [['id'], ['host'], ['state'], ['version'], ['lastSeen', 'last seen']],
    empty: 'No agent is held.',
  });
  example(
    json(
      reaching(held.command('show').description('Show what is kept aside of an agent, with its first lines.').argument('<agent>')),
    ).action(async (id: string, o: Reach & { json?: boolean }) => {
      const { items } = await callCollector<Items>(targetOf(o, terminal), { path: `/api/v1/fleet/agents/${encodeURIComponent(id)}/held` });
      if (o.json) for (const item of items) terminal.out(jsonLine(item));
      else terminal.out(items.length === 0 ? 'Nothing of it is kept aside.\n' : items.map(keptText).join(''));
    }),
    'vigil agent held show agt_…',
  );
  decide(held, terminal, 'release', 'Release a held agent: its identity is the right one, its blocks are journaled.');
  decide(held, terminal, 'discard', 'Discard a held agent: its identity is a copy, refused from now on, and its blocks are dropped.');
};

const keptText = (item: Row): string => {
  const { why, code, reason, key, stream, blocks, records, from, to, lines } = item as Readonly<Record<string, unknown>> & {
    readonly [name in 'why' | 'code' | 'reason' | 'key' | 'stream' | 'blocks' | 'records' | 'from' | 'to' | 'lines']?: unknown;
  };
  const of = stream === '' ? 'that cannot be read' : `of ${String(stream)}`;
  const head = `${String(why)} ${String(code)}: ${String(blocks)} blocks, ${String(records)} records ${of}, ${String(from)} to ${String(to)}, key ${String(key)}: ${String(reason)}.`;
  const shown = Array.isArray(lines) ? lines.map((line) => `  ${visible(String(line))}\n`) : [];
  return `${visible(head)}\n${shown.join('')}`;
};

const decide = (held: Command, terminal: Terminal, name: 'release' | 'discard', about: string): void => {
  example(
    json(reaching(held.command(name).description(about).argument('<agent>'))).action(async (id: string, o: Reach & { json?: boolean }) => {
      const path = `/api/v1/fleet/agents/${encodeURIComponent(id)}/${name}`;
      const answer = await callCollector<Row>(targetOf(o, terminal), { method: 'POST', path });
      if (o.json) return terminal.out(jsonLine(answer));
      const { done = 0, left = 0 } = (answer['blocks'] ?? {}) as { readonly done?: number; readonly left?: number };
      const rest = left > 0 ? ` ${left} conflict with what is held; the agent finds its place and sends them again.` : '';
      terminal.out(`${id}: ${done} blocks ${name === 'release' ? 'released' : 'discarded'}.${rest}\n`);
    }),
    `vigil agent held ${name} agt_…`,
  );
};

const addUserCommands = (user: Command, terminal: Terminal): void => {
  example(
    json(
      reaching(
        user
          .command('add')
          .description('Add a user; prints a one-time password.')
          .argument('<name>')
          .option('--role <role>', `one of ${ROLES.join(', ')}`, 'analyst'),
      ),
    ).action(async (name: string, o: Reach & { role: string; json?: boolean }) => {
      const made = await callCollector<Row>(targetOf(o, terminal), {
        method: 'POST',
        path: '/api/v1/auth/users',
        body: { name, role: roleOf(o.role) },
      });
      sayPassword(name, made, o.json === true, terminal);
    }),
    'vigil user add priya --role analyst',
  );
  list(user, terminal, {
    name: 'list',
    about: 'List users.',
    path: '/api/v1/auth/users',
    columns: [
      ['id'],
      ['name'],
      ['role'],
      ['disabled', 'state', (value) => (value === true ? 'disabled' : 'active')],
      ['lastLogin', 'last login'],
    ],
    empty: 'No users.',
  });
  example(
    reaching(user.command('role').description('Change a user’s role.').argument('<name>').argument('<role>')).action(
      async (name: string, role: string, o: Reach) => {
        await callCollector(targetOf(o, terminal), {
          method: 'PATCH',
          path: `/api/v1/auth/users/${encodeURIComponent(name)}`,
          body: { role: roleOf(role) },
        });
        terminal.out(`${name} is now ${role}.\n`);
      },
    ),
    'vigil user role priya auditor',
  );
  example(
    reaching(user.command('disable').description('Disable a user; the sessions end at once.').argument('<name>')).action(
      async (name: string, o: Reach) => {
        await callCollector(targetOf(o, terminal), {
          method: 'PATCH',
          path: `/api/v1/auth/users/${encodeURIComponent(name)}`,
          body: { disabled: true },
        });
        terminal.out(`${name} is disabled.\n`);
      },
    ),
    'vigil user disable priya',
  );
  example(
    json(reaching(user.command('reset').description('Give a user a new one-time password.').argument('<name>'))).action(
      async (name: string, o: Reach & { json?: boolean }) => {
        const made = await callCollector<Row>(targetOf(o, terminal), {
          method: 'POST',
          path: `/api/v1/auth/users/${encodeURIComponent(name)}/reset`,
        });
        sayPassword(name, made, o.json === true, terminal);
      },
    ),
    'vigil user reset priya',
  );
};

const addTokenCommands = (token: Command, terminal: Terminal): void => {
  example(
    json(
      reaching(
        token
          .command('create')
          .description('Make an API token and print it once.')
          .requiredOption('--role <role>', `one of ${ROLES.join(', ')}`)
          .option('--name <name>', 'what it is for', 'command line')
          .option('--expires <span>', 'how long it is good, e.g. 30d; for ever when absent'),
      ),
    ).action(async (o: Reach & { role: string; name: string; expires?: string; json?: boolean }) => {
      const body = { role: roleOf(o.role), name: o.name, ...(o.expires === undefined ? {} : { expires: spanOf(o.expires) }) };
      const made = await callCollector<Row>(targetOf(o, terminal), { method: 'POST', path: '/api/v1/auth/tokens', body });
      terminal.out(o.json ? `${JSON.stringify(made)}\n` : `${String(made['token'])}\n`);
      if (!o.json) terminal.err('Shown this once. Use it as VIGIL_TOKEN with --url, or as `Authorization: Bearer …`.\n');
    }),
    'vigil token create --role auditor --json',
  );
  list(token, terminal, {
    name: 'list',
    about: 'List API tokens.',
    path: '/api/v1/auth/tokens',
    columns: [
      ['id'],
      ['name'],
      ['role'],
      ['owner'],
      ['expiresAt', 'expires', (value) => (value === null ? 'never' : String(value))],
      ['revokedAt', 'revoked'],
    ],
    empty: 'No API tokens.',
  });
  one(token, terminal, {
    name: 'revoke',
    about: 'Revoke an API token.',
    argument: 'token',
    method: 'DELETE',
    path: (id) => `/api/v1/auth/tokens/${id}`,
    done: 'revoked',
  });
};

const roleOf = (text: string): Role => {
  if ((ROLES as readonly string[]).includes(text)) return text as Role;
  throw fault('USAGE', { reason: `"${text}" is not a role; the roles are ${ROLES.join(', ')}` });
};

const spanOf = (text: string): string => {
  if (/^\d{1,6}[smhdw]$/.test(text)) return text;
  throw fault('USAGE', { reason: `--expires ${text} is not a time such as 30m, 4h or 30d` });
};

const usesOf = (text: string): number => {
  const uses = Number(text);
  if (Number.isInteger(uses) && uses >= 1) return uses;
  throw fault('USAGE', { reason: `--uses ${text} is not a number from 1` });
};

const lagText = (value: unknown): string => (typeof value === 'number' ? spanText(value) : '–');

/** The password alone on stdout, for scripts; what it is, on stderr. */
const sayPassword = (name: string, made: Row, json: boolean, terminal: Terminal): void => {
  terminal.out(json ? `${JSON.stringify(made)}\n` : `${String(made['oneTimePassword'])}\n`);
  if (!json) terminal.err(`One-time password of ${name}, shown this once; the first sign-in asks for one of their own.\n`);
};

type ListColumn = readonly [field: string, title?: string, show?: (value: unknown) => string];

interface ListCommand {
  readonly name: string;
  readonly about: string;
  readonly path: string;
  readonly columns: readonly ListColumn[];
  /** Switches that the route takes as well. */
  readonly flags?: readonly (readonly [name: string, about: string])[];
  readonly empty: string;
}

/** `vigil agent token`, as it is typed. */
const wordsOf = (command: Command): string => (command.parent ? `${wordsOf(command.parent)} ${command.name()}` : command.name());

const cellText = (value: unknown): string =>
  value === undefined || value === null ? '–' : Array.isArray(value) ? String(value.length) : String(value);

const list = (parent: Command, terminal: Terminal, c: ListCommand): void => {
  const flags = c.flags ?? [];
  const command = parent.command(c.name).description(c.about);
  for (const [name, about] of flags) command.option(`--${name}`, about);
  example(
    json(reaching(command)).action(async (o: Reach & { json?: boolean } & Readonly<Record<string, unknown>>) => {
      const asked = Object.fromEntries(flags.filter(([name]) => o[name] === true).map(([name]) => [name, true]));
      const { items } = await callCollector<Items>(targetOf(o, terminal), { path: c.path, query: { limit: 1000, ...asked } });
      if (o.json) for (const item of items) terminal.out(jsonLine(item));
      else if (items.length === 0) terminal.out(Object.keys(asked).length > 0 ? 'None.\n' : `${c.empty}\n`);
      else
        terminal.out(
          `${table(
            terminal,
            c.columns.map(([field, title = field]) => ({ title })),
            items.map((item) => c.columns.map(([field, , show = cellText]) => show(item[field]))),
          )}\n`,
        );
    }),
    `${wordsOf(parent)} ${c.name}`,
  );
};

interface OneCommand {
  readonly name: string;
  readonly about: string;
  readonly argument: string;
  readonly method: 'GET' | 'POST' | 'DELETE';
  readonly path: (id: string) => string;
  /** What it is now, or the answer as text. */
  readonly done: string | ((answer: Row) => string);
}

const one = (parent: Command, terminal: Terminal, c: OneCommand): void => {
  example(
    json(reaching(parent.command(c.name).description(c.about).argument(`<${c.argument}>`))).action(
      async (id: string, o: Reach & { json?: boolean }) => {
        const answer = await callCollector<Row>(targetOf(o, terminal), { method: c.method, path: c.path(encodeURIComponent(id)) });
        if (o.json) terminal.out(jsonLine(answer));
        else terminal.out(typeof c.done === 'string' ? `${id} is ${c.done}.\n` : c.done(answer));
      },
    ),
    `${wordsOf(parent)} ${c.name} ${c.argument === 'agent' ? 'agt_…' : 'tok_…'}`,
  );
};
