// SPDX-License-Identifier: Apache-2.0
/**
 * When this person last looked at the overview in this browser, so that the page can say what is new since then.
 * Input: the browser's own storage. Output: a time that stays the same for as long as a tab lives.
 */
import { useEffect, useState } from 'react';

const DAY = 86_400_000;

export interface LastLook {
  /** Null at the first time. */
  readonly at: number | null;
  /** Begin of what counts as new: the last look, at least the last 24 hours. */
  readonly since: number;
  readonly sinceLook: boolean;
}

const keyOf = (name: string): string => `vigil.looked.${name}`;

export const useLastLook = (name: string): LastLook => {
  const key = keyOf(name);
  const [look] = useState((): LastLook => {
    const kept = sessionStorage.getItem(key) ?? localStorage.getItem(key) ?? '';
    sessionStorage.setItem(key, kept);
    const at = Number(kept) || null;
    const dayAgo = Date.now() - DAY;
    return at !== null && at < dayAgo ? { at, since: at, sinceLook: true } : { at, since: dayAgo, sinceLook: false };
  });
  useEffect(() => {
    const leave = (): void => localStorage.setItem(key, String(Date.now()));
    leave();
    window.addEventListener('pagehide', leave);
    return () => {
      window.removeEventListener('pagehide', leave);
      leave();
    };
  }, [key]);
  return look;
};
