// SPDX-License-Identifier: Apache-2.0
/**
 * Something that is shown this once: a line to paste, a token, a one-time password.
 * Input: the text and what it is for. Output: a box with a copy that stays until it is put away.
 */
import type { ReactNode } from 'react';
import { Copy } from './copy.tsx';

interface Props {
  readonly title: string;
  readonly text: string;
  readonly hint: string;
  readonly onDone: () => void;
}

export const Once = ({ title, text, hint, onDone }: Props): ReactNode => (
  <section className="once" aria-label={title}>
    <h3>{title}</h3>
    <pre className="raw">{text}</pre>
    <p className="acts">
      <Copy text={text} label="copy it" />
      <button type="button" className="evidence" onClick={onDone}>
        put it away
      </button>
      <span className="small third">{hint}</span>
    </p>
  </section>
);
