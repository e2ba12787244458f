// SPDX-License-Identifier: Apache-2.0
/**
 * Writes a tree as KQL that parses to the same tree again.
 * Input: a tree. Output: query text, for saved queries, links and messages.
 */
import type { Literal, Node } from './ast.ts';

const SIGNS = { gt: '>', gte: '>=', lt: '<', lte: '<=' } as const;

/** The query as text. Parentheses stand around each `and` and `or` inside another node. */
export const print = (node: Node): string => {
  switch (node.kind) {
    case 'all':
      return '*';
    case 'and':
    case 'or':
      return node.of.map(inner).join(` ${node.kind} `);
    case 'not':
      return `not ${node.of.kind === 'not' ? `(${print(node.of)})` : inner(node.of)}`;
    case 'is':
      return node.field === null ? printLiteral(node.value) : `${printLiteral(node.field)}: ${printLiteral(node.value)}`;
    case 'exists':
      return `${printLiteral(node.field)}: *`;
    case 'range':
      return `${printLiteral(node.field)} ${SIGNS[node.op]} ${printLiteral(node.value)}`;
  }
};

const inner = (node: Node): string => (node.kind === 'and' || node.kind === 'or' ? `(${print(node)})` : print(node));

const unicode = (character: string): string => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;

/** A literal so that it reads as the same one: quoted texts in quotes, others with escapes. */
export const printLiteral = ({ text, quoted, escaped = [] }: Literal): string => {
  if (quoted) return `"${text.replace(/["\\]/g, '\\$&').replace(/[\t\r\n]/g, unicode)}"`;
  let out = '';
  for (let at = 0; at < text.length; at++) {
    const character = text[at] as string;
    if (character === '*') out += escaped.includes(at) ? '\\*' : '*';
    else if (/[\\():<>"{}]/.test(character)) out += `\\${character}`;
    else if (/\s/.test(character)) out += character === ' ' && at > 0 && at < text.length - 1 ? ' ' : unicode(character);
    else out += character;
  }
  return out.replace(/(^|\s)(and|or|not)(?=\s|$)/gi, '$1\\$2');
};

/** A value as a person would write it: plain where that reads back as itself, else in quotes. */
export const printValue = (text: string): string =>
  /^[^\s\\():<>"{}*]+$/.test(text) && !/^(and|or|not)$/i.test(text) ? text : printLiteral({ text, quoted: true, at: 0 });
