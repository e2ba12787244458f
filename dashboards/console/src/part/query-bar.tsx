// SPDX-License-Identifier: Apache-2.0
/**
 * The query bar: KQL in colour, completion of fields, operators and values from the collector, the wrong place underlined.
 * Input: the text, a place that could not be read. Output: the text as it is typed; Enter asks.
 */
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { type KeyboardEvent, type ReactNode, type RefObject, useId, useState } from 'react';
import { type Completion, complete, type Suggestion } from '../api/calls.ts';
import { piecesOf } from './kql.ts';

interface Props {
  readonly value: string;
  readonly onChange: (value: string) => void;
  readonly input: RefObject<HTMLInputElement | null>;
  /** Place in `value` that could not be read. */
  readonly wrongAt: number | undefined;
  /** Id of the text that says what is wrong. */
  readonly problemId: string | undefined;
  /** What completes the text; without it the fields and values of events. */
  readonly suggest?: (value: string, cursor: number) => Promise<Completion>;
  readonly placeholder?: string;
}

export const QueryBar = ({ value, onChange, input, wrongAt, problemId, suggest, placeholder }: Props): ReactNode => {
  const id = useId();
  // The cursor for which suggestions are shown; null while they are closed.
  const [cursor, setCursor] = useState<number | null>(null);
  const [chosen, setChosen] = useState(-1);
  const [scroll, setScroll] = useState(0);
  const asked = useQuery({
    queryKey: ['complete', suggest === undefined, value, cursor],
    queryFn: ({ signal }) => (suggest ? suggest(value, cursor ?? 0) : complete(value, cursor ?? 0, signal)),
    enabled: cursor !== null,
    placeholderData: keepPreviousData,
    staleTime: 30_000,
    gcTime: 60_000,
    retry: false,
  });
  const list = cursor === null || asked.isPlaceholderData ? [] : (asked.data?.suggestions ?? []);
  const isOpen = list.length > 0;
  const close = (): void => {
    setCursor(null);
    setChosen(-1);
  };
  const take = ({ text, from, to }: Suggestion): void => {
    const next = value.slice(0, from) + text + value.slice(to);
    onChange(next);
    setChosen(-1);
    const end = from + text.length;
    requestAnimationFrame(() => {
      input.current?.focus();
      input.current?.setSelectionRange(end, end);
      setCursor(end);
    });
  };
  const keys = (event: KeyboardEvent<HTMLInputElement>): void => {
    if (event.key === ' ' && event.ctrlKey) setCursor(event.currentTarget.selectionStart ?? value.length);
    else if (event.key === 'Escape') {
      if (isOpen) close();
      else event.currentTarget.blur();
    } else if (!isOpen) {
      // What is asked for is not written any further: suggestions that come late stay away.
      if (event.key === 'Enter') close();
      if (event.key !== 'ArrowDown') return;
      setCursor(event.currentTarget.selectionStart ?? value.length);
    } else if (event.key === 'ArrowDown') setChosen((chosen + 1) % list.length);
    else if (event.key === 'ArrowUp') setChosen(chosen <= 0 ? list.length - 1 : chosen - 1);
    else if ((event.key === 'Enter' || event.key === 'Tab') && list[chosen]) take(list[chosen]);
    else {
      if (event.key === 'Enter' || event.key === 'ArrowLeft' || event.key === 'ArrowRight') close();
      return;
    }
    event.preventDefault();
    event.stopPropagation();
  };
  return (
    <div className="query">
      <div className="kql mono" aria-hidden="true">
        <pre style={{ transform: `translateX(${-scroll}px)` }}>
          {piecesOf(value).map(({ text, kind, at }) => (
            <span key={at} className={isWrong(at, text, wrongAt) ? `${kind} wrong` : kind}>
              {text}
            </span>
          ))}
          {wrongAt !== undefined && wrongAt >= value.length ? <span className="wrong">&ensp;</span> : null}
        </pre>
      </div>
      <input
        ref={input}
        className="mono"
        type="text"
        role="combobox"
        aria-label="Query"
        aria-autocomplete="list"
        aria-expanded={isOpen}
        aria-controls={`${id}-list`}
        aria-activedescendant={isOpen && chosen >= 0 ? `${id}-${chosen}` : undefined}
        aria-invalid={wrongAt !== undefined}
        aria-describedby={problemId}
        placeholder={placeholder ?? 'event.outcome: failure and source.ip: 203.0.113.0/24'}
        autoComplete="off"
        autoCapitalize="off"
        autoCorrect="off"
        spellCheck={false}
        value={value}
        onChange={({ currentTarget }) => {
          onChange(currentTarget.value);
          setChosen(-1);
          setCursor(currentTarget.selectionStart ?? currentTarget.value.length);
        }}
        onKeyDown={keys}
        onScroll={({ currentTarget }) => setScroll(currentTarget.scrollLeft)}
        onBlur={close}
      />
      <kbd>/</kbd>
      <div className="suggestions" id={`${id}-list`} role="listbox" aria-label="Suggestions" hidden={!isOpen}>
        {list.map((one, i) => (
          // biome-ignore lint/a11y/useKeyWithClickEvents: the field above moves through the list by its keys
          // biome-ignore lint/a11y/useFocusableInteractive: the focus stays in the field
          <div
            key={`${one.kind} ${one.text}`}
            id={`${id}-${i}`}
            role="option"
            aria-selected={i === chosen}
            ref={i === chosen ? (item) => item?.scrollIntoView({ block: 'nearest' }) : undefined}
            // The field keeps the focus, so that a click does not close the list before it is taken.
            onMouseDown={(event) => event.preventDefault()}
            onClick={() => take(one)}
          >
            <span className="mono">{one.text.trim()}</span>
            <span className="small third">{one.meaning ?? ''}</span>
          </div>
        ))}
      </div>
    </div>
  );
};

const isWrong = (at: number, text: string, wrongAt: number | undefined): boolean =>
  wrongAt !== undefined && wrongAt >= at && wrongAt < at + text.length;
