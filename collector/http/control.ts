// SPDX-License-Identifier: Apache-2.0
/**
 * The control socket: the same routes for the owner of the data folder, who needs no password for what is theirs.
 * Input: `control.sock` in the data folder, mode 0600. Output: its connections, which the door takes for the local owner's.
 */
import { unlink } from 'node:fs/promises';
import { createServer } from 'node:http';
import { connect } from 'node:net';
import { join, relative } from 'node:path';
import type { FastifyInstance } from 'fastify';
import { systemCode } from '../../core/errors.ts';
import { fault } from '../errors.ts';

/** Name of the socket in the data folder. */
export const CONTROL_SOCKET = 'control.sock';

/** Longest path of a Unix socket, in bytes. */
const PATH_LIMIT_BYTES = 107;

export interface Control {
  readonly path: string;
  close(): Promise<void>;
}

/**
 * Opens the socket for a server that is ready. An old one that nobody answers on is removed.
 * @throws CodedError CONTROL_TAKEN when somebody answers.
 */
export const openControl = async (app: FastifyInstance, dataFolder: string, sockets: WeakSet<object>): Promise<Control> => {
  const path = shortPath(join(dataFolder, CONTROL_SOCKET));
  if (await answers(path)) throw fault('CONTROL_TAKEN', { file: path });
  await unlink(path).catch((error: unknown) => {
    if (systemCode(error) !== 'ENOENT') throw error;
  });
  const server = createServer({ requestTimeout: 60_000, headersTimeout: 10_000, connectionsCheckingInterval: 5_000 }, (request, response) =>
    app.routing(request, response),
  );
  server.on('connection', (socket) => sockets.add(socket));
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    // The socket is made inside this call, so nobody else's file is made under the mask.
    const before = process.umask(0o177);
    try {
      server.listen(path, resolve);
    } finally {
      process.umask(before);
    }
  });
  return {
    path,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
};

/** The path itself, or one from where the process stands when it is too long for the system. */
const shortPath = (path: string): string => {
  if (Buffer.byteLength(path) <= PATH_LIMIT_BYTES) return path;
  const short = relative(process.cwd(), path);
  return Buffer.byteLength(short) < Buffer.byteLength(path) ? short : path;
};

const answers = (path: string): Promise<boolean> =>
  new Promise((resolve) => {
    const probe = connect(path);
    const done = (answer: boolean): void => {
      probe.destroy();
      resolve(answer);
    };
    probe.once('connect', () => done(true));
    probe.once('error', () => done(false));
  });
