// SPDX-License-Identifier: Apache-2.0
/**
 * What every run must hold, judged from outside: it knows each line that was written, what was sent of it, acknowledged and stored.
 * Input: requests and replies as they pass, the store at the end. Output: what is broken, in words.
 */
import { readAnswer } from '../../agent/transport/answer.ts';
import type { Reply } from '../../agent/transport/client.ts';
import type { BlockHeader } from '../../core/protocol.ts';
import { decodeRequest, readJsonBody, readRecords } from '../../core/wire.ts';
import type { ModelCollector, Row } from './collector.ts';
import { type Log, STREAM } from './source.ts';

interface SentBlock {
  readonly epoch: string;
  readonly first: number;
  readonly texts: readonly string[];
  /** What a gap declares. */
  readonly gap?: { readonly epoch: string; readonly from: number; readonly to: number };
}

const EMPTY: readonly string[] = [];
/** A hash is of the body alone: the same lines may be sealed again under other numbers. */
const nameOf = ({ epoch, first, hash }: Pick<BlockHeader, 'epoch' | 'first' | 'hash'>): string => `${epoch}/${first}/${hash}`;

export class Oracle {
  /** Lines that an agent was told are safe. */
  readonly acked = new Set<string>();
  /** Records stand twice, and an agent said that it reads again what nothing there was recognised of (W11). */
  said = false;
  readonly #blocks = new Map<string, SentBlock | null>();
  /** Lines by epoch and sequence, as they were sent. */
  readonly #byId = new Map<string, Set<string>>();
  readonly #declared: NonNullable<SentBlock['gap']>[] = [];

  /** A request leaves an agent. */
  sent(body: Uint8Array): void {
    const request = decodeRequest(body);
    if (request.kind === 'bad') return;
    for (const one of request.blocks) {
      if (one.kind !== 'ok' || this.#blocks.has(nameOf(one.block.header))) continue;
      const { header } = one.block;
      const name = nameOf(header);
      if (header.kind === 'gap') {
        const json = readJsonBody(one.block);
        const body = json.kind === 'gap' ? json.body : null;
        this.#blocks.set(
          name,
          body && {
            epoch: header.epoch,
            first: header.first,
            texts: EMPTY,
            gap: { epoch: body.epoch ?? header.epoch, from: body.from, to: body.to },
          },
        );
        continue;
      }
      if (header.stream !== STREAM) {
        this.#blocks.set(name, null);
        continue;
      }
      const texts = readRecords(one.block).map(({ bytes }) => Buffer.from(bytes).toString('latin1', 0, 7));
      this.#blocks.set(name, { epoch: header.epoch, first: header.first, texts });
    }
  }

  /** A reply leaves the collector: what it accepted is durable there. */
  accepted(body: Uint8Array, reply: Reply): void {
    for (const { epoch, first, texts, gap } of this.#taken(body, reply)) {
      if (gap) this.#declared.push(gap);
      for (const [i, text] of texts.entries()) {
        const id = `${epoch}/${first + i}`;
        const set = this.#byId.get(id);
        if (set) set.add(text);
        else this.#byId.set(id, new Set([text]));
      }
    }
  }

  /** A reply to a request reaches the agent that waits for it. */
  answered(body: Uint8Array, reply: Reply): void {
    for (const { texts } of this.#taken(body, reply)) for (const text of texts) this.acked.add(text);
  }

  *#taken(body: Uint8Array, reply: Reply): Generator<SentBlock> {
    const request = decodeRequest(body);
    const answer = reply.kind === 'reply' && reply.status === 200 ? readAnswer(reply.body) : null;
    if (request.kind === 'bad' || answer?.kind !== 'answers') return;
    for (const [i, { result }] of answer.answers.entries()) {
      const one = request.blocks[i];
      if ((result !== 'accepted' && result !== 'have') || one?.kind !== 'ok') continue;
      const block = this.#blocks.get(nameOf(one.block.header));
      if (block) yield block;
    }
  }

  /**
   * What is broken at the end. `exempt`: agent and collector were both put back, so nobody may remember a line but its file. `reborn`: the collector
   * was put back and an agent's state is in two places: both may give the same number, one before and one after.
   */
  judge(
    collector: ModelCollector,
    logs: readonly Log[],
    held: ReadonlySet<string>,
    { exempt, reborn, said }: { readonly exempt: boolean; readonly reborn: boolean; readonly said: boolean },
  ): readonly string[] {
    const { rows } = collector.store;
    const broken: string[] = [];
    const byId = new Map<string, Row>();
    const stored = new Map<string, number>();
    let twiceUnderOneId = false;
    for (const row of rows) {
      const id = `${row.stream}/${row.epoch}/${row.seq}`;
      twiceUnderOneId ||= byId.has(id);
      byId.set(id, row);
      if (row.stream === STREAM) stored.set(row.text, (stored.get(row.text) ?? 0) + 1);
    }
    if (twiceUnderOneId) broken.push('two rows under one id');
    const doubled = [...stored].filter(([, times]) => times > 1).map(([text]) => text);
    if (doubled.length > 0 && said) this.said = true;
    else if (doubled.length > 0) broken.push('record doubled');
    if (!exempt && !reborn && [...this.#byId.values()].some((texts) => texts.size > 1)) broken.push('two records under one id');
    const declared = new Set<string>();
    const declare = (epoch: string, from: number, to: number): void => {
      for (let seq = from; seq <= to; seq++) for (const text of this.#byId.get(`${epoch}/${seq}`) ?? []) declared.add(text);
    };
    for (const { epoch, from, to } of this.#declared) declare(epoch, from, to);
    for (const { epoch, from, to, stream } of collector.missing()) if (stream === STREAM) declare(epoch, from, to);
    const inFiles = new Set(logs.flatMap(({ rotated, current }) => [...rotated, current].flatMap(({ lines }) => lines.map(textOf))));
    const gone = (text: string): boolean => !stored.has(text) && !declared.has(text) && !held.has(text);
    if ([...this.acked].some((text) => gone(text) && (!exempt || inFiles.has(text)))) broken.push('acked record lost, not declared');
    if ([...inFiles].some((text) => !this.acked.has(text) && gone(text))) broken.push('record in a file was passed over');
    if (collector.holes.length > 0) broken.push('hole in the journal');
    return broken;
  }
}

export const textOf = (line: number): string => `L${String(line).padStart(6, '0')}`;
