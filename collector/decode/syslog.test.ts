// SPDX-License-Identifier: Apache-2.0
/**
 * The syslog envelope in its many spellings.
 * Input: lines. Output: host, program, process id, priority and message of each.
 */
import { describe, expect, it } from 'vitest';
import { hashId } from '../../core/ids.ts';
import { unixMs } from '../../core/units.ts';
import { decode } from './decode.ts';

const AT = unixMs(Date.UTC(2026, 10, 24, 12));
const FROM = {
  collector: 'c',
  incarnation: 'i',
  offset: 0,
  generation: 1,
  agent: hashId('agt', 'a'),
  host: { id: hashId('ast', 'h'), name: 'h' },
  stream: 's',
  epoch: 'e',
  ingested: AT,
  replay: false,
};
const read = (line: string) => {
  const { event } = decode({ bytes: Buffer.from(line), seq: 1, flags: 0, readAt: AT, dataset: 'syslog', zone: 'UTC', from: FROM });
  return [event['log.syslog.hostname'], event['process.name'], event['process.pid'], event['log.syslog.priority'], event.message];
};

describe('the syslog envelope', () => {
  it.each([
    ['Nov 24 09:14:02 web1 app[77]: hello', ['web1', 'app', 77, undefined, 'hello']],
    ['<13>Nov 24 09:14:02 web1 app[77]: hello', ['web1', 'app', 77, 13, 'hello']],
    ['Nov 24 09:14:02 web1 app: hello', ['web1', 'app', undefined, undefined, 'hello']],
    ['Nov 24 09:14:02 app[77]: hello', [undefined, 'app', 77, undefined, 'hello']],
    ['Nov 24 09:14:02 app: hello', [undefined, 'app', undefined, undefined, 'hello']],
    ['Nov 24 09:14:02 [app] hello', [undefined, 'app', undefined, undefined, 'hello']],
    ['Nov 24 09:14:02 web1 /usr/local/bin/app[77]: hello', ['web1', 'app', 77, undefined, 'hello']],
    ['Nov 24 09:14:02 2001:db8::1 app[77]: hello', ['2001:db8::1', 'app', 77, undefined, 'hello']],
    ['Nov 24 09:14:02 web1 just words here', ['web1', undefined, undefined, undefined, 'just words here']],
    ['2026-11-24T09:14:02.1+01:00 web1 app[77]: hello', ['web1', 'app', 77, undefined, 'hello']],
    ['<165>1 2026-11-24T09:14:02Z web1 app 77 ID1 - hello', ['web1', 'app', 77, 165, 'hello']],
    ['<165>1 - - - - - -', [undefined, undefined, undefined, 165, undefined]],
    ['<165>1 2026-11-24T09:14:02Z web1 app - - [a@1 k="v"] \ufeffhello', ['web1', 'app', undefined, 165, 'hello']],
    ['<165>1 2026-11-24T09:14:02Z web1 app - - [broken hello', ['web1', 'app', undefined, 165, '[broken hello']],
    ['57 <165>1 2026-11-24T09:14:02Z web1 app 77 - - hello', ['web1', 'app', 77, 165, 'hello']],
    ['<13>app[77]: hello', [undefined, 'app', 77, 13, 'hello']],
    ['web1 app[77]: hello', ['web1', 'app', 77, undefined, 'hello']],
    ['<999>Nov 24 09:14:02 web1 app: hello', [undefined, undefined, undefined, undefined, '<999>Nov 24 09:14:02 web1 app: hello']],
    ['Nov 24 09:14:02 web1 app[77]: message repeated 2 times: [ hello]', ['web1', 'app', 77, undefined, 'hello']],
  ])('%s', (line, expected) => {
    expect(read(line)).toEqual(expected);
  });

  it('never believes a priority above 191 or a process id that is no number', () => {
    expect(read('Nov 24 09:14:02 web1 app[x]: hello')[2]).toBeUndefined();
    expect(read('<192>1 2026-11-24T09:14:02Z h a 1 - - x')[3]).toBeUndefined();
  });
});
