// SPDX-License-Identifier: Apache-2.0
/**
 * The buttons of an alert, or of many: only what can be done with them as they stand, and by this person.
 * Input: alerts, the acts. Output: buttons, each with its key.
 */
import type { ReactNode } from 'react';
import type { AlertItem } from '../api/calls.ts';
import type { AlertActs } from './alert-acts.tsx';

export const AlertButtons = ({ list, acts }: { readonly list: readonly AlertItem[]; readonly acts: AlertActs }): ReactNode => {
  if (!acts.mayWrite) return null;
  const fresh = list.some(({ state }) => state === 'new');
  const open = list.some(({ state }) => state !== 'closed');
  const loose = list.every(({ incident }) => incident === undefined);
  return (
    <p className="buttons">
      {fresh ? (
        <button type="button" className="ctl" onClick={() => acts.acknowledge(list)}>
          Take note
        </button>
      ) : null}
      <button type="button" className="ctl" onClick={() => acts.assignToMe(list)}>
        Assign to me <kbd>a</kbd>
      </button>
      <button type="button" className="ctl" onClick={() => acts.ask('assign', list)}>
        Assign…
      </button>
      {open ? (
        <button
          type="button"
          className="ctl"
          onClick={() =>
            acts.ask(
              'close',
              list.filter(({ state }) => state !== 'closed'),
            )
          }
        >
          Close… <kbd>e</kbd>
        </button>
      ) : (
        <button type="button" className="ctl" onClick={() => acts.ask('reopen', list)}>
          Open again…
        </button>
      )}
      <button type="button" className="ctl" onClick={() => acts.ask('comment', list)}>
        Note… <kbd>n</kbd>
      </button>
      {acts.mayDeclare ? (
        <>
          <button type="button" className="ctl" onClick={() => acts.ask('join', list)}>
            To incident… <kbd>i</kbd>
          </button>
          {loose ? (
            <button type="button" className="ctl" onClick={() => acts.ask('declare', list)}>
              Declare incident…
            </button>
          ) : null}
        </>
      ) : null}
    </p>
  );
};
