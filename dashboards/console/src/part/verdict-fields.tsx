// SPDX-License-Identifier: Apache-2.0
/**
 * The fields of a judgement: verdict by radio buttons, each with what it means; why, in a person's words.
 * Input: the values. Output: the values as they are chosen and typed.
 */
import { type ReactNode, useId } from 'react';
import { VERDICTS, type Verdict } from './verdicts.ts';

interface Props {
  readonly verdict: Verdict | null;
  readonly onVerdict: (verdict: Verdict) => void;
}

export const VerdictField = ({ verdict, onVerdict }: Props): ReactNode => (
  <fieldset className="choices">
    <legend>Verdict</legend>
    {VERDICTS.map(({ value, label, means }) => (
      <label key={value}>
        <input type="radio" name="verdict" value={value} checked={verdict === value} onChange={() => onVerdict(value)} />
        <span>
          {label} <span className="small third">{means}</span>
        </span>
      </label>
    ))}
  </fieldset>
);

interface TextProps {
  readonly label: string;
  readonly value: string;
  readonly onChange: (value: string) => void;
  readonly rows?: number;
}

export const TextField = ({ label, value, onChange, rows = 3 }: TextProps): ReactNode => {
  const id = useId();
  return (
    <p className="text-field">
      <label htmlFor={id}>{label}</label>
      {rows === 1 ? (
        <input id={id} type="text" value={value} maxLength={200} onChange={({ currentTarget }) => onChange(currentTarget.value)} />
      ) : (
        <textarea
          id={id}
          rows={rows}
          value={value}
          maxLength={4000}
          onChange={({ currentTarget }) => onChange(currentTarget.value)}
          onKeyDown={(event) => {
            if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) event.currentTarget.form?.requestSubmit();
          }}
        />
      )}
    </p>
  );
};
