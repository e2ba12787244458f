// SPDX-License-Identifier: Apache-2.0
/**
 * xferlog of wu-ftpd, which vsftpd, ProFTPD and Pure-FTPd write too: one transfer a line.
 * Input: `STAMP SECONDS HOST BYTES FILE TYPE FLAG DIRECTION MODE USER SERVICE AUTH ID STATUS`. Output: a file event.
 * A file's name may hold blanks: what stands behind it is read from the end, where the server writes alone.
 */
import type { EventDraft } from '../../model/event.ts';
import { setSource, setUser } from '../address.ts';
import { setExtra } from '../build.ts';
import { type Decoder, type Frame, GRAMMAR_LIMIT } from '../decoder.ts';
import { fileTransferEvent } from '../shape.ts';
import { readCtime, stamp } from '../time.ts';

const FILE: readonly string[] = ['file'];
const ACCESS: readonly string[] = ['access'];
const CREATION: readonly string[] = ['creation'];
const DELETION: readonly string[] = ['deletion'];

const HEAD = /^ (\d{1,9}) (\S{2,255}) (\d{1,18}) /;
const TAIL = / ([ab]) ([CUT_]) ([oid]) ([agr]) (\S{1,256}) (\S{1,16}) ([01]) (\S{1,256}) ([ci])$/;

const decodeXferlog = (frame: Frame): EventDraft | null => {
  const text = frame.text;
  if (text.length > GRAMMAR_LIMIT || !readCtime(text, 0, frame)) return null;
  const { ms, end, quality } = stamp;
  const head = HEAD.exec(text.slice(end, end + 320));
  const tail = TAIL.exec(text.slice(-640));
  if (head === null || tail === null) return null;
  const from = end + head[0].length;
  const to = text.length - tail[0].length;
  if (to < from) return null;
  frame.time = ms;
  frame.quality = quality;
  const event = fileTransferEvent(frame);
  event['message'] = text;
  event['network.protocol'] = 'ftp';
  setSource(event, head[2] ?? '');
  event['file.path'] = text.slice(from, to);
  event['file.size'] = Number(head[3]);
  setUser(event, tail[5] ?? '');
  const direction = tail[3];
  event['event.category'] = FILE;
  event['event.type'] = direction === 'i' ? CREATION : direction === 'd' ? DELETION : ACCESS;
  event['event.action'] = direction === 'i' ? 'ftp-upload' : direction === 'd' ? 'ftp-delete' : 'ftp-download';
  event['event.outcome'] = tail[9] === 'c' ? 'success' : 'failure';
  setExtra(event, 'ftp.access', tail[4] === 'a' ? 'anonymous' : tail[4] === 'g' ? 'guest' : 'real');
  return event;
};

export const xferlog: Decoder = {
  dataset: 'xferlog',
  title: 'xferlog of FTP servers: transfers',
  logsource: [{ product: 'linux', service: 'ftp' }],
  emits: [
    'message',
    'network.protocol',
    'event.outcome',
    'source.ip',
    'source.address',
    'source.domain',
    'related.ip',
    'user.name',
    'related.user',
    'file.path',
    'file.size',
    'vigil.extra',
  ],
  form: 'line',
  knows: (text) =>
    /^\w{3} \w{3} [ \d]\d \d\d:\d\d:\d\d \d{4} \d{1,9} \S{2,255} \d{1,18} /.test(text.slice(0, 320)) && TAIL.test(text.slice(-640)),
  decode: decodeXferlog,
};
