// SPDX-License-Identifier: Apache-2.0
/**
 * A dialog of the browser's own with a form in it: the focus goes in and comes back, Escape leaves, what was typed stays after a refusal.
 * Input: a title, fields, what the button is called. Output: the form's act, or its refusal under the fields.
 */
import { type FormEvent, type ReactNode, useEffect, useId, useRef, useState } from 'react';
import { ProblemLine } from './problem.tsx';

interface Props {
  readonly title: string;
  /** A verb that names the result: "Close as benign". */
  readonly act: string;
  readonly disabled?: boolean;
  readonly onAct: () => Promise<unknown>;
  readonly onLeave: () => void;
  /** What else is to be said about a refusal. */
  readonly about?: (error: unknown) => ReactNode;
  readonly children: ReactNode;
}

export const FormDialog = ({ title, act, disabled = false, onAct, onLeave, about, children }: Props): ReactNode => {
  const dialog = useRef<HTMLDialogElement>(null);
  const id = useId();
  const [error, setError] = useState<unknown>(null);
  const [busy, setBusy] = useState(false);
  useEffect(() => {
    const before = document.activeElement;
    const one = dialog.current;
    if (one && !one.open) one.showModal();
    return () => {
      if (before instanceof HTMLElement && before.isConnected) before.focus();
    };
  }, []);
  const submit = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    if (busy || disabled) return;
    setBusy(true);
    setError(null);
    try {
      await onAct();
      onLeave();
    } catch (refusal) {
      setError(refusal);
      setBusy(false);
    }
  };
  return (
    <dialog
      ref={dialog}
      className="dialog asks"
      aria-labelledby={id}
      onCancel={(event) => {
        event.preventDefault();
        onLeave();
      }}
    >
      <h2 id={id}>{title}</h2>
      <form className="fields-form" onSubmit={(event) => void submit(event)}>
        {children}
        {error === null ? null : (about?.(error) ?? <ProblemLine error={error} />)}
        <p className="ends">
          <button type="button" className="ctl" onClick={onLeave}>
            Leave it
          </button>
          <button type="submit" className="ctl filled" disabled={busy || disabled}>
            {act}
          </button>
        </p>
      </form>
    </dialog>
  );
};
