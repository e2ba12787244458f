// SPDX-License-Identifier: Apache-2.0
/**
 * A host's log as the model has it, and a source that follows it as `agent/source/tail` does: by file, place and the bytes before it.
 * Input: lines appended, rotated, truncated, put back. Output: batches; which places of a collector it recognises (W11).
 *
 * Every line has a number of its own and the same length, so an offset is a count of lines. They are long enough to be known again by their bytes.
 */
import type { Batch, Source } from '../../agent/source/source.ts';
import type { Clock } from '../../core/clock.ts';
import type { StreamEnd } from '../../core/protocol.ts';

export const LINE_BYTES = 300;
export const DEVICE = '1';
export const STREAM = 'file:/log';

export interface LogFile {
  readonly inode: string;
  /** Numbers of the lines. */
  lines: number[];
}

/** What stands at the path, and what was rotated away from it, oldest first. */
export interface Log {
  rotated: LogFile[];
  current: LogFile;
}

/** A print of the bytes before a place: equal prints are equal bytes, as with a hash. */
const printOf = (lines: readonly number[], count: number): string => {
  let hash = 2_166_136_261;
  for (let i = 0; i < count; i++) hash = Math.imul(hash ^ ((lines[i] as number) + 1), 16_777_619) >>> 0;
  return `${count}.${hash.toString(16)}`;
};

interface Mark {
  readonly inode: string;
  readonly offset: number;
  readonly print: string;
}

interface Open {
  readonly file: LogFile;
  mark: Mark;
  rotated: boolean;
}

const begin = (file: LogFile): Mark => ({ inode: file.inode, offset: 0, print: printOf([], 0) });
const markAt = (file: LogFile, count: number): Mark => ({
  inode: file.inode,
  offset: count * LINE_BYTES,
  print: printOf(file.lines, count),
});
const holds = (file: LogFile, { offset, print }: Mark): boolean =>
  offset <= file.lines.length * LINE_BYTES && printOf(file.lines, offset / LINE_BYTES) === print;

export interface LogSource extends Source {
  /** Lines of a batch. */
  batchLines: number;
}

/** Opens a source on a log. Nothing is kept but what its `resume` texts say. */
export const openLogSource = (log: Log, clock: Clock): LogSource => {
  let files: Open[] = [];
  let done: string[] = [];
  let given: { readonly open: Open; readonly mark: Mark } | undefined;
  const known = (inode: string): boolean => files.some(({ mark }) => mark.inode === inode) || done.includes(inode);
  const resumeText = (open?: Open, mark?: Mark): string =>
    JSON.stringify({ v: 1, files: files.map((one) => (one === open ? mark : one.mark)), done });

  const openAll = (resume: string | undefined): void => {
    const marks = resume === undefined ? [] : ((JSON.parse(resume) as { files: Mark[]; done: string[] }).files ?? []);
    done = resume === undefined ? [] : (JSON.parse(resume) as { done: string[] }).done;
    files = [];
    let newest = -1;
    for (const mark of marks) {
      if (log.current.inode === mark.inode && holds(log.current, mark)) continue;
      // By inode, then by content: a copy that was made before the file was cut.
      const at = log.rotated.findIndex((file) => file.inode === mark.inode && holds(file, mark));
      const place = at >= 0 || mark.offset === 0 ? at : log.rotated.findLastIndex((file) => !known(file.inode) && holds(file, mark));
      const file = log.rotated[place];
      if (!file || known(file.inode)) continue;
      // Of an empty file nothing is known, not even what came before it.
      if (mark.offset > 0) newest = Math.max(newest, place);
      files.push({ file, mark: { ...mark, inode: file.inode }, rotated: true });
    }
    const atCurrent = marks.find((mark) => mark.inode === log.current.inode && holds(log.current, mark));
    if (!atCurrent) {
      // What was rotated since: everything behind the newest file that is known, or all of it where none is.
      for (const [place, file] of log.rotated.entries())
        if (place > newest && !known(file.inode)) files.push({ file, mark: begin(file), rotated: true });
    }
    files.push({ file: log.current, mark: atCurrent ?? begin(log.current), rotated: false });
  };

  const poll = (): void => {
    const last = files.at(-1);
    // Of an empty file nothing can be known again: what was written to it may have been copied away meanwhile.
    if (last?.mark.offset === 0) {
      const newest = log.rotated.findLastIndex((file) => file !== last.file && known(file.inode));
      const own = last.file === log.current ? log.rotated.length : log.rotated.indexOf(last.file);
      for (const [at, file] of log.rotated.entries())
        if (at > newest && at < own && !known(file.inode)) files.splice(-1, 0, { file, mark: begin(file), rotated: true });
    }
    if (!last || last.file === log.current) return;
    last.rotated = true;
    const place = log.rotated.indexOf(last.file);
    for (const [at, file] of log.rotated.entries())
      if (at > place && !known(file.inode)) files.push({ file, mark: begin(file), rotated: true });
    files.push({ file: log.current, mark: begin(log.current), rotated: false });
  };

  /** Cut and perhaps written anew: the rest may live on in a copy. */
  const truncated = (open: Open): void => {
    const at = log.rotated.findLastIndex((file) => !known(file.inode) && open.mark.offset > 0 && holds(file, open.mark));
    const before = open.mark;
    open.mark = begin(open.file);
    // The rest of the copy, then what was copied away after it.
    const found = at < 0 ? [] : log.rotated.slice(at).filter((file) => file !== open.file && !known(file.inode));
    const opened = found.map((file, i) => ({ file, mark: i === 0 ? { ...before, inode: file.inode } : begin(file), rotated: true }));
    files.splice(files.indexOf(open), 0, ...opened);
  };

  const source: LogSource = {
    name: 'log',
    batchLines: 4,
    open: async (resumeOf) => openAll(resumeOf(STREAM)),
    poll,
    rescan: async () => undefined,
    next: (): Batch | undefined => {
      given = undefined;
      for (let i = 0; i < files.length; i++) {
        const open = files[i] as Open;
        if (!holds(open.file, open.mark)) {
          truncated(open);
          i = -1;
          continue;
        }
        const from = open.mark.offset / LINE_BYTES;
        const lines = open.file.lines.slice(from, from + source.batchLines);
        if (lines.length === 0) continue;
        const at = clock.now();
        const mark = markAt(open.file, from + lines.length);
        given = { open, mark };
        return {
          stream: STREAM,
          kind: 'lines',
          dataset: 'syslog',
          records: lines.map((line, n) => ({
            bytes: Buffer.from(`L${String(line).padStart(6, '0')}`.padEnd(LINE_BYTES - 1, '.')),
            readAt: at,
            end: (from + n + 1) * LINE_BYTES,
            flags: 0,
          })),
          at,
          from: open.mark.offset,
          file: { device: DEVICE, inode: mark.inode, fingerprint: mark.print },
          resume: resumeText(open, mark),
        };
      }
      return undefined;
    },
    sealed: () => {},
    commit: () => {
      if (given) given.open.mark = given.mark;
      given = undefined;
    },
    progress: () => [],
    problems: () => [],
    matches: (_stream, end) => {
      const inode = placeOf(end)?.mark.inode;
      return inode === undefined ? undefined : { device: DEVICE, inode };
    },
    restart: async (stream) => {
      if (stream === STREAM) openAll(undefined);
    },
    files: () => files.map(({ mark }) => ({ device: DEVICE, inode: mark.inode })),
    moveTo: (stream, ends) => {
      const reached = new Map<Open, number>();
      for (const end of stream === STREAM ? ends : []) {
        const open = placeOf(end);
        if (open) reached.set(open, Math.max(end.end, reached.get(open) ?? 0));
      }
      if (reached.size === 0) return undefined;
      const newest = files.findLastIndex((open) => reached.has(open));
      for (const open of files.slice(0, newest)) if (!reached.has(open)) done.push(open.mark.inode);
      files = files.filter((open, i) => i >= newest || reached.has(open));
      for (const [open, end] of reached) if (end > open.mark.offset) open.mark = markAt(open.file, end / LINE_BYTES);
      return resumeText();
    },
    close: async () => undefined,
  };
  // By inode, then by the bytes alone: a copy, or the file put back from one.
  const placeOf = ({ file, end }: StreamEnd): Open | undefined => {
    const held = file ? files.filter((open) => holds(open.file, { inode: file.inode, offset: end, print: file.fingerprint })) : [];
    return held.find((open) => open.mark.inode === file?.inode) ?? (end > 0 ? held[0] : undefined);
  };
  return source;
};
