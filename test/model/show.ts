// SPDX-License-Identifier: Apache-2.0
/**
 * A request of a run and its reply as one line, to see how a schedule goes wrong.
 * Input: bytes as they passed. Output: text; epochs get short names in the order they are met.
 */
import type { Reply } from '../../agent/transport/client.ts';
import { decodeRequest, readJsonBody, readRecords } from '../../core/wire.ts';

export const makeShow = (): ((body: Uint8Array | 'heads', reply: Reply) => string) => {
  const names = new Map<string, string>();
  const name = (epoch: string): string => {
    const known = names.get(epoch) ?? `e${names.size + 1}`;
    names.set(epoch, known);
    return known;
  };
  return (body, reply) => {
    const answer = reply.kind === 'reply' ? reply.body.toString() : reply.code;
    const back = answer.replace(/"[0-9a-f]{32}"/g, (epoch) => name(epoch.slice(1, -1))).replace(/"hash":"([0-9a-f]{6})[0-9a-f]*"/g, '$1');
    if (body === 'heads') return `heads → ${back}`;
    const request = decodeRequest(body);
    if (request.kind === 'bad') return `bad → ${back}`;
    const mark = request.preamble.journal;
    const blocks = request.blocks.map((one) => {
      if (one.kind !== 'ok') return 'bad';
      const { kind, epoch, first, count, after, hash } = one.block.header;
      const what =
        kind === 'lines'
          ? readRecords(one.block)
              .map(({ bytes }) => Number(Buffer.from(bytes).toString('latin1', 0, 7).slice(1)))
              .join(',')
          : kind === 'gap'
            ? JSON.stringify(readJsonBody(one.block))
            : kind;
      return `${name(epoch)}#${first}+${count}${after ? `⟵${name(after.epoch)}#${after.seq}` : ''}[${what}]${hash.slice(0, 6)}`;
    });
    return `${mark ? `@${name(mark.incarnation)}:${mark.offset}` : '@–'} ${blocks.join(' ')} → ${back}`;
  };
};
