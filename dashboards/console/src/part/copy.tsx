// SPDX-License-Identifier: Apache-2.0
/**
 * The one way to the clipboard.
 * Input: a text. Output: a button that says whether it was copied.
 */
import { type ReactNode, useState } from 'react';

/** Puts a text on the clipboard and says so. */
export const Copy = ({ text, label }: { readonly text: string; readonly label: string }): ReactNode => {
  const [done, setDone] = useState<boolean | null>(null);
  const copy = async (): Promise<void> => {
    try {
      await navigator.clipboard.writeText(text);
      setDone(true);
    } catch {
      // Browsers refuse the clipboard outside of HTTPS and localhost.
      setDone(false);
    }
    setTimeout(() => setDone(null), 2_000);
  };
  return (
    <button type="button" className="evidence" aria-live="polite" onClick={copy}>
      {done === null ? label : done ? 'copied' : 'the browser refused'}
    </button>
  );
};
