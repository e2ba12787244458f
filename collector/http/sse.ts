// SPDX-License-Identifier: Apache-2.0
/**
 * Server-sent events, bounded: so many streams in all and for one actor, so many bytes that a slow client may leave unread.
 * Input: a reply to take over, a source of events. Output: `text/event-stream` with a comment as heartbeat.
 */
import type { FastifyReply } from 'fastify';
import type { Clock } from '../../core/clock.ts';
import { type Ms, seconds } from '../../core/units.ts';
import { fault } from '../errors.ts';
import type { SendEvent } from './route.ts';

export interface StreamLimits {
  readonly perActor: number;
  readonly inAll: number;
  readonly queuedBytes: number;
  readonly heartbeatMs: Ms;
}

export const STREAM_LIMITS: StreamLimits = { perActor: 8, inAll: 200, queuedBytes: 1_048_576, heartbeatMs: seconds(15) };

export interface Streams {
  /** Takes the reply over. @throws CodedError SLOW_DOWN when there are too many, and whatever the source throws before it is open. */
  open(reply: FastifyReply, actor: string, source: (send: SendEvent) => Promise<() => void>, may?: () => Promise<boolean>): Promise<void>;
  /** Asks of each whether it still may, and ends those that may not. */
  recheck(): void;
  readonly count: () => number;
  /** Ends all of them. */
  close(): void;
}

export const openStreams = (clock: Clock, limits: StreamLimits = STREAM_LIMITS): Streams => {
  const live = new Set<{ readonly actor: string; readonly end: () => void; readonly may: () => Promise<boolean> }>();

  const open: Streams['open'] = async (reply, actor, source, may = async () => true) => {
    const own = [...live].filter((one) => one.actor === actor).length;
    if (live.size >= limits.inAll || own >= limits.perActor) throw fault('SLOW_DOWN', { retryAfterSeconds: 30 });
    const ended = new AbortController();
    const { raw } = reply;
    const end = (): void => {
      if (ended.signal.aborted) return;
      ended.abort();
      live.delete(stream);
      raw.end();
    };
    const stream = { actor, end, may };
    live.add(stream);
    raw.once('close', end);
    const early: string[] = [];
    let started = false;
    const write = (text: string): boolean => {
      if (ended.signal.aborted) return false;
      if (!started) {
        early.push(text);
        return true;
      }
      if (raw.writableLength + text.length > limits.queuedBytes) {
        // Too slow: it is told so, and asks again from where it was.
        raw.write('event: overrun\ndata: null\n\n');
        end();
        return false;
      }
      raw.write(text);
      return true;
    };
    const send: SendEvent = (event, data, id) =>
      write(`${id === undefined ? '' : `id: ${oneLine(id)}\n`}event: ${oneLine(event)}\ndata: ${JSON.stringify(data)}\n\n`);
    let stop: () => void;
    try {
      stop = await source(send);
    } catch (error) {
      live.delete(stream);
      ended.abort();
      throw error;
    }
    reply.hijack();
    raw.writeHead(200, { ...headersOf(reply), 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
    started = true;
    for (const text of early.splice(0)) raw.write(text);
    ended.signal.addEventListener('abort', stop, { once: true });
    if (ended.signal.aborted) stop();
    void beat(write, ended.signal);
  };

  const beat = async (write: (text: string) => boolean, signal: AbortSignal): Promise<void> => {
    while (!signal.aborted) {
      if (!write(': here\n\n')) return;
      await clock.sleep(limits.heartbeatMs, signal);
    }
  };

  return {
    open,
    recheck: () => {
      for (const { may, end } of [...live])
        void may().then(
          (still) => still || end(),
          // Who cannot be asked about is taken as gone: the console opens another.
          end,
        );
    },
    count: () => live.size,
    close: () => {
      for (const { end } of [...live]) end();
    },
  };
};

const oneLine = (text: string): string => text.replace(/[\r\n]/g, ' ');

const headersOf = (reply: FastifyReply): Record<string, string> =>
  Object.fromEntries(Object.entries(reply.getHeaders()).flatMap(([name, value]) => (value === undefined ? [] : [[name, String(value)]])));
