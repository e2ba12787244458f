// SPDX-License-Identifier: Apache-2.0
/**
 * Single keys: `/` query, `z` zone and the others of a page. Off while somebody types, and for good when a person wants so.
 * Input: keydown of the document. Output: the action of the key.
 */
import { useEffect, useRef } from 'react';

const STORED = 'vigil.keys';

export const keysAreOn = (): boolean => localStorage.getItem(STORED) !== 'off';
export const switchKeys = (on: boolean): void => localStorage.setItem(STORED, on ? 'on' : 'off');

const isTyping = (target: EventTarget | null): boolean =>
  target instanceof HTMLElement && (/^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName) || target.isContentEditable);

/** Runs the action of a key anywhere on the page. `Escape` works while typing too, and when single keys are off. */
export const useKeys = (actions: Readonly<Record<string, (() => void) | undefined>>): void => {
  const latest = useRef(actions);
  latest.current = actions;
  useEffect(() => {
    const press = (event: KeyboardEvent): void => {
      if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
      const action = latest.current[event.key];
      if (!action) return;
      if (event.key !== 'Escape' && (isTyping(event.target) || !keysAreOn() || document.querySelector('dialog[open], [role=menu]'))) return;
      event.preventDefault();
      action();
    };
    document.addEventListener('keydown', press);
    return () => document.removeEventListener('keydown', press);
  }, []);
};

/** What `?` shows; the pages' own keys stand with the pages. */
export const KEYS: readonly (readonly [keys: string, what: string])[] = [
  ['/', 'Write a query'],
  ['j  k', 'Next, previous event'],
  ['Enter', 'Open the event'],
  ['Esc', 'Close it, leave a field'],
  ['[  ]', 'Earlier, later window'],
  ['z', 'Times in UTC or local'],
  ['?', 'These keys'],
];
