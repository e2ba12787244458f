// SPDX-License-Identifier: Apache-2.0
/**
 * The last resort for every line: it is kept as it is, with the time that stands at its beginning where one does.
 * Input: one line. Output: an event with an envelope only.
 */
import type { EventDraft } from '../model/event.ts';
import type { Decoder, Frame } from './decoder.ts';
import { plainEvent } from './shape.ts';
import { readAny, stamp } from './time.ts';

const decodeText = (frame: Frame): EventDraft => {
  const text = frame.text;
  const at = text.charCodeAt(0) === 91 || text.charCodeAt(0) === 40 ? 1 : 0;
  if (Number.isNaN(frame.time) && readAny(text, at, frame)) {
    frame.time = stamp.ms;
    frame.quality = stamp.quality;
  }
  const event = plainEvent(frame);
  event['message'] = text;
  return event;
};

export const text: Decoder = {
  dataset: 'text',
  title: 'Any text, with the time at its beginning',
  logsource: [],
  emits: ['message'],
  form: 'line',
  decode: decodeText,
};
