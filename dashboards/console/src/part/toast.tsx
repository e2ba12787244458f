// SPDX-License-Identifier: Apache-2.0
/**
 * What was just done, and the way back: one sentence at the foot that leaves by itself; `u` undoes while it stands.
 * Input: `useToast()` from any part below the provider. Output: a status line that screen readers hear.
 */
import { createContext, type ReactNode, useCallback, useContext, useEffect, useMemo, useState } from 'react';
import { useKeys } from './keys.ts';

/** How long a sentence stands, in ms; one with a way back stands longer. */
const STANDS = { plain: 4_000, undo: 12_000 } as const;

interface Note {
  readonly text: string;
  readonly undo?: () => Promise<unknown>;
  readonly bad?: boolean;
}

const ToastContext = createContext<(note: Note) => void>(() => {});

export const useToast = (): ((note: Note) => void) => useContext(ToastContext);

export const Toasts = ({ children }: { readonly children: ReactNode }): ReactNode => {
  const [note, setNote] = useState<Note | null>(null);
  const show = useCallback((next: Note): void => setNote(next), []);
  useEffect(() => {
    if (!note) return;
    const timer = setTimeout(() => setNote((now) => (now === note ? null : now)), note.undo ? STANDS.undo : STANDS.plain);
    return () => clearTimeout(timer);
  }, [note]);
  const undo = useMemo(
    () =>
      note?.undo &&
      (() => {
        const { undo: back } = note;
        setNote(null);
        void back?.().then(
          () => setNote({ text: 'Undone.' }),
          (error: unknown) => setNote({ text: `It could not be undone. ${error instanceof Error ? error.message : ''}`, bad: true }),
        );
      }),
    [note],
  );
  useKeys({ u: undo });
  return (
    <ToastContext value={show}>
      {children}
      <div className="toasts" role="status" aria-live="polite">
        {note ? (
          <p className={note.bad ? 'toast bad' : 'toast'}>
            {note.text}
            {undo ? (
              <button type="button" className="ctl" onClick={undo}>
                Undo <kbd>u</kbd>
              </button>
            ) : null}
          </p>
        ) : null}
      </div>
    </ToastContext>
  );
};
