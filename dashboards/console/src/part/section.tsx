// SPDX-License-Identifier: Apache-2.0
/**
 * The section: a rule on top, a head with its coverage at the right end, space below; and what stands in it while it is empty, blind or read.
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
export const Empty = ({ children }: { readonly children: ReactNode }): ReactNode => <div className="empty">{children}</div>;

/** Nothing is there because nothing was seen: hatched, never plain. */
export const Blind = ({ children }: { readonly children: ReactNode }): ReactNode => (
  <div className="blind">
    <i className="hatch" aria-hidden="true" />
    <div>{children}</div>
  </div>
);

/** Rows that are being read; they show after 200 ms, so that a quick answer does not flash. */
export const Skeleton = ({ rows }: { readonly rows: number }): ReactNode => (
  <div className="skeleton" role="status" aria-label="Reading">
    {Array.from({ length: rows }, (_, i) => (
      // biome-ignore lint/suspicious/noArrayIndexKey: rows without content have no other name
      <i key={i} />
    ))}
  </div>
);

export interface Part {
  readonly name: string;
  readonly count: number;
  readonly kind: 'good' | 'bad' | 'hatch';
}

/** A whole in its parts, from zero; what is not known is hatched. */
export const ShareBar = ({ parts }: { readonly parts: readonly Part[] }): ReactNode => {
  const whole = parts.reduce((sum, { count }) => sum + count, 0);
  return (
    <span className="share" role="img" aria-label={parts.map(({ name, count }) => `${count} ${name}`).join(', ')}>
      {whole === 0 ? <i className="hatch" style={{ flexGrow: 1 }} /> : null}
      {parts.map(({ name, count, kind }) =>
        count === 0 ? null : (
          <i
            key={name}
            className={kind === 'hatch' ? 'hatch' : undefined}
            style={{ flexGrow: count, ...(kind === 'hatch' ? {} : { background: `var(--${kind})` }) }}
          />
        ),
      )}
    </span>
  );
};
