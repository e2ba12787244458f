// SPDX-License-Identifier: Apache-2.0
/**
 * Typed probes of posture policies: what each may ask of a host, as one table. No shell, no expressions: a probe is a name and its parameters.
 * Input: the table. Output: types and names for the parser (core/policy.ts), for the agent that answers them and for the documents.
 */

/** `text` takes a number or a word; `texts` one or a list; `pattern` a regular expression; `mode` octal digits in quotes. */
export type ParamType = 'text' | 'texts' | 'integer' | 'integers' | 'boolean' | 'pattern' | 'mode';

interface Need<T> {
  readonly type: T;
  readonly need: true;
}
interface May<T> {
  readonly type: T;
  readonly need: false;
}
export type Param = Need<ParamType | readonly string[]> | May<ParamType | readonly string[]>;

const need = <const T extends ParamType | readonly string[]>(type: T): Need<T> => ({ type, need: true });
const may = <const T extends ParamType | readonly string[]>(type: T): May<T> => ({ type, need: false });

/** What is asked of a value; all that are given must hold. Without any, it must be set. */
const VALUE = {
  /** One of these, in any case. */
  is: may('texts'),
  not: may('texts'),
  at_least: may('text'),
  at_most: may('text'),
  matches: may('pattern'),
  /** Of a list: holds these, holds none of these, holds nothing but these. */
  includes: may('texts'),
  lacks: may('texts'),
  only: may('texts'),
  /** How `at_least` and `at_most` read it; `mode` compares bits. */
  as: may(['number', 'size', 'time', 'mode']),
  /** The program's own value where nothing is set. Without it, what is not set fails. */
  default: may('text'),
  /** It must not be set at all. */
  unset: may('boolean'),
} as const;

const SSH = {
  /** It must stand in a file: the built-in value is not enough. */
  explicit: may('boolean'),
  /** It may stand in no Match or Host block. */
  unmatched: may('boolean'),
  /** Of a value of several words this one, counted from 1. */
  word: may('integer'),
  /** The only files, as a glob, in which it may stand. */
  file: may('text'),
} as const;

/** Questions about accounts that need more than one line to answer. */
export const ACCOUNT_QUESTIONS = [
  'only-root-has-uid-0',
  'names-unique',
  'uids-unique',
  'group-names-unique',
  'gids-unique',
  'groups-of-users-exist',
  'shadowed',
  'no-empty-password',
  'no-plus-in-passwd',
  'no-plus-in-group',
  'no-plus-in-shadow',
  'shells-valid-or-locked',
  'system-accounts-without-shell',
  'password-hashes-strong',
  'password-ages',
  'shadow-group-empty',
  'homes-exist',
  'homes-private',
  'root-group-is-0',
] as const;
export type AccountQuestion = (typeof ACCOUNT_QUESTIONS)[number];

export const PROBES = {
  /** Files that exist: their kind, mode at most, owner. A glob asks each; none there passes unless `exists`. */
  file: {
    path: need('texts'),
    exists: may('boolean'),
    kind: may(['file', 'folder', 'link']),
    mode: may('mode'),
    owner: may('texts'),
    group: may('texts'),
    empty: may('boolean'),
    links_to: may('text'),
    /** Walk below, at most this deep, looking at files whose mode has one of these bits. */
    below: may('integer'),
    bits: may('mode'),
    except: may('texts'),
  },
  /** Lines of files without comments. `some`: one matches; `none`; `each`: all lines that `among` finds match; `last`: the last of those. */
  line: {
    file: need('texts'),
    matches: need('pattern'),
    among: may('pattern'),
    how: may(['some', 'none', 'each', 'last']),
    comment: may('text'),
    whole: may('boolean'),
  },
  /** `key = value` files and INI sections. Where it stands more than once, every place must do unless `pick` says which one counts. */
  key: {
    file: need('texts'),
    key: need('text'),
    section: may('text'),
    separator: may(['equals', 'space', 'any']),
    comment: may('text'),
    pick: may(['first', 'last', 'every']),
    once: may('boolean'),
    /** Files of the same name in an earlier folder of the list replace those behind; all are read in the order of their names. */
    dropins: may('boolean'),
    ignore_case: may('boolean'),
    /** The key alone, without a value, counts as `yes`. */
    bare: may('boolean'),
    /** Quotes are no part of the form: a quoted value is a wrong one. */
    unquoted: may('boolean'),
    ...VALUE,
  },
  /** A kernel setting, as it is now and as the configuration will set it. */
  sysctl: { key: need('text'), ...VALUE },
  /** A mount point of its own, and its options. */
  mount: { path: need('text'), options: may('texts'), separate: may('boolean') },
  service: { unit: need('texts'), state: need(['enabled', 'disabled', 'masked', 'absent', 'off']) },
  package: { name: need('texts'), state: need(['installed', 'absent']) },
  account: {
    ask: need(ACCOUNT_QUESTIONS),
    hashes: may('texts'),
    max_days: may('integer'),
    min_days: may('integer'),
    warn_days: may('integer'),
    inactive_days: may('integer'),
    except: may('texts'),
  },
  /** Listening sockets, from the kernel's tables. */
  socket: { port: need('integers'), transport: may(['tcp', 'udp']), state: need(['closed', 'loopback-only', 'open']) },
  /** A kernel module: that it cannot be loaded, `listed` on the blacklist besides; or an option of it. */
  module: { name: need('text'), blocked: may('boolean'), listed: may('boolean'), option: may('text'), ...VALUE },
  /** The SSH server's configuration in force, with its includes, its defaults and its Match blocks. */
  sshd: {
    key: need('text'),
    ...SSH,
    ...VALUE,
  },
  ssh: { key: need('text'), ...SSH, ...VALUE },
  /** A line of a PAM stack with its includes; an argument of it, which may also stand in the module's own file. */
  pam: {
    service: need('texts'),
    type: need(['auth', 'account', 'password', 'session']),
    module: need('text'),
    control: may('texts'),
    argument: may('text'),
    config: may('texts'),
    also: may('texts'),
    absent: may('boolean'),
    ...VALUE,
  },
  /** Rules of the audit system; each of these must be there, fields in any order. */
  audit: {
    rules: need('texts'),
    /** `-p` of watches is exactly that, not at least. */
    exact: may('boolean'),
    last: may('boolean'),
  },
  crypto: { policy: need('texts'), is: may('boolean') },
  /** sudo: that no rule spares the password; a default that is set. */
  sudo: {
    ask: need([
      'no-nopasswd',
      'no-authenticate-off',
      'no-negation',
      'no-root-runas',
      'arguments-explicit',
      'not-everyone',
      'default',
      'includes',
    ]),
    default: may('text'),
    is: may('texts'),
    at_most: may('text'),
    unset: may('boolean'),
  },
  /** A variable that shell start files set; where it stands more than once, the last counts and every place must do. */
  shell: { file: need('texts'), variable: need('text'), form: may(['sh', 'csh', 'umask', 'environment']), ...VALUE },
  /** Folders of PATH that are there and nobody else may write. */
  path: { file: need('texts'), ask: need(['exist', 'private', 'absolute']) },
  os: { id: need('texts'), at_least: may('text'), below: may('text') },
} as const satisfies Readonly<Record<string, Readonly<Record<string, Param>>>>;

export type ProbeName = keyof typeof PROBES;

type ValueOfType<T> = T extends 'text'
  ? string
  : T extends 'texts'
    ? readonly string[]
    : T extends 'integer' | 'mode'
      ? number
      : T extends 'integers'
        ? readonly number[]
        : T extends 'boolean'
          ? boolean
          : T extends 'pattern'
            ? RegExp
            : T extends readonly (infer W)[]
              ? W
              : never;

type ParamsOf<S> = {
  readonly [K in keyof S as S[K] extends Need<unknown> ? K : never]: S[K] extends Need<infer T> ? ValueOfType<T> : never;
} & {
  readonly [K in keyof S as S[K] extends May<unknown> ? K : never]?: S[K] extends May<infer T> ? ValueOfType<T> : never;
};

/** Parameters of one probe, checked. */
export type ProbeParams<N extends ProbeName> = ParamsOf<(typeof PROBES)[N]>;
/** What is asked of a value. */
export type ValueAsked = ParamsOf<typeof VALUE>;

/** One probe with its parameters. */
export type ProbeCall = {
  readonly [N in ProbeName]: { readonly kind: 'probe'; readonly probe: N; readonly params: ProbeParams<N> };
}[ProbeName];
