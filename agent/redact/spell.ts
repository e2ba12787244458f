// SPDX-License-Identifier: Apache-2.0
/**
 * What every match of a pattern must hold, to pass over lines quickly.
 * Input: the source of a regular expression. Output: a literal text.
 */

const PART = /\\(?:x[0-9a-f]{2}|u[0-9a-f]{4}|c[a-z]|.)|\[(?:\\.|[^\]\\])*\]|[()|]|[*+?]\??|\{\d+(?:,\d*)?\}\??|./gis;

/** The longest text that every match holds, of at least three characters; empty where none is plain to see. Groups are passed over. */
export const literalOf = (source: string): string => {
  let best = '';
  let run = '';
  let depth = 0;
  const end = (): void => {
    if (run.length > best.length) best = run;
    run = '';
  };
  for (const [part] of source.matchAll(PART)) {
    if (part === '|' && depth === 0) return '';
    if (part === '(' || part === ')') {
      depth += part === '(' ? 1 : -1;
      end();
    } else if (depth > 0) continue;
    else if (/^[*?{+]/.test(part)) {
      // What stands before may be absent, or come again.
      run = run.slice(0, -1);
      end();
    } else if (/^[\w <>"'=:;,@%&#~`!/-]$/.test(part)) run += part;
    else end();
  }
  end();
  return best.length >= 3 ? best : '';
};
