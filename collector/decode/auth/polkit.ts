// SPDX-License-Identifier: Apache-2.0
/**
 * polkitd: who was asked to prove who they are before a privileged action, and whether they did.
 * Input: the message of a syslog line. Output: an auth event; `user.name` is who owns the process, `user.target.name` as whom they authenticated.
 */
import type { EventDraft } from '../../model/event.ts';
import { addUser, setUser } from '../address.ts';
import { setExtra } from '../build.ts';
import { type Decoder, type Frame, GRAMMAR_LIMIT } from '../decoder.ts';
import { authEvent } from '../shape.ts';

const LOGIN: readonly string[] = ['authentication'];
const SESSION: readonly string[] = ['session'];
const HOST: readonly string[] = ['host'];
const START: readonly string[] = ['start'];
const END: readonly string[] = ['end'];
const INFO: readonly string[] = ['info'];

// The command line of the asking process stands in the middle and is the user's own: owner and end are read from the end.
const OWNER = / \(owned by unix-user:([^\s()]{1,256})\)$/;
const ASKED =
  /^Operator of (\S{1,128}) (successfully authenticated as unix-user:(\S{1,256})|FAILED to authenticate) to gain (?:(ONE-SHOT|TEMPORARY) )?authorization for action (\S{1,256}) for (?:unix-process:(\d{1,10}):\d{1,20}|\S{1,128})/;
const AGENT = /^(Registered|Unregistered) Authentication Agent for (\S{1,128})/;

const decodePolkit = (frame: Frame): EventDraft | null => {
  const text = frame.text;
  if (text.length > GRAMMAR_LIMIT) return null;
  const event = authEvent(frame);
  event['message'] = text;
  const asked = ASKED.exec(text);
  if (asked !== null) {
    event['event.action'] = 'polkit-authorization';
    event['event.category'] = LOGIN;
    event['event.type'] = START;
    event['event.outcome'] = asked[3] === undefined ? 'failure' : 'success';
    setExtra(event, 'polkit.action', asked[5] ?? '');
    if (asked[4] !== undefined) setExtra(event, 'polkit.kind', asked[4].toLowerCase());
    if (asked[6] !== undefined) setExtra(event, 'polkit.process', asked[6]);
    if (asked[3] !== undefined) {
      event['user.target.name'] = asked[3];
      addUser(event, asked[3]);
    }
    setUser(event, OWNER.exec(text)?.[1] ?? '');
    return event;
  }
  const agent = AGENT.exec(text);
  event['event.category'] = agent === null ? HOST : SESSION;
  event['event.type'] = agent === null ? INFO : agent[1] === 'Registered' ? START : END;
  event['event.action'] = agent === null ? 'polkit-message' : agent[1] === 'Registered' ? 'polkit-agent-start' : 'polkit-agent-end';
  if (
    agent === null &&
    !/^(?:Acquired the name |Lost the name |Loading rules |Finished loading|Reloading rules|Collecting garbage|Started polkitd|Error )/.test(
      text,
    )
  )
    frame.outcome = 'partial';
  return event;
};

export const polkit: Decoder = {
  dataset: 'polkit',
  title: 'polkitd: authorizations asked for, given and refused',
  logsource: [{ product: 'linux', service: 'auth' }],
  emits: ['message', 'event.outcome', 'user.name', 'user.target.name', 'related.user', 'vigil.extra'],
  programs: ['polkitd', 'polkit-agent-helper-1'],
  form: 'message',
  decode: decodePolkit,
};
