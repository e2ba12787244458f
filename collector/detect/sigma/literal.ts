// SPDX-License-Identifier: Apache-2.0
/**
 * The witness of a rule: a small set of tests of which one must hold wherever the rule matches, the rarest that can be had.
 * Input: the tree of a rule. Output: atoms for the index; null where nothing is required.
 */
import type { Node, Test } from './ast.ts';
import { ANY, ONE, type Parts } from './pattern.ts';

/** One necessary test. `field` null is the whole event. */
export type Atom =
  | { readonly kind: 'equals'; readonly field: string; readonly text: string }
  | { readonly kind: 'contains'; readonly field: string | null; readonly text: string; readonly anchor: 'none' | 'start' | 'end' }
  | { readonly kind: 'present'; readonly field: string };

export interface Witness {
  readonly atoms: readonly Atom[];
  /** Guessed share of events that have one of the atoms. */
  readonly rate: number;
}

// Texts that stand in very many events of their kind. Not learned: a fixed list did as well on events it had not seen.
const COMMON = [
  ...['.exe', '.dll', '.com', '.sys', '.bat', '.php', '.jsp', '.log', '.sh', '.py', '.conf', '.service', '.so'],
  ...[
    '\\windows\\',
    '\\system32\\',
    '\\syswow64\\',
    '\\users\\',
    '\\program files',
    '\\appdata\\local\\',
    '\\temp\\',
    '\\programdata\\',
    'c:\\',
  ],
  ...[
    '\\cmd.exe',
    '\\powershell.exe',
    '\\pwsh.exe',
    '\\svchost.exe',
    '\\explorer.exe',
    '\\rundll32.exe',
    '\\services.exe',
    '\\conhost.exe',
    '\\msiexec.exe',
  ],
  ...[
    'hkey_',
    'hklm\\',
    'hkcu\\',
    '\\software\\',
    '\\microsoft\\',
    '\\currentversion\\',
    '\\currentcontrolset\\',
    '\\services\\',
    'microsoft corporation',
  ],
  ...[
    '/bin/',
    '/usr/',
    '/sbin/',
    '/usr/bin/',
    '/usr/sbin/',
    '/etc/',
    '/tmp/',
    '/var/',
    '/home/',
    '/root/',
    '/opt/',
    '/dev/',
    '/proc/',
    '/lib/',
  ],
  ...['bash', '/bash', '/sh', '/dash', '/python', 'python3', '/systemd', '/cron', '/node', '/java', '/perl', '/env', 'sudo', 'root'],
  ...['http://', 'https://', 'http', 'www.', 'user', 'admin', 'password', 'system', 'windows', 'microsoft', 'linux', 'error', 'failed'],
  ...[' -c ', ' -e ', ' -s ', ' -f ', ' -p ', ' -a ', ' -d ', ' -r ', ' /c ', ' -c', ' -e', ' --'],
];
const COMMON_VALUES = new Set([
  ...[
    'true',
    'false',
    'yes',
    'no',
    'success',
    'failure',
    'get',
    'post',
    'syscall',
    'execve',
    'path',
    'cwd',
    'proctitle',
    'tcp',
    'udp',
    'normal',
    'create',
  ],
  ...['root', 'system', 'process', 'authentication', 'start', 'web', 'allowed', 'setvalue', '-', ''],
]);

const rateOfText = (text: string, exact: boolean): number => {
  if (exact) return COMMON_VALUES.has(text) ? 0.3 : /^\d{1,3}$/.test(text) ? 0.15 : Math.max(2 ** -14, 0.05 * 2 ** -text.length);
  for (const common of COMMON) if (common.includes(text)) return 0.25;
  let bits = 0;
  for (let i = 0; i < text.length; i++) bits += /[a-z]/.test(text[i] as string) ? 1.1 : /[0-9 ./\\]/.test(text[i] as string) ? 0.9 : 1.6;
  // A long text made around a common one is rare only by what it adds.
  for (const common of COMMON) if (common.length > 3 && text.includes(common)) bits -= common.length * 0.8;
  return Math.min(0.5, Math.max(2 ** -16, 2 ** -bits));
};

const NONE = null;

/** The best witness of the tree. */
export const witnessOf = (node: Node): Witness | null => positive(node);

const positive = (node: Node): Witness | null => {
  switch (node.kind) {
    case 'and':
      return best(node.of.map(positive));
    case 'or':
    case 'some':
      return union(node.of.map(positive));
    case 'not':
      return negative(node.of);
    case 'item': {
      const { field, values, all } = node.item;
      const groups = values.map((tests) => union(tests.map((test) => ofTest(field, test))));
      return all ? best(groups) : union(groups);
    }
  }
};

/** What must hold where the tree does not. */
const negative = (node: Node): Witness | null => {
  switch (node.kind) {
    case 'and':
      return union(node.of.map(negative));
    case 'or':
      return best(node.of.map(negative));
    case 'some':
      return NONE;
    case 'not':
      return positive(node.of);
    case 'item': {
      const { field, values, all } = node.item;
      const only = values.length === 1 && values[0]?.length === 1 ? (values[0][0] as Test) : undefined;
      if (field === null || only === undefined || all) return NONE;
      const present = only.kind === 'null' || (only.kind === 'exists' && !only.value);
      return present ? { atoms: [{ kind: 'present', field }], rate: 0.6 } : NONE;
    }
  }
};

const best = (all: readonly (Witness | null)[]): Witness | null => {
  let found: Witness | null = NONE;
  for (const witness of all) {
    if (witness && (!found || witness.rate < found.rate || (witness.rate === found.rate && witness.atoms.length < found.atoms.length)))
      found = witness;
  }
  return found;
};

const union = (all: readonly (Witness | null)[]): Witness | null => {
  const atoms: Atom[] = [];
  let rate = 0;
  for (const witness of all) {
    if (!witness) return NONE;
    for (const atom of witness.atoms) atoms.push(atom);
    rate += witness.rate;
  }
  return atoms.length === 0 ? NONE : { atoms, rate };
};

const ofTest = (field: string | null, test: Test): Witness | null => {
  const substring = (text: string, anchor: 'none' | 'start' | 'end' = 'none'): Witness | null =>
    text === ''
      ? presence(field)
      : { atoms: [{ kind: 'contains', field, text, anchor }], rate: rateOfText(text, false) * (anchor === 'none' ? 1 : 0.7) };
  switch (test.kind) {
    case 'text': {
      const text = test.text.toLowerCase();
      if (test.op === 'contains') return substring(text);
      if (test.op === 'startswith') return substring(text, 'start');
      if (test.op === 'endswith') return substring(text, 'end');
      if (test.op === 'like') return ofParts(field, test.parts, substring);
      return field === null ? substring(text) : { atoms: [{ kind: 'equals', field, text }], rate: rateOfText(text, true) };
    }
    case 'number':
      if (test.op !== 'eq' || field === null) return presence(field);
      return { atoms: [{ kind: 'equals', field, text: String(test.value).toLowerCase() }], rate: rateOfText(String(test.value), true) };
    case 'regex':
      return test.regex.literals.length > 0 ? union(test.regex.literals.map((text) => substring(text))) : presence(field);
    case 'cidr':
    case 'time':
    case 'fieldref':
      return presence(field);
    case 'exists':
      return test.value ? presence(field) : NONE;
    case 'null':
      return NONE;
  }
};

const presence = (field: string | null): Witness | null => (field === null ? NONE : { atoms: [{ kind: 'present', field }], rate: 0.6 });

const ofParts = (
  field: string | null,
  parts: Parts,
  substring: (text: string, anchor?: 'none' | 'start' | 'end') => Witness | null,
): Witness | null => {
  let found: Witness | null = NONE;
  for (const [i, part] of parts.entries()) {
    if (part === ANY || part === ONE) continue;
    const anchor = field === null ? 'none' : i === 0 ? 'start' : i === parts.length - 1 ? 'end' : 'none';
    const witness = substring(part.toLowerCase(), anchor);
    if (witness && (!found || witness.rate < found.rate)) found = witness;
  }
  return found ?? presence(field);
};
