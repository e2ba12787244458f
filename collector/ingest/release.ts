// SPDX-License-Identifier: Apache-2.0
/**
 * What a person decides about held blocks (river.md I5: `vigil agent held list|release|discard`).
 * Input: an agent whose blocks lie in quarantine. Output: those blocks in the journal, judged as if they came now.
 */
import { decodeBlock } from '../../core/wire.ts';
import type { Agent } from '../model/agent.ts';
import { type BlockJournal, FRAME_FLAGS } from '../model/journal.ts';
import type { Quarantine } from './quarantine.ts';
import { decideBlock } from './verdict.ts';
import { verifyBlock } from './verify.ts';

export interface Released {
  readonly released: number;
  /** Blocks that conflict with what is held, or are bad: kept as such. Their agent sends them the usual way and finds its place by the conflict (W11). */
  readonly left: number;
}

/**
 * Puts blocks of an agent that were held over connections with one key into the journal, after a person's word (I5).
 * Each is decided as if it came now; what conflicts is kept as a conflict.
 * @throws CodedError JOURNAL_*.
 */
export const releaseHeld = async (
  agent: Agent,
  heldKey: string,
  { journal, quarantine }: { readonly journal: BlockJournal; readonly quarantine: Quarantine },
): Promise<Released> => {
  const keys = new Set(agent.keys.map(({ key }) => key));
  const gone = new Set<number>();
  let released = 0;
  // As within a request (W5): what follows a conflict in its stream would stand there without its beginning.
  const stopped = new Set<string>();
  const held = quarantine.list(agent.id, 'held').filter(({ key }) => key === heldKey);
  for (const entry of held) {
    const bytes = await quarantine.read(entry);
    if (bytes === null) continue;
    const verified = await verifyBlock(decodeBlock(bytes), agent.id, keys);
    const keepAs = async (why: 'conflict' | 'bad', code: string, reason: string): Promise<void> => {
      const { agent: from, key, hash } = entry;
      const [kept] = await quarantine.put([{ entry: { agent: from, key, why, code, reason, hash }, block: bytes }]);
      if (kept !== 'full') gone.add(entry.offset);
    };
    if (verified.kind !== 'ok') {
      await keepAs('bad', verified.code, verified.reason);
      continue;
    }
    const { header } = verified.block;
    if (stopped.has(header.stream)) {
      await keepAs('conflict', 'AFTER_CONFLICT', 'a block before it conflicts');
      continue;
    }
    let verdict = decideBlock(header, journal.view(header));
    if (verdict.kind === 'look') verdict = decideBlock(header, journal.view(header), await journal.find(header));
    if (verdict.kind === 'accept') {
      const { block, encoded, endOffset, gap } = verified;
      await journal.append(block, encoded, { agent: agent.id, flags: FRAME_FLAGS.released, endOffset, ...(gap ? { gap } : {}) });
    }
    if (verdict.kind === 'conflict') {
      stopped.add(header.stream);
      await keepAs('conflict', verdict.code, verdict.reason);
    }
    if (verdict.kind !== 'accept' && verdict.kind !== 'have') continue;
    gone.add(entry.offset);
    released++;
  }
  await quarantine.discard((entry) => entry.agent === agent.id && gone.has(entry.offset));
  return { released, left: held.length - released };
};
