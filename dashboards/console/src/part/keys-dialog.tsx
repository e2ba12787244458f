// SPDX-License-Identifier: Apache-2.0
/**
 * The keys there are, and the switch for people whose voice or hand would press them by chance.
 * Input: opened by `?` or the person's menu. Output: a dialog of the browser's own.
 */
import { type ReactNode, type Ref, useState } from 'react';
import type { Me } from '../api/calls.ts';
import { pagesOf } from '../pages.tsx';
import { KEYS, keysAreOn, switchKeys } from './keys.ts';

export const KeysDialog = ({ who, ref }: { readonly who: Me; readonly ref: Ref<HTMLDialogElement> }): ReactNode => {
  const [on, setOn] = useState(keysAreOn);
  const going = pagesOf(who).flatMap(({ key, name }) => (key === undefined ? [] : [[`g  ${key}`, `Go to ${name}`] as const]));
  return (
    <dialog ref={ref} className="dialog" aria-labelledby="keys-title">
      <h2 id="keys-title">Keys</h2>
      <dl className="keys">
        {[...KEYS, ...going].map(([keys, what]) => (
          <div key={keys}>
            <dt>
              {keys.split('  ').map((key) => (
                <kbd key={key}>{key}</kbd>
              ))}
            </dt>
            <dd>{what}</dd>
          </div>
        ))}
      </dl>
      <form method="dialog">
        <label className="check">
          <input
            type="checkbox"
            checked={on}
            onChange={({ currentTarget: { checked } }) => {
              switchKeys(checked);
              setOn(checked);
            }}
          />
          Single keys are on
        </label>
        <button type="submit" className="ctl">
          Close
        </button>
      </form>
    </dialog>
  );
};
