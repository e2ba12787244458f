// SPDX-License-Identifier: Apache-2.0
/**
 * Every probe by its name; a test of a policy answered on a tree.
 * Input: a test, a tree. Output: one answer. A fault in reading is an answer too: `unknown` where this user may not look, else `error`.
 */
import { isCoded } from '../../../core/errors.ts';
import type { Test } from '../../../core/policy.ts';
import type { ProbeCall, ProbeName } from '../../../core/probe.ts';
import { type Answer, all, any, none, type Probe } from './answer.ts';
import { account } from './probe/account.ts';
import { audit } from './probe/audit.ts';
import { crypto } from './probe/crypto.ts';
import { file } from './probe/file.ts';
import { key } from './probe/key.ts';
import { line } from './probe/line.ts';
import { moduleProbe } from './probe/module.ts';
import { mount } from './probe/mount.ts';
import { os } from './probe/os.ts';
import { packageProbe } from './probe/package.ts';
import { pam } from './probe/pam.ts';
import { service } from './probe/service.ts';
import { path, shell } from './probe/shell.ts';
import { socket } from './probe/socket.ts';
import { ssh, sshd } from './probe/sshd.ts';
import { sudo } from './probe/sudo.ts';
import { sysctl } from './probe/sysctl.ts';
import type { Tree } from './tree.ts';

const TABLE: { readonly [N in ProbeName]: Probe<N> } = {
  account,
  audit,
  crypto,
  file,
  key,
  line,
  module: moduleProbe,
  mount,
  os,
  package: packageProbe,
  pam,
  path,
  service,
  shell,
  socket,
  ssh,
  sshd,
  sudo,
  sysctl,
};

/** Answers a test; never throws for what it meets on the host. */
export const answerTest = (test: Test, tree: Tree): Answer => {
  switch (test.kind) {
    case 'all':
      return all(test.of.map((one) => answerTest(one, tree)));
    case 'any':
      return any(test.of.map((one) => answerTest(one, tree)));
    case 'none':
      return none(test.of.map((one) => answerTest(one, tree)));
    case 'probe':
      return answerProbe(test, tree);
  }
};

const answerProbe = <N extends ProbeName>({ probe, params }: Extract<ProbeCall, { readonly probe: N }>, tree: Tree): Answer => {
  try {
    return (TABLE[probe] as Probe<ProbeName>)(params, tree);
  } catch (error) {
    if (!isCoded(error, 'POSTURE_UNREADABLE')) throw error;
    const denied = error.details['reason'] === 'this user may not read it';
    return { result: denied ? 'unknown' : 'error', actual: error.message, items: [] };
  }
};
