// SPDX-License-Identifier: Apache-2.0
/**
 * The syslog message of a program without a decoder: the envelope is understood, the message kept.
 * Input: the frame behind its header. Output: an event with an envelope only.
 */
import type { EventDraft } from '../model/event.ts';
import type { Decoder, Frame } from './decoder.ts';
import { plainEvent } from './shape.ts';

const decodeSyslogMessage = (frame: Frame): EventDraft => {
  const event = plainEvent(frame);
  event['message'] = frame.text;
  frame.outcome = 'partial';
  return event;
};

export const syslogMessage: Decoder = {
  dataset: 'syslog',
  title: 'Any syslog line, RFC 3164 or 5424; the program inside picks the decoder',
  logsource: [{ product: 'linux', service: 'syslog' }],
  emits: ['message', 'log.syslog.msgid', 'log.syslog.structured_data'],
  form: 'message',
  decode: decodeSyslogMessage,
};
