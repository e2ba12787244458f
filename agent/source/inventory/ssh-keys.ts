// SPDX-License-Identifier: Apache-2.0
/**
 * Keys that open an account by SSH: those in the files that sshd reads for each user.
 * Input: sshd_config, the homes, authorized_keys. Output: items `user:fingerprint`.
 */
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { type Clean, type Found, item, PAUSE } from './found.ts';
import { globPaths } from './glob-paths.ts';
import { type Account, quietly, readAccounts } from './passwd.ts';
import { LINE_CHARS, oddities, readText } from './text.ts';
import type { Tree } from './tree.ts';

const CONFIG = '/etc/ssh/sshd_config';
const DEFAULT_FILES = ['.ssh/authorized_keys', '.ssh/authorized_keys2'];
const FILE_BYTES = 16_777_216;
const TYPE = /^(?:sk-)?(?:ssh-(?:rsa|dss|ed25519)|ecdsa-sha2-nistp\d+)(?:-cert-v\d\d)?(?:@openssh\.com)?$/;

export function* sshKeyItems(tree: Tree, clean: Clean): Generator<Found> {
  const told = new Set<string>();
  for (const { name, path } of keyFiles(tree, quietly(readAccounts(tree)))) {
    const text = yield* readText(tree, path, { field: 'path', value: path }, FILE_BYTES);
    yield PAUSE;
    if (text === undefined) continue;
    const odd = oddities();
    for (const [i, line] of text.split('\n').entries()) {
      const trimmed = line.trim();
      if (trimmed === '' || trimmed.startsWith('#')) continue;
      const key = line.length > LINE_CHARS ? undefined : parseKey(trimmed);
      if (!key) odd.add(i + 1, line.length > LINE_CHARS ? `is longer than ${LINE_CHARS} characters` : 'is no key');
      else if (!told.has(`${name}:${key.fingerprint}`)) {
        told.add(`${name}:${key.fingerprint}`);
        yield item(`${name}:${key.fingerprint}`, {
          user: name,
          path,
          ...key,
          comment: clean(key.comment),
          options: key.options === undefined ? undefined : clean(key.options),
        });
      }
    }
    yield* odd.tell(path);
  }
}

/** Files of keys of every account, whether they are there or not. */
export const keyFiles = (tree: Tree, accounts: readonly Account[]): readonly { readonly name: string; readonly path: string }[] => {
  const patterns = filesOf(tree);
  return accounts.flatMap((account) =>
    patterns.flatMap((pattern) => {
      if (account.home === '' && !pattern.startsWith('/')) return [];
      const named = pattern.replace(/%[%huU]/g, (token) =>
        token === '%h' ? account.home : token === '%u' ? account.name : token === '%U' ? String(account.uid) : '%',
      );
      return [{ name: account.name, path: named.startsWith('/') ? join(named) : join('/', account.home, named) }];
    }),
  );
};

/** What the configuration says outside of Match blocks; the first word counts. */
const filesOf = (tree: Tree): readonly string[] => {
  for (const line of configLines(tree, CONFIG, new Set())) {
    const [, value] = /^AuthorizedKeysFile[\s=]+(.+)$/i.exec(line) ?? [];
    if (value === undefined) continue;
    const files = value.split(/\s+/).map((file) => file.replace(/^"(.*)"$/, '$1'));
    return files[0]?.toLowerCase() === 'none' ? [] : files.filter(Boolean);
  }
  return DEFAULT_FILES;
};

function* configLines(tree: Tree, path: string, seen: Set<string>): Generator<string> {
  if (seen.has(path) || seen.size > 64) return;
  seen.add(path);
  for (const line of (quietly(readText(tree, path, undefined, 1_048_576)) ?? '').split('\n')) {
    const trimmed = line.trim();
    if (/^Match\b/i.test(trimmed)) return;
    const [, included] = /^Include\s+(.+)$/i.exec(trimmed) ?? [];
    if (included === undefined) yield trimmed;
    else
      for (const pattern of included.split(/\s+/))
        for (const file of globPaths(tree, pattern.startsWith('/') ? pattern : join('/etc/ssh', pattern)))
          yield* configLines(tree, file, seen);
  }
}

interface Key {
  readonly type: string;
  readonly bits: number | undefined;
  readonly fingerprint: string;
  readonly comment: string;
  readonly options: string | undefined;
}

const parseKey = (line: string): Key | undefined => {
  const words = wordsOf(line);
  const at = TYPE.test(words[0] ?? '') ? 0 : TYPE.test(words[1] ?? '') ? 1 : -1;
  const [type, base64] = [words[at], words[at + 1]];
  if (at === -1 || type === undefined || base64 === undefined || !/^[A-Za-z0-9+/]+={0,2}$/.test(base64)) return undefined;
  const blob = Buffer.from(base64, 'base64');
  const named = field(blob, 0);
  if (named?.bytes.toString('latin1') !== type) return undefined;
  return {
    type,
    bits: bitsOf(type, blob, named.end),
    fingerprint: `SHA256:${createHash('sha256').update(blob).digest('base64').replace(/=+$/, '')}`,
    comment: words.slice(at + 2).join(' '),
    options: at === 1 ? words[0] : undefined,
  };
};

/** Words at spaces that stand outside quotes, as options may hold commands. */
const wordsOf = (line: string): readonly string[] => {
  const words: string[] = [];
  let [word, quoted] = ['', false];
  for (let i = 0; i < line.length; i++) {
    const c = line[i]!;
    if (c === '\\' && quoted && line[i + 1] === '"') word += line.slice(i, ++i + 1);
    else if ((c === ' ' || c === '\t') && !quoted) {
      if (word !== '') words.push(word);
      word = '';
    } else {
      if (c === '"') quoted = !quoted;
      word += c;
    }
  }
  return word === '' ? words : [...words, word];
};

/** One field of the blob: a length of four bytes, then so many. */
const field = (blob: Buffer, at: number): { readonly bytes: Buffer; readonly end: number } | undefined => {
  if (at + 4 > blob.length) return undefined;
  const end = at + 4 + blob.readUInt32BE(at);
  return end > blob.length ? undefined : { bytes: blob.subarray(at + 4, end), end };
};

const bitsOf = (type: string, blob: Buffer, from: number): number | undefined => {
  const curve = /nistp(\d+)/.exec(type)?.[1];
  if (curve !== undefined) return Number(curve);
  if (type.includes('ed25519')) return 256;
  // A certificate has a nonce before the key.
  const begin = type.includes('-cert-') ? field(blob, from)?.end : from;
  const first = begin === undefined ? undefined : field(blob, begin);
  const modulus = type.includes('dss') ? first : first && field(blob, first.end);
  if (!modulus) return undefined;
  const leading = modulus.bytes.findIndex((byte) => byte !== 0);
  return leading === -1 ? undefined : (modulus.bytes.length - leading) * 8 - Math.clz32(modulus.bytes[leading]!) + 24;
};
