// SPDX-License-Identifier: Apache-2.0
/**
 * A choice among words with its label.
 * Input: options, the value. Output: the value that is chosen.
 */
import { type ReactNode, useId } from 'react';

interface Props<T extends string> {
  readonly label: string;
  readonly value: T;
  readonly options: readonly { readonly value: T; readonly label: string }[];
  readonly onChange: (value: T) => void;
}

export const ChoiceField = <T extends string>({ label, value, options, onChange }: Props<T>): ReactNode => {
  const id = useId();
  return (
    <p className="text-field">
      <label htmlFor={id}>{label}</label>
      <select
        id={id}
        className="ctl"
        value={value}
        onChange={({ currentTarget }) => {
          const chosen = options.find((one) => one.value === currentTarget.value);
          if (chosen) onChange(chosen.value);
        }}
      >
        {options.map((one) => (
          <option key={one.value} value={one.value}>
            {one.label}
          </option>
        ))}
      </select>
    </p>
  );
};
