// SPDX-License-Identifier: Apache-2.0
/**
 * Passwords of Vigil's own users: argon2id in a small pool, kept as PHC strings.
 * Input: what a person typed. Output: a hash, or yes or no after the same work whether or not the user exists.
 */
import { argon2, randomBytes, timingSafeEqual } from 'node:crypto';
import { fault } from '../errors.ts';

/** Memory in KiB, passes and lanes: the OWASP minimum, about 60 ms of one core. */
const COST = { m: 19_456, t: 2, p: 1 } as const;
const SALT_BYTES = 16;
const TAG_BYTES = 32;
const MIN_LENGTH = 12;
const MAX_BYTES = 1_024;

export interface PasswordOptions {
  /** Hashes computed at the same time; each takes a thread of the pool that files use too. */
  readonly parallel?: number;
  /** Hashes that may wait; one more is answered AUTH_BUSY. */
  readonly queueLimit?: number;
}

export interface Passwords {
  /** A PHC string with a fresh salt. @throws CodedError AUTH_BUSY. */
  hash(password: string): Promise<string>;
  /**
   * Whether the password is the one; null stands for a user who does not exist and costs the same time.
   * @throws CodedError AUTH_BUSY.
   */
  verify(phc: string | null, password: string): Promise<boolean>;
  /** Verifications begun since the start. */
  readonly verified: () => number;
}

/** Opens the bounded pool that all hashing goes through. */
export const openPasswords = ({ parallel = 2, queueLimit = 64 }: PasswordOptions = {}): Passwords => {
  const run = boundedPool(parallel, queueLimit);
  // Nobody knows the password of this one: the tag is random.
  const nobody = toPhc(COST, randomBytes(SALT_BYTES), randomBytes(TAG_BYTES));
  let verified = 0;
  return {
    hash: (password) =>
      run(async () => {
        const salt = randomBytes(SALT_BYTES);
        return toPhc(COST, salt, await derive(password, COST, salt, TAG_BYTES));
      }),
    verify: (phc, password) =>
      run(async () => {
        verified += 1;
        const known = fromPhc(phc ?? nobody) ?? fromPhc(nobody)!;
        const tag = await derive(password, known.cost, known.salt, known.tag.length);
        return timingSafeEqual(tag, known.tag) && phc !== null;
      }),
    verified: () => verified,
  };
};

/** Why a new password is not taken, as the end of a sentence; null when it is. */
export const passwordProblem = (name: string, password: string): string | null => {
  const text = normal(password);
  if ([...text].length < MIN_LENGTH) return `it is shorter than ${MIN_LENGTH} characters`;
  if (Buffer.byteLength(text) > MAX_BYTES) return `it is longer than ${MAX_BYTES} bytes`;
  if (text.toLowerCase().includes(name.toLowerCase())) return "it holds the user's name";
  if (new Set(text).size < 4) return 'it repeats fewer than four different characters';
  return null;
};

/** True when a typed password is small enough to be worth hashing. */
export const plausiblePassword = (password: string): boolean => password !== '' && Buffer.byteLength(password) <= MAX_BYTES;

interface Cost {
  readonly m: number;
  readonly t: number;
  readonly p: number;
}

// Two keyboards may send the same letter as different code points.
const normal = (password: string): string => password.normalize('NFKC');

const derive = (password: string, cost: Cost, salt: Uint8Array, tagLength: number): Promise<Buffer> =>
  new Promise((resolve, reject) => {
    argon2(
      'argon2id',
      { message: normal(password), nonce: salt, parallelism: cost.p, tagLength, memory: cost.m, passes: cost.t },
      (error, tag) => (error ? reject(error) : resolve(tag)),
    );
  });

const bare = (data: Uint8Array): string => Buffer.from(data).toString('base64').replace(/=+$/, '');

const toPhc = (cost: Cost, salt: Uint8Array, tag: Uint8Array): string =>
  `$argon2id$v=19$m=${cost.m},t=${cost.t},p=${cost.p}$${bare(salt)}$${bare(tag)}`;

const PHC = /^\$argon2id\$v=19\$m=(\d{1,7}),t=(\d{1,2}),p=(\d{1,2})\$([A-Za-z0-9+/]{11,86})\$([A-Za-z0-9+/]{22,86})$/;

const fromPhc = (phc: string): { readonly cost: Cost; readonly salt: Buffer; readonly tag: Buffer } | null => {
  const match = PHC.exec(phc);
  if (!match) return null;
  const [m, t, p] = [Number(match[1]), Number(match[2]), Number(match[3])];
  // A stored string must not be able to ask for unbounded work.
  if (m < 8 * p || m > 1_048_576 || t < 1 || t > 16 || p < 1 || p > 16) return null;
  return { cost: { m, t, p }, salt: Buffer.from(match[4]!, 'base64'), tag: Buffer.from(match[5]!, 'base64') };
};

const boundedPool = (parallel: number, queueLimit: number) => {
  let running = 0;
  const waiting: (() => void)[] = [];
  return async <T>(work: () => Promise<T>): Promise<T> => {
    if (running >= parallel) {
      if (waiting.length >= queueLimit) throw fault('AUTH_BUSY');
      await new Promise<void>((resolve) => waiting.push(resolve));
    } else running += 1;
    try {
      return await work();
    } finally {
      const next = waiting.shift();
      // The slot passes to the next one without being free in between.
      if (next) next();
      else running -= 1;
    }
  };
};
