// SPDX-License-Identifier: Apache-2.0
/**
 * The reference pages that are made from tables in the code, so that they can't be wrong: errors, settings, fields, permissions, commands.
 * Input: the tables. Output: Markdown; run as a program it writes `docs/`, `test/docs.test.ts` compares.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { AGENT_SETTINGS } from '../../agent/config.ts';
import { AGENT_ERRORS } from '../../agent/errors.ts';
import { ROLE_PERMISSIONS } from '../../collector/auth/permissions.ts';
import { makeProgram } from '../../collector/cli/program.ts';
import { COLLECTOR_SETTINGS } from '../../collector/config.ts';
import { COLLECTOR_ERRORS } from '../../collector/errors.ts';
import { PERMISSIONS, type Permission, ROLES } from '../../collector/model/permission.ts';
import type { SettingTable } from '../../core/config.ts';
import { ECS, ECS_VERSION } from '../../core/ecs.ts';
import { CORE_ERRORS, type ErrorTable } from '../../core/errors.ts';
import { describeApi } from './openapi-types.ts';
import { ROOT } from './repository.ts';

const MADE = '<!-- Made from the code by `npm run docs`; change the table there. -->';

const cell = (text: string): string => text.replaceAll('|', '\\|').replaceAll('\n', ' ');

const table = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  [`| ${head.join(' | ')} |`, `| ${head.map(() => '---').join(' | ')} |`, ...rows.map((row) => `| ${row.map(cell).join(' | ')} |`)].join(
    '\n',
  );

const errorSection = (title: string, errors: ErrorTable): string =>
  [`## ${title}`, ...Object.entries(errors).map(([code, { text, hint }]) => `### ${code}\n\n${text}\n\n**What to do.** ${hint}`)].join(
    '\n\n',
  );

const settingSection = (title: string, settings: SettingTable): string =>
  `## ${title}\n\n${table(
    ['key', 'type', 'default', 'environment', 'meaning'],
    Object.entries(settings).map(([key, s]) => [
      `\`${key}\``,
      s.oneOf ? s.oneOf.map((v) => `\`${v}\``).join(', ') : s.type,
      s.default === null ? 'none' : `\`${Array.isArray(s.default) ? `[${s.default.join(', ')}]` : String(s.default)}\``,
      s.env ? `\`${s.env}\`` : '',
      s.doc,
    ]),
  )}`;

const permissionPage = (): string =>
  table(
    ['permission', 'allows', ...ROLES],
    Object.entries(PERMISSIONS).map(([name, meaning]) => [
      `\`${name}\``,
      meaning,
      ...ROLES.map((role) => (ROLE_PERMISSIONS[role].has(name as Permission) ? 'yes' : '')),
    ]),
  );

const routePage = (): string =>
  table(
    ['route', 'permission', ...ROLES],
    Object.entries(describeApi().paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, operation]) => {
        const permission = (operation as { readonly 'x-permission'?: Permission })['x-permission'];
        const may = ROLES.map((role) => (permission === undefined || ROLE_PERMISSIONS[role].has(permission) ? 'yes' : ''));
        return [`\`${method.toUpperCase()} ${path}\``, permission === undefined ? 'public' : `\`${permission}\``, ...may];
      }),
    ),
  );

const commandPage = (): string => {
  const lines: string[] = [];
  const walk = (command: ReturnType<typeof makeProgram>, path: string): void => {
    for (const sub of command.commands) {
      const name = `${path} ${sub.name()}`;
      if (sub.commands.length > 0) walk(sub as ReturnType<typeof makeProgram>, name);
      else lines.push(`## ${name}\n\n${sub.description()}\n\n\`\`\`\n${sub.helpInformation().trim()}\n\`\`\``);
    }
  };
  walk(makeProgram(), 'vigil');
  return lines.join('\n\n');
};

/** Every made page: file name in docs/ and text. */
export const madePages = (): Readonly<Record<string, string>> => ({
  'errors.md': `# Errors\n\n${MADE}\n\nEvery coded error, what it says and what to do.\n\n${errorSection('Both programs', CORE_ERRORS)}\n\n${errorSection('The collector', COLLECTOR_ERRORS)}\n\n${errorSection('The agent', AGENT_ERRORS)}\n`,
  'config.md': `# Settings\n\n${MADE}\n\nOrder: default, file (\`--config\`), environment, flag; later ones win. An unknown key refuses to start. \`--print-config\` shows every value and where it came from.\n\n${settingSection('The collector', COLLECTOR_SETTINGS)}\n\n${settingSection('The agent', AGENT_SETTINGS)}\n`,
  'fields.md': `# Fields\n\n${MADE}\n\nEvery field an event can have: ECS ${ECS_VERSION}, and \`vigil.*\` of our own. A typed field is a column of its own; the others are kept by name and searched the same way.\n\n${table(
    ['field', 'type', 'typed', 'meaning'],
    Object.entries(ECS).map(([name, f]) => [`\`${name}\``, f.type, f.typed ? 'yes' : '', f.meaning]),
  )}\n`,
  'permissions.md': `# Permissions\n\n${MADE}\n\nA route or command that names no permission does not start. Whoever owns the data folder is its administrator through the control socket.\n\n${permissionPage()}\n\n## Routes\n\nWhat each role is let through to. Who is let through may still be refused for what it asks: the own is one's own, and nobody gives more than they have. A refusal by role, by origin or for a session that has ended is in the audit trail (an entry \`request\` of phase \`refused\`); repeats within a minute are one entry with \`times\`.\n\n${routePage()}\n`,
  'commands.md': `# Commands\n\n${MADE}\n\n${commandPage()}\n`,
});

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href)
  for (const [name, text] of Object.entries(madePages())) writeFileSync(join(ROOT, 'docs', name), text);
