// SPDX-License-Identifier: Apache-2.0
/**
 * A small disk of its own for one program: it can be filled up, and turned read-only under a program that runs, as a failing disk does.
 * Input: the folder it stands at. Output: words that start a program on it, levers. Only that program sees it: it is mounted in a namespace of its own.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import {
  closeSync,
  existsSync,
  fsyncSync,
  openSync,
  readFileSync,
  rmSync,
  statfsSync,
  statSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { systemCode } from '../../core/errors.ts';
import { removeDir, tempDir, until } from '../support/vigil.ts';

export interface Place {
  /** Words before a program that runs on it. */
  readonly before: readonly string[];
  /** A path on it, as this process can reach it. */
  readonly seen: (path: string) => string;
  /** Takes every byte that is free now. */
  readonly fill: () => void;
  readonly free: () => void;
  /** The file system meets an error and becomes read-only, whoever writes to it. */
  readonly failDisk: () => void;
  /** Checks and mounts it again; nothing may run on it. */
  readonly repair: () => void;
  readonly close: () => Promise<void>;
}

const BYTES = 201_326_592;
const MAKE =
  'mkfs.ext4 -q -F -m 0 "$0" && mount -o loop,errors=remount-ro "$0" "$1" && chmod 700 "$1" && echo ready && exec sleep infinity';

const call = (command: string, ...words: readonly string[]): string => {
  const { status, error, stderr, stdout } = spawnSync(command, words, { encoding: 'utf8' });
  if (status === 0) return stdout;
  throw new Error(`${command}: ${error?.message ?? stderr.trim()}`);
};

/** Opens a disk at a folder that is there. */
export const openPlace = async (at: string): Promise<Place> => {
  const image = `${at}.disk`;
  writeFileSync(image, '');
  truncateSync(image, BYTES);
  const holder: ChildProcess = spawn('unshare', ['-m', 'sh', '-c', MAKE, image, at], { stdio: ['ignore', 'pipe', 'pipe'] });
  let out = '';
  let gone: string | null = null;
  holder.stdout?.on('data', (piece: Buffer) => (out += piece.toString()));
  holder.stderr?.on('data', (piece: Buffer) => (out += piece.toString()));
  holder.on('error', (error) => (gone = error.message));
  holder.on('close', () => (gone ??= out.trim() || 'it ended'));
  await until('the disk', () => {
    if (gone !== null) throw new Error(gone);
    return out.includes('ready');
  });
  const root = `/proc/${holder.pid}/root`;
  const inside = (script: string): string => call('nsenter', '-t', String(holder.pid), '-m', '--', 'sh', '-c', script, image, at);
  const filler = join(root, at, 'filler');
  return {
    before: ['nsenter', '-t', String(holder.pid), '-m', '--'],
    seen: (path) => join(root, path),
    fill: () => {
      const { bavail, bsize } = statfsSync(join(root, at));
      if (bavail > 0) spawnSync('fallocate', ['-l', String(bavail * bsize + (existsSync(filler) ? statSync(filler).size : 0)), filler]);
      const fd = openSync(filler, 'a');
      try {
        for (let piece = 1_048_576; piece >= 512; piece >>= 1) takeAll(fd, Buffer.alloc(piece));
      } finally {
        closeSync(fd);
      }
    },
    free: () => rmSync(filler, { force: true }),
    failDisk: () => {
      const device = new RegExp(`^/dev/(\\S+) ${at} ext4 `, 'm').exec(readFileSync(`/proc/${holder.pid}/mounts`, 'utf8'))?.[1];
      writeFileSync(`/sys/fs/ext4/${device}/trigger_fs_error`, 'a disk that fails');
    },
    repair: () => void inside('umount "$1" && { e2fsck -fy "$0" >/dev/null; test $? -lt 4; } && mount -o loop,errors=remount-ro "$0" "$1"'),
    close: async () => {
      holder.kill('SIGKILL');
      await until('the end of the disk', () => gone !== null);
      rmSync(image, { force: true });
    },
  };
};

const takeAll = (fd: number, piece: Buffer): void => {
  try {
    for (;;) writeSync(fd, piece);
  } catch (error) {
    if (systemCode(error) !== 'ENOSPC') throw error;
    // Blocks are given out late: what was promised is taken now.
    fsyncSync(fd);
  }
};

let problem: string | null | undefined;

/** Why no such disk can be made here; null when it can. Found out once. */
export const placeProblem = async (): Promise<string | null> => {
  if (problem !== undefined) return problem;
  const dir = tempDir();
  try {
    const place = await openPlace(dir);
    await place.close();
    problem = null;
  } catch (error) {
    problem = `a disk of its own cannot be mounted here (${(error as Error).message})`;
  }
  removeDir(dir);
  return problem;
};
