// SPDX-License-Identifier: Apache-2.0
/**
 * The source of log files: follows every discovered path, fair between them, in one shared read buffer.
 * Input: what `discover` finds, wake-ups of the folder watch. Output: batches of lines, one stream a path.
 */
import { dirname } from 'node:path';
import type { Clock } from '../../../core/clock.ts';
import { systemCode, toError } from '../../../core/errors.ts';
import type { StreamEnd } from '../../../core/protocol.ts';
import { reusedBuffer } from '../../../core/reused.ts';
import { type UnixMs, unixMs } from '../../../core/units.ts';
import type { Batch, FileId as HeldFile, Source, SourceProblem, StreamProgress } from '../source.ts';
import { type FolderWatch, watchFolders } from '../watch.ts';
import { BUFFER_BYTES } from './batch.ts';
import { type DiscoverOptions, discover, type Target } from './discover.ts';
import { Follow } from './follow.ts';
import { type FileId, resolveFile, sameId } from './identity.ts';
import type { MultilineRule } from './multiline.ts';
import { allowCommand, describeProblem, nothingMatches } from './problem.ts';
import { isRefused } from './refuse.ts';

/** Every file is looked at so often, whatever the watch says. */
const POLL_MS = 1_000;

export interface TailOptions extends DiscoverOptions {
  readonly clock: Clock;
  /** Folder that relative paths start from. */
  readonly from: string;
  readonly rules: readonly MultilineRule[];
  /** Real folders that are never read. */
  readonly refuse: readonly string[];
  /** Called when there may be something to read; may be called often. */
  readonly onWake: () => void;
  /** False: polling only. */
  readonly watch: boolean;
}

export class Tail implements Source {
  readonly name = 'tail';
  readonly #options: TailOptions;
  readonly #clock: Clock;
  readonly #follows = new Map<string, Follow>();
  #order: Follow[] = [];
  #turn = 0;
  #given: Follow | undefined;
  readonly #buffer = reusedBuffer(BUFFER_BYTES);
  #watch: FolderWatch | undefined;
  #watchProblem: SourceProblem | undefined;
  #poked = new Set<string>();
  #folders = new Map<string, Follow[]>();
  #polledAt = Number.NEGATIVE_INFINITY;
  #resumeOf: (stream: string) => string | undefined = () => undefined;
  #denied: readonly string[] = [];
  #empty: readonly string[] = [];
  /** Paths that the configuration names: these are missed where they are not there, the usual ones are not. */
  #named: ReadonlySet<string> = new Set();
  #doubles: readonly SourceProblem[] = [];
  readonly #failed = new Map<string, SourceProblem>();
  #scannedAt: UnixMs | undefined;

  constructor(options: TailOptions) {
    this.#options = options;
    this.#clock = options.clock;
  }

  async open(resumeOf: (stream: string) => string | undefined): Promise<void> {
    this.#resumeOf = resumeOf;
    if (this.#options.watch) {
      const poke = (folder: string): void => {
        this.#poked.add(folder);
        this.#options.onWake();
      };
      this.#watch = await watchFolders(poke, (error) => this.#watchFailed(error));
    }
    await this.rescan();
  }

  async rescan(): Promise<void> {
    const began = this.#clock.now();
    const { targets, denied, empty } = discover(this.#options, this.#options.from);
    this.#denied = denied;
    this.#empty = empty;
    this.#named = new Set(targets.filter(({ because }) => because !== 'usual').map(({ path }) => path));
    const doubles: SourceProblem[] = [];
    for (const target of targets) if (!this.#follows.has(target.path)) await this.#add(target, doubles);
    for (const follow of this.#follows.values()) {
      const wanted = targets.some(({ path }) => path === follow.path);
      if (wanted || follow.live) continue;
      follow.close();
      this.#follows.delete(follow.path);
    }
    this.#doubles = doubles;
    this.#order = [...this.#follows.values()];
    this.#folders = Map.groupBy(this.#order, ({ path }) => folderOf(path));
    this.#watch?.add([...this.#folders.keys()]);
    this.#scannedAt = began;
    this.#options.onWake();
  }

  poll(): void {
    const now = this.#clock.monotonic();
    if (now - this.#polledAt >= POLL_MS) {
      this.#polledAt = now;
      this.#poked.clear();
      for (const follow of this.#order) this.#guard(follow, () => follow.poll());
      return;
    }
    if (this.#poked.size === 0) return;
    const poked = this.#poked;
    this.#poked = new Set();
    for (const folder of poked) for (const follow of this.#folders.get(folder) ?? []) this.#guard(follow, () => follow.poll());
  }

  next(): Batch | undefined {
    this.#given = undefined;
    const [order, buffer] = [this.#order, this.#buffer()];
    for (let i = 0; i < order.length; i++) {
      const follow = order[(this.#turn + i) % order.length]!;
      const batch = this.#guard(follow, () => follow.next(buffer));
      if (!batch) continue;
      this.#turn = (this.#turn + i + 1) % order.length;
      this.#given = follow;
      return batch;
    }
    return undefined;
  }

  commit(): void {
    this.#given?.commit();
    this.#given = undefined;
  }
  /** Files are their own baseline. */
  sealed(): void {}

  progress(): readonly StreamProgress[] {
    return this.#order
      .filter((follow) => follow.live)
      .map(({ stream, dataset, readUpTo, behindBytes, counts }) => ({ stream, dataset, readUpTo, behindBytes, counts: { ...counts } }));
  }

  problems(): readonly SourceProblem[] {
    const closed = this.#denied.map((folder) => ({
      code: 'FOLDER_DENIED',
      about: folder,
      reason: 'this user may not list it',
      hint: allowCommand(folder),
    }));
    const own = this.#order.flatMap(({ problem }) => (problem ? [problem] : []));
    const absent = this.#order
      .filter(({ live, problem, path }) => !live && !problem && this.#named.has(path))
      .map(({ path }) => describeProblem(path, 'missing', 'it is not there'));
    return [
      ...closed,
      ...own,
      ...absent,
      ...this.#empty.map(nothingMatches),
      ...this.#failed.values(),
      ...this.#doubles,
      ...(this.#watchProblem ? [this.#watchProblem] : []),
    ];
  }

  /** The file behind a path, for `explain`. */
  follow(path: string): Follow | undefined {
    return this.#follows.get(path);
  }

  matches(stream: string, end: StreamEnd): HeldFile | undefined {
    return this.#byStream(stream)?.matches(end);
  }

  async restart(stream: string): Promise<void> {
    await this.#byStream(stream)?.restart();
  }

  files(stream: string): readonly HeldFile[] {
    return this.#byStream(stream)?.fileIds ?? [];
  }

  moveTo(stream: string, ends: readonly StreamEnd[]): string | undefined {
    return this.#byStream(stream)?.moveTo(ends);
  }

  async close(): Promise<void> {
    await this.#watch?.close();
    for (const follow of this.#order) follow.close();
    this.#order = [];
    this.#follows.clear();
  }

  /** A file that fails (a bad disk, a share that went away) is let go, and begun again where it was at the next scan. */
  #guard<T>(follow: Follow, work: () => T): T | undefined {
    try {
      return work();
    } catch (error) {
      this.#fail(follow, error);
      return undefined;
    }
  }

  #fail(follow: Follow, error: unknown): void {
    this.#failed.set(follow.path, describeProblem(follow.path, 'failed', systemCode(error) ?? toError(error).message));
    this.#follows.delete(follow.path);
    this.#order = this.#order.filter((other) => other !== follow);
    try {
      follow.close();
    } catch {
      // What cannot even be closed is gone already.
    }
  }

  #byStream(stream: string): Follow | undefined {
    return this.#order.find((follow) => follow.stream === stream);
  }

  async #add(target: Target, doubles: SourceProblem[]): Promise<void> {
    const follow = new Follow({
      ...target,
      clock: this.#clock,
      rule: this.#options.rules.find((rule) => rule.paths.test(target.path)),
      refused: (real) => isRefused(real, this.#options.refuse),
      onReady: this.#options.onWake,
    });
    // What appears while the agent runs is news; what was there at the first start is backlog (A2).
    try {
      await follow.start(this.#resumeOf(follow.stream), this.#scannedAt === undefined ? undefined : unixMs(this.#scannedAt - POLL_MS));
      this.#failed.delete(target.path);
    } catch (error) {
      this.#fail(follow, error);
      return;
    }
    const other = follow.id && this.#openElsewhere(follow.id);
    if (other) {
      follow.close();
      doubles.push({
        code: 'FILE_TWICE',
        about: target.path,
        reason: `it is the same file as ${other.path}, which is read already`,
        hint: 'Nothing: its lines arrive once, under the other name.',
      });
      return;
    }
    this.#follows.set(target.path, follow);
  }

  #openElsewhere(id: FileId): Follow | undefined {
    for (const follow of this.#follows.values()) if (follow.id && sameId(follow.id, id)) return follow;
    return undefined;
  }

  #watchFailed(error: unknown): void {
    this.#watchProblem = {
      code: 'WATCH_FAILED',
      about: 'the folder watch',
      reason: error instanceof Error ? error.message : String(error),
      hint: 'Nothing is lost: files are looked at each second. Raise fs.inotify.max_user_watches to be told sooner.',
    };
  }
}

const folderOf = (path: string): string => {
  const where = resolveFile(path);
  return dirname('real' in where ? where.real : path);
};
