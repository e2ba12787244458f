// SPDX-License-Identifier: Apache-2.0
/**
 * A disk in memory: it keeps what was synced, may lose the rest, dies in the middle of any call, and fails when told to.
 * Input: the calls of `Files`. Output: the same as a real disk would give; after a crash, one of the states it could have left.
 */
import { dirname } from 'node:path';
import type { BlockingFiles, Files, OpenFile } from '../../core/files.ts';
import { type Random, seeded } from './random.ts';

/** A file's bytes. What lies behind `synced` may be lost. */
interface Inode {
  bytes: Buffer;
  size: number;
  synced: number;
}

/** A change of names that its folder was not synced after. */
interface NameChange {
  readonly folder: string;
  readonly undo: () => void;
}

/** What a disk held at one moment, taken while nobody wrote. */
export type DiskCopy = ReadonlyMap<string, Buffer>;

const systemError = (code: string, path: string): Error => Object.assign(new Error(`${code}: ${path}`), { code });
/** When every run begins, and what every file says of its age. */
export const BEGIN = Date.UTC(2026, 10, 23);
const NEVER = new Promise<never>(() => undefined);

export class Disk implements Files {
  readonly #files = new Map<string, Inode>();
  #unsynced: NameChange[] = [];
  #version = 1;
  #dead = false;
  /** Calls that change something, until the disk dies in the middle of one. */
  #crashAfter = Number.POSITIVE_INFINITY;
  #failing = 0;
  #chance: Random = seeded(0);
  #held: (() => void)[] | null = null;
  #onDeath: () => void = () => undefined;

  constructor(copy: DiskCopy = new Map()) {
    for (const [path, bytes] of copy) this.#files.set(path, { bytes: Buffer.from(bytes), size: bytes.length, synced: bytes.length });
  }

  get dead(): boolean {
    return this.#dead;
  }

  /** Dies in the middle of the call that changes something after so many others; from then on no call ends. */
  crashAfter(calls: number, chance: Random, onDeath: () => void): void {
    this.#crashAfter = calls;
    this.#chance = chance;
    this.#onDeath = onDeath;
  }

  /** Dies now. */
  kill(): void {
    this.#dead = true;
  }

  /** The next so many syncs and writes fail, as on a full or broken disk. */
  failNext(calls: number): void {
    this.#failing = calls;
  }

  /** Syncs of files wait until `releaseSyncs`. */
  holdSyncs(): void {
    this.#held ??= [];
  }
  releaseSyncs(): void {
    const held = this.#held ?? [];
    this.#held = null;
    for (const go of held) go();
  }
  get heldSyncs(): number {
    return this.#held?.length ?? 0;
  }

  /** The disk as the next process finds it. A kill keeps every write; a power cut keeps what was synced, and some of the rest. */
  after(how: 'kill' | 'power', chance: Random): Disk {
    this.#dead = true;
    if (how === 'power') {
      let undone = chance.below(this.#unsynced.length + 1);
      while (undone-- > 0) this.#unsynced.pop()?.undo();
    }
    const next = new Disk();
    for (const [path, { bytes, size, synced }] of this.#files) {
      const low = Math.min(size, synced);
      const kept = how === 'kill' ? size : low + chance.below(Math.max(size, synced) - low + 1);
      const copy = Buffer.from(bytes.subarray(0, kept));
      next.#files.set(path, { bytes: copy, size: kept, synced: kept });
    }
    return next;
  }

  /** What it holds now. */
  copy(): DiskCopy {
    return new Map([...this.#files].map(([path, { bytes, size }]) => [path, Buffer.from(bytes.subarray(0, size))]));
  }

  #node(path: string): Inode {
    const node = this.#files.get(path);
    if (!node) throw systemError('ENOENT', path);
    return node;
  }

  // Every call that changes something passes here. `part` does some of it, where a crash can leave that.
  async #change<T>(act: () => T, part?: () => void): Promise<T> {
    if (this.#dead) return NEVER;
    if (this.#crashAfter-- <= 0) {
      this.#dead = true;
      const how = this.#chance();
      if (how < 0.33) act();
      else if (how < 0.67) part?.();
      this.#onDeath();
      return NEVER;
    }
    if (this.#failing > 0) {
      this.#failing--;
      throw systemError(this.#failing % 2 === 0 ? 'EIO' : 'ENOSPC', 'the disk');
    }
    return act();
  }

  #name(path: string, act: () => void): void {
    const before = this.#files.get(path);
    act();
    this.#version++;
    this.#unsynced.push({ folder: dirname(path), undo: () => (before ? this.#files.set(path, before) : this.#files.delete(path)) });
  }

  async open(path: string, flags: 'r' | 'r+' | 'wx'): Promise<OpenFile> {
    if (this.#dead) return NEVER;
    if (flags === 'wx') {
      if (this.#files.has(path)) throw systemError('EEXIST', path);
      await this.#change(() => this.#name(path, () => this.#files.set(path, { bytes: Buffer.alloc(0), size: 0, synced: 0 })));
    } else if (!this.#files.has(path)) {
      const isFolder = [...this.#files.keys()].some((other) => other.startsWith(`${path}/`));
      if (!isFolder) throw systemError('ENOENT', path);
      return this.#folder(path);
    }
    return this.#file(this.#node(path));
  }

  #folder(path: string): OpenFile {
    const not = (): never => {
      throw systemError('EISDIR', path);
    };
    const sync = (): Promise<void> =>
      this.#change(() => {
        this.#unsynced = this.#unsynced.filter(({ folder }) => folder !== path);
      });
    return { read: not, write: not, writev: not, truncate: not, datasync: sync, sync, stat: not, close: async () => undefined };
  }

  #file(node: Inode): OpenFile {
    const put = (bytes: Uint8Array, position: number): void => {
      const end = position + bytes.length;
      if (end > node.bytes.length) node.bytes = Buffer.concat([node.bytes, Buffer.alloc(Math.max(end, node.bytes.length))]);
      node.bytes.set(bytes, position);
      node.size = Math.max(node.size, end);
    };
    const write = (bytes: Uint8Array, position: number): Promise<{ readonly bytesWritten: number }> =>
      this.#change(
        () => {
          put(bytes, position);
          return { bytesWritten: bytes.length };
        },
        () => put(bytes.subarray(0, this.#chance.below(bytes.length + 1)), position),
      );
    const sync = async (): Promise<void> => {
      const until = node.size;
      if (this.#held) await new Promise<void>((resolve) => this.#held?.push(resolve));
      await this.#change(() => {
        node.synced = Math.min(until, node.size);
      });
    };
    return {
      read: async (into, offset, length, position) => {
        if (this.#dead) return NEVER;
        return { bytesRead: node.bytes.copy(into, offset, position, Math.max(position, Math.min(node.size, position + length))) };
      },
      write: (bytes, offset, length, position) => write(bytes.subarray(offset, offset + length), position),
      writev: (pieces, position) => write(Buffer.concat(pieces), position),
      truncate: (length) =>
        this.#change(() => {
          node.size = Math.min(node.size, length);
        }),
      datasync: sync,
      sync,
      stat: async () => (this.#dead ? NEVER : { size: node.size }),
      close: async () => (this.#dead ? NEVER : undefined),
    };
  }

  async makeFolder(): Promise<void> {
    if (this.#dead) return NEVER;
  }
  async list(path: string): Promise<readonly string[]> {
    return this.#dead ? NEVER : this.blocking.list(path);
  }
  async stat(path: string): Promise<{ readonly size: number; readonly mtimeMs: number }> {
    return this.#dead ? NEVER : { size: this.#node(path).size, mtimeMs: BEGIN };
  }
  async rename(from: string, to: string): Promise<void> {
    const node = this.#node(from);
    await this.#change(() => {
      const before = this.#files.get(to);
      this.#files.delete(from);
      this.#files.set(to, node);
      this.#version++;
      const undo = (): void => {
        this.#files.set(from, node);
        if (before) this.#files.set(to, before);
        else this.#files.delete(to);
      };
      this.#unsynced.push({ folder: dirname(to), undo });
    });
  }
  async unlink(path: string): Promise<void> {
    if (!this.#dead) this.#node(path);
    await this.#change(() => this.#name(path, () => this.#files.delete(path)));
  }
  async remove(path: string): Promise<void> {
    if (this.#dead) return NEVER;
    if (this.#files.has(path)) await this.unlink(path);
  }
  async truncate(path: string, length: number): Promise<void> {
    const node = this.#node(path);
    await this.#change(() => {
      node.size = Math.min(node.size, length);
    });
  }
  async readText(path: string): Promise<string> {
    if (this.#dead) return NEVER;
    const { bytes, size } = this.#node(path);
    return bytes.toString('utf8', 0, size);
  }
  async writeText(path: string, text: string): Promise<void> {
    const bytes = Buffer.from(text);
    await this.#change(() => this.#name(path, () => this.#files.set(path, { bytes, size: bytes.length, synced: bytes.length })));
  }

  readonly #opened: Inode[] = [];
  readonly blocking: BlockingFiles = {
    list: (path) => [...this.#files.keys()].filter((other) => dirname(other) === path).map((other) => other.slice(path.length + 1)),
    changedAt: () => this.#version,
    open: (path) => this.#opened.push(this.#node(path)) - 1,
    size: (file) => this.#opened[file]?.size ?? 0,
    read: (file, into, offset, length, position) => {
      const node = this.#opened[file];
      return node
        ? node.bytes.copy(
            Buffer.from(into.buffer, into.byteOffset, into.length),
            offset,
            position,
            Math.max(position, Math.min(node.size, position + length)),
          )
        : 0;
    },
    close: () => undefined,
  };
}
