// SPDX-License-Identifier: Apache-2.0
/**
 * A few connections for questions: each runs one at a time, the others wait in order; a question nobody waits for is stopped.
 * Input: questions by number. Output: their results, or a rejection when they were cancelled.
 */
import type { Connection } from './duck.ts';

interface Waiting {
  readonly id: number;
  readonly start: (connection: Connection) => void;
  readonly refuse: (error: Error) => void;
}

export class Readers {
  readonly #idle: Connection[];
  readonly #waiting: Waiting[] = [];
  readonly #running = new Map<number, Connection>();

  constructor(connections: readonly Connection[]) {
    this.#idle = [...connections];
  }

  run<T>(id: number, act: (connection: Connection) => Promise<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const start = (connection: Connection): void => {
        this.#running.set(id, connection);
        const guarded: Connection = { ...connection, rows: (sql, params) => this.#rows(id, connection, sql, params) };
        act(guarded)
          .then(resolve, reject)
          .finally(() => {
            this.#running.delete(id);
            this.#idle.push(connection);
            this.#next();
          });
      };
      this.#waiting.push({ id, start, refuse: reject });
      this.#next();
    });
  }

  cancel(id: number): void {
    const at = this.#waiting.findIndex((waiting) => waiting.id === id);
    if (at >= 0) this.#waiting.splice(at, 1)[0]?.refuse(new Error('cancelled'));
    const connection = this.#running.get(id);
    this.#running.delete(id);
    connection?.interrupt();
  }

  #rows(id: number, connection: Connection, ...args: Parameters<Connection['rows']>): ReturnType<Connection['rows']> {
    // Between two statements of one question nothing runs that could be interrupted.
    if (!this.#running.has(id)) return Promise.reject(new Error('cancelled'));
    return connection.rows(...args);
  }

  #next(): void {
    const connection = this.#idle.at(-1);
    const waiting = this.#waiting[0];
    if (connection === undefined || waiting === undefined) return;
    this.#idle.pop();
    this.#waiting.shift();
    waiting.start(connection);
  }
}
