// SPDX-License-Identifier: Apache-2.0
/**
 * Reads a request's body within bounds: of one request, and of all requests under way together.
 * Input: an incoming message. Output: its bytes, or which bound it met.
 */
import type { IncomingMessage } from 'node:http';

export type ReadBody =
  | { readonly kind: 'ok'; readonly bytes: Uint8Array; readonly done: () => void }
  | { readonly kind: 'too-large' }
  | { readonly kind: 'busy' }
  | { readonly kind: 'aborted' };

/** Shares `totalBytes` among all bodies under way; `done` gives the bytes back when the request is answered. */
export const openBodies = (totalBytes: number) => {
  let taken = 0;
  return {
    taken: (): number => taken,
    read: async (request: IncomingMessage, limitBytes: number): Promise<ReadBody> => {
      const told = Number(request.headers['content-length'] ?? 0);
      if (!(told <= limitBytes)) return { kind: 'too-large' };
      if (taken + told > totalBytes) return { kind: 'busy' };
      // What was announced is counted at once, or a thousand slow bodies would all be let in.
      let mine = told;
      taken += told;
      const giveBack = (): void => {
        taken -= mine;
        mine = 0;
      };
      const chunks: Uint8Array[] = [];
      let size = 0;
      try {
        for await (const chunk of request as AsyncIterable<Uint8Array>) {
          size += chunk.length;
          if (size > mine) {
            taken += size - mine;
            mine = size;
          }
          if (size > limitBytes || taken > totalBytes) {
            giveBack();
            return { kind: size > limitBytes ? 'too-large' : 'busy' };
          }
          chunks.push(chunk);
        }
      } catch {
        // The peer went away in the middle; there is nobody to answer.
        giveBack();
        return { kind: 'aborted' };
      }
      const [first] = chunks;
      return { kind: 'ok', bytes: chunks.length === 1 && first ? first : Buffer.concat(chunks), done: giveBack };
    },
  };
};
