// SPDX-License-Identifier: Apache-2.0
/**
 * A look into what is kept aside of an agent, for the person who must decide about it (river.md I5, W5).
 * Input: the quarantine. Output: groups of blocks by why, key and stream, with their first lines.
 */

import type { AgentId } from '../../core/ids.ts';
import type { UnixMs } from '../../core/units.ts';
import { decodeBlock, readRecords } from '../../core/wire.ts';
import type { Quarantine, QuarantineWhy } from './quarantine.ts';

export interface KeptGroup {
  readonly why: QuarantineWhy;
  readonly code: string;
  readonly reason: string;
  /** Key of the connection they came over. */
  readonly key: string;
  /** Empty where the blocks cannot be read. */
  readonly stream: string;
  readonly blocks: number;
  readonly records: number;
  readonly from: UnixMs;
  readonly to: UnixMs;
  /** The first lines as they came, cut; whoever shows them must make them safe. */
  readonly lines: readonly string[];
}

const LINES = 3;
const LINE_CHARS = 240;
/** Blocks that are unpacked for their lines; the others are counted by their headers. */
const OPENED = 200;
const READ = 2_000;

/** What is kept of an agent, oldest first. Reads at most 2,000 blocks. */
export const keptGroups = async (quarantine: Quarantine, agent: AgentId): Promise<readonly KeptGroup[]> => {
  const groups = new Map<string, KeptGroup>();
  let opened = 0;
  for (const entry of quarantine.list(agent).slice(0, READ)) {
    const bytes = await quarantine.read(entry);
    const decoded = bytes === null ? null : decodeBlock(bytes);
    const block = decoded?.kind === 'ok' ? decoded.block : null;
    const stream = block?.header.stream ?? '';
    const name = JSON.stringify([entry.why, entry.code, entry.key, stream]);
    const known = groups.get(name);
    let lines = known?.lines ?? [];
    if (block?.header.kind === 'lines' && lines.length < LINES && opened++ < OPENED)
      lines = [...lines, ...firstLines(block)].slice(0, LINES);
    groups.set(name, {
      why: entry.why,
      code: entry.code,
      reason: known?.reason ?? entry.reason,
      key: entry.key,
      stream,
      blocks: (known?.blocks ?? 0) + 1,
      records: (known?.records ?? 0) + (block?.header.count ?? 0),
      from: known?.from ?? entry.at,
      to: entry.at,
      lines,
    });
  }
  return [...groups.values()];
};

const firstLines = (block: Parameters<typeof readRecords>[0]): readonly string[] => {
  try {
    return readRecords(block)
      .slice(0, LINES)
      .map(({ bytes }) =>
        Buffer.from(bytes.subarray(0, LINE_CHARS * 4))
          .toString('utf8')
          .slice(0, LINE_CHARS),
      );
  } catch {
    // A bad block's body may be anything; its reason says so.
    return [];
  }
};
