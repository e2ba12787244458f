// SPDX-License-Identifier: Apache-2.0
/**
 * What a decoder is, and the frame it reads: one line with its envelope already understood.
 * Input: declarations in the format files. Output: the registry, `rules coverage`, the router of detect.
 */
import type { EcsField } from '../../core/ecs.ts';
import type { DecodeOutcome, EventDraft, RecordIn } from '../model/event.ts';
import type { LogSource } from '../model/rule.ts';
import type { Origin } from './build.ts';
import type { TimeContext, TimeQuality } from './time.ts';

/** One line on its way through the decoders. One object for all lines: nothing of it may be kept. */
export interface Frame extends TimeContext {
  record: RecordIn;
  origin: Origin;
  /** The whole line as it goes to `event.original`. */
  original: string;
  escaped: boolean;
  /** Dataset the source was declared with. */
  source: string;
  /** The part to decode: the line, or the message behind a syslog header. Never longer than the line. */
  text: string;
  /** Event time in ms, NaN while unknown. */
  time: number;
  quality: TimeQuality;
  /** From the syslog header, `undefined` where there is none. */
  hostname: string | undefined;
  program: string | undefined;
  pid: number | undefined;
  priority: number | undefined;
  msgid: string | undefined;
  structured: Record<string, string> | undefined;
  /** How often a `message repeated N times` stands for; 1 otherwise. */
  repeated: number;
  /** Set by a decoder that understood only part of the message. */
  outcome: DecodeOutcome;
}

/** Makes an event of the frame, or null when the message is not its kind. MUST NOT throw; MUST take time linear in the text. */
export type Decode = (frame: Frame) => EventDraft | null;

export interface Decoder {
  /** Dotted, lower-case; becomes `event.dataset`. */
  readonly dataset: string;
  /** One line for people. */
  readonly title: string;
  /** Sigma log sources its events belong to. */
  readonly logsource: readonly LogSource[];
  /** Fields it may fill, beyond those every event has. */
  readonly emits: readonly EcsField[];
  /** Syslog programs whose messages it reads. */
  readonly programs?: readonly string[];
  /** Reads the message of a syslog line, or a whole line of its own form. */
  readonly form: 'message' | 'line';
  /** For `auto` and bare product names: true when the line can be no other. Cheap. */
  readonly knows?: (text: string) => boolean;
  /** Its dataset has no other form: what it does not read is not understood, whatever else it looks like. */
  readonly sole?: true;
  readonly decode: Decode;
}

/** Longest text a regular expression of a decoder is shown. Beyond it stands no field that a real program writes. */
export const GRAMMAR_LIMIT = 8_192;
