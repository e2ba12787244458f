// SPDX-License-Identifier: Apache-2.0
/**
 * The rules every agent brings along: passwords, tokens and private keys in command lines, environments, URLs, headers and JSON (A3).
 * Input: nothing. Output: patterns over bytes; the group that ends a match is the secret. No pattern begins with what it repeats, so that
 * a line made to be slow costs its length once.
 */
import { spellCase } from '../../core/pattern.ts';

export interface RuleDraft {
  readonly name: string;
  readonly pattern: string;
  /** The pattern is looked for behind a match of this one only; its last byte may be the first of the pattern. */
  readonly after?: string;
  /** A cheaper pattern of which every match of the rule holds one; the pattern itself where there is none. */
  readonly hint?: string;
  /** Bytes of the match behind the secret. */
  readonly tailBytes?: number;
  /** Shorter secrets stay: prose has such words too. */
  readonly minBytes?: number;
  /** Only for this dataset. */
  readonly dataset?: string;
}

const KEY = '(?:pass(?:word|wd|phrase|code)|secret|token|credential|(?:api|access|private|account|auth|encryption)[_-]?key)s?';
/** Names of a secret in assignments, JSON and parameters; `pwd` alone is the working directory. */
const NAME = `(?:[a-z0-9_.-]*${KEY}|[a-z0-9_.-]*[_.-](?:pass|pwd)|pass)`;
/** What stands before a word of a command line. */
const EDGE = `(?:^|[\\s"'(\\[{=:;,&|/\`])`;
/** Between two arguments: blanks, or as in a JSON list of them. */
const SPACE = `(?:[ \\t]+|\\\\*["'],[ \\t]*)`;
const QUOTED = `\\\\*"([^"\\\\]+)|'([^']+)`;
const VALUE = `(?:${QUOTED}|([^\\s"'][^\\s"]*))`;
/** As an argument of its own: an option, a pipe or a redirection is no secret. */
const ARGUMENT = `(?:${QUOTED}|([^\\s"'<>|&;-][^\\s"]*))`;

const HINT = {
  named: spellCase(`(?:pass(?:word|wd|phrase|code)?|pwd|secret|token|credential|key)s?\\\\*["']?(?:=|\\\\*["']?[ \\t]*[:,])`),
  option: spellCase(`${EDGE}--?[a-z0-9-]*(?:pass(?:word|wd|phrase|code)?|pwd|secret|token|credential|key)s?\\\\*["']?[=, \\t]`),
  header: spellCase('authorization|bearer[ \\t]|(?:token|key)["\']?[ \\t]*:'),
};

/** `tool … -p SECRET`: the flag counts only behind its tool. */
const toolFlag = (name: string, tools: string, flag: string, value: string): RuleDraft => ({
  name,
  after: `${EDGE}(?:${tools})["']?[ \\t,]`,
  pattern: `[ \\t"']${flag}${value}`,
  hint: tools,
});

/** In this order: where two overlap, the first names the marker. */
export const DEFAULT_RULES: readonly RuleDraft[] = [
  {
    name: 'private-key',
    pattern: '-----BEGIN [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----((?:[A-Za-z0-9+/=\\s\\\\:,]|-[A-Za-z0-9])+)',
    hint: '-----BEGIN [A-Z0-9 ]*PRIVATE',
    minBytes: 16,
  },
  { name: 'jwt', pattern: '(?:^|[^A-Za-z0-9_.-]|%[0-9A-Fa-f]{2})(eyJ[A-Za-z0-9_-]+(?:\\.[A-Za-z0-9_-]+)+)', hint: 'eyJ', minBytes: 24 },
  {
    name: 'authorization',
    pattern: spellCase(
      `authorization\\\\*["']?[ \\t]*[:=][ \\t]*\\\\*["']?(?:bearer|basic|token|digest|negotiate|apikey)[ \\t]+([^\\s"'\\\\]+)`,
    ),
    hint: HINT.header,
  },
  { name: 'bearer', pattern: `${spellCase('bearer')}[ \\t]+([A-Za-z0-9._~+/=-]+)`, hint: HINT.header, minBytes: 20 },
  {
    name: 'header',
    pattern: spellCase(`${EDGE}(?:private-token|x-[a-z-]*(?:key|token))\\\\*["']?[ \\t]*:[ \\t]*\\\\*["']?([^\\s"'\\\\]+)`),
    hint: HINT.header,
  },
  {
    name: 'access-token',
    pattern: '(?:gh[pousr]_|github_pat_|glpat-|xox[abprs]-|[sr]k_live_)[A-Za-z0-9_-]+',
    hint: 'gh[pousr]_|github_pat_|glpat-|xox[abprs]-|[sr]k_live_',
    minBytes: 20,
  },
  {
    name: 'url-password',
    pattern: '://[^\\s/:@"\'?#]*:([^\\s/"\'?#]+)@',
    hint: '://[^\\s/"\'?#]*@',
    tailBytes: 1,
  },
  {
    name: 'parameter',
    pattern: spellCase(`[?&;](?:${NAME}|pwd|sig|signature|(?:j|php)?sess(?:ion)?_?id)=(?:([^&\\s"'#;<>]+))`),
    hint: spellCase(
      `[?&;][a-z0-9_.-]*(?:pass|pwd|secret|token|credential|key|sig|signature|sess(?:ion)?_?id|(?:word|wd|phrase|code)s?)s?=`,
    ),
  },
  {
    name: 'option',
    pattern: spellCase(`${EDGE}--?(?:[a-z0-9-]*${KEY}|(?:[a-z0-9-]*-)?(?:pass|pwd))(?:=${VALUE}|${SPACE}${ARGUMENT})`),
    hint: HINT.option,
  },
  {
    name: 'json',
    pattern: spellCase(`["'](?:${NAME}|pwd)\\\\*["'][ \\t]*:[ \\t]*(?:\\\\"((?:[^"\\\\]|\\\\[^"])+)|"((?:[^"\\\\]|\\\\.)+)|'([^']+))`),
    hint: HINT.named,
  },
  {
    name: 'assignment',
    pattern: spellCase(`${EDGE}${NAME}\\\\*["']?=(?:${QUOTED}|([^\\s"'&;][^\\s"&;]*))`),
    hint: HINT.named,
  },
  toolFlag('mysql-password', 'mysql(?:dump|admin|import|show|check|slap|pump|binlog)?|mariadb(?:-[a-z-]+)?', '-p', VALUE),
  {
    name: 'sshpass-password',
    pattern: `${EDGE}sshpass(?:${SPACE}-(?:v|P${SPACE}?[^\\s"',]+))*${SPACE}["']?-p(?:${SPACE})?${VALUE}`,
    hint: 'sshpass',
  },
  toolFlag('curl-password', 'curl|wget', '(?:-[A-Za-z]*[uU]|--(?:proxy-)?user)', `(?:${SPACE}|=)?["']?[^\\s:"'/]*:([^\\s"']+)`),
  toolFlag('redis-password', 'redis-cli|valkey-cli', '-a', `${SPACE}${ARGUMENT}`),
  toolFlag('ldap-password', 'ldap(?:search|modify|add|delete|passwd|whoami|compare|modrdn)', '-[A-Za-z]*w', `(?:${SPACE})?${ARGUMENT}`),
  toolFlag('smb-password', 'smbclient|rpcclient|smbmap|winexe', '(?:-U|--user=?)', `(?:${SPACE})?["']?[^\\s%"']*%([^\\s"']+)`),
  toolFlag('account-password', 'useradd|usermod|adduser', '-p', `${SPACE}${ARGUMENT}`),
  { name: 'openssl-password', pattern: `-pass(?:in|out)?${SPACE}["']?pass:([^\\s"']+)`, hint: 'pass:' },
  {
    name: 'htpasswd-password',
    pattern: `${EDGE}htpasswd${SPACE}["']?-[A-Za-z]*b[A-Za-z]*${SPACE}["']?[^\\s"']+["']?${SPACE}["']?[^\\s"']+["']?${SPACE}${VALUE}`,
    hint: 'htpasswd',
  },
];
