// SPDX-License-Identifier: Apache-2.0
/**
 * The section: a rule on top, a head with its coverage at the right end, space below; and what stands in it when it is empty or blind.
 * Input: title, coverage, content. Output: the one container of all pages.
 */
import { type ReactNode, useId } from 'react';

export const Section = ({
  title,
  note,
  coverage,
  children,
}: {
  readonly title: string;
  readonly note?: ReactNode;
  readonly coverage?: ReactNode;
  readonly children: ReactNode;
}): ReactNode => {
  const id = useId();
  return (
    <section className="section" aria-labelledby={id}>
      <header>
        <h2 id={id}>{title}</h2>
        {note === undefined ? null : <span className="small third">{note}</span>}
        {coverage === undefined ? null : <span className="coverage">{coverage}</span>}
      </header>
      {children}
    </section>
  );
};

/** Nothing is there, and that is known. */
export const Empty = ({ children }: { readonly children: ReactNode }): ReactNode => <p className="empty">{children}</p>;

/** Nothing is there because nothing was seen: hatched, never plain. */
export const Blind = ({ children }: { readonly children: ReactNode }): ReactNode => (
  <div className="blind">
    <i className="hatch" aria-hidden="true" />
    <p>{children}</p>
  </div>
);
