// SPDX-License-Identifier: Apache-2.0
/**
 * Patterns in linear time or not at all, and patterns that mind no case, which the engine that never backtracks cannot do by itself.
 * Input: the source of a regular expression. Output: the pattern, where it is linear; a source that means the same in either case.
 */
import { setFlagsFromString } from 'node:v8';

/** The pattern in the engine that never backtracks; null where V8 needs to: lookahead, back references, counts above 16. */
export const linearPattern = (source: string, flags = ''): RegExp | null => {
  // It only makes the flag `l` known, and must stay: such a pattern asks for it again when it runs.
  setFlagsFromString('--enable-experimental-regexp-engine');
  try {
    return new RegExp(source, `${flags}l`);
  } catch {
    // Not a fault: this is how V8 says that the pattern needs backtracking.
    return null;
  }
};

const TOKEN = /\\(?:x[0-9a-f]{2}|u[0-9a-f]{4}|c[a-z]|.)|\(\?<[a-z_]\w*>|\[(?:\\.|[^\]\\])*\]|[a-z]/gis;
const CLASS_TOKEN = /\\(?:x[0-9a-f]{2}|u[0-9a-f]{4}|c[a-z]|.)|[a-z]-[a-z]|[a-z]/gis;

/** The same pattern for both cases: `ab[c-e]` becomes `[aA][bB][c-eC-E]`. Bytes above 127 keep their case. */
export const spellCase = (source: string): string =>
  source.replace(TOKEN, (token) => {
    if (token.startsWith('[')) return token.replace(CLASS_TOKEN, (one) => (one.startsWith('\\') ? one : both(one)));
    return token.length > 1 ? token : `[${both(token)}]`;
  });

const both = (text: string): string => text.toLowerCase() + text.toUpperCase();
